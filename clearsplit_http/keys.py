"""Keys: one secret becomes a key for each purpose, so that no two purposes share one.

HKDF-Expand (RFC 5869 §2.3) with SHA-256, one block; the secret is strong already (settings.py).
"""

import hmac
from dataclasses import dataclass, field
from typing import Self

_DOMAIN = b"clearsplit/"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that come of the server's secret, 32 bytes each."""

    refresh: bytes = field(repr=False)
    cursor: bytes = field(repr=False)
    group_id: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Self:
        return cls(*(_expanded(secret, purpose) for purpose in (b"refresh", b"cursor", b"group")))


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over `parts`, each prefixed with its length: no two lists share an input."""
    message = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return hmac.digest(key, message, "sha256")


def _expanded(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, _DOMAIN + purpose + b"\x01", "sha256")
