"""What clearsplit_http adds to the command line: `clearsplit serve`.

A command is a function that gives a parser its arguments and returns what runs them; the number
that this returns is the exit status: 0 fine, 1 refused or failed, 2 wrong usage.

This is the composition root: here the store is found by its URL, and here alone the clock is read.
"""

import argparse
import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import uvicorn
import uvloop

from clearsplit_core.errors import BadSettings, Refusal
from clearsplit_http.app import create_app
from clearsplit_http.folder import kept_secret
from clearsplit_http.framing import Framing
from clearsplit_http.server import Server, running
from clearsplit_http.settings import LOCAL, Settings, read_settings

SHUTDOWN_S_MAX: Final = 10
"""Seconds that a stopping server gives to requests that are still running."""
BACKLOG: Final = 2_048
"""Connections that may wait to be accepted."""
GC_THRESHOLD: Final = 50_000
"""Objects made between collections: fewer pauses, at some megabytes (700 by default)."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KEPT: Final = {
    "memory:": "in memory, and gone when the server stops",
    "": "in the database that DATABASE_URL names",
}


def serve(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Serve the API; without DATABASE_URL, on a private database in a folder of its own."""
    parser.add_argument("--host", help="the address to listen on (UVICORN_HOST)")
    parser.add_argument("--port", help="the port to listen on (UVICORN_PORT)")
    parser.add_argument("--workers", help="processes that serve (UVICORN_WORKERS)")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where the private database is kept"
    )
    return _serve


def _serve(arguments: argparse.Namespace) -> int:
    """The server has run and was asked to stop (0), or could not start (1)."""
    _log_errors()
    try:
        settings = read_settings(_environment(arguments))
        with closing(_listening(settings.host, settings.port)) as listener:
            uvloop.run(_run(settings, listener))
    except (Refusal, OSError) as error:
        print(f"clearsplit serve: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0  # stopped while it was starting
    return 0


def _log_errors() -> None:
    """What went wrong inside is told on stderr, whatever level a library chose for its own."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    logging.basicConfig(handlers=[handler], format="%(levelname)s %(name)s: %(message)s")


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────


def _environment(arguments: argparse.Namespace) -> Mapping[str, str]:
    """The environment, with flags laid over it; a private database where it names none.

    Production and staging bring none: there a forgotten DATABASE_URL must not go unnoticed.
    """
    flags = {
        "UVICORN_HOST": arguments.host,
        "UVICORN_PORT": arguments.port,
        "UVICORN_WORKERS": arguments.workers,
    }
    given = dict(os.environ) | {name: text for name, text in flags.items() if text is not None}
    named = any(given.get(name) for name in ("DATABASE_URL", "DATABASE_URL_FILE"))
    if arguments.data_dir is None and (named or (given.get("ENV") or LOCAL) != LOCAL):
        return given
    folder = (arguments.data_dir or _default_folder()).expanduser().resolve()
    kept = {"JWT_SECRET": "jwt-secret", "PASSWORD_PEPPER": "password-pepper"}
    for name, file in kept.items():
        if not given.get(name) and not given.get(f"{name}_FILE"):
            given[name] = kept_secret(folder, file)
    given.pop("DATABASE_URL_FILE", None)
    return given | {"DATABASE_URL": f"embedded://{quote(str(folder))}"}


def _default_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("clearsplit", appauthor=False)


# ── Running ──────────────────────────────────────────────────────────────────────────────────────


def _listening(host: str, port: int) -> socket.socket:
    """A socket at that address, taken before anything is started. Raises BadSettings."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there" if in_use else str(error.strerror or error)
        raise BadSettings(
            f"Cannot listen on {host} port {port}: {reason}; choose another with --host, --port."
        ) from error
    return listener


async def _run(settings: Settings, listener: socket.socket) -> None:
    """The server has run until it was asked to stop, and everything it opened is closed."""
    with _stoppable() as stop:
        async with running(settings, lambda: datetime.now(UTC)) as server:
            web = _Web(server, stop, _welcome(listener, settings))
            gc.collect()
            gc.freeze()
            gc.set_threshold(GC_THRESHOLD)
            await web.serve(sockets=[listener])


@contextmanager
def _stoppable() -> Generator["_Stop"]:
    """Inside it, Ctrl-C, SIGTERM and a closed terminal do what the `_Stop` says."""
    loop = asyncio.get_running_loop()
    stop = _Stop(asyncio.current_task())
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


class _Stop:
    """What to do when asked to stop: at first cancel the start, later whatever `then` says."""

    def __init__(self, starting: "asyncio.Task[None] | None") -> None:
        self.starting = starting
        self.then: Callable[[int], None] | None = None

    def __call__(self, number: int) -> None:
        if self.then is not None:
            self.then(number)
        elif self.starting is not None:
            self.starting.cancel()


class _Web(uvicorn.Server):
    """uvicorn, which says when it is ready and stops without raising the signal once more.

    SIGTERM first makes the server not ready for `drain_s` seconds, so that a load balancer sends
    nobody here any more; Ctrl-C does not wait. A second signal ends open requests.
    """

    def __init__(self, server: Server, stop: _Stop, welcome: str) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(server),
                http=Framing,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=SHUTDOWN_S_MAX,
            )
        )
        self._server = server
        self._stop = stop
        self._welcome = welcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Requests are taken from here on, and the operator knows it."""
        await super().startup(sockets)
        self._stop.then = self.asked_to_stop
        print(self._welcome, flush=True)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are ours (`_stoppable`)."""
        yield

    def asked_to_stop(self, number: int) -> None:
        wait_s = self._server.settings.drain_s if number == signal.SIGTERM else 0
        if self._server.draining or not wait_s:
            self.force_exit = self.should_exit
            self.should_exit = True
        else:
            asyncio.get_running_loop().call_later(wait_s, self._exit)
        self._server.draining = True

    def _exit(self) -> None:
        self.should_exit = True


def _welcome(listener: socket.socket, settings: Settings) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme, _, folder = settings.store_url.partition("://")
    kept = unquote(folder) if scheme == "embedded" else _KEPT.get(scheme, _KEPT[""])
    return (
        f"ClearSplit serves on http://{shown}:{port}\n"
        f"  documentation  http://{shown}:{port}/docs\n"
        f"  data           {kept}\n"
        f"  stop           Ctrl-C"
    )
