"""Serving: one process that answers requests until it is asked to stop.

Ctrl-C, SIGTERM and a closed terminal all stop it. SIGTERM first makes the server not ready for
`drain_s` seconds, so that a load balancer sends nobody here any more; then the listener closes,
open requests are finished, and what was opened is closed. `workers.py` does the same with several.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import unquote

import uvicorn

from clearsplit_http.app import create_app
from clearsplit_http.framing import Framing
from clearsplit_http.routing import OneSpelling
from clearsplit_http.server import Server, running
from clearsplit_http.settings import Settings
from clearsplit_http.watching import Watched

STOP_S_MAX: Final = 9
"""Seconds from SIGTERM to the end, draining included: `docker stop` kills after ten."""
FINISH_S_MIN: Final = 3
"""Seconds that open requests have in any case, however long the draining was."""
KEEP_ALIVE_S: Final = 75
"""Seconds that an idle connection stays open: longer than a proxy keeps it, which then closes."""
GC_THRESHOLD: Final = 50_000
"""Objects made between collections: fewer pauses, at some megabytes (700 by default)."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KEPT: Final = {
    "memory:": "in memory, and gone when the server stops",
    "": "in the database that DATABASE_URL names",
}


async def serve_alone(settings: Settings, listener: socket.socket) -> None:
    """The server has run until it was asked to stop, and everything it opened is closed."""
    with stoppable() as stop:
        async with running(settings, now) as server:
            web = _Web(server, stop, welcome(listener, settings))
            settle_memory()
            await web.serve(sockets=[listener])


def now() -> datetime:
    """The clock of the whole process."""
    return datetime.now(UTC)


def finish_s(drain_s: int) -> int:
    """Seconds that open requests get after draining."""
    return max(STOP_S_MAX - drain_s, FINISH_S_MIN)


def uvicorn_config(
    app: Callable[..., Awaitable[None]], settings: Settings, *, lifespan: Literal["on", "off"]
) -> uvicorn.Config:
    """How uvicorn serves `app`. Whose address counts is decided in our own code, not in its."""
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=Framing,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=finish_s(settings.drain_s),
        lifespan=lifespan,
    )


def application(server: Server) -> Watched:
    """The application as it is served, with what stands around it."""
    return Watched(OneSpelling(create_app(server)), server.settings.trusted_proxies)


def settle_memory() -> None:
    """What was loaded until now stays, so no collection looks at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


# ── Stopping ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def stoppable() -> Generator["Stop"]:
    """Inside it, Ctrl-C, SIGTERM and a closed terminal do what the `Stop` says."""
    loop = asyncio.get_running_loop()
    stop = Stop(asyncio.current_task())
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


class Stop:
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

    Ctrl-C does not wait for load balancers. A second signal ends open requests.
    """

    def __init__(self, server: Server, stop: Stop, greeting: str) -> None:
        super().__init__(uvicorn_config(application(server), server.settings, lifespan="off"))
        self._server = server
        self._stop = stop
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Requests are taken from here on, and the operator knows it."""
        await super().startup(sockets)
        self._stop.then = self.asked_to_stop
        print(self._greeting, flush=True)  # noqa: T201

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are ours (`stoppable`)."""
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


def welcome(listener: socket.socket, settings: Settings) -> str:
    """What an operator wants to know once requests are taken."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme, _, folder = settings.store_url.partition("://")
    private = scheme == "embedded"
    kept = unquote(folder) if private else _KEPT.get(scheme, _KEPT[""])
    check = f"  check          clearsplit verify --database-url {settings.store_url}\n"
    return (
        f"ClearSplit serves on http://{shown}:{port}\n"
        f"  documentation  http://{shown}:{port}/docs\n"
        f"  data           {kept}\n"
        f"{check if private else ''}"
        f"  stop           Ctrl-C"
    )
