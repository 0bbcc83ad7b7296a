"""Answers: sealed bytes go out as an HTTP response, with what every response has."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, TypeAlias

import uuid_utils
from litestar.types import HTTPScope, Send

from clearsplit_core.ports import Sealed
from clearsplit_http import problems

Lines: TypeAlias = Iterable[tuple[str, str]]
Encoded: TypeAlias = list[tuple[bytes, bytes]]

BAD_REQUEST: Final = 400
_BODILESS: Final = (204, 304)
_DOCUMENTED: Final = ("/docs", "/openapi.json")
_PUBLIC: Final = (*_DOCUMENTED, "/health")
SAFE: Final = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
"""What every answer tells a browser."""
NO_PAGE: Final = (
    "Content-Security-Policy",
    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
)
NO_STORE: Final = ("Cache-Control", "no-store")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def send_sealed(sealed: Sealed, scope: HTTPScope, send: Send) -> None:
    """`sealed` goes out, as JSON."""
    replayed = [("Idempotency-Replayed", "true")] if sealed.replayed else []
    kind = media_type(sealed.status)
    await send_answer(sealed.status, kind, (*sealed.headers, *replayed), sealed.body, scope, send)


async def send_answer(
    status: int, kind: str, headers: Lines, body: bytes, scope: HTTPScope, send: Send
) -> None:
    """An answer goes out with these headers and those of every answer; HEAD gets everything but the
    body (RFC 9110 §9.3.2)."""
    lines = [
        *_encoded(headers),
        (b"x-request-id", request_id(scope).encode()),
        *_fixed_encoded(*_which(scope)),
    ]
    if status not in _BODILESS:
        lines.append((b"content-type", kind.encode()))
        lines.append((b"content-length", b"%d" % len(body)))
    told = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": told, "more_body": False})


def common_headers(scope: HTTPScope) -> list[tuple[str, str]]:
    """Every answer has an id; what may be somebody's own is kept by no cache."""
    return [("X-Request-Id", request_id(scope)), *_fixed(*_which(scope))]


def _which(scope: HTTPScope) -> tuple[bool, bool, bool]:
    """What decides which of the fixed headers an answer has."""
    path = scope["path"]
    draining: bool = scope["litestar_app"].state.server.draining
    return draining, path.startswith(_DOCUMENTED), path.startswith(_PUBLIC)


@cache
def _fixed(draining: bool, documented: bool, public: bool) -> Lines:  # noqa: FBT001
    headers = [*SAFE]
    if draining:  # a proxy that keeps connections lets go of this one
        headers.append(("Connection", "close"))
    if not documented:  # these have a policy of their own
        headers.append(NO_PAGE)
    if not public:
        headers.append(NO_STORE)
    return headers


@cache
def _fixed_encoded(draining: bool, documented: bool, public: bool) -> Encoded:  # noqa: FBT001
    return _encoded(_fixed(draining, documented, public))


def _encoded(headers: Lines) -> Encoded:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


def media_type(status: int) -> str:
    return problems.MEDIA_TYPE if status >= BAD_REQUEST else "application/json"


def request_id(scope: HTTPScope) -> str:
    """The request's id: the proxy's, if it sent one that can stand in a log, or a new one."""
    state = scope["state"]
    if "request_id" not in state:
        state["request_id"] = _given_id(scope) or str(uuid_utils.uuid7())
    found: str = state["request_id"]
    return found


def _given_id(scope: HTTPScope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else ""
    return ""
