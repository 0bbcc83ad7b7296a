"""`clearsplit serve` as its operator sees it: a process, its words and its end."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests.http.process import (
    IN_MEMORY,
    SECRET,
    address,
    children,
    environment,
    refused,
    serving,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_asked_to_stop(number: signal.Signals) -> None:
    with serving(env=IN_MEMORY) as (process, said):
        assert httpx.get(f"{address(said)}/health/ready").json() == {"status": "ok"}
        process.send_signal(number)
        rest, _ = process.communicate(timeout=10)
        assert (process.returncode, rest) == (0, "")


def test_a_load_balancer_is_told_before_it_stops() -> None:
    with serving(env=IN_MEMORY | {"DRAIN_S": "1"}) as (process, said):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert httpx.get(f"{address(said)}/health/ready").status_code == 503
        assert httpx.get(f"{address(said)}/health/live").status_code == 200
        process.communicate(timeout=10)
        assert process.returncode == 0


def test_a_solver_goes_with_its_server() -> None:
    with serving(env=IN_MEMORY) as (process, said):
        solver = _started_solver(process, address(said))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        assert not Path(f"/proc/{solver}").exists()


def _started_solver(process: subprocess.Popen[str], url: str) -> int:
    """The process id of the solver, which a preview has started."""
    body = {"email": "ana@example.org", "password": "long enough for all", "name": "Ana"}
    token = httpx.post(f"{url}/auth/signup", json=body).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "1"}
    with httpx.Client(base_url=url, headers=headers) as ana:
        group = ana.post("/groups", json={"name": "Lisbon", "currency": "EUR"}).json()
        path = f"/groups/{group['id']}"
        bo = ana.post(f"{path}/members", json={"name": "Bo"}, headers={"Idempotency-Key": "2"})
        expense = {
            "title": "Dinner",
            "amount_minor": 100,
            "currency": "EUR",
            "date": "2026-01-31",
            "paid_by": bo.json()["id"],
            "split": {"kind": "equal", "members": [group["members"][0]["id"]]},
        }
        ana.post(f"{path}/expenses", json=expense, headers={"Idempotency-Key": "3"})
        assert len(ana.get(f"{path}/settlements/preview").json()["transfers"]) == 1
    (solver,) = children(process.pid)
    return solver


def test_without_a_database_it_brings_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "data folder"
    with serving("--data-dir", str(folder), env=environment()) as (process, said):
        assert f"data           {folder}\n" in said
        (check,) = re.findall(r"check +clearsplit (verify .*)", said)
        verify = [sys.executable, "-m", "clearsplit_core", *check.split()]
        done = subprocess.run(verify, env=environment(), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert httpx.get(f"{address(said)}/health/ready").status_code == 200
        assert (folder / "jwt-secret").stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused("--port", str(port), env=IN_MEMORY)
    assert f"127.0.0.1 port {port}: another program listens there" in said


def test_a_host_that_is_none_is_said() -> None:
    assert "Cannot listen on" in refused("--host", "no such host", env=IN_MEMORY)


def test_bad_settings_are_said() -> None:
    said = refused(env=environment(DATABASE_URL="memory:", JWT_SECRET="hunter2", BCRYPT_COST="x"))
    assert "\n  JWT_SECRET needs 32 bytes" in said
    assert "\n  BCRYPT_COST" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("env", ["production", "staging"])
def test_in_production_all_that_is_missing_is_said_at_once(env: str) -> None:
    said = refused(env=environment(ENV=env))
    assert "DATABASE_URL is not set" in said
    assert "JWT_SECRET needs 32 bytes" in said


def test_an_environment_is_one_of_three() -> None:
    said = refused(env=environment(ENV="prod", DATABASE_URL="memory:", JWT_SECRET=SECRET))
    assert "ENV is local, staging or production" in said


def test_where_to_listen_may_stand_in_the_environment_and_a_flag_beats_it() -> None:
    env = IN_MEMORY | {"UVICORN_HOST": "no such host", "UVICORN_PORT": "8001"}
    assert "Cannot listen on no such host port 0" in refused(env=env)


def test_an_unknown_kind_of_database_is_said() -> None:
    said = refused(env=environment(DATABASE_URL="mysql://u:hunter2@h/d", JWT_SECRET=SECRET))
    assert "memory, postgresql" in said
    assert "hunter2" not in said


# ── A database that cannot be used ───────────────────────────────────────────────────────────────


def test_a_database_that_is_not_there_is_said() -> None:
    url = "postgresql://u:hunter2@127.0.0.1:1/d"
    said = refused(env=environment(DATABASE_URL=url, JWT_SECRET=SECRET))
    assert "Is Postgres running there" in said
    assert "hunter2" not in said


def on_database(url: str, **changes: str) -> dict[str, str]:
    return environment(DATABASE_URL=url, JWT_SECRET=SECRET, **changes)


@pytest.mark.parametrize("name", ["synchronous_commit", "default_transaction_read_only"])
def test_a_database_with_a_dangerous_setting_is_refused(database_url: str, name: str) -> None:
    value = {"synchronous_commit": "off"}.get(name, "on")
    options = quote(f"-c {name}={value}")
    said = refused(env=on_database(with_options(database_url, options)))
    assert f"\n  {EXPECTED[name]}" in said


EXPECTED = {
    "synchronous_commit": "synchronous_commit is off, so a crash can lose writes",
    "default_transaction_read_only": "The database is read-only",
}


def with_options(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}options={options}"


def test_a_database_that_a_crash_may_destroy_is_refused_unless_that_is_wanted(
    database_url: str,
) -> None:
    durable = with_options(database_url, quote("-c synchronous_commit=on"))
    with psycopg.connect(durable) as connection:
        fsync = connection.execute("show fsync").fetchone()
    if fsync == ("on",):
        pytest.skip("this server (TEST_DATABASE_URL) is a durable one")
    assert "fsync is off, so a crash can destroy" in refused(env=on_database(durable))
    with serving(env=on_database(durable, ALLOW_UNSAFE_DATABASE="1")) as (process, said):
        assert httpx.get(f"{address(said)}/health/ready").status_code == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def test_a_database_without_its_schema_is_refused_and_left_alone(bare_database_url: str) -> None:
    env = on_database(bare_database_url, ALLOW_UNSAFE_DATABASE="1")
    assert "run `clearsplit migrate`" in refused(env=env)
    with psycopg.connect(bare_database_url) as connection:
        tables = connection.execute("select from pg_tables where schemaname = 'public'").fetchall()
    assert tables == []


def test_all_that_is_wrong_with_a_database_is_said_at_once(bare_database_url: str) -> None:
    options = quote("-c synchronous_commit=off -c default_transaction_read_only=on")
    said = refused(env=on_database(with_options(bare_database_url, options)))
    for wrong in ("synchronous_commit is off", "read-only", "The schema is old"):
        assert f"\n  {wrong}" in said or f"\n  The database is {wrong}" in said


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused("--data-dir", str(tmp_path / "file"), env=environment())
    assert "--data-dir" in said


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number(port: str) -> None:
    said = refused("--port", port, env=IN_MEMORY)
    assert "UVICORN_PORT (--port) is a whole number from 0 to 65535" in said
