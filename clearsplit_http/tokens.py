"""Opaque tokens: refresh tokens, each good once, personal tokens of programs, and invites.

A token is the account, the session or token it is about, and 32 secret bytes, in base64url. It
names what it is about so that that can be found; the store keeps a digest of the whole. The secret
of a refresh token's child is an HMAC of its parent, so that an answer which was lost can be given
again, the same, without anything secret being stored (see `accounts.RotateSession`). A personal
token begins with a word of its own, by which people and scanners know it. So does an invite's; its
secret is an HMAC of what it is about, so that it can be told again and is stored nowhere.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from clearsplit_core.errors import Refusal, SessionEnded, ThingNotFound
from clearsplit_core.journal import GroupId
from clearsplit_core.records import AccountId, InviteId, SessionId, TokenId
from clearsplit_http.keys import mac

SECRET_BYTES: Final = 32
PERSONAL: Final = "csp_"
"""What every personal token begins with."""
INVITING: Final = "csi_"
"""What the token of every invite begins with."""

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
        account, session, secret = _parts(text)
        return cls(AccountId(account), SessionId(session), secret)

    def child(self, key: bytes) -> "RefreshToken":
        """The token that replaces this one, always the same."""
        return RefreshToken(self.account_id, self.session_id, mac(key, self._octets))

    @property
    def text(self) -> str:
        return _text(self._octets)

    @property
    def digest(self) -> str:
        """What the store keeps of it."""
        return hashlib.sha256(self._octets).hexdigest()

    @property
    def _octets(self) -> bytes:
        return self.account_id.bytes + self.session_id.bytes + self.secret


@dataclass(frozen=True, slots=True)
class PersonalKey:
    """A personal token as the program that uses it has it."""

    account_id: AccountId
    token_id: TokenId
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, account_id: AccountId, token_id: TokenId) -> Self:
        return cls(account_id, token_id, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises SessionEnded for what is no token of ours."""
        account, token, secret = _parts(text.removeprefix(PERSONAL))
        return cls(AccountId(account), TokenId(token), secret)

    @property
    def text(self) -> str:
        return PERSONAL + _text(self._octets)

    @property
    def digest(self) -> str:
        """What the store keeps of it."""
        return hashlib.sha256(PERSONAL.encode() + self._octets).hexdigest()

    @property
    def _octets(self) -> bytes:
        return self.account_id.bytes + self.token_id.bytes + self.secret


@dataclass(frozen=True, slots=True)
class InviteToken:
    """What whoever is invited has; with the server's key it is made anew, always the same."""

    group_id: GroupId
    invite_id: InviteId

    @classmethod
    def read(cls, text: str, key: bytes) -> Self:
        """Raises ThingNotFound for what is no token of ours."""
        group, invite, _ = _parts(text.removeprefix(INVITING), ThingNotFound)
        token = cls(GroupId(group), InviteId(invite))
        if not hmac.compare_digest(token.text(key), text):
            raise ThingNotFound
        return token

    def text(self, key: bytes) -> str:
        octets = self.group_id.bytes + self.invite_id.bytes
        return INVITING + _text(octets + mac(key, octets))


def _parts(text: str, refusal: type[Refusal] = SessionEnded) -> tuple[UUID, UUID, bytes]:
    if not _FORM.fullmatch(text):
        raise refusal
    octets = urlsafe_b64decode(text + "==")
    if _text(octets) != text:  # the last character has bits to spare: one token, one spelling
        raise refusal
    return UUID(bytes=octets[:16]), UUID(bytes=octets[16:32]), octets[32:]


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
