"""The keeper: a process of its own that runs one Postgres for exactly as long as somebody uses it.

Every user of the server holds a shared lock on one file; the keeper waits for the exclusive lock on
it. The kernel grants that when the last user is gone, whether by `stop()`, Ctrl-C or `kill -9`, and
then the keeper stops Postgres. A second lock is handed down to Postgres itself, so it is free only
when the last server process has ended: whoever gets it knows that no other server is at work on
these files, which no pid file can tell.

Run as a script with nothing but the standard library; it must not import the rest of ClearSplit.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

SERVER_LOCK = "server.lock"
USERS_LOCK = "users.lock"


def main(folder: str, pid_file: str, *postgres: str) -> int:
    """Postgres ran until nobody held the users' lock, or until it ended by itself.

    The process that was started returns as soon as no other server can be at work in `folder`; a
    child of it, out of reach of the terminal's Ctrl-C, goes on as the keeper.
    """
    server_lock = _opened(Path(folder, SERVER_LOCK))
    users_lock = _opened(Path(folder, USERS_LOCK))
    fcntl.flock(server_lock, fcntl.LOCK_EX)
    if os.fork():
        return 0
    os.setsid()
    os.chdir("/")
    _outlive_requests_to_stop()
    Path(pid_file).unlink(missing_ok=True)  # the lock says more: its process is gone
    os.set_inheritable(server_lock, True)  # noqa: FBT003
    server = subprocess.Popen([*_dying_with_us(), *postgres], close_fds=False)  # noqa: S603
    threading.Thread(target=_stop_when_unused, args=(server, users_lock), daemon=True).start()
    return server.wait()


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _outlive_requests_to_stop() -> None:
    """Signals to all of a service are for its users; a handler, unlike SIG_IGN, ends at exec."""
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, _do_nothing)


def _do_nothing(*_: object) -> None:
    pass


def _dying_with_us() -> list[str]:
    """Even `kill -9` of the keeper stops Postgres, where Linux can promise that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


def _stop_when_unused(server: subprocess.Popen[bytes], users_lock: int) -> None:
    fcntl.flock(users_lock, fcntl.LOCK_EX)
    server.send_signal(signal.SIGINT)  # Postgres's fast shutdown: ends sessions, writes all, exits


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
