"""How questions about expenses are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.questions import Expenses, TheExpense
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


READINGS: Final[Readings] = {
    TheExpense: Reading(lambda _: sql.EXPENSE, _expense),
    Expenses: Reading(lambda _: sql.EXPENSES, _expenses),
}
