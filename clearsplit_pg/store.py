"""The store on Postgres: one command, one transaction.

    claim the key   at once, or refused: nobody waits behind their own retry
    lock            the group's row, and with it look up the answer that was sealed before
    read            in a second statement, which sees what the lock was waited for
    decide          in core, from what was read
    append          the entry, its postings, every record that it changed, and the sealed answer
    commit

Reads are one statement each, in autocommit, with every check inside: they return one moment.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, LiteralString, TypeAlias, TypeVar

from psycopg import AsyncConnection
from psycopg.errors import UndefinedTable
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from clearsplit_core.errors import (
    AnswerErased,
    KeyInProgress,
    KeyReused,
    SessionEnded,
    ThingNotFound,
    Unavailable,
)
from clearsplit_core.group import Group, append
from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.ports import (
    PAGE_MAX,
    AccountCommand,
    Caller,
    Clock,
    Command,
    Decision,
    Receipt,
    Recorded,
    Sealed,
    Standing,
)
from clearsplit_core.records import Account, AccountId, Expense, ExpenseId
from clearsplit_pg import rows, sql
from clearsplit_pg.refusals import WORTH_ANOTHER_TRY, is_email_taken, refusals
from clearsplit_pg.rows import Params, Row
from clearsplit_pg.schema import required
from clearsplit_pg.urls import normalise

ATTEMPTS_MAX: Final = 5
"""Times that a command is tried when others are quicker, before the caller is asked to wait."""
CONNECTIONS_MAX: Final = 10
"""Connections that one store keeps open."""
WAITING_MAX: Final = 200
"""Requests that may wait for a connection."""
WAIT_S: Final = 5.0
"""Seconds that a request waits for a connection."""
ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long the same key gets the same answer."""

R = TypeVar("R")
T = TypeVar("T")
Connection: TypeAlias = AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]


class PostgresStore:
    """`ports.AsyncStore` on Postgres. `clock` answers the time in UTC."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._required = required()

    # ── Performing commands ──────────────────────────────────────────────────────────────────────

    async def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]:
        done = await _persistently(lambda: self._attempt(command, caller, None))
        assert isinstance(done, Recorded)
        return done

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        done = await _persistently(lambda: self._attempt(command, caller, receipt))
        assert isinstance(done, Sealed)
        return done

    async def _attempt(
        self, command: Command[R], caller: Caller, receipt: Receipt[R] | None
    ) -> Recorded[R] | Sealed:
        async with self._pool.connection() as connection, connection.transaction():
            if receipt is not None:
                await _claim(connection, command.group_id, caller, receipt.key)
            locked = await self._lock(connection, command.group_id, caller, receipt)
            if receipt is not None and locked["status"] is not None:
                return _sealed_before(locked, receipt)
            group = await self._group(connection, command, caller, locked)
            decision = command.decide(group)
            return await _append(connection, group, decision, caller, receipt)

    async def _lock(
        self,
        connection: Connection,
        group_id: GroupId,
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Row:
        now = self._clock()
        params = rows.who(caller, now) | {
            "group_id": group_id,
            "key": receipt and receipt.key,
            "kept_since": now - ANSWERS_KEPT,
        }
        return _live(await _row(connection, sql.LOCK, params))

    async def _group(
        self, connection: Connection, command: Command[R], caller: Caller, locked: Row
    ) -> Group:
        """The group as it stands under the lock; the clock is read now, not before."""
        if locked["seq"] is None and command.needs.founds:
            now = self._clock()
            return Group.unfounded(command.group_id, now).at_moment(caller.account_id, None, now)
        if locked["seq"] is None:
            raise ThingNotFound
        params = {
            "group_id": command.group_id,
            "account_id": caller.account_id,
            "expense_ids": list(command.needs.expenses),
        }
        details = await _row(connection, sql.READ_FOR_DECISION, params)
        group = rows.group_of(command.group_id, locked, details)
        return group.at_moment(caller.account_id, details["actor_id"], self._clock())

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    async def group(self, group_id: GroupId, *, caller: Caller) -> Group:
        row = await self._read(sql.GROUP, caller, {"group_id": group_id})
        if _live(row)["actor_id"] is None:
            raise ThingNotFound
        return rows.group_of(group_id, row).at_moment(
            caller.account_id, row["actor_id"], self._clock()
        )

    async def standing(self, group_id: GroupId, *, caller: Caller) -> Standing:
        row = await self._read(sql.STANDING, caller, {"group_id": group_id})
        return rows.standing_of(_seated(row))

    async def groups(
        self, *, caller: Caller, after: GroupId | None = None, limit: int = PAGE_MAX
    ) -> Sequence[Group]:
        _live(await self._read(sql.LIVE, caller, {}))
        params: Params = {"account_id": caller.account_id, "after": after, "limit": limit}
        found = await self._read_all(sql.GROUPS, params)
        now = self._clock()
        return [
            rows.group_of(row["group_id"], row).at_moment(caller.account_id, row["actor_id"], now)
            for row in found
        ]

    async def expense(self, group_id: GroupId, expense_id: ExpenseId, *, caller: Caller) -> Expense:
        params: Params = {"group_id": group_id, "expense_id": expense_id, "before_seq": None}
        row = await self._read(sql.EXPENSES, caller, params | {"limit": 1})
        found = rows.expenses_of(_seated(row))
        if not found:
            raise ThingNotFound
        return found[0]

    async def expenses(
        self,
        group_id: GroupId,
        *,
        caller: Caller,
        before_seq: int | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Expense]:
        params: Params = {"group_id": group_id, "expense_id": None, "before_seq": before_seq}
        row = await self._read(sql.EXPENSES, caller, params | {"limit": limit})
        return rows.expenses_of(_seated(row))

    async def entries(
        self, group_id: GroupId, *, caller: Caller, after_seq: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[Entry]:
        _seated(await self._read(sql.ACCESS, caller, {"group_id": group_id}))
        params: Params = {"group_id": group_id, "after_seq": after_seq, "limit": limit}
        found = await self._read_all(sql.ENTRIES, params)
        return [rows.entry_of(group_id, row) for row in found]

    async def erase(self, group_id: GroupId, seq: int) -> None:
        with refusals():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(sql.LOCK_GROUP, {"group_id": group_id})
                row = await _row(connection, sql.ERASE, {"group_id": group_id, "seq": seq})
        if not row["count"]:
            raise ThingNotFound

    # ── Accounts ─────────────────────────────────────────────────────────────────────────────────

    async def perform_on_account(self, command: AccountCommand[R]) -> R:
        return await _persistently(lambda: self._attempt_on_account(command))

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
        _live(await self._read(sql.LIVE, caller, {}))
        with refusals():
            async with self._pool.connection() as connection:
                account = await _account(connection, caller.account_id, None)
        if account is None:
            raise SessionEnded
        return account

    # ── Health ───────────────────────────────────────────────────────────────────────────────────

    async def ready(self) -> bool:
        try:
            applied = {row["migration_id"] for row in await self._read_all(sql.SCHEMA, {})}
        except (Unavailable, UndefinedTable):
            return False
        return applied >= self._required

    # ── What they share ──────────────────────────────────────────────────────────────────────────

    async def _read(self, statement: LiteralString, caller: Caller, params: Params) -> Row:
        (row,) = await self._read_all(statement, rows.who(caller, self._clock()) | params)
        return row

    async def _read_all(self, statement: LiteralString, params: Params) -> list[DictRow]:
        with refusals():
            async with self._pool.connection() as connection:
                return await (await connection.execute(statement, params)).fetchall()


async def _persistently(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` comes to, tried again when somebody else was quicker. Raises Overloaded."""
    with refusals():
        for number in range(1, ATTEMPTS_MAX):
            try:
                return await attempt()
            except WORTH_ANOTHER_TRY as error:
                if is_email_taken(error):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**number))  # noqa: S311 - jitter
        return await attempt()


async def _claim(connection: Connection, group_id: GroupId, caller: Caller, key: str) -> None:
    number = rows.key_number(group_id, caller.account_id, key)
    row = await _row(connection, sql.CLAIM_KEY, {"key_number": number})
    if not row["claimed"]:
        raise KeyInProgress


def _sealed_before(locked: Row, receipt: Receipt[R]) -> Sealed:
    if locked["fingerprint"] != receipt.fingerprint:
        raise KeyReused
    if not locked["body"]:
        raise AnswerErased
    return rows.sealed_of(locked)


async def _append(
    connection: Connection,
    group: Group,
    decision: Decision[R],
    caller: Caller,
    receipt: Receipt[R] | None,
) -> Recorded[R] | Sealed:
    """Every event is an entry; the sealed answer goes in with the last of them."""
    steps: list[Params] = []
    for event in decision.events:
        after, entry = append(group, event)
        steps.append(rows.append_params(group, after, event, entry))
        group = after
    recorded = Recorded(decision.answer, group.head)
    sealed = receipt.seal(recorded) if receipt else None
    for step in steps[:-1]:
        await connection.execute(sql.APPEND, step | rows.answer_params(caller, None, None))
    await connection.execute(sql.APPEND, steps[-1] | rows.answer_params(caller, receipt, sealed))
    return sealed or recorded


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


async def _row(connection: Connection, statement: LiteralString, params: Params) -> Row:
    row = await (await connection.execute(statement, params)).fetchone()
    assert row is not None, "this statement always answers with one row"
    return row


def _live(row: Row) -> Row:
    if not row["live"]:
        raise SessionEnded
    return row


def _seated(row: Row) -> Row:
    if not _live(row)["seated"]:
        raise ThingNotFound
    return row


@asynccontextmanager
async def open_store(url: str, clock: Clock) -> AsyncGenerator[PostgresStore]:
    """The store in the database at `url`, any spelling of a Postgres URL, while it is open."""
    pool: Pool = AsyncConnectionPool(
        normalise(url),
        connection_class=AsyncConnection[DictRow],
        kwargs={"autocommit": True, "row_factory": dict_row},
        min_size=1,
        max_size=CONNECTIONS_MAX,
        max_waiting=WAITING_MAX,
        timeout=WAIT_S,
        open=False,
    )
    async with pool:
        yield PostgresStore(pool, clock=clock)
