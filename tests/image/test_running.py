"""The image as an operator meets it: read-only, without capabilities, as uid 10001.

`make image-test` runs these; tests/image/engine.py says how the image is built.
"""

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import psycopg
import pytest

from clearsplit_pg.schema import required
from tests.image.engine import ROOT, Engine
from tests.networked import Server

DEPLOY = ROOT / "docs" / "deploy"
START_S_MAX = 60
STOP_S_MAX = 10
RECOVERY_S_MAX = 2
SIZE_MB_MAX = 130
"""What the image may add to its base."""
SCHEMES = ("postgresql+asyncpg", "postgresql+psycopg", "postgresql", "postgres")

UNWANTED = """
import importlib.util, pathlib, shutil
programs = ["pip", "pip3", "gcc", "cc", "g++", "clang", "make", "ld", "as", "git", "curl", "wget"]
print(*filter(shutil.which, programs))
print(*filter(importlib.util.find_spec, ["pip", "setuptools", "wheel", "ensurepip"]))
folders = ["/root/.cache", "/source", "/tools", "/wheels", "/app/.cache"]
print(*[folder for folder in folders if pathlib.Path(folder).exists()])
"""
RAISED = """
import os, stat
for folder, _, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys")):
        continue
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            print(path)
"""
WRITABLE = """
import os
for folder in ("/", "/app", "/app/bin", "/etc", "/home", "/usr/bin", "/var"):
    try:
        open(os.path.join(folder, "x"), "w")
        print(folder)
    except OSError as error:
        assert error.errno in (13, 30), error
open("/tmp/x", "w")
"""
MEMORY_MB_MAX = 400
"""Of 512: the rest is for requests and solvers."""
MEMORY = """
import glob
kilobytes = 0
for path in glob.glob("/proc/[0-9]*/smaps_rollup"):
    try:
        lines = open(path).read().splitlines()
    except OSError:
        continue
    kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
print(kilobytes)
"""
SIZE = """
import os
paths = (os.path.join(at, name) for at, _, names in os.walk("/app") for name in names)
print(sum(os.lstat(path).st_size for path in paths))
"""


@dataclass(frozen=True)
class Serving:
    """A container that serves, and where."""

    name: str
    port: int
    started_s: float

    def get(self, path: str) -> int:
        """The status of the answer."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def read(self, path: str) -> bytes:
        """The body of the answer."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()


@pytest.fixture
def serving(image: Engine, database_url: str) -> Generator[Serving]:
    with served(image, database_url) as found:
        yield found


@contextmanager
def served(image: Engine, database_url: str, **env: str) -> Generator[Serving]:
    """A container that serves from a migrated database, until the end of the block."""
    name, port = f"clearsplit-test-{secrets.token_hex(4)}", free_port()
    assert image.run("migrate", env={"DATABASE_URL": database_url}).status == 0
    started = time.monotonic()
    image.start(
        name,
        *("serve", "--host", "127.0.0.1", "--port", str(port)),
        env={
            "DATABASE_URL": database_url,
            "JWT_SECRET": secrets.token_urlsafe(48),
            "UVICORN_PORT": str(port),
            **env,
        },
    )
    try:
        found = Serving(name, port, started)
        wait_until_ready(image, found)
        yield Serving(name, port, time.monotonic() - started)
    finally:
        image.remove(name)


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_until_ready(image: Engine, serving: Serving) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        try:
            if serving.get("/health/ready") == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.02)
    pytest.fail(f"not ready after {START_S_MAX} s: {image.logs(serving.name)}")


# ── What it is ───────────────────────────────────────────────────────────────────────────────────


def test_it_is_appuser_without_capabilities(image: Engine) -> None:
    program = (
        "import os, pwd; print(os.getuid(), os.getgid(), pwd.getpwuid(os.getuid()).pw_name);"
        "print(*[l.split()[1] for l in open('/proc/self/status') if l.startswith('Cap')])"
    )
    said = image.run("-c", program, entry="python").out.splitlines()

    assert said == ["10001 10001 appuser", " ".join(["0" * 16] * 5)]


def test_nothing_but_tmp_can_be_written(image: Engine) -> None:
    done = image.run("-c", WRITABLE, entry="python")

    assert (done.status, done.out, done.err) == (0, "", done.err), done.err


def test_no_compiler_no_pip_and_no_cache_is_inside(image: Engine) -> None:
    done = image.run_as_root("-c", UNWANTED, entry="python")

    assert (done.status, done.out) == (0, "\n\n\n"), done.out + done.err


def test_no_program_raises_who_starts_it(image: Engine) -> None:
    assert image.run_as_root("-c", RAISED, entry="python").out == ""


def test_it_says_where_it_comes_from(image: Engine) -> None:
    labels = image.described["Config"]["Labels"]

    source = "https://github.com/yslim-030622/ClearSplit"
    assert labels["org.opencontainers.image.source"] == source
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    for name in ("title", "description", "documentation", "version", "revision", "created"):
        assert labels[f"org.opencontainers.image.{name}"]


def test_its_port_and_its_health_check_are_what_the_guide_says(image: Engine) -> None:
    config = image.described["Config"]
    check = config.get("Healthcheck") or image.described["Healthcheck"]

    assert list(config["ExposedPorts"]) == ["8000/tcp"]
    assert (check["Interval"], check["Timeout"], check["Retries"]) == (30 * 10**9, 10 * 10**9, 3)
    assert config["Entrypoint"] == ["clearsplit"]


def test_it_is_small(image: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    added_mb = int(image.run("-c", SIZE, entry="python").out) / 10**6
    whole_mb = image.described["Size"] / 10**6
    with capsys.disabled():
        print(f"\nimage: {whole_mb:.0f} MB, of which ClearSplit and its packages {added_mb:.0f} MB")

    assert added_mb < SIZE_MB_MAX


# ── Its commands ─────────────────────────────────────────────────────────────────────────────────


def test_two_containers_migrate_at_once_and_one_does_it(image: Engine, database_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        env = {"DATABASE_URL": database_url}
        runs = [pool.submit(image.run, "migrate", env=env) for _ in range(2)]
    done = [run.result() for run in runs]

    assert [each.status for each in done] == [0, 0], done
    applied = "".join(f"applied {migration}\n" for migration in sorted(required()))
    assert sorted(each.out for each in done) == sorted([applied, "up to date\n"])


def test_every_spelling_of_a_url_migrates(image: Engine, database_url: str) -> None:
    spelled = [database_url.replace("postgresql", scheme, 1) for scheme in SCHEMES]
    done = [image.run("migrate", env={"DATABASE_URL": url}) for url in spelled]

    assert [each.status for each in done] == [0, 0, 0, 0], done
    status = image.run("migrate", "--status", env={"DATABASE_URL": database_url})
    assert (status.status, status.out) == (0, "up to date\n")


def test_plain_yoyo_migrates_too(image: Engine, database_url: str) -> None:
    where = "from clearsplit_pg.schema import migrations_dir; print(migrations_dir())"
    folder = image.run("-c", where, entry="python").out.strip()
    url = database_url.replace("postgresql", "postgresql+psycopg", 1)

    done = image.run("apply", "--batch", "--database", url, folder, entry="yoyo")

    assert done.status == 0, done.err
    status = image.run("migrate", "--status", env={"DATABASE_URL": database_url})
    assert (status.status, status.out) == (0, "up to date\n")


def test_nobody_goes_down_inside_the_image(image: Engine, database_url: str) -> None:
    done = image.run("migrate", "--down", env={"DATABASE_URL": database_url})

    assert done.status == 1
    assert "ENV is production" in done.err


def test_check_db_says_what_to_fix_and_then_that_all_is_well(
    image: Engine, database_url: str
) -> None:
    env = {"DATABASE_URL": database_url}
    before = image.run("check-db", env=env)
    image.run("migrate", env=env)
    after = image.run("check-db", env=env)

    assert (before.status, after.status) == (1, 0), after.out + after.err
    assert "FIX         The schema is old: run `clearsplit migrate`." in before.out
    assert "schema      up to date" in after.out
    assert "inside" not in before.out + after.out + before.err + after.err


def test_a_wrong_password_is_said_and_not_shown(image: Engine, database_url: str) -> None:
    wrong = database_url.replace("inside", "outside")
    done = image.run("check-db", env={"DATABASE_URL": wrong})

    assert done.status == 1
    assert "password authentication failed" in done.err
    assert "outside" not in done.err


# ── Its server ───────────────────────────────────────────────────────────────────────────────────


def test_it_serves(image: Engine, serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nimage: ready {serving.started_s:.2f} s after `run`")

    paths = ("/health", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs")
    assert [serving.get(path) for path in paths] == [200] * 6
    assert serving.get("/groups") == 401
    assert json.loads(image.inside(serving.name, "python", "-c", "print([1])").out) == [1]


def test_its_health_check_passes_while_it_serves_and_fails_elsewhere(
    image: Engine, serving: Serving
) -> None:
    check = image.described["Config"].get("Healthcheck") or image.described["Healthcheck"]
    _, *command = check["Test"]

    assert image.inside(serving.name, *command).status == 0
    assert image.run(*command[1:], env={"UVICORN_PORT": "9"}, entry=command[0]).status == 1


def test_sigterm_ends_it_in_time_and_without_complaint(image: Engine, serving: Serving) -> None:
    asked = time.monotonic()
    image.terminate(serving.name)

    assert image.wait(serving.name) == 0, image.logs(serving.name)
    assert time.monotonic() - asked < STOP_S_MAX


def test_four_workers_fit_into_the_memory_that_the_guide_gives_them(
    image: Engine, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(image, database_url, UVICORN_WORKERS="4") as serving:
        until_all_work(serving)
        assert {serving.get("/health/ready") for _ in range(200)} == {200}
        used_mb = int(image.inside(serving.name, "python", "-c", MEMORY).out) / 1000
        with capsys.disabled():
            print(f"\nimage: four workers and their parent use {used_mb:.0f} MB")
        asked = time.monotonic()
        image.terminate(serving.name)

        assert image.wait(serving.name) == 0, image.logs(serving.name)
        assert time.monotonic() - asked < STOP_S_MAX
        assert used_mb < MEMORY_MB_MAX


def until_all_work(serving: Serving) -> None:
    deadline = time.monotonic() + START_S_MAX
    while b"clearsplit_workers 4.0" not in serving.read("/metrics"):
        assert time.monotonic() < deadline, "not all workers have started"
        time.sleep(0.2)


def test_it_outlives_a_restart_of_its_database(
    server: Server, serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    server.stop()
    meanwhile = [serving.get("/health"), serving.get("/health/ready")]
    server.start()
    back = time.monotonic()
    while serving.get("/health/ready") != 200:
        assert time.monotonic() - back < RECOVERY_S_MAX, "not ready again in time"
        time.sleep(0.02)
    with capsys.disabled():
        print(f"\nimage: ready {time.monotonic() - back:.2f} s after its database came back")

    assert meanwhile == [200, 503]


def test_the_server_is_process_one(image: Engine, serving: Serving) -> None:
    program = "print(open('/proc/1/cmdline').read().replace(chr(0), ' '))"

    assert "clearsplit serve" in image.inside(serving.name, "python", "-c", program).out


def test_a_database_without_a_schema_is_refused(image: Engine, database_url: str) -> None:
    env = {"DATABASE_URL": database_url, "JWT_SECRET": secrets.token_urlsafe(48)}
    done = image.run("serve", "--host", "127.0.0.1", "--port", str(free_port()), env=env)

    assert done.status == 1
    assert "clearsplit migrate" in done.err
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("select from pg_tables where schemaname = 'public'")
        assert tables.fetchall() == []


def test_a_short_secret_is_refused(image: Engine, database_url: str) -> None:
    done = image.run("serve", env={"DATABASE_URL": database_url, "JWT_SECRET": "test-secret"})

    assert done.status == 1
    assert "JWT_SECRET needs 32 bytes or more" in done.err
    assert "test-secret" not in done.err


# ── Behind a proxy ───────────────────────────────────────────────────────────────────────────────


def test_it_serves_behind_caddy_with_tls(serving: Serving, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "Caddyfile"
    config.write_text(
        "{\n admin off\n skip_install_trust\n auto_https disable_redirects\n}\n"
        f"import {DEPLOY / 'Caddyfile'}\n"
    )
    words = [needed("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]
    env = {
        "HOME": str(tmp_path),
        "CLEARSPLIT_DOMAIN": f"https://localhost:{port}",
        "CLEARSPLIT_UPSTREAM": f"127.0.0.1:{serving.port}",
    }
    with running(words, env):
        assert status_over_tls(port, "/health/ready") == 200
        assert status_over_tls(port, "/groups") == 401


def test_it_serves_behind_nginx_with_tls(serving: Serving, tmp_path: Path) -> None:
    port = free_port()
    host = "expenses.example.org"
    subprocess.run(
        [
            *(needed("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", f"/CN={host}", "-keyout", str(tmp_path / "privkey.pem")),
            *("-out", str(tmp_path / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    config = (DEPLOY / "nginx.conf").read_text()
    for written, here in {
        f"/etc/letsencrypt/live/{host}": str(tmp_path),
        "127.0.0.1:8000": f"127.0.0.1:{serving.port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
    }.items():
        assert written in config
        config = config.replace(written, here)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\ndaemon off;\n{config}")
    with running([needed("nginx"), "-c", str(tmp_path / "nginx.conf")], {}):
        assert status_over_tls(port, "/health/ready") == 200
        assert status_over_tls(port, "/groups") == 401


def needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} here")
    return found


@contextmanager
def running(words: Sequence[str], env: Mapping[str, str]) -> Generator[None]:
    process = subprocess.Popen(
        words, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=STOP_S_MAX)


def status_over_tls(port: int, path: str) -> int:
    """The status of the answer, as soon as somebody listens; the certificate is nobody's."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            connection = HTTPSConnection("localhost", port, timeout=5, context=trusting)
            with closing(connection):
                connection.request("GET", path)
                return connection.getresponse().status
        except (ConnectionError, ssl.SSLError):
            assert time.monotonic() < deadline, "the proxy does not answer"
            time.sleep(0.05)
