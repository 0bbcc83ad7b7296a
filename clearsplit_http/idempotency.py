"""Idempotency: a change with a key happens at most once, however often it is sent.

The client chooses the key (draft-ietf-httpapi-idempotency-key-header). The store keeps, in the
transaction of the change, a fingerprint of the request and the sealed answer; this module reads the
key and makes the fingerprint.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from clearsplit_core.plain import Plain, canonical, text_of_id
from clearsplit_core.records import AccountId
from clearsplit_http.keys import mac
from clearsplit_http.preconditions import Tag
from clearsplit_http.refusals import KeyInvalid, KeyMissing

KEY_CHARACTERS_MAX: Final = 255

_QUOTED = re.compile(r'"(?P<key>(?:[^"\\]|\\["\\])*)"')


def read_key(lines: Sequence[str]) -> str:
    """The key in the `Idempotency-Key` header's lines, quoted or bare.

    Raises KeyMissing, and KeyInvalid for anything but one line of 1 to 255 printable ASCII
    characters.
    """
    if not lines:
        raise KeyMissing
    quoted = _QUOTED.fullmatch(lines[0])
    key = re.sub(r"\\(.)", r"\1", quoted["key"]) if quoted else lines[0]
    printable = key.isascii() and key.isprintable()
    if len(lines) > 1 or not printable or not 0 < len(key) <= KEY_CHARACTERS_MAX:
        raise KeyInvalid
    return key


def fingerprint(
    method: str, template: str, ids: Sequence[UUID], if_match: Tag | None, body: Plain
) -> bytes:
    """What tells one request from another under a key, 32 bytes.

    Spaces in the body and the order of its fields do not count. It stays the same in every version:
    a request may be repeated to another one than that which answered it first.
    """
    seen = None if if_match is None else str(if_match)
    request: Plain = [method, template, [text_of_id(each) for each in ids], seen, body]
    return hashlib.sha256(canonical(request)).digest()


def group_id_for(key: bytes, account_id: AccountId, idempotency_key: str) -> UUID:
    """The id of the group that this account founds under this key, always the same (UUIDv8)."""
    digest = mac(key, account_id.bytes, idempotency_key.encode())
    octets = bytearray(digest[:16])
    octets[6] = octets[6] & 0x0F | 0x80
    octets[8] = octets[8] & 0x3F | 0x80
    return UUID(bytes=bytes(octets))
