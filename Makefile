# ClearSplit: what can be run here. `make help` lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000
OPS    ?= 20000
SEED   ?= 1
SEEDS  ?= 2000
HOST   ?= 127.0.0.1
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-header

# As it was typed: a $ in a path is no variable of make's.
override DATA_DIR := $(value DATA_DIR)
export DATA_DIR

.DEFAULT_GOAL := help
.PHONY: help venv serve test fire schemathesis lint format types imports wheel serve-test operations image-test bank bank-broken simulate drill drill-broken bench bench-memory bench-storage bench-instructions capacity bench-core bench-settle bench-entry bench-signing-in lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.installed  ## make .venv with exactly the locked packages

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "ClearSplit needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python cannot make a virtual environment; on Debian: apt install python3-venv." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

serve: venv  ## serve on http://127.0.0.1:8000 with a private Postgres (HOST=, PORT=, DATA_DIR=)
	@exec $(BIN)/clearsplit serve --host $(HOST) --port $(PORT) $${DATA_DIR:+--data-dir "$$DATA_DIR"}

test: venv  ## run the whole suite on a Postgres of its own (or TEST_DATABASE_URL)
	@$(BIN)/pytest -q -n 2 $(PYTEST_ARGS)

fire: venv  ## what must hold when everybody does everything at once: several workers, full size
	@FIRE=1 $(BIN)/pytest -q -p no:xdist tests/fire tests/pg/test_killed.py $(PYTEST_ARGS)

schemathesis: venv  ## fuzz every operation of the OpenAPI document, with every check
	@FUZZ=1 $(BIN)/pytest -q -p no:xdist tests/fuzz $(PYTEST_ARGS)

lint: venv  ## ruff: the linter, and that the formatter has nothing to do
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: venv  ## ruff: format, and mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: venv  ## mypy --strict on everything, pyright on clearsplit_pg
	@$(BIN)/mypy
	@$(BIN)/pyright

imports: venv  ## import-linter: who may know whom
	@$(BIN)/lint-imports

wheel: venv  ## build the wheel, install it alone in an empty venv, and use it
	@PYTHON="$(PYTHON)" BIN="$(BIN)" sh tests/wheel.sh

serve-test: venv  ## start `make serve` twice as a terminal would, and look for what it leaves
	@BIN="$(BIN)" sh tests/serve.sh

operations: venv  ## Dockerfile, workflows and Compose files: hadolint, actionlint, zizmor, their schemas
	@$(BIN)/hadolint Dockerfile
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint
	@$(BIN)/zizmor --offline --quiet .github
	@$(BIN)/shellcheck docs/deploy/roles.sh tests/install.sh tests/serve.sh tests/wheel.sh .ci/run
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml docker-compose.prod.yml docs/deploy/traefik.yml
	@$(BIN)/check-jsonschema --schemafile tests/image/compose.schema.json docker-compose.prod.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

image-test: venv  ## build the image, run it as an operator does, probe it (IMAGE_ENGINE=docker; else buildah and podman)
	@IMAGE_TEST=1 $(BIN)/pytest -q -p no:xdist tests/image

bank: venv  ## nothing is lost under fire: 50 clients, kill -9 of server and Postgres (OPS=, SEED=)
	@$(BIN)/python -m tests.bank --ops $(OPS) --seed $(SEED)

bank-broken: venv  ## the bank catches builds that break a promise (BUILD="tables that drift": that one)
	@$(BIN)/python -m tests.bank.broken $(if $(BUILD),"$(BUILD)")

simulate: venv  ## 2,000 seeds of 500 commands in memory, crashing before and after every call of a store (SEEDS=)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

drill: venv  ## what an operator will one day do, under load, each with its time (DRILL="restarts standby": those)
	@$(BIN)/python -m tests.drill $(DRILL)

drill-broken: venv  ## the drills see the mistakes that an operator can make (DRILL="restarts standby": theirs)
	@$(BIN)/python -m tests.drill.broken $(DRILL)

bench: venv  ## what a request costs, beside bare routes and beside ihatemoney (wrk; nine minutes, a quiet machine; ROUNDS=, SECONDS=, PEER=0)
	@$(BIN)/python -m tests.bench.serving $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(filter 0,$(PEER)),--no-peer)

bench-memory: venv  ## one worker holds no more after 200,000 requests (wrk)
	@$(BIN)/python -m tests.bench.serving --memory

bench-storage: venv  ## what a recorded expense takes on disk and in the WAL
	@$(BIN)/python -m tests.bench.storage

bench-instructions: venv  ## how many instructions Postgres needs to record an expense (valgrind; no quiet machine)
	@$(BIN)/python -m tests.bench.instructions

capacity: venv  ## reckon the model anew from the figures in docs/scaling.md, and write its tables there
	@$(BIN)/python -m tests.bench.capacity

bench-core: venv  ## splits, decisions, hashes and settlements a second
	@$(BIN)/python -m tests.bench.core

bench-settle: venv  ## the settlement engine against greedy and CP-SAT
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@$(BIN)/python tests/bench/settlement.py

bench-entry: venv  ## what an entry of many legs costs, against the same legs as plain rows
	@$(BIN)/python -m tests.bench.entry_legs

bench-signing-in: venv  ## what 20 sign-ins a second cost a plain GET
	@$(BIN)/python -m tests.bench.signing_in

lock: venv  ## lock every dependency anew, with hashes, for Python 3.11 and up on every platform
	@$(LOCK) --extra dev -o requirements-dev.txt pyproject.toml
	@$(LOCK) --constraint requirements-dev.txt --extra server -o requirements-server.txt pyproject.toml
	@$(LOCK) --constraint requirements-dev.txt --extra bench -o requirements-bench.txt pyproject.toml
	@echo 'hatchling>=1.27' | $(LOCK) --constraint requirements-dev.txt -o requirements-build.txt -

clean:  ## remove what was built
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
