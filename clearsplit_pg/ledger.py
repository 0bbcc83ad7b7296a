"""The ledger on Postgres: one command, one transaction.

    lock and read   the key, at once or refused (nobody waits behind their own retry), then the
                    group's row, and what the decision needs, above all the answer that was sealed
                    before; once more if the lock was waited for
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
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import (
    Caller,
    Clock,
    Command,
    Decision,
    Needs,
    Receipt,
    Recorded,
    Sealed,
)
from clearsplit_core.questions import PAGE_MAX, Link, MyBalance, Question
from clearsplit_pg import rows
from clearsplit_pg.connected import Connected, Connection, Pool, live, persistently, row_of, seated
from clearsplit_pg.readings import fields_of, reading_of
from clearsplit_pg.refusals import refusals
from clearsplit_pg.rows import Params, Row
from clearsplit_pg.sql import balances, groups
from clearsplit_pg.sql import commands as sql
from clearsplit_pg.turns import Turns

ANSWERS_KEPT: Final = timedelta(hours=24)
"""How long the same key gets the same answer."""

R = TypeVar("R")


class PostgresLedger(Connected):
    """`ports.AsyncLedger` on Postgres."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        super().__init__(pool, clock=clock)
        self._turns = Turns(pool.timeout)

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
        group_id = command.group_id
        key = (group_id, caller.account_id, receipt.key) if receipt else None
        async with (
            self._turns.of(group_id, key),
            self._pool.connection() as connection,  # which commits, or takes all back
        ):
            await connection.execute("begin")
            row = await self._locked(connection, command, caller, receipt)
            if receipt is not None and row["status"] is not None:
                return _sealed_before(row, receipt)
            if row["seq"] is None:
                group = self._unfounded(command, caller)
            else:
                group = await self._group(connection, command, caller, row)
            decision = command.decide(group)
            return await _append(connection, group, decision, caller, receipt)

    async def _locked(
        self,
        connection: Connection,
        command: Command[R],
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Row:
        """The group's row, locked, and what is read whatever the command is, as of that lock."""
        now = self._clock()
        params = rows.who(caller, now) | rows.lock_params(command, caller, receipt)
        params["kept_since"] = now - ANSWERS_KEPT
        row = live(await row_of(connection, sql.LOCK_AND_READ, params))
        if not row["claimed"]:
            raise KeyInProgress
        if row["seq"] is not None and not row["current"]:
            row = live(await row_of(connection, sql.LOCK_AND_READ, params))
        return row

    def _unfounded(self, command: Command[R], caller: Caller) -> Group:
        """The group that is not there yet. Raises ThingNotFound unless the command founds it."""
        if not command.needs.founds:
            raise ThingNotFound
        now = self._clock()
        return Group.unfounded(command.group_id, now).at_moment(caller.account_id, None, now)

    async def _group(
        self, connection: Connection, command: Command[R], caller: Caller, row: Row
    ) -> Group:
        """The group as it stands under the lock; the clock is read now, not before."""
        needs = command.needs
        more = None if needs.few else await self._more(connection, command.group_id, needs)
        group = rows.loaded(command.group_id, row, more)
        return group.at_moment(caller.account_id, row["actor_id"], self._clock())

    async def _more(self, connection: Connection, group_id: GroupId, needs: Needs) -> Row:
        params = rows.needs_params(group_id, needs, self._clock())
        return await row_of(connection, sql.READ_MORE_FOR_DECISION, params)

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        reading = reading_of(question)
        row = await self._read(reading.statement(question), caller, fields_of(question))
        return reading.answer(question, seated(row))

    async def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]:
        live(await self._read(groups.LIVE, caller, {}))
        params = {"account_id": caller.account_id, "deleted": deleted}
        found = await self._read_all(groups.GROUPS, params | {"after": after, "limit": limit})
        now = self._clock()
        return [
            rows.group_of(row["group_id"], row, row).at_moment(
                caller.account_id, row["actor_id"], now
            )
            for row in found
        ]

    async def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]:
        live(await self._read(groups.LIVE, caller, {}))
        group_id, currency = after or (None, None)
        params = {"account_id": caller.account_id, "group_id": group_id, "currency": currency}
        found = await self._read_all(balances.MY_BALANCES, params | {"limit": limit})
        return [rows.my_balance_of(row) for row in found]

    async def links(self, *, caller: Caller) -> Sequence[Link]:
        live(await self._read(groups.LIVE, caller, {}))
        found = await self._read_all(groups.LINKS, {"account_id": caller.account_id})
        return [rows.link_of(row) for row in found]

    async def erase(self, group_id: GroupId, seq: int) -> None:
        with refusals():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(sql.LOCK_GROUP, {"group_id": group_id})
                row = await row_of(connection, sql.ERASE, {"group_id": group_id, "seq": seq})
        if not row["count"]:
            raise ThingNotFound


def _sealed_before(row: Row, receipt: Receipt[R]) -> Sealed:
    if row["fingerprint"] != receipt.fingerprint:
        raise KeyReused
    if not row["body"]:
        raise AnswerErased
    return rows.sealed_of(row)


async def _append(
    connection: Connection,
    group: Group,
    decision: Decision[R],
    caller: Caller,
    receipt: Receipt[R] | None,
) -> Recorded[R] | Sealed:
    """Every event is an entry; the sealed answer goes in with the last of them."""
    steps: list[tuple[Params, Params | None]] = []
    for event in decision.events:
        if event.forgets:
            await connection.execute(sql.FORGET, rows.forget_params(group.id, event.forgets))
        after, entry = append(group, event)
        steps.append(
            (rows.append_params(group, after, event, entry), rows.more_params(group, after))
        )
        group = after
    recorded = Recorded(decision.answer, group.head)
    sealed = receipt.seal(recorded) if receipt else None
    no_answer = rows.answer_params(caller, None, None)
    for step, more in steps[:-1]:
        await _write(connection, step | no_answer, more)
    last, more = steps[-1]
    await _write(connection, last | rows.answer_params(caller, receipt, sealed), more)
    return sealed or recorded


async def _write(connection: Connection, step: Params, more: Params | None) -> None:
    await connection.execute(sql.APPEND, step)
    if more is not None:
        await connection.execute(sql.KEEP_MORE, more)
