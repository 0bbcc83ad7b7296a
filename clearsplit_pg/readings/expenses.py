"""How questions about expenses are answered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import Entry
from clearsplit_core.plain import Texts
from clearsplit_core.questions import (
    Categories,
    Category,
    ExpenseHistory,
    Expenses,
    ExpenseVersion,
    TheExpense,
)
from clearsplit_core.questions.history import versions_of
from clearsplit_core.records import Expense
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import expenses as sql


def _expense(_question: TheExpense, row: Row) -> Expense:
    for expense in rows.expenses_of(row):
        return expense
    raise ThingNotFound


def _expenses(_question: Expenses, row: Row) -> Sequence[Expense]:
    return rows.expenses_of(row)


def _history(question: ExpenseHistory, row: Row) -> Sequence[ExpenseVersion]:
    if not row["there"]:
        raise ThingNotFound
    entries, texts = rows.entries_of(question.group_id, row["entries"]), rows.texts_of(row["texts"])
    earlier = [entry for entry in entries if entry.seq <= question.after_seq]
    page = [entry for entry in entries if entry.seq > question.after_seq]
    before = _as_of(question, earlier, texts, row["versions_before"])
    return list(versions_of(question.expense_id, page, texts, before))


def _as_of(
    question: ExpenseHistory, earlier: Sequence[Entry], texts: Texts, version: int
) -> Expense | None:
    """The expense after so many versions, of which only those that still say something are told."""
    for told in reversed(list(versions_of(question.expense_id, earlier, texts))):
        return replace(told.after, version=version)
    return None


def _categories(_question: Categories, row: Row) -> Sequence[Category]:
    return [Category(words, uses) for words, uses in row["categories"] or ()]


READINGS: Final[Readings] = {
    TheExpense: Reading(lambda _: sql.EXPENSE, _expense),
    Expenses: Reading(lambda _: sql.EXPENSES, _expenses),
    ExpenseHistory: Reading(lambda _: sql.EXPENSE_HISTORY, _history),
    Categories: Reading(lambda _: sql.CATEGORIES, _categories),
}
