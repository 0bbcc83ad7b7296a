"""Keys: one secret becomes a key for each purpose, so that no two purposes share one.

HKDF with SHA-256 (RFC 5869), without a salt; the purpose is the info. Changing the secret changes
every key: what was made with the one before is known as long as that is configured as well.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32

_DOMAIN = b"clearsplit/"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that come of one secret of the server's, 32 bytes each."""

    refresh: bytes = field(repr=False)
    cursor: bytes = field(repr=False)
    group_id: bytes = field(repr=False)
    invite: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Self:
        purposes = (b"refresh", b"cursor", b"group", b"invite")
        return cls(*(_derived(secret, purpose) for purpose in purposes))


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over `parts`, each prefixed with its length: no two lists share an input."""
    message = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return hmac.digest(key, message, "sha256")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=_DOMAIN + purpose).derive(secret)
