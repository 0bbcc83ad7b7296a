"""Answers: sealed bytes become an HTTP response, with what every response has."""

import re
from typing import Final

import uuid_utils
from litestar.datastructures import MutableScopeHeaders
from litestar.response.base import ASGIResponse
from litestar.types import Message, Scope

from clearsplit_core.ports import Sealed
from clearsplit_http import problems
from clearsplit_http.incoming import Incoming

BAD_REQUEST: Final = 400
_PUBLIC = ("/docs", "/openapi.json", "/health")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def response(sealed: Sealed, request: Incoming) -> ASGIResponse:
    """`sealed` as a response; HEAD gets everything but the body (RFC 9110 §9.3.2)."""
    headers = list(sealed.headers)
    if sealed.replayed:
        headers.append(("Idempotency-Replayed", "true"))
    head = request.method == "HEAD"
    return ASGIResponse(
        body=b"" if head else sealed.body,
        content_length=len(sealed.body),
        headers=headers,
        is_head_response=head,
        media_type=media_type(sealed.status),
        status_code=sealed.status,
    )


def media_type(status: int) -> str:
    return problems.MEDIA_TYPE if status >= BAD_REQUEST else "application/json"


def request_id(scope: Scope) -> str:
    """The request's id: the proxy's, if it sent one that can stand in a log, or a new one."""
    if "request_id" not in scope["state"]:
        scope["state"]["request_id"] = _given_id(scope) or str(uuid_utils.uuid7())
    found: str = scope["state"]["request_id"]
    return found


def _given_id(scope: Scope) -> str:
    given = (value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id")
    first = next(given, "")
    return first if _REQUEST_ID.fullmatch(first) else ""


async def finish(message: Message, scope: Scope) -> None:
    """Every answer has an id; what may be somebody's own is kept by no cache."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers["X-Request-Id"] = request_id(scope)
    headers["X-Content-Type-Options"] = "nosniff"
    if scope["litestar_app"].state.server.draining:
        headers["Connection"] = "close"  # a proxy that keeps connections lets go of this one
    if not scope["path"].startswith(_PUBLIC):
        headers["Cache-Control"] = "no-store"
