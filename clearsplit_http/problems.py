"""Problems: how a refusal looks on the wire (RFC 9457), and the one table of statuses.

A problem never repeats what was sent and never tells what went on inside. `detail` is written for
people; `code` is what programs go by, and `type` leads to its line in our docs.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from clearsplit_core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    KeyInProgress,
    NotFound,
    Refusal,
    Stale,
    Unauthenticated,
    Unavailable,
    Unreadable,
    VersionMismatch,
    WrongCredentials,
)
from clearsplit_core.ports import Sealed
from clearsplit_http.preconditions import Tag
from clearsplit_http.refusals import (
    AddressTooLong,
    BodyTooLarge,
    Broken,
    CredentialsMissing,
    HeadTooLarge,
    InsufficientScope,
    NoSuchMethod,
    PreconditionRequired,
    QuotaExceeded,
    TooSlow,
    WrongMediaType,
)

MEDIA_TYPE: Final = "application/problem+json"
WRONG: Final = 422
"""The status that comes with `errors`."""
DOCS: Final = "/docs/problems"

STATUS: Final[Mapping[type[Refusal], int]] = MappingProxyType(
    {
        Unreadable: 400,
        Unauthenticated: 401,
        Forbidden: 403,
        NotFound: 404,
        NoSuchMethod: 405,
        TooSlow: 408,
        Conflict: 409,
        Stale: 412,
        BodyTooLarge: 413,
        AddressTooLong: 414,
        WrongMediaType: 415,
        Invalid: 422,
        PreconditionRequired: 428,
        QuotaExceeded: 429,
        HeadTooLarge: 431,
        Broken: 500,
        Unavailable: 503,
    }
)
"""A kind's status, and of the few reasons that HTTP itself has a status for."""

TITLES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "We could not read the request",
        401: "We do not know who is asking",
        403: "You may not do this",
        404: "There is nothing here",
        405: "This address does not take this method",
        408: "The request took too long",
        409: "The present state forbids this",
        412: "This was changed meanwhile",
        413: "The request is too large",
        414: "The address is too long",
        415: "The body is of another media type",
        422: "The request is wrong",
        428: "A precondition is missing",
        429: "Too many requests",
        431: "The headers are too large",
        500: "Something went wrong on our side",
        503: "Try again in a moment",
    }
)


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong in a request; `pointer` (RFC 6901) leads to it in the body."""

    pointer: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[Fault, ...] | msgspec.UnsetType = msgspec.UNSET


def status_of(reason: type[Refusal]) -> int:
    return next(STATUS[kind] for kind in reason.__mro__ if kind in STATUS)


def problem(refusal: Refusal, request_id: str) -> Sealed:
    """`refusal` as an answer."""
    status = status_of(type(refusal))
    fault = Fault(refusal.field, refusal.code, refusal.message)
    told = Problem(
        type=f"{DOCS}#{refusal.code}",
        title=TITLES[status],
        status=status,
        detail=refusal.message,
        code=refusal.code,
        request_id=request_id,
        errors=(fault,) if status == WRONG else msgspec.UNSET,
    )
    return Sealed(status, tuple(_headers(refusal)), msgspec.json.encode(told))


def _headers(refusal: Refusal) -> list[tuple[str, str]]:
    """What a client needs to know beside the body, so that it need not read that."""
    if isinstance(refusal, Unauthenticated):
        return [("WWW-Authenticate", _challenge(refusal))]
    if isinstance(refusal, InsufficientScope):
        return [("WWW-Authenticate", 'Bearer error="insufficient_scope"')]
    if isinstance(refusal, VersionMismatch) and refusal.version is not None:
        return [("ETag", str(Tag(refusal.version, refusal.revision or 0)))]
    if isinstance(refusal, QuotaExceeded):
        return [("Retry-After", str(refusal.retry_after_s))]
    if isinstance(refusal, KeyInProgress | Unavailable) and not isinstance(refusal, Broken):
        return [("Retry-After", "1")]
    return []


def _challenge(refusal: Unauthenticated) -> str:
    """RFC 6750 §3.1: whoever sent no token is told no error."""
    plain = isinstance(refusal, CredentialsMissing | WrongCredentials)
    return "Bearer" if plain else 'Bearer error="invalid_token"'
