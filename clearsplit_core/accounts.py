"""Accounts: opening one, signing in and out, refresh tokens and personal ones, as pure decisions.

This module never sees a password or a token. It gets an opaque password hash, and the SHA-256
digests of tokens; making and checking those belongs to whoever holds the keys. A password is
checked slowly and outside, so a command that relies on it names the hash that it was found to fit:
if that is no longer the account's, the password was changed meanwhile and counts for nothing.

Whoever is signed in acts `by` a session, which must be live when the command is decided.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, TypeVar

from clearsplit_core.errors import (
    AlreadyExists,
    BadEmail,
    SessionEnded,
    ThingNotFound,
    TooManyTokens,
    WrongCredentials,
)
from clearsplit_core.ports import AccountDecision
from clearsplit_core.records import (
    Account,
    AccountId,
    PersonalToken,
    Scope,
    Session,
    SessionId,
    TokenId,
)
from clearsplit_core.text import require_readable

EMAIL_MAX: Final = 254
ACCOUNT_NAME_MAX: Final = 100
SESSIONS_MAX: Final = 100
"""Sessions that one account may have; signing in once more ends the oldest."""
TOKENS_MAX: Final = 50
"""Personal tokens that one account may have."""
TOKEN_NAME_MAX: Final = 100
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
        _require_name(self.name, ACCOUNT_NAME_MAX)

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


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSession:
    """Sign in: a new session whose first refresh token has the digest `refresh`.

    Raises WrongCredentials.
    """

    account_id: AccountId
    session_id: SessionId
    password_hash: str
    refresh: str
    lifetime: timedelta

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[Account]:
        known = _trusted(account, self.password_hash)
        session = Session(
            id=self.session_id,
            refresh=self.refresh,
            parent=None,
            started_at=now,
            rotated_at=now,
            expires_at=now + self.lifetime,
            ended=False,
        )
        live = [each for each in known.sessions if each.live_at(now)]
        signed_in = replace(known, sessions=(*live[-SESSIONS_MAX + 1 :], session))
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
    """Sign out: nothing that belongs to the session is good any more.

    Raises SessionEnded, and ThingNotFound for another session that is not there or over.
    """

    account_id: AccountId
    by: SessionId
    session_id: SessionId

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        known = _signed_in(account, self.by, now)
        session = known.session(self.session_id)
        if session is None or not session.live_at(now):
            raise ThingNotFound
        return _decided(known, replace(session, ended=True), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEverySession:
    """Sign out everywhere; personal tokens are over as well. Raises SessionEnded."""

    account_id: AccountId
    by: SessionId

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        return AccountDecision(_shut(_signed_in(account, self.by, now)), None)


# ── Personal tokens ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """Give a program of the account's owner a token of its own; those that expired are forgotten.

    Raises SessionEnded, BadText, TooManyTokens.
    """

    account_id: AccountId
    by: SessionId
    token_id: TokenId
    name: str
    scope: Scope
    digest: str
    lifetime: timedelta

    def __post_init__(self) -> None:
        _require_name(self.name, TOKEN_NAME_MAX)

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[PersonalToken]:
        known = _signed_in(account, self.by, now)
        live = [token for token in known.tokens if token.live_at(now)]
        if len(live) >= TOKENS_MAX:
            raise TooManyTokens
        token = PersonalToken(
            id=self.token_id,
            name=self.name,
            scope=self.scope,
            digest=self.digest,
            created_at=now,
            expires_at=now + self.lifetime,
        )
        return AccountDecision(replace(known, tokens=(*live, token)), token)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    """A personal token is good for nothing any more. Raises SessionEnded, ThingNotFound."""

    account_id: AccountId
    by: SessionId
    token_id: TokenId

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        known = _signed_in(account, self.by, now)
        if known.token(self.token_id) is None:
            raise ThingNotFound
        kept = tuple(token for token in known.tokens if token.id != self.token_id)
        return AccountDecision(replace(known, tokens=kept), None)


# ── The account itself ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseAccount:
    """Change the name, the e-mail address or both; None leaves it. An address takes the password.

    Raises SessionEnded, BadEmail, BadText, WrongCredentials; the store raises EmailTaken.
    """

    account_id: AccountId
    by: SessionId
    name: str | None = None
    email: str | None = None
    password_hash: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None:
            _require_name(self.name, ACCOUNT_NAME_MAX)

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[Account]:
        revised = _signed_in(account, self.by, now)
        if self.name is not None:
            revised = replace(revised, name=self.name)
        if self.email is not None:
            revised = replace(_trusted(revised, self.password_hash), email=normal_email(self.email))
        revised = replace(revised, version=revised.version + 1)
        return AccountDecision(revised, revised)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """A new password; every session and personal token is over, also the session that asks.

    Raises SessionEnded, WrongCredentials.
    """

    account_id: AccountId
    by: SessionId
    password_hash: str
    new_hash: str

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        known = _trusted(_signed_in(account, self.by, now), self.password_hash)
        return AccountDecision(_shut(_with_hash(known, self.new_hash)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """A new password for somebody who forgot theirs: an operator's act. All access is over.

    Raises ThingNotFound.
    """

    account_id: AccountId
    new_hash: str

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:  # noqa: ARG002
        if account is None:
            raise ThingNotFound
        return AccountDecision(_shut(_with_hash(account, self.new_hash)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewHash:
    """The same password, hashed anew: with another pepper or at another cost.

    Raises WrongCredentials.
    """

    account_id: AccountId
    password_hash: str
    new_hash: str

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:  # noqa: ARG002
        known = _trusted(account, self.password_hash)
        return AccountDecision(replace(known, password_hash=self.new_hash), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAccount:
    """The account is gone, and with it every session and token. Raises SessionEnded."""

    account_id: AccountId
    by: SessionId

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[None]:
        _signed_in(account, self.by, now)
        return AccountDecision(None, None)


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def _signed_in(account: Account | None, by: SessionId, now: datetime) -> Account:
    """The account, while its session `by` is live: a personal token is not enough."""
    session = account.session(by) if account else None
    if account is None or session is None or not session.live_at(now):
        raise SessionEnded
    return account


def _trusted(account: Account | None, password_hash: str | None) -> Account:
    """The account, while its password is still the one that was checked."""
    if account is None or account.password_hash != password_hash:
        raise WrongCredentials
    return account


def _with_hash(account: Account, password_hash: str) -> Account:
    return replace(account, password_hash=password_hash, version=account.version + 1)


def _shut(account: Account) -> Account:
    return replace(account, sessions=(), tokens=())


def _decided(account: Account, session: Session, answer: R) -> AccountDecision[R]:
    sessions = tuple(session if known.id == session.id else known for known in account.sessions)
    return AccountDecision(replace(account, sessions=sessions), answer)


def _require_name(name: str, characters_max: int) -> None:
    require_readable(name, field="/name", characters_max=characters_max, lines=False)
