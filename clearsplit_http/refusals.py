"""Refusals that only HTTP can utter: about how a request is written, signed and served.

What the rules and the stores refuse stands in `clearsplit_core.errors`, with the kinds.
"""

from clearsplit_core.errors import Forbidden, Invalid, Unauthenticated, Unavailable, Unreadable

# ── Reading a request ────────────────────────────────────────────────────────────────────────────


class BadRequest(Unreadable, code="invalid-request"):
    """The request is malformed."""


class NoSuchMethod(Unreadable, code="method-not-allowed"):
    """This address does not take this method; the Allow header names those that it takes."""


class AddressTooLong(Unreadable, code="uri-too-long"):
    """The address of the request is longer than one may be."""


class HeadTooLarge(Unreadable, code="headers-too-large"):
    """The headers of the request are more or longer than they may be."""


class TooSlow(Unreadable, code="request-timeout"):
    """The rest of the request did not come in time."""


class BodyTooLarge(Unreadable, code="body-too-large"):
    """The body is larger than a request may be."""


class WrongMediaType(Unreadable, code="unsupported-media-type"):
    """A body is sent as application/json in UTF-8, without a Content-Encoding."""


class BadHeader(Unreadable, code="invalid-header"):
    """A header of the request cannot be read."""


class BadQuery(Unreadable, code="invalid-query"):
    """The query of the address cannot be read."""


class BadCursor(Unreadable, code="invalid-cursor"):
    """This cursor is not one that we gave out for this list; begin without one."""


class BadJson(Unreadable, code="invalid-json"):
    """The body is not JSON that can be read in only one way."""


# ── Its fields ───────────────────────────────────────────────────────────────────────────────────


class MissingField(Invalid, code="missing-field"):
    """This field is missing."""


class UnknownField(Invalid, code="unknown-field"):
    """There is no such field here."""


class WrongType(Invalid, code="wrong-type"):
    """This field is of another type."""


class OutOfRange(Invalid, code="out-of-range"):
    """This is too large, too small, too long or too short."""


class UnknownValue(Invalid, code="unknown-value"):
    """This field takes one of a few values, and this is none of them."""


class BadFormat(Invalid, code="bad-format"):
    """This is not written as it should be: ids are UUIDs, dates are like 2026-01-31."""


class BadId(Invalid, code="bad-id"):
    """An id that you choose is a UUID of version 4 or 7."""


class PayersUnclear(Invalid, code="payers-unclear"):
    """Say who paid in one way: paid_by for one member, or payers with the part of each."""


# ── Its key and its precondition ─────────────────────────────────────────────────────────────────


class KeyMissing(Unreadable, code="idempotency-key-missing"):
    """A change needs an Idempotency-Key header: any text of yours, another one for each change."""


class KeyInvalid(Unreadable, code="idempotency-key-invalid"):
    """An Idempotency-Key is one header of 1 to 255 printable ASCII characters."""


class PreconditionRequired(Invalid, code="precondition-required"):
    """A change needs an If-Match header with the ETag that you last read."""


# ── Who sends it ─────────────────────────────────────────────────────────────────────────────────


class BadPassword(Invalid, code="bad-password"):
    """This password is too short or too long."""


class CommonPassword(Invalid, code="common-password"):
    """Many people have this password, so it is tried first; choose another one."""


class CredentialsMissing(Unauthenticated, code="credentials-missing"):
    """Sign in, and send your access token as Authorization: Bearer."""


class InsufficientScope(Forbidden, code="insufficient-scope"):
    """This personal token does not reach so far: it is for groups, and changes them only where its
    scope is write."""


class QuotaExceeded(Unavailable, code="quota-exceeded"):
    """You did this too often; wait as long as Retry-After says."""

    def __init__(self, message: str = "", *, field: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message, field=field)
        self.retry_after_s = retry_after_s


# ── Serving it ───────────────────────────────────────────────────────────────────────────────────


class NotReady(Unavailable, code="not-ready"):
    """This server is starting, stopping, or cannot reach its data."""


class Broken(Unavailable, code="internal-error"):
    """Something went wrong on our side, and nothing was changed."""
