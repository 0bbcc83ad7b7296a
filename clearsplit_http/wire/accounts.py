"""Accounts, sessions and personal tokens on the wire."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from clearsplit_core.accounts import ACCOUNT_NAME_MAX, EMAIL_MAX, TOKEN_NAME_MAX, OpenAccount
from clearsplit_core.records import (
    Account,
    AccountId,
    PersonalToken,
    Scope,
    Session,
    SessionId,
)
from clearsplit_http.passwords import PASSWORD_CHARACTERS_MAX
from clearsplit_http.wire.resources import Body, Resource, new_id

TOKEN_DAYS_MAX: Final = 365
"""Days that a personal token may be good for."""

Email = Annotated[str, Meta(extra_json_schema={"format": "email", "maxLength": EMAIL_MAX})]
Password = Annotated[str, Meta(extra_json_schema={"maxLength": PASSWORD_CHARACTERS_MAX})]


class Signup(Body, frozen=True, kw_only=True):
    """An account to be."""

    email: Email
    password: Password
    name: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": ACCOUNT_NAME_MAX})]

    def open(self, password_hash: str) -> OpenAccount:
        """The command to open it. Raises BadText, BadEmail."""
        return OpenAccount(
            account_id=AccountId(new_id(None)),
            email=self.email,
            name=self.name,
            password_hash=password_hash,
        )


class Login(Body, frozen=True, kw_only=True):
    """Who wants in."""

    email: Email
    password: Password


class Refresh(Body, frozen=True, kw_only=True):
    """The refresh token of the answer before; each is good once."""

    refresh_token: str


class NewToken(Body, frozen=True, kw_only=True):
    """A personal token to be, for a program that works on your groups."""

    name: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": TOKEN_NAME_MAX})]
    scope: Scope
    expires_in_days: Annotated[int, Meta(ge=1, le=TOKEN_DAYS_MAX)] = 90

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.expires_in_days)


class AccountChanges(Body, frozen=True, kw_only=True):
    """What to change. A new e-mail address takes your password."""

    name: (
        Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": ACCOUNT_NAME_MAX})]
        | UnsetType
    ) = UNSET
    email: Email | UnsetType = UNSET
    current_password: Password | UnsetType = UNSET


class NewPassword(Body, frozen=True, kw_only=True):
    """The password that you have and the one that you want."""

    current_password: Password
    new_password: Password


class AccountBrief(Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    id: UUID
    email: str
    name: str

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(id=account.id, email=account.email, name=account.name)


class AccountAnswer(Resource, frozen=True, kw_only=True):
    """The account that is signed in."""

    email: str
    name: str
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(
            id=account.id,
            version=account.version,
            email=account.email,
            name=account.name,
            created_at=account.created_at,
        )


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """A signed-in device; `current` is the one that asks."""

    id: UUID
    started_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, current: SessionId) -> Self:
        return cls(
            id=session.id,
            started_at=session.started_at,
            refreshed_at=session.rotated_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """A personal token, without the token itself."""

    id: UUID
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, token: PersonalToken) -> Self:
        return cls(
            id=token.id,
            name=token.name,
            scope=token.scope,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )


class IssuedTokenAnswer(TokenAnswer, frozen=True, kw_only=True):
    """A personal token. `token` is told this once: keep it."""

    token: str

    @classmethod
    def told(cls, token: PersonalToken, text: str) -> Self:
        return cls(**msgspec.structs.asdict(TokenAnswer.of(token)), token=text)


class TokensAnswer(Struct, frozen=True, kw_only=True):
    """A session's tokens; the access token is good for `expires_in` seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int
    account: AccountBrief
