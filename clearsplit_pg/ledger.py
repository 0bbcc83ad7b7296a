"""The ledger on Postgres: one command, one transaction.

    claim the key   at once, or refused: nobody waits behind their own retry
    lock            the group's row, and with it look up the answer that was sealed before
    read            in a second statement, which sees what the lock was waited for
    decide          in core, from what was read
    append          the entry, its postings, every record that it changed, and the sealed answer
    commit

Reads are one statement each, in autocommit, with every check inside: they return one moment.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeVar

from clearsplit_core.errors import AnswerErased, KeyInProgress, KeyReused, ThingNotFound
from clearsplit_core.group import Group, append
from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.ports import (
    PAGE_MAX,
    Caller,
    Command,
    Decision,
    Receipt,
    Recorded,
    Sealed,
    Standing,
)
from clearsplit_core.records import Expense, ExpenseId
from clearsplit_pg import rows
from clearsplit_pg.connected import Connected, Connection, live, persistently, row_of, seated
from clearsplit_pg.refusals import refusals
from clearsplit_pg.rows import Params, Row
from clearsplit_pg.sql import commands as sql
from clearsplit_pg.sql import questions

ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long the same key gets the same answer."""

R = TypeVar("R")


class PostgresLedger(Connected):
    """`ports.AsyncLedger` on Postgres."""

    # ── Performing commands ──────────────────────────────────────────────────────────────────────

    async def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]:
        done = await persistently(lambda: self._attempt(command, caller, None))
        assert isinstance(done, Recorded)
        return done

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        done = await persistently(lambda: self._attempt(command, caller, receipt))
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
        return live(await row_of(connection, sql.LOCK, params))

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
        details = await row_of(connection, sql.READ_FOR_DECISION, params)
        group = rows.group_of(command.group_id, locked, details)
        return group.at_moment(caller.account_id, details["actor_id"], self._clock())

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    async def group(self, group_id: GroupId, *, caller: Caller) -> Group:
        row = await self._read(questions.GROUP, caller, {"group_id": group_id})
        if live(row)["actor_id"] is None:
            raise ThingNotFound
        return rows.group_of(group_id, row).at_moment(
            caller.account_id, row["actor_id"], self._clock()
        )

    async def standing(self, group_id: GroupId, *, caller: Caller) -> Standing:
        row = await self._read(questions.STANDING, caller, {"group_id": group_id})
        return rows.standing_of(seated(row))

    async def groups(
        self, *, caller: Caller, after: GroupId | None = None, limit: int = PAGE_MAX
    ) -> Sequence[Group]:
        live(await self._read(questions.LIVE, caller, {}))
        params: Params = {"account_id": caller.account_id, "after": after, "limit": limit}
        found = await self._read_all(questions.GROUPS, params)
        now = self._clock()
        return [
            rows.group_of(row["group_id"], row).at_moment(caller.account_id, row["actor_id"], now)
            for row in found
        ]

    async def expense(self, group_id: GroupId, expense_id: ExpenseId, *, caller: Caller) -> Expense:
        params: Params = {"group_id": group_id, "expense_id": expense_id, "before_seq": None}
        row = await self._read(questions.EXPENSES, caller, params | {"limit": 1})
        found = rows.expenses_of(seated(row))
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
        row = await self._read(questions.EXPENSES, caller, params | {"limit": limit})
        return rows.expenses_of(seated(row))

    async def entries(
        self, group_id: GroupId, *, caller: Caller, after_seq: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[Entry]:
        seated(await self._read(questions.ACCESS, caller, {"group_id": group_id}))
        params: Params = {"group_id": group_id, "after_seq": after_seq, "limit": limit}
        found = await self._read_all(questions.ENTRIES, params)
        return [rows.entry_of(group_id, row) for row in found]

    async def erase(self, group_id: GroupId, seq: int) -> None:
        with refusals():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(sql.LOCK_GROUP, {"group_id": group_id})
                row = await row_of(connection, sql.ERASE, {"group_id": group_id, "seq": seq})
        if not row["count"]:
            raise ThingNotFound


async def _claim(connection: Connection, group_id: GroupId, caller: Caller, key: str) -> None:
    number = rows.key_number(group_id, caller.account_id, key)
    row = await row_of(connection, sql.CLAIM_KEY, {"key_number": number})
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
