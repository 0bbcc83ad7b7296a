"""Incoming: the parts of a request, each read as strictly as it can be.

This module knows what a request looks like and nothing of what any route wants.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.types import HTTPScope, Receive

from clearsplit_core.errors import ThingNotFound
from clearsplit_http.refusals import BadQuery, BadRequest, BodyTooLarge, WrongMediaType

BODY_BYTES_MAX: Final = 1_000_000
"""Bytes that a request's body may have."""
QUERY_PARAMETERS_MAX: Final = 20

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_JSON = re.compile(r'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*', re.IGNORECASE)


class Headers:
    """A request's headers: all lines of a name, in the order in which they came."""

    def __init__(self, scope: HTTPScope) -> None:
        self._lines: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            self._lines.setdefault(name, []).append(value.decode("latin-1"))

    def __getitem__(self, name: str) -> Sequence[str]:
        return self._lines.get(name.encode(), ())


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """The whole body. Raises BodyTooLarge, as soon as that is known, and BadRequest."""
    announced = headers["content-length"]
    if any(size.isdecimal() and int(size) > BODY_BYTES_MAX for size in announced):
        raise BodyTooLarge
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise BadRequest("The connection ended before the body did.")
        body += message["body"]
        more = message["more_body"]
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge
    return bytes(body)


def read_id(text: str) -> UUID:
    """An id in a path, which stands for nothing if it is malformed. Raises ThingNotFound."""
    if not _UUID.fullmatch(text):
        raise ThingNotFound
    return UUID(text)


def require_json(headers: Headers) -> None:
    """The body is said to be JSON in UTF-8. Raises WrongMediaType."""
    types = headers["content-type"]
    if len(types) != 1 or not _JSON.fullmatch(types[0]) or headers["content-encoding"]:
        raise WrongMediaType


def read_query(text: bytes, known: Mapping[str, str]) -> Mapping[str, str]:
    """The query's parameters. Raises BadQuery for one that is unknown or comes twice."""
    if not text:
        return {}
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=QUERY_PARAMETERS_MAX,
        )
    except ValueError:
        raise BadQuery from None
    found = dict(pairs)
    if len(found) != len(pairs) or not found.keys() <= known.keys():
        names = f"only {' and '.join(known)}, each at most once" if known else "no parameters"
        raise BadQuery(f"This address takes {names}.")
    return found
