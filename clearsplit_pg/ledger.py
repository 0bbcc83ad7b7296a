"""The ledger on Postgres: one command, one transaction.

    lock and read   the key, at once or refused (nobody waits behind their own retry), then the
                    group's row, and what the decision needs, above all the answer that was sealed
                    before; once more if the lock was waited for
    decide          in core, from what was read
    append          the entry, its postings, every record that it changed, and the sealed answer
    commit

Where this process knows the group as of its head (heads.py), a command that only adds expenses is
decided from that, and the append is all of it: one statement, which does nothing at another head.

Reads are one statement each, in autocommit, with every check inside: they return one moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

from clearsplit_core.errors import AnswerErased, KeyInProgress, KeyReused, Refusal, ThingNotFound
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
from clearsplit_pg.heads import Heads, Known
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
        self._heads = Heads()

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
        key = (command.group_id, caller.account_id, receipt.key) if receipt else None
        async with self._turns.of(command.group_id, key):
            known = self._heads.take(command.group_id)
            if known is not None:
                done = await self._at_head(known, command, caller, receipt)
                if done is not None:
                    return done
            return await self._under_lock(known, command, caller, receipt)

    async def _at_head(
        self, known: Known, command: Command[R], caller: Caller, receipt: Receipt[R] | None
    ) -> Recorded[R] | Sealed | None:
        """What it came to, decided from what is known; None if it has to be done under the lock.

        A refusal would be one of another time, and some expense that the command looks at might be
        there: `APPEND` knows only that those which it adds are not.
        """
        needs = command.needs
        if not needs.few:
            return None
        connection = await self._pool.getconn()  # nothing is begun here that would have to end
        try:
            return await self._on(connection, known, command, needs, caller, receipt)
        finally:
            await self._pool.putconn(connection)

    async def _on(
        self,
        connection: Connection,
        known: Known,
        command: Command[R],
        needs: Needs,
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Recorded[R] | Sealed | None:
        """The clock is read now, with nothing left to wait for but the database."""
        now = self._clock()
        group = known.seen_by(caller.account_id, now)
        if group is None:
            return None
        try:
            decision = command.decide(group)
            (event, *others) = decision.events
            after, entry = append(group, event)
        except Refusal:
            return None
        more = others or event.forgets or rows.more_params(group, after)
        if more or frozenset(after.expenses) != needs.expenses:
            return None
        recorded = Recorded(decision.answer, after.head)
        sealed = receipt.seal(recorded) if receipt else None
        params = {
            **rows.append_params(group, after, event, entry),
            **rows.answer_params(caller, receipt, sealed),
            **rows.look_params(caller, group.id, receipt.key if receipt else None, now),
        }
        if not (await connection.execute(sql.APPEND, params)).rowcount:
            return None
        self._heads.keep(known, group, after)
        return sealed or recorded

    async def _under_lock(
        self,
        known: Known | None,
        command: Command[R],
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Recorded[R] | Sealed:
        async with self._pool.connection() as connection:  # which commits, or takes all back
            await connection.execute("begin")
            row = await self._locked(connection, command, caller, receipt)
            if receipt is not None and row["status"] is not None:
                return _sealed_before(row, receipt)
            if row["seq"] is None:
                group = self._unfounded(command, caller)
            else:
                group = await self._group(connection, command, caller, row)
            decision = command.decide(group)
            appended = await _append(connection, group, decision, caller, receipt)
        if command.needs.few and not appended.more:
            self._heads.keep(known, group, appended.after)
        return appended.done

    async def _locked(
        self,
        connection: Connection,
        command: Command[R],
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Row:
        """The group's row, locked, and what is read whatever the command is, as of that lock."""
        row = await self._looked(connection, command, caller, receipt)
        if not row["claimed"]:
            raise KeyInProgress
        if row["busy"]:
            await connection.execute(sql.LOCK_GROUP, {"group_id": command.group_id})
        if row["busy"] or (row["seq"] is not None and not row["current"]):
            row = await self._looked(connection, command, caller, receipt)
        return row

    async def _looked(
        self,
        connection: Connection,
        command: Command[R],
        caller: Caller,
        receipt: Receipt[R] | None,
    ) -> Row:
        """Raises SessionEnded, also for one that expired while the lock was waited for."""
        now = self._clock()
        params = rows.who(caller, now) | rows.lock_params(command, caller, receipt)
        params["kept_since"] = now - ANSWERS_KEPT
        return live(await row_of(connection, sql.LOCK_AND_READ, params))

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


@dataclass(frozen=True, slots=True)
class _Appended(Generic[R]):
    """What it came to, the group afterwards, and whether more than expenses and money changed."""

    done: Recorded[R] | Sealed
    after: Group
    more: bool


async def _append(
    connection: Connection,
    group: Group,
    decision: Decision[R],
    caller: Caller,
    receipt: Receipt[R] | None,
) -> _Appended[R]:
    """Every event is an entry; the sealed answer goes in with the last of them."""
    steps: list[tuple[Params, Params | None]] = []
    for event in decision.events:
        if event.forgets:
            await connection.execute(sql.FORGET, rows.forget_params(group.id, event.forgets))
        after, entry = append(group, event)
        if not group.head.seq:
            await connection.execute(sql.FOUND, rows.found_params(group, after))
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
    return _Appended(sealed or recorded, group, any(more for _, more in steps))


async def _write(connection: Connection, step: Params, more: Params | None) -> None:
    appended = await connection.execute(sql.APPEND, step | rows.LOOKED_AT)
    assert appended.rowcount == 1, "under its lock a group has the head that was read"
    if more is not None:
        await connection.execute(sql.KEEP_MORE, more)
