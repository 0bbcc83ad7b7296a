"""Refresh tokens: opaque, each good once; a child follows from its parent.

A token is the account, the session and 32 secret bytes, in base64url. It names its session so that
that can be found; the store keeps a digest of the whole token. The secret of a child is an HMAC of
its parent's token, so that an answer which was lost can be given again, the same, without anything
secret being stored (see `accounts.RotateSession`).
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from clearsplit_core.errors import SessionEnded
from clearsplit_core.records import AccountId, SessionId
from clearsplit_http.keys import mac

SECRET_BYTES: Final = 32

_FORM = re.compile(r"[A-Za-z0-9_-]{86}")  # 16 + 16 + 32 bytes


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as its owner has it."""

    account_id: AccountId
    session_id: SessionId
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, account_id: AccountId, session_id: SessionId) -> Self:
        """The first token of a session."""
        return cls(account_id, session_id, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises SessionEnded for what is no token of ours."""
        if not _FORM.fullmatch(text):
            raise SessionEnded
        octets = urlsafe_b64decode(text + "==")
        account, session, secret = octets[:16], octets[16:32], octets[32:]
        return cls(AccountId(UUID(bytes=account)), SessionId(UUID(bytes=session)), secret)

    def child(self, key: bytes) -> "RefreshToken":
        """The token that replaces this one, always the same."""
        return RefreshToken(self.account_id, self.session_id, mac(key, self._octets))

    @property
    def text(self) -> str:
        return urlsafe_b64encode(self._octets).rstrip(b"=").decode()

    @property
    def digest(self) -> str:
        """What the store keeps of it."""
        return hashlib.sha256(self._octets).hexdigest()

    @property
    def _octets(self) -> bytes:
        return self.account_id.bytes + self.session_id.bytes + self.secret
