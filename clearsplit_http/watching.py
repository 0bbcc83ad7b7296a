"""Watching: what stands around the whole application, for requests of every kind.

Each gets an id before anything looks at it, headers on its answer that fit any answer of ours, and
one line in the log when it has been answered.
"""

import time
from typing import Final

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import HTTPScope, Message, Receive, Send

from clearsplit_http import logs
from clearsplit_http.addresses import Networks, came_by_tls
from clearsplit_http.metrics import Measured

HSTS: Final = "max-age=31536000; includeSubDomains"
"""A year: browsers ask by HTTPS alone from now on (RFC 6797)."""

PROBES: Final = ("/health", "/metrics")
"""Routes that machines ask every few seconds, and that have no line in the log."""


class Watched:
    """`app`, watched over. Only what `trusted` proxies say about a client is believed."""

    def __init__(self, app: Measured, trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted
        self._log = structlog.get_logger().bind()  # a lazy one asks for its settings at each line

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        scope.setdefault("state", {})  # uvicorn brings one; a test's client does not
        answer = _Answer(send, tls=came_by_tls(scope, self._trusted))
        logs.begin(scope, self._trusted)
        try:
            await self._app(scope, receive, answer)
        finally:
            route = scope.get("path_template") or "unknown"
            if not route.startswith(PROBES):
                ms = round(1000 * (time.perf_counter() - begun), 1)
                line = {"method": scope["method"], "route": route, "status": answer.status}
                self._log.info("request", **line, ms=ms)


class _Answer:
    """Passes an answer on, with its headers completed."""

    def __init__(self, send: Send, *, tls: bool) -> None:
        self.status = 0
        self._send = send
        self._tls = tls

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._tls:
                MutableScopeHeaders.from_message(message)["Strict-Transport-Security"] = HSTS
        await self._send(message)
