"""Routes of accounts: signing up, in, on and out. No answer of theirs is ever stored."""

from uuid import UUID

import msgspec
import uuid_utils.compat

from clearsplit_core.accounts import (
    EndSession,
    RotateSession,
    Rotation,
    StartSession,
    normal_email,
)
from clearsplit_core.errors import BadEmail, BadText, EmailTaken, Overloaded, SessionEnded
from clearsplit_core.ports import Caller, Sealed
from clearsplit_core.records import Account, SessionId
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.refusals import BadPassword, WrongCredentials
from clearsplit_http.server import Server
from clearsplit_http.tokens import RefreshToken
from clearsplit_http.wire.accounts import (
    AccountAnswer,
    AccountBrief,
    Login,
    Refresh,
    Signup,
    TokensAnswer,
)
from clearsplit_http.wire.resources import Nothing


@operation(
    "POST",
    "/auth/signup",
    public=True,
    takes=Signup,
    gives=TokensAnswer,
    status=201,
    refuses=(BadEmail, BadText, BadPassword, EmailTaken, Overloaded),
)
async def signup(asked: Asked[Signup]) -> Sealed:
    """Open an account, and sign in with it."""
    body = asked.body
    command = body.open(await asked.server.passwords.hashed(body.password))
    account = await asked.store.perform_on_account(command)
    return _told(await _signed_in(asked.server, account), 201)


@operation(
    "POST",
    "/auth/login",
    public=True,
    takes=Login,
    gives=TokensAnswer,
    refuses=(WrongCredentials, Overloaded),
)
async def login(asked: Asked[Login]) -> Sealed:
    """Sign in."""
    body = asked.body
    account = await _account_named(asked.server, body.email)
    kept = account.password_hash if account else None
    if not await asked.server.passwords.fits(body.password, kept) or account is None:
        raise WrongCredentials
    return _told(await _signed_in(asked.server, account), 200)


@operation(
    "POST",
    "/auth/refresh",
    public=True,
    takes=Refresh,
    gives=TokensAnswer,
    refuses=(SessionEnded, Overloaded),
)
async def refresh(asked: Asked[Refresh]) -> Sealed:
    """Exchange a refresh token for new tokens; each is good once.

    The token just exchanged may be shown again for 10 seconds and gets the same answer, in case
    that was lost. Any other repetition ends the session: the token is in two hands.
    """
    shown = RefreshToken.read(asked.body.refresh_token)
    child = shown.child(asked.server.keys.refresh)
    rotation = await asked.store.perform_on_account(
        RotateSession(
            account_id=shown.account_id,
            session_id=shown.session_id,
            presented=shown.digest,
            child=child.digest,
            lifetime=asked.server.session_lifetime,
        )
    )
    if rotation is Rotation.REVOKED:
        raise SessionEnded
    account = await asked.store.account_of(Caller(shown.account_id, shown.session_id))
    return _told(_tokens(asked.server, account, child), 200)


@operation("POST", "/auth/logout", takes=Nothing, status=204)
async def logout(asked: Asked[Nothing]) -> Sealed:
    """Sign out: this session's tokens are good for nothing from now on."""
    caller = asked.caller
    assert caller.session_id is not None
    await asked.store.perform_on_account(
        EndSession(account_id=caller.account_id, session_id=caller.session_id)
    )
    return Sealed(204, (), b"")


@operation("GET", "/auth/me", takes=Nothing, gives=AccountAnswer)
async def me(asked: Asked[Nothing]) -> Sealed:
    """The account that is signed in."""
    return asked.found(AccountAnswer.of(await asked.store.account_of(asked.caller)))


ROUTES = (signup, login, refresh, logout, me)


async def _account_named(server: Server, email: str) -> Account | None:
    """No account has an address that is none, and nobody is told the difference."""
    try:
        return await server.store.account_by_email(normal_email(email))
    except BadEmail:
        return None


async def _signed_in(server: Server, account: Account) -> TokensAnswer:
    session_id: UUID = uuid_utils.compat.uuid7()
    token = RefreshToken.new(account.id, SessionId(session_id))
    await server.store.perform_on_account(
        StartSession(
            account_id=account.id,
            session_id=token.session_id,
            refresh=token.digest,
            lifetime=server.session_lifetime,
        )
    )
    return _tokens(server, account, token)


def _tokens(server: Server, account: Account, token: RefreshToken) -> TokensAnswer:
    return TokensAnswer(
        access_token=server.access_tokens.issue(token.account_id, token.session_id),
        refresh_token=token.text,
        expires_in=int(server.access_tokens.lifetime.total_seconds()),
        account=AccountBrief.of(account),
    )


def _told(tokens: TokensAnswer, status: int) -> Sealed:
    return Sealed(status, (), msgspec.json.encode(tokens))
