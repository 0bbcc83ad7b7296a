"""Workers: several processes behind one listener, kept alive by uvicorn's own supervisor.

The parent opens the store first, so that what is wrong is said once and before anybody serves, and
holds it: a private Postgres stays as long as the parent. Then each worker is a fresh process with a
store of its own. One that dies is replaced. SIGTERM makes all of them not ready for `drain_s`
seconds and then stops them; whatever still lives when its time is over is killed.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import parent_process
from tempfile import TemporaryDirectory
from typing import Final

from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Scope
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.supervisors.multiprocess import Multiprocess

from clearsplit_core.errors import Refusal
from clearsplit_http.logs import write_logs
from clearsplit_http.metrics import FOLDER
from clearsplit_http.server import Server, running
from clearsplit_http.serving import (
    application,
    finish_s,
    now,
    settle_memory,
    stoppable,
    uvicorn_config,
    welcome,
)
from clearsplit_http.settings import Settings
from clearsplit_http.stores import store_at
from clearsplit_http.watching import Watched

DRAIN: Final = signal.SIGUSR1
"""What the parent sends to its workers: say that you are not ready any more."""
ANSWER_S_MAX: Final = 60
"""Seconds after which a worker that does not answer the parent is replaced: a start counts too."""
RETRY_S: Final = 1.0
"""Seconds that a worker rests when it cannot open its store, before another takes its place."""

_LOG: Final = logging.getLogger(__name__)


def serve_together(settings: Settings, listener: socket.socket) -> None:
    """The workers have run until the parent was asked to stop, and none is left.

    Raises what opening the store raises.
    """
    with (
        TemporaryDirectory(prefix="clearsplit-metrics-") as folder,
        asyncio.Runner() as runner,
        _held_open(settings, runner),
    ):
        os.environ[FOLDER] = folder  # for the workers, before they import anything
        signal.signal(DRAIN, signal.SIG_IGN)  # and for them too: it would end one that still starts
        _Supervisor(settings, listener).run()


@contextmanager
def _held_open(settings: Settings, runner: asyncio.Runner) -> Generator[None]:
    """The store is open, and uses no connection of its own."""
    options = replace(settings.store, connections_min=0)
    store = store_at(settings.store_url, now, options)

    async def opened() -> None:
        with stoppable():
            await store.__aenter__()

    async def closed() -> None:
        await store.__aexit__(None, None, None)

    runner.run(opened())
    try:
        yield
    finally:
        runner.run(closed())


class _Supervisor(Multiprocess):
    """uvicorn's supervisor, which drains before it stops and does not wait for ever."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        config = uvicorn_config(Worker(settings), settings, lifespan="on")
        config.workers = settings.workers
        config.timeout_worker_healthcheck = ANSWER_S_MAX
        super().__init__(config, [listener])
        self._drain_s = settings.drain_s
        self._draining = False
        self._greeting = welcome(listener, settings)

    def keep_subprocess_alive(self) -> None:
        before = {process.pid for process in self.processes}
        super().keep_subprocess_alive()
        for pid in before - {process.pid for process in self.processes}:
            # What it had open is no longer told at /metrics.
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        if self._greeting and all(process.is_ready() for process in self.processes):
            print(self._greeting, flush=True)  # noqa: T201
            self._greeting = ""

    def handle_term(self) -> None:
        """Drain, then stop; the second time at once, and where nobody serves yet."""
        if self._draining or not self._drain_s or self._greeting:
            self.should_exit.set()
            return
        self._draining = True
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, DRAIN)
        over = threading.Timer(self._drain_s, self.should_exit.set)
        over.daemon = True
        over.start()

    def handle_hup(self) -> None:
        """The terminal was closed."""
        self.handle_int()

    def terminate_all(self) -> None:
        """Whoever connects from now on is refused, and does not wait in a queue of the parent's."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def join_all(self) -> None:
        deadline = time.monotonic() + finish_s(self._drain_s)
        for process in self.processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            if process.process.is_alive():
                _LOG.error("worker %s did not end in time and was killed", process.pid)
                process.process.kill()
            process.process.join()


# ── A worker ─────────────────────────────────────────────────────────────────────────────────────


class Worker:
    """The application of one worker. It crosses into the new process and opens its store there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: Watched | None = None

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: LifeSpanReceive, send: LifeSpanSend
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            assert self._app is not None, "uvicorn takes requests after the start"
            # Three names for one protocol: with no WebSockets, what is left is HTTP.
            await self._app(scope, receive, send)  # type: ignore[arg-type]

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        """From uvicorn's word that it starts to its word that it has stopped."""
        await receive()
        write_logs(self._settings.log_level)
        try:
            async with running(self._settings, now) as server:
                self._app = application(server)
                _listen_to_the_parent(server)
                settle_memory()
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Refusal as refusal:
            # The parent could open it, so this will pass: an outage, or a standby for a moment.
            # uvicorn would take a failed start for a broken program, and stop everybody.
            _LOG.error("a worker cannot start: %s", refusal)
            await asyncio.sleep(RETRY_S)
            os._exit(1)
        _tidy_up_for_the_parent()
        await send({"type": "lifespan.shutdown.complete"})


def _listen_to_the_parent(server: Server) -> None:
    """Its signal to drain; and its death, after which nobody would ever stop this process."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(DRAIN, setattr, server, "draining", True)  # noqa: FBT003
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal: the parent will say so
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    loop.add_reader(parent.sentinel, _orphaned, loop, parent.sentinel)


def _tidy_up_for_the_parent() -> None:
    """A parent that was killed leaves its folder of numbers, which nobody reads any more. Whatever
    another orphan still counts goes into a file that it holds open.
    """
    parent = parent_process()
    if parent is None or not parent.is_alive():
        shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def _orphaned(loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
    loop.remove_reader(sentinel)
    signal.raise_signal(signal.SIGTERM)
