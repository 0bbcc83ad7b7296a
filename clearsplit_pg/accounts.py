"""Accounts on Postgres: decided under the account's lock, and kept as far as they changed."""

from collections.abc import Sequence
from typing import TypeVar

from clearsplit_core.errors import SessionEnded
from clearsplit_core.ports import AccountCommand, Caller
from clearsplit_core.records import Account, AccountId, PersonalToken, Session, TokenId
from clearsplit_pg import rows
from clearsplit_pg.connected import Connected, Connection, live, persistently
from clearsplit_pg.refusals import refusals
from clearsplit_pg.sql import accounts as sql
from clearsplit_pg.sql.groups import LIVE

R = TypeVar("R")


class PostgresAccounts(Connected):
    """`ports.AsyncAccounts` on Postgres."""

    async def perform_on_account(self, command: AccountCommand[R]) -> R:
        return await persistently(lambda: self._attempt_on_account(command))

    async def _attempt_on_account(self, command: AccountCommand[R]) -> R:
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(sql.LOCK_ACCOUNT, {"account_id": command.account_id})
            known = await _account(connection, command.account_id, None)
            decision = command.decide(known, self._clock())
            await _keep(connection, known, decision.account)
            return decision.answer

    async def account_by_email(self, email: str) -> Account | None:
        with refusals():
            async with self._pool.connection() as connection:
                return await _account(connection, None, email)

    async def account_of(self, caller: Caller) -> Account:
        live(await self._read(LIVE, caller, {}))
        with refusals():
            async with self._pool.connection() as connection:
                account = await _account(connection, caller.account_id, None)
        if account is None:
            raise SessionEnded
        return account

    async def personal_token(
        self, account_id: AccountId, token_id: TokenId
    ) -> PersonalToken | None:
        found = await self._read_all(sql.PERSONAL, {"account_id": account_id, "token_id": token_id})
        return rows.token_of(found[0]) if found else None


async def _account(
    connection: Connection, account_id: AccountId | None, email: str | None
) -> Account | None:
    found = await connection.execute(sql.ACCOUNT, {"account_id": account_id, "email": email})
    row = await found.fetchone()
    return None if row is None else rows.account_of(row)


async def _keep(connection: Connection, known: Account | None, account: Account | None) -> None:
    """What differs from what was known is written, and what is no longer there is deleted."""
    if account is None:
        assert known is not None, "only an account that is there can be deleted"
        await connection.execute(sql.DELETE_ACCOUNT, {"account_id": known.id})
        return
    if known is None:
        await connection.execute(sql.OPEN_ACCOUNT, rows.account_params(account))
    elif rows.account_params(known) != rows.account_params(account):
        await connection.execute(sql.KEEP_ACCOUNT, rows.account_params(account))
    await _keep_sessions(connection, known.sessions if known else (), account)
    await _keep_tokens(connection, known.tokens if known else (), account)


async def _keep_sessions(
    connection: Connection, before: Sequence[Session], account: Account
) -> None:
    for session in account.sessions:
        if session not in before:
            await connection.execute(sql.KEEP_SESSION, rows.session_params(account.id, session))
    kept = {session.id for session in account.sessions}
    if gone := [session.id for session in before if session.id not in kept]:
        await connection.execute(sql.FORGET_SESSIONS, {"account_id": account.id, "ids": gone})


async def _keep_tokens(
    connection: Connection, before: Sequence[PersonalToken], account: Account
) -> None:
    for token in account.tokens:
        if token not in before:
            await connection.execute(sql.KEEP_PERSONAL, rows.token_params(account.id, token))
    kept = {token.id for token in account.tokens}
    if gone := [token.id for token in before if token.id not in kept]:
        await connection.execute(sql.FORGET_PERSONAL, {"account_id": account.id, "ids": gone})
