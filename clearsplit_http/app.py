"""The application: the routes, around a server with whatever store it has.

Of Litestar it uses the routing (`routing.py`). What a caller is told is decided in `operations.py`,
also when Litestar itself finds something wrong.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from clearsplit_core.errors import Refusal, ThingNotFound
from clearsplit_http import (
    accounts,
    balances,
    comments,
    expenses,
    groups,
    health,
    invites,
    members,
    metrics,
    payments,
    settlements,
)
from clearsplit_http.answers import common_headers, request_id
from clearsplit_http.docs import sheets
from clearsplit_http.problems import MEDIA_TYPE, problem
from clearsplit_http.refusals import BadRequest, Broken, NoSuchMethod
from clearsplit_http.routing import Answering, handlers
from clearsplit_http.server import Server

Incoming: TypeAlias = Request[object, object, State]
OPERATIONS: Final = (
    *health.ROUTES,
    *accounts.ROUTES,
    *groups.ROUTES,
    *members.ROUTES,
    *invites.ROUTES,
    *expenses.ROUTES,
    *comments.ROUTES,
    *payments.ROUTES,
    *balances.ROUTES,
    *settlements.ROUTES,
)

_ANSWERING: Final[Sequence[Answering]] = (*OPERATIONS, *sheets(OPERATIONS), metrics.METRICS)
_ASKED: Final = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"]
_ANSWERED: Final = [
    "ETag", "Link", "Location", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy",
    "Retry-After", "X-Request-Id",
]  # fmt: skip
"""Headers that pages of other origins may send and see."""
_LOG = logging.getLogger(__name__)
_REASONS: Final = {
    400: BadRequest,
    404: ThingNotFound,
    405: NoSuchMethod,
}
"""What Litestar finds wrong before a route is reached, in our words."""


def create_app(server: Server) -> Litestar:
    """The application around a server that is running (`server.running`)."""
    return Litestar(
        route_handlers=handlers(_ANSWERING),
        state=State({"server": server}),
        exception_handlers={HTTPException: _refused, Exception: _broken},
        cors_config=_cors(server.settings.cors_origins),
        openapi_config=None,
        logging_config=None,
    )


def _cors(origins: Sequence[str]) -> CORSConfig | None:
    """Pages of these origins may call the API, with a token and never with cookies."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=_ASKED,
        expose_headers=_ANSWERED,
    )


def _refused(request: Incoming, error: HTTPException) -> Response[bytes]:
    """What Litestar refused, as a problem with the headers that it gave."""
    if error.status_code not in _REASONS:
        return _broken(request, error)
    return _told(request, _REASONS[error.status_code](), error.headers or {})


def _broken(request: Incoming, error: Exception) -> Response[bytes]:
    """The error is in the log under the request's id; the caller learns that id and no more."""
    _LOG.error("request %s failed", request_id(request.scope), exc_info=error)
    return _told(request, Broken(), {})


def _told(request: Incoming, refusal: Refusal, headers: Mapping[str, str]) -> Response[bytes]:
    metrics.refused(refusal.code)
    sealed = problem(refusal, request_id(request.scope))
    return Response(
        b"" if request.method == "HEAD" else sealed.body,
        status_code=sealed.status,
        headers={**headers, **dict((*sealed.headers, *common_headers(request.scope)))},
        media_type=MEDIA_TYPE,
    )
