"""Several workers behind one listener: they serve, are replaced, drain, and leave nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.http.process import (
    COMMAND,
    IN_MEMORY,
    SECRET,
    START_S_MAX,
    address,
    children,
    environment,
    refused,
    serving,
)
from tests.postgres import Restartable, restartable

WORKERS = 2


@pytest.fixture
def server(tmp_path: Path) -> Generator[Restartable]:
    with restartable(tmp_path / "data") as started:
        yield started


def together(url: str, **changes: str) -> dict[str, str]:
    """The environment of a server with several workers."""
    return environment(
        DATABASE_URL=url,
        JWT_SECRET=SECRET,
        ALLOW_UNSAFE_DATABASE="1",
        UVICORN_WORKERS=str(WORKERS),
        **changes,
    )


def workers(process: subprocess.Popen[str]) -> list[int]:
    """The processes that serve, without the one that multiprocessing has for itself."""
    return [pid for pid in children(process.pid) if "spawn_main" in command_of(pid)]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S_MAX
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def ended(process: subprocess.Popen[str], pids: list[int]) -> None:
    """The server ended well, without a word, and took its workers along."""
    rest, _ = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def statuses(url: str, count: int = 20) -> set[int]:
    """What so many connections of their own are answered."""
    with httpx.Client(headers={"Connection": "close"}) as client:
        return {client.get(f"{url}/health/ready").status_code for _ in range(count)}


# ── Starting ─────────────────────────────────────────────────────────────────────────────────────


def test_what_is_wrong_is_said_once_for_all_workers(bare_database_url: str) -> None:
    said = refused(env=together(bare_database_url))
    assert said.count("run `clearsplit migrate`") == 1


def test_a_store_that_no_two_processes_share_is_refused() -> None:
    said = refused("--workers", "2", env=IN_MEMORY)
    assert "UVICORN_WORKERS is 1 with memory:" in said


def test_workers_share_a_private_database_which_ends_with_them(tmp_path: Path) -> None:
    words = ("--workers", str(WORKERS), "--data-dir", str(tmp_path / "data"))
    with serving(*words, env=environment()) as (process, said):
        assert statuses(address(said)) == {200}
        pids = [*workers(process), int(postmaster(tmp_path).read_text().split()[0])]
        process.send_signal(signal.SIGINT)
        ended(process, pids)


def postmaster(folder: Path) -> Path:
    (found,) = folder.glob("data/postgres-*/postmaster.pid")
    return found


# ── Being replaced ───────────────────────────────────────────────────────────────────────────────


def test_a_worker_that_is_killed_is_replaced(database_url: str) -> None:
    with serving(env=together(database_url)) as (process, said):
        before = workers(process)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len({*workers(process)} - {before[0]}) == WORKERS)
        assert statuses(address(said)) == {200}
        process.send_signal(signal.SIGTERM)
        ended(process, workers(process))


def test_a_worker_that_is_killed_in_an_outage_is_replaced_after_it(server: Restartable) -> None:
    with serving(env=together(server.url)) as (process, said):
        first, kept = workers(process)
        server.stop()
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in workers(process))
        time.sleep(2)  # long enough that a replacement has tried and given up
        assert kept in workers(process)
        assert statuses(address(said), 3) == {503}
        server.start()
        until(lambda: statuses(address(said), 5) == {200})
        process.kill()


def test_nobody_lives_on_when_the_parent_is_killed_and_nothing_is_left(
    database_url: str, tmp_path: Path
) -> None:
    with serving(env=together(database_url, TMPDIR=str(tmp_path))) as (process, _):
        orphans = workers(process)
        process.kill()
        process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
    assert list(tmp_path.iterdir()) == []


# ── Stopping ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_they_serve_until_the_parent_is_asked_to_stop(
    number: signal.Signals, database_url: str
) -> None:
    with serving(env=together(database_url)) as (process, _):
        pids = workers(process)
        process.send_signal(number)
        ended(process, pids)


def test_they_may_be_stopped_while_they_start(database_url: str) -> None:
    with subprocess.Popen(
        COMMAND,
        env=together(database_url, DRAIN_S="5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        until(lambda: bool(workers(process)))
        pids = workers(process)
        process.send_signal(signal.SIGTERM)
        ended(process, pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_terminal_may_tell_all_of_them_at_once(number: signal.Signals, database_url: str) -> None:
    with serving(env=together(database_url), own_group=True) as (process, _):
        pids = workers(process)
        os.killpg(process.pid, number)
        ended(process, pids)


def test_none_of_them_is_ready_while_they_drain(database_url: str) -> None:
    with serving(env=together(database_url, DRAIN_S="5")) as (process, said):
        url, pids = address(said), workers(process)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert statuses(url, 10) == {503}
        assert httpx.get(f"{url}/health/live").status_code == 200
        ended(process, pids)


@pytest.mark.parametrize("count", [1, WORKERS])
def test_a_write_that_has_begun_is_finished_and_answered(count: int, database_url: str) -> None:
    env = together(database_url, BCRYPT_COST="14") | {"UVICORN_WORKERS": str(count)}
    body = {"email": "ana@example.org", "password": "correct horse battery staple", "name": "Ana"}
    with (
        serving(env=env) as (process, said),
        ThreadPoolExecutor() as pool,
        httpx.Client(base_url=address(said), timeout=20) as client,
    ):
        client.get("/health")  # so that its connection has been accepted
        answer = pool.submit(client.post, "/auth/signup", json=body)
        time.sleep(0.3)
        assert not answer.done(), "BCRYPT_COST is too low for this machine"
        process.send_signal(signal.SIGTERM)
        assert answer.result().status_code == 201
        process.communicate(timeout=20)
        assert process.returncode == 0
