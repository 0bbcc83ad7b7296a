"""Routes of accounts: signing up, in, on and out, and what belongs to an account itself.

No answer of theirs is ever stored, and no personal token reaches them.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from clearsplit_core.accounts import (
    ChangePassword,
    DeleteAccount,
    EndEverySession,
    EndSession,
    IssueToken,
    RenewHash,
    ReviseAccount,
    RevokeToken,
    RotateSession,
    Rotation,
    StartSession,
    normal_email,
)
from clearsplit_core.errors import (
    BadEmail,
    BadText,
    EmailTaken,
    LastOwner,
    Overloaded,
    SessionEnded,
    ThingNotFound,
    TooManyTokens,
    WrongCredentials,
)
from clearsplit_core.members import UnlinkMember
from clearsplit_core.plain import Plain
from clearsplit_core.ports import AsyncStore, Caller, Sealed
from clearsplit_core.questions import Link
from clearsplit_core.records import Account, PersonalToken, Session, SessionId, TokenId
from clearsplit_http import logs
from clearsplit_http.asked import Asked, B
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadPassword, CommonPassword, MissingField, QuotaExceeded
from clearsplit_http.server import Server
from clearsplit_http.tokens import PersonalKey, RefreshToken
from clearsplit_http.wire.accounts import (
    AccountAnswer,
    AccountBrief,
    AccountChanges,
    IssuedTokenAnswer,
    Login,
    NewPassword,
    NewToken,
    Refresh,
    SessionAnswer,
    Signup,
    TokenAnswer,
    TokensAnswer,
)
from clearsplit_http.wire.resources import Nothing, Page, new_id

T = TypeVar("T", Session, PersonalToken)

NAMED_MAX: Final = 20
"""Groups that one refusal names."""


@operation(
    "POST",
    "/auth/signup",
    public=True,
    limited="signup",
    takes=Signup,
    gives=TokensAnswer,
    status=201,
    refuses=(BadEmail, BadText, BadPassword, CommonPassword, EmailTaken, Overloaded),
)
async def signup(asked: Asked[Signup]) -> Sealed:
    """Open an account, and sign in with it."""
    body = asked.body
    command = body.open(await asked.server.passwords.hashed(body.password))
    account = await asked.store.perform_on_account(command)
    logs.happened("signed-up", account=str(account.id))
    return _told(await _signed_in(asked.server, account), 201)


@operation(
    "POST",
    "/auth/login",
    public=True,
    limited="login",
    takes=Login,
    gives=TokensAnswer,
    refuses=(WrongCredentials, Overloaded),
)
async def login(asked: Asked[Login]) -> Sealed:
    """Sign in."""
    await asked.attempt_login(_email_in(asked.tree))
    body = asked.body
    account = await _account_named(asked.server, body.email)
    kept = account.password_hash if account else None
    logs.about(account=account.id if account else "unknown")
    if not await asked.server.passwords.fits(body.password, kept) or account is None:
        raise WrongCredentials
    account = await _renewed(asked.server, account, body.password)
    logs.happened("signed-in")
    return _told(await _signed_in(asked.server, account), 200)


@operation(
    "POST",
    "/auth/refresh",
    public=True,
    limited="refresh",
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
    logs.about(account=shown.account_id)
    if rotation is Rotation.REVOKED:
        logs.alarming("family-revoked", session=str(shown.session_id))
        raise SessionEnded
    account = await asked.store.account_of(Caller(shown.account_id, shown.session_id))
    return _told(_tokens(asked.server, account, child), 200)


@operation("POST", "/auth/logout", takes=Nothing, status=204)
async def logout(asked: Asked[Nothing]) -> Sealed:
    """Sign out: this session's tokens are good for nothing from now on."""
    return await _ended(asked, asked.session_id)


@operation("POST", "/auth/logout-all", takes=Nothing, status=204)
async def logout_everywhere(asked: Asked[Nothing]) -> Sealed:
    """Sign out everywhere: every session and every personal token is over."""
    await asked.store.perform_on_account(
        EndEverySession(account_id=asked.caller.account_id, by=asked.session_id)
    )
    logs.happened("signed-out-everywhere")
    return _NOTHING


# ── Sessions and personal tokens ─────────────────────────────────────────────────────────────────


@operation("GET", "/auth/sessions", takes=Nothing, gives=Page[SessionAnswer], query=PAGE_QUERY)
async def list_sessions(asked: Asked[Nothing]) -> Sealed:
    """Where you are signed in, the oldest first."""
    account = await asked.store.account_of(asked.caller)
    now = asked.server.clock()
    live = [session for session in account.sessions if session.live_at(now)]
    return asked.page(
        _after(asked, live), lambda one: SessionAnswer.of(one, asked.session_id), _place
    )


@operation(
    "DELETE", "/auth/sessions/{session_id}", takes=Nothing, status=204, refuses=(ThingNotFound,)
)
async def end_session(asked: Asked[Nothing]) -> Sealed:
    """Sign out on one device."""
    return await _ended(asked, asked.ids.session_id)


@operation(
    "POST",
    "/auth/tokens",
    takes=NewToken,
    gives=IssuedTokenAnswer,
    status=201,
    refuses=(BadText, TooManyTokens),
)
async def issue_token(asked: Asked[NewToken]) -> Sealed:
    """Make a personal token, for a program that works on your groups.

    The token is told once. It reaches groups and never /auth, and is over when it expires, when you
    sign out everywhere and when you change your password.
    """
    body = asked.body
    key = PersonalKey.new(asked.caller.account_id, TokenId(new_id(None)))
    token = await asked.store.perform_on_account(
        IssueToken(
            account_id=key.account_id,
            by=asked.session_id,
            token_id=key.token_id,
            name=body.name,
            scope=body.scope,
            digest=key.digest,
            lifetime=body.lifetime,
        )
    )
    logs.happened("token-issued", token=str(token.id), scope=token.scope)
    return Sealed(201, (), msgspec.json.encode(IssuedTokenAnswer.told(token, key.text)))


@operation("GET", "/auth/tokens", takes=Nothing, gives=Page[TokenAnswer], query=PAGE_QUERY)
async def list_tokens(asked: Asked[Nothing]) -> Sealed:
    """Your personal tokens, the oldest first."""
    account = await asked.store.account_of(asked.caller)
    now = asked.server.clock()
    live = [token for token in account.tokens if token.live_at(now)]
    return asked.page(_after(asked, live), TokenAnswer.of, _place)


@operation("DELETE", "/auth/tokens/{token_id}", takes=Nothing, status=204, refuses=(ThingNotFound,))
async def revoke_token(asked: Asked[Nothing]) -> Sealed:
    """A personal token is good for nothing any more."""
    await asked.store.perform_on_account(
        RevokeToken(
            account_id=asked.caller.account_id, by=asked.session_id, token_id=asked.ids.token_id
        )
    )
    logs.happened("token-revoked", token=str(asked.ids.token_id))
    return _NOTHING


# ── The account ──────────────────────────────────────────────────────────────────────────────────


@operation("GET", "/auth/me", takes=Nothing, gives=AccountAnswer)
async def me(asked: Asked[Nothing]) -> Sealed:
    """The account that is signed in."""
    return asked.found(AccountAnswer.of(await asked.store.account_of(asked.caller)))


@operation(
    "PATCH",
    "/auth/me",
    takes=AccountChanges,
    gives=AccountAnswer,
    refuses=(BadEmail, BadText, EmailTaken, QuotaExceeded, WrongCredentials),
)
async def revise_me(asked: Asked[AccountChanges]) -> Sealed:
    """Change your name or, with your password, your e-mail address."""
    body = asked.body
    trusted = None
    if body.email is not UNSET:
        normal_email(body.email)
        trusted = await _trusted(asked, body.current_password)
    account = await asked.store.perform_on_account(
        ReviseAccount(
            account_id=asked.caller.account_id,
            by=asked.session_id,
            name=None if body.name is UNSET else body.name,
            email=None if body.email is UNSET else body.email,
            password_hash=trusted,
        )
    )
    if trusted:
        logs.happened("address-changed")
    return asked.found(AccountAnswer.of(account))


@operation(
    "PUT",
    "/auth/password",
    takes=NewPassword,
    status=204,
    refuses=(BadPassword, CommonPassword, QuotaExceeded, WrongCredentials),
)
async def change_password(asked: Asked[NewPassword]) -> Sealed:
    """Change your password. Every session and personal token is over, this one included."""
    body, passwords = asked.body, asked.server.passwords
    passwords.require_good(body.new_password, field="/new_password")
    trusted = await _trusted(asked, body.current_password)
    command = ChangePassword(
        account_id=asked.caller.account_id,
        by=asked.session_id,
        password_hash=trusted,
        new_hash=await passwords.hashed(body.new_password, field="/new_password"),
    )
    await asked.store.perform_on_account(command)
    logs.happened("password-changed")
    return _NOTHING


@operation("DELETE", "/auth/me", takes=Nothing, status=204, refuses=(LastOwner,))
async def delete_me(asked: Asked[Nothing]) -> Sealed:
    """Delete your account: every session, every token, and your name in every group.

    What your seats owe and are owed stays, as a nameless guest's. Where you are the last owner
    beside others with an account, make one of them an owner first: those groups are named.
    """
    store, account_id = asked.store, asked.caller.account_id
    links = await store.links(caller=asked.caller)
    if needing := [link for link in links if link.needs_owner]:
        raise LastOwner(_named(needing))
    await _unlink(store, links, asked.caller)
    await store.perform_on_account(DeleteAccount(account_id=account_id, by=asked.session_id))
    gone = Caller(account_id)  # whatever it joined between these steps: nobody can join for it now
    await _unlink(store, await store.links(caller=gone), gone)
    logs.happened("account-deleted")
    return _NOTHING


ROUTES = (
    signup,
    login,
    refresh,
    logout,
    logout_everywhere,
    list_sessions,
    end_session,
    issue_token,
    list_tokens,
    revoke_token,
    me,
    revise_me,
    change_password,
    delete_me,
)

_NOTHING = Sealed(204, (), b"")


async def _ended(asked: Asked[Nothing], session_id: SessionId) -> Sealed:
    await asked.store.perform_on_account(
        EndSession(account_id=asked.caller.account_id, by=asked.session_id, session_id=session_id)
    )
    logs.happened("signed-out", session=str(session_id))
    return _NOTHING


async def _unlink(store: AsyncStore, links: Iterable[Link], caller: Caller) -> None:
    """The account has no seat in these groups; one that somebody else took meanwhile is no harm."""
    for link in links:
        with suppress(ThingNotFound):
            await store.perform(UnlinkMember(group_id=link.group_id), caller=caller)


def _named(links: Sequence[Link]) -> str:
    """By their ids: a problem repeats no text that somebody wrote."""
    shown = [str(link.group_id) for link in links[:NAMED_MAX]]
    more = len(links) - len(shown)
    return (
        f"You are the last owner of {', '.join(shown)}{f' and {more} more' if more else ''} (ids of"
        " groups); make somebody else an owner first."
    )


def _after(asked: Asked[Nothing], known: Iterable[T]) -> list[T]:
    """Those that come after the page before, in the order in which they were made."""
    position = asked.position()
    in_order = sorted(known, key=_place)
    return [one for one in in_order if position is None or _place(one) > position]


def _place(one: Session | PersonalToken) -> str:
    return str(one.id)  # UUIDs of version 7 sort by time


async def _trusted(asked: Asked[B], password: str | UnsetType) -> str:
    """The hash that the caller's password fits. Raises MissingField, WrongCredentials."""
    if password is UNSET:
        raise MissingField("An e-mail address takes your password.", field="/current_password")
    account = await asked.store.account_of(asked.caller)
    await asked.attempt_login(account.email)
    if not await asked.server.passwords.fits(password, account.password_hash):
        raise WrongCredentials
    return account.password_hash


def _email_in(tree: Plain) -> str:
    """The address in a body that is perhaps wrong, in its normal form where it has one."""
    email = tree.get("email") if isinstance(tree, dict) else None
    try:
        return normal_email(email) if isinstance(email, str) else ""
    except BadEmail:
        return ""


async def _account_named(server: Server, email: str) -> Account | None:
    """No account has an address that is none, and nobody is told the difference."""
    try:
        return await server.store.account_by_email(normal_email(email))
    except BadEmail:
        return None


async def _renewed(server: Server, account: Account, password: str) -> Account:
    """The account with its password hashed as we hash now, where it was hashed otherwise."""
    new_hash = await server.passwords.renewed(password, account.password_hash)
    if new_hash is None:
        return account
    await server.store.perform_on_account(
        RenewHash(account_id=account.id, password_hash=account.password_hash, new_hash=new_hash)
    )
    return replace(account, password_hash=new_hash)


async def _signed_in(server: Server, account: Account) -> TokensAnswer:
    """A new session, for whoever knows the account's password as it is in `account`."""
    token = RefreshToken.new(account.id, SessionId(new_id(None)))
    await server.store.perform_on_account(
        StartSession(
            account_id=account.id,
            session_id=token.session_id,
            password_hash=account.password_hash,
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
