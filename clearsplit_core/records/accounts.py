"""Accounts as they stand, with their sessions and personal tokens. They have no journal."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearsplit_core.records.ids import AccountId, SessionId, TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in device: a family of refresh tokens of which only the youngest is good.

    `refresh` and `parent` are SHA-256 digests (hex) of the token that is good and of the one that
    it replaced at `rotated_at`.
    """

    id: SessionId
    refresh: str
    parent: str | None
    started_at: datetime
    rotated_at: datetime
    expires_at: datetime
    ended: bool

    def live_at(self, now: datetime) -> bool:
        return not self.ended and now < self.expires_at


class Scope(StrEnum):
    """What a personal token may do with its account's groups."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """A key to the account's groups for a program of its own; `digest` is the SHA-256 of it."""

    id: TokenId
    name: str
    scope: Scope
    digest: str
    created_at: datetime
    expires_at: datetime

    def live_at(self, now: datetime) -> bool:
        return now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who can sign in. `email` is in its normal form; `password_hash` is opaque here."""

    id: AccountId
    email: str
    name: str
    password_hash: str
    version: int
    created_at: datetime
    sessions: tuple[Session, ...]
    tokens: tuple[PersonalToken, ...] = ()

    def session(self, session_id: SessionId) -> Session | None:
        return next((session for session in self.sessions if session.id == session_id), None)

    def token(self, token_id: TokenId) -> PersonalToken | None:
        return next((token for token in self.tokens if token.id == token_id), None)

    def lets_in(self, credential: SessionId | TokenId, now: datetime) -> bool:
        """Whether a live session or personal token of this account has that id."""
        known: tuple[Session | PersonalToken, ...] = (*self.sessions, *self.tokens)
        return any(one.id == credential and one.live_at(now) for one in known)
