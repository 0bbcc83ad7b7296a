"""Routing: how Litestar reaches whatever answers at an address.

It finds the address and the method; from there on a request is read and answered as the server has
it (ASGI). What Litestar can do around a handler (arguments, a response object, hooks on each
message) costs as much as a whole answer of ours and is not needed here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Method, Receive, Scope, Send

from clearsplit_core.ports import Sealed
from clearsplit_http.answers import send_sealed

_ANOTHER_SPELLING: Final = re.compile(rb"%|//|./$")
_NOWHERE: Final = "/%"
"""What no route is called."""


class Answering(Protocol):
    """What answers the requests of one method at one address."""

    @property
    def method(self) -> Method: ...
    @property
    def path(self) -> str: ...
    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None: ...


@dataclass(frozen=True)
class Options:
    """What an address says of the methods that it takes."""

    path: str
    allow: str

    @property
    def method(self) -> Method:
        return "OPTIONS"

    async def answer(self, scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await send_sealed(Sealed(204, (("Allow", self.allow),), b""), scope, send)


class OneSpelling:
    """`app`, whose addresses have one spelling each: in any other, nothing is there.

    Litestar finds `/metrics` also at `//metrics`, `/metrics/` and `/metrics%2f`, where a rule of a
    proxy for that address may not. Nothing in an address of ours needs a percent sign.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        if _ANOTHER_SPELLING.search(scope["raw_path"]):
            scope["path"] = _NOWHERE
        await self._app(scope, receive, send)


def handlers(answering: Iterable[Answering]) -> list[HTTPRouteHandler]:
    """All of them as Litestar wants them: one handler for each address, which takes OPTIONS too."""
    by_path: dict[str, dict[Method, Answering]] = {}
    for each in answering:
        by_path.setdefault(each.path, {})[each.method] = each
    return [_handler(path, by_method) for path, by_method in by_path.items()]


def _handler(path: str, by_method: dict[Method, Answering]) -> HTTPRouteHandler:
    """GET answers HEAD as well."""
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]
    by_method["OPTIONS"] = Options(path, ", ".join(sorted({*by_method, "OPTIONS"})))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP, "nobody else is sent here"
        await by_method[scope["method"]].answer(scope, receive, send)

    def found() -> ASGIApp:
        return answer

    return HTTPRouteHandler(
        re.sub(r"{(\w+)}", r"{\1:str}", path),
        http_method=list(by_method),
        name=path,
        sync_to_thread=False,
        status_code=200,  # Litestar wants one; the answer has its own
    )(found)
