"""Accounts: opening one, signing in, and the rotation of refresh tokens, all as pure decisions.

This module never sees a password or a token. It gets an opaque password hash, and the SHA-256
digests of refresh tokens; making and checking those belongs to whoever holds the keys.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, TypeVar

from clearsplit_core.errors import AlreadyExists, BadEmail, SessionEnded
from clearsplit_core.ports import AccountDecision
from clearsplit_core.records import Account, AccountId, Session, SessionId
from clearsplit_core.text import require_readable

EMAIL_MAX: Final = 254
ACCOUNT_NAME_MAX: Final = 100
SESSIONS_MAX: Final = 100
"""Sessions that one account may have; signing in once more ends the oldest."""
REPEAT_S: Final = 10
"""Seconds in which the token just replaced may be shown again, for an answer that was lost."""

R = TypeVar("R")

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f.]+(\.[^\s@\x00-\x1f\x7f.]+)*")


def normal_email(email: str) -> str:
    """`email` in the one form by which accounts are told apart: NFKC and case-folded.

    The normal form of a normal form is itself. Raises BadEmail.
    """
    normal = email
    while (again := unicodedata.normalize("NFKC", normal.casefold())) != normal:
        normal = again  # folding a case may leave something to compose, and the other way round
    if len(normal) > EMAIL_MAX or not normal.isprintable() or not _EMAIL.fullmatch(normal):
        raise BadEmail(field="/email")
    return normal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Open an account. Raises AlreadyExists, BadEmail, BadText; the store raises EmailTaken."""

    account_id: AccountId
    email: str
    name: str
    password_hash: str

    def __post_init__(self) -> None:
        require_readable(self.name, field="/name", characters_max=ACCOUNT_NAME_MAX, lines=False)

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[Account]:
        if account is not None:
            raise AlreadyExists
        opened = Account(
            id=self.account_id,
            email=normal_email(self.email),
            name=self.name,
            password_hash=self.password_hash,
            version=1,
            created_at=now,
            sessions=(),
        )
        return AccountDecision(opened, opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    """Sign in: a new session whose first refresh token has the digest `refresh`."""

    account_id: AccountId
    session_id: SessionId
    refresh: str
    lifetime: timedelta

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[Account]:
        if account is None:
            raise SessionEnded
        session = Session(
            id=self.session_id,
            refresh=self.refresh,
            parent=None,
            started_at=now,
            rotated_at=now,
            expires_at=now + self.lifetime,
            ended=False,
        )
        live = [known for known in account.sessions if known.live_at(now)]
        signed_in = replace(account, sessions=(*live[-SESSIONS_MAX + 1 :], session))
        return AccountDecision(signed_in, signed_in)


class Rotation(Enum):
    """What came of showing a refresh token."""

    ROTATED = auto()
    REPEATED = auto()
    REVOKED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSession:
    """Replace a refresh token by its child; both are given as digests.

    The good token is replaced. Its immediate parent, shown again within REPEAT_S while nothing came
    of the child yet, gets the same child: an answer was lost, or two tabs asked at once. Anything
    else is a copy in the wrong hands, and ends the session; that is an answer and not a refusal,
    since it has to be kept.

    Raises SessionEnded for a session that is unknown, over or ended.
    """

    account_id: AccountId
    session_id: SessionId
    presented: str
    child: str
    lifetime: timedelta

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[Rotation]:
        session = account.session(self.session_id) if account else None
        if account is None or session is None or not session.live_at(now):
            raise SessionEnded
        if self.presented == session.refresh:
            return _decided(account, self._rotated(session, now), Rotation.ROTATED)
        if self._is_repeat(session, now):
            return _decided(account, session, Rotation.REPEATED)
        return _decided(account, replace(session, ended=True), Rotation.REVOKED)

    def _rotated(self, session: Session, now: datetime) -> Session:
        return replace(
            session,
            refresh=self.child,
            parent=self.presented,
            rotated_at=now,
            expires_at=now + self.lifetime,
        )

    def _is_repeat(self, session: Session, now: datetime) -> bool:
        return (
            self.presented == session.parent
            and self.child == session.refresh
            and now - session.rotated_at <= timedelta(seconds=REPEAT_S)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """Sign out: nothing that belongs to the session is good any more. Raises SessionEnded."""

    account_id: AccountId
    session_id: SessionId

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        session = account.session(self.session_id) if account else None
        if account is None or session is None or not session.live_at(now):
            raise SessionEnded
        return _decided(account, replace(session, ended=True), None)


def _decided(account: Account, session: Session, answer: R) -> AccountDecision[R]:
    sessions = tuple(session if known.id == session.id else known for known in account.sessions)
    return AccountDecision(replace(account, sessions=sessions), answer)
