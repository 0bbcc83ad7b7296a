"""Watching: what stands around the whole application, for requests of every kind.

Each gets an id before anything looks at it, and headers on its answer that fit any answer of ours;
when it has been answered, it is counted and timed, and has one line in the log.
"""

import time
from typing import Final

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import HTTPScope, Message, Receive, Send

from clearsplit_http import logs, metrics
from clearsplit_http.addresses import Networks, came_by_tls
from clearsplit_http.metrics import InFlight
from clearsplit_http.routing import OneSpelling

HSTS: Final = "max-age=31536000; includeSubDomains"
"""A year: browsers ask by HTTPS alone from now on (RFC 6797)."""

PROBES: Final = ("/health", "/metrics")
"""Routes that machines ask every few seconds, and that have no line in the log."""


class Watched:
    """`app`, watched over. Only what `trusted` proxies say about a client is believed."""

    def __init__(self, app: OneSpelling, trusted: Networks) -> None:
        self._app = app
        self._trusted = trusted
        self._log = structlog.get_logger().bind()  # a lazy one asks for its settings at each line

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        scope.setdefault("state", {})  # uvicorn brings one; a test's client does not
        answer = _Answer(send, tls=came_by_tls(scope, self._trusted))
        logs.begin(scope, self._trusted)
        InFlight.count += 1
        try:
            await self._app(scope, receive, answer)
        finally:
            InFlight.count -= 1
            self._tell(scope, answer.status, time.perf_counter() - begun)

    def _tell(self, scope: HTTPScope, status: int, seconds: float) -> None:
        # Litestar notes the template when it has found the route, and not before.
        method, route = scope["method"], scope.get("path_template", "")
        metrics.answered(method, route or metrics.OTHER, status, seconds)
        if not route.startswith(PROBES):
            line = {"method": method, "route": route or "unknown", "status": status}
            self._log.info("request", **line, ms=round(1000 * seconds, 1))


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
