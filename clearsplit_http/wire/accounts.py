"""Accounts and sessions on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta, Struct

from clearsplit_core.accounts import ACCOUNT_NAME_MAX, EMAIL_MAX, OpenAccount
from clearsplit_core.records import Account, AccountId
from clearsplit_http.passwords import PASSWORD_CHARACTERS_MAX
from clearsplit_http.wire.resources import Body, Resource, new_id

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


class TokensAnswer(Struct, frozen=True, kw_only=True):
    """A session's tokens; the access token is good for `expires_in` seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int
    account: AccountBrief
