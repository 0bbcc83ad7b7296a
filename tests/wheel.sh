#!/bin/sh
# Builds the wheel, installs it alone in an empty virtual environment, and uses it from there.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$BIN/python" -m build --wheel --no-isolation --outdir "$folder" . >"$folder/build.log" 2>&1 \
  || { cat "$folder/build.log" >&2; exit 1; }
"$PYTHON" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$folder"/clearsplit-*.whl

export_file=$(pwd)/docs/examples/lisbon.csv
cd "$folder"
packages=$("$folder/venv/bin/pip" list --format=freeze | grep -vcE '^(pip|setuptools|clearsplit)==') || true
[ "$packages" = 0 ] || { echo "the wheel brought other packages along" >&2; exit 1; }

"$folder/venv/bin/python" - <<'PYTHON'
from clearsplit_core import settle

plan = settle({"ana": 5000, "bo": -3000, "cy": -2000})
assert plan.optimal and len(plan.transfers) == plan.lower_bound == 2, plan
PYTHON
"$folder/venv/bin/clearsplit" settle "$export_file" >/dev/null
"$folder/venv/bin/python" -m zipfile -l clearsplit-*.whl | grep -q 'clearsplit_pg/migrations/.*\.sql' \
  || { echo "the wheel has no migrations" >&2; exit 1; }

said=$("$folder/venv/bin/clearsplit" serve 2>&1) && { echo "serve ran without its packages" >&2; exit 1; }
case "$said" in
  *"pip install 'clearsplit["*) ;;
  *) echo "serve does not say which extra it needs: $said" >&2; exit 1 ;;
esac
echo "the wheel installs alone, settles, and says what serve needs"
