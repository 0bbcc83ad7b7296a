"""Accounts on Postgres: decided under the account's lock, and kept as far as they changed."""

from typing import TypeVar

from clearsplit_core.errors import SessionEnded
from clearsplit_core.ports import AccountCommand, Caller
from clearsplit_core.records import Account, AccountId
from clearsplit_pg import rows
from clearsplit_pg.connected import Connected, Connection, live, persistently
from clearsplit_pg.refusals import refusals
from clearsplit_pg.sql import accounts as sql
from clearsplit_pg.sql.questions import LIVE

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


async def _account(
    connection: Connection, account_id: AccountId | None, email: str | None
) -> Account | None:
    found = await connection.execute(sql.ACCOUNT, {"account_id": account_id, "email": email})
    row = await found.fetchone()
    if row is None:
        return None
    sessions = await connection.execute(sql.SESSIONS, {"account_id": row["account_id"]})
    return rows.account_of(row, await sessions.fetchall())


async def _keep(connection: Connection, known: Account | None, account: Account) -> None:
    """What differs from what was known is written; sessions that were let go are deleted."""
    before = known.sessions if known else ()
    statement = sql.KEEP_ACCOUNT if known else sql.OPEN_ACCOUNT
    await connection.execute(statement, rows.account_params(account))
    for session in account.sessions:
        if session not in before:
            await connection.execute(sql.KEEP_SESSION, rows.session_params(account.id, session))
    kept = [session.id for session in account.sessions]
    await connection.execute(sql.FORGET_SESSIONS, {"account_id": account.id, "kept": kept})
