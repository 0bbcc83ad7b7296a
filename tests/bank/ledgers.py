"""Ledgers that break a promise, one each, for the builds in `broken.py`.

Each is Postgres's own but for one thing, said of the port and not of how it is kept, so that it
stays broken in the same way however the ledger is written.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final, LiteralString, NoReturn, TypeVar

from clearsplit_core.errors import Refusal
from clearsplit_core.expenses import RecordExpense, ReviseExpense
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Caller, Command, Receipt, Recorded, Sealed
from clearsplit_core.questions import Expenses, Question, Standing
from clearsplit_core.records import Expense
from clearsplit_pg import rows
from clearsplit_pg.ledger import PostgresLedger

R = TypeVar("R")

RARELY: Final = 40
"""One expense in so many meets what is broken."""
OLD_S: Final = 1.0
"""Seconds for which a stale answer is given."""

SEALED: Final[LiteralString] = """
select fingerprint, status, headers, body
  from answers
 where group_id = %(group_id)s and account_id = %(account_id)s and key = %(key)s
"""
SEAL: Final[LiteralString] = """
insert into answers (group_id, account_id, key, fingerprint, status, headers, body, sealed_at)
values (%(group_id)s, %(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s, %(body)s,
        now())
    on conflict do nothing
"""
CHANGE: Final[LiteralString] = """
update entries
   set at = at + interval '1 second'
 where group_id = %(group_id)s and event ->> 'expense_id' = %(expense_id)s::text
"""
CUT: Final[LiteralString] = """
delete from entries where group_id = %(group_id)s and event ->> 'expense_id' = %(expense_id)s::text
"""
DRIFT: Final[LiteralString] = """
update debts set debt_minor = debt_minor + 1 where group_id = %(group_id)s
"""


# ── What is written ──────────────────────────────────────────────────────────────────────────────


class SealsLate(PostgresLedger):
    """Idempotency outside the transaction: looked up before it, kept after it."""

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        place = {"group_id": command.group_id, "account_id": caller.account_id, "key": receipt.key}
        if known := await self._read_all(SEALED, place):
            return rows.sealed_of(known[0])
        sealed = receipt.seal(await self.perform(command, caller=caller))
        async with self._pool.connection() as connection:
            await connection.execute(SEAL, place | rows.answer_params(caller, receipt, sealed))
        return sealed


class LosesWrites(PostgresLedger):
    """Some expenses are acknowledged and then not kept."""

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        if not _unlucky(command):
            return await super().perform_once(command, caller=caller, receipt=receipt)

        def lose(recorded: Recorded[R]) -> NoReturn:
            raise _Lost(receipt.seal(recorded))

        try:
            lost = Receipt(receipt.key, receipt.fingerprint, lose)
            return await super().perform_once(command, caller=caller, receipt=lost)
        except _Lost as lost_one:
            return lost_one.sealed


class _Lost(Exception):
    def __init__(self, sealed: Sealed) -> None:
        super().__init__()
        self.sealed = sealed


class WritesTwice(PostgresLedger):
    """Some corrections are recorded twice."""

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        sealed = await super().perform_once(command, caller=caller, receipt=receipt)
        if isinstance(command, ReviseExpense) and not sealed.replayed:
            again = replace(command, expected_version=command.expected_version + 1)
            with suppress(Refusal):
                await self.perform(again, caller=caller)
        return sealed


class AnswersOtherwise(PostgresLedger):
    """A repetition is answered with a space more."""

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        sealed = await super().perform_once(command, caller=caller, receipt=receipt)
        return replace(sealed, body=sealed.body + b" ") if sealed.replayed else sealed


class _Spoils(PostgresLedger):
    """After some expenses a statement is sent that no ledger should send."""

    statement: LiteralString

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        sealed = await super().perform_once(command, caller=caller, receipt=receipt)
        if isinstance(command, RecordExpense) and _unlucky(command) and not sealed.replayed:
            params = {"group_id": command.group_id, "expense_id": command.expense_id}
            async with self._pool.connection() as connection:
                await connection.execute(self.statement, params)
        return sealed


class ChangesEntries(_Spoils):
    """Entries are changed after they were written."""

    statement = CHANGE


class CutsEntries(_Spoils):
    """Entries are taken out again."""

    statement = CUT


class LetsDebtsDrift(_Spoils):
    """What is kept beside the journal is not what it tells."""

    statement = DRIFT


def _unlucky(command: Command[R]) -> bool:
    return isinstance(command, RecordExpense) and command.expense_id.int % RARELY == 0


# ── What is read ─────────────────────────────────────────────────────────────────────────────────


class ReadsTwice(PostgresLedger):
    """Balances are read in two statements: the head in one, the amounts in another."""

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(told, Standing):
            later = await super().read(question, caller=caller)
            assert isinstance(later, Standing)
            told = replace(told, balances=later.balances)
        return told


class ReadsHalves(PostgresLedger):
    """Balances are read in two statements: those of some members in one, the rest in another."""

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(told, Standing):
            later = await super().read(question, caller=caller)
            assert isinstance(later, Standing)
            half = len(told.balances) // 2
            others = list(later.balances.items())[half:]
            told = replace(told, balances={**told.balances, **dict(others)})
        return told


class ReadsStale(PostgresLedger):
    """Balances that were read are told again for a while."""

    _kept: Mapping[GroupId, tuple[float, Standing]] = {}

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(told, Standing):
            now = time.monotonic()
            read_at, kept = self._kept.get(question.group_id, (now - OLD_S, told))
            if now - read_at < OLD_S:
                told = replace(told, head=kept.head, balances=kept.balances)
            else:
                self._kept = {**self._kept, question.group_id: (now, told)}
        return told


class ReadsVersionBefore(PostgresLedger):
    """An expense that was corrected is told as the version before."""

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(told, Expense) and told.version > 1:
            told = replace(told, version=told.version - 1)
        return told


class LeavesOutLatest(PostgresLedger):
    """A list of expenses begins with the one before the latest."""

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(question, Expenses) and isinstance(told, list):
            del told[:1]
        return told


class LosesCents(PostgresLedger):
    """The first share of an expense is told as a cent more."""

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        told = await super().read(question, caller=caller)
        if isinstance(told, Expense):
            first, *rest = told.outcome.shares
            more = replace(first, amount_minor=first.amount_minor + 1)
            told = replace(told, outcome=replace(told.outcome, shares=(more, *rest)))
        return told
