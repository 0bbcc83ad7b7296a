"""Answers: sealed bytes go out as an HTTP response, with what every response has."""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

import uuid_utils
from litestar.types import HTTPScope, Send

from clearsplit_core.ports import Sealed
from clearsplit_http import problems
from clearsplit_http.incoming import Headers

Lines: TypeAlias = Iterable[tuple[str, str]]

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
    headers = (*sealed.headers, *replayed, *common_headers(scope))
    kind = media_type(sealed.status)
    await send_answer(sealed.status, kind, headers, sealed.body, scope, send)


async def send_answer(
    status: int, kind: str, headers: Lines, body: bytes, scope: HTTPScope, send: Send
) -> None:
    """An answer goes out; HEAD gets everything but the body (RFC 9110 §9.3.2)."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    if status not in _BODILESS:
        lines.append((b"content-type", kind.encode()))
        lines.append((b"content-length", b"%d" % len(body)))
    told = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": told, "more_body": False})


def common_headers(scope: HTTPScope) -> list[tuple[str, str]]:
    """Every answer has an id; what may be somebody's own is kept by no cache."""
    headers = [("X-Request-Id", request_id(scope)), *SAFE]
    if scope["litestar_app"].state.server.draining:
        # A proxy that keeps connections lets go of this one.
        headers.append(("Connection", "close"))
    if not scope["path"].startswith(_DOCUMENTED):  # these have a policy of their own
        headers.append(NO_PAGE)
    if not scope["path"].startswith(_PUBLIC):
        headers.append(NO_STORE)
    return headers


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
    given = Headers(scope)["x-request-id"]
    return given[0] if given and _REQUEST_ID.fullmatch(given[0]) else ""
