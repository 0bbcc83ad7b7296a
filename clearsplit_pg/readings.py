"""Readings: how Postgres answers each question, in one statement.

A question means what its `answer` in core says; a reading says the same from tables and indexes,
and the contract suite holds the two together. A new question needs a reading here and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, Generic, LiteralString, TypeVar

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.group import Group
from clearsplit_core.journal import Head, empty
from clearsplit_core.questions import (
    Entries,
    Expenses,
    Question,
    Standing,
    TheExpense,
    TheGroup,
    TheStanding,
)
from clearsplit_core.records import Expense
from clearsplit_pg import rows
from clearsplit_pg.rows import Params, Row
from clearsplit_pg.sql import questions as sql

Q = TypeVar("Q")
R = TypeVar("R")


def fields_of(question: Question[object]) -> Params:
    """A question's own fields, which its statement knows under the same names."""
    assert is_dataclass(question), "a question is a frozen value"
    return {field.name: getattr(question, field.name) for field in fields(question)}


@dataclass(frozen=True, slots=True)
class Reading(Generic[Q, R]):
    """A statement, and the answer in the row that it comes back with.

    Each row says whether the session is `live` and the caller `seated`. `statement` may depend on
    the question, since no statement is ever put together from pieces.
    """

    statement: Callable[[Q], LiteralString]
    answer: Callable[[Q, Row], R]


def reading_of(question: Question[R]) -> Reading[Question[R], R]:
    """How to answer `question`."""
    return READINGS[type(question)]


# ── The group ────────────────────────────────────────────────────────────────────────────────────


def _group(question: TheGroup, row: Row) -> Group:
    group = rows.group_of(question.group_id, row, row)
    return group.at_moment(row["account_id"], row["actor_id"], row["moment"])


# ── Balances and the journal ─────────────────────────────────────────────────────────────────────


def _standing_statement(question: TheStanding) -> LiteralString:
    if question.as_of_seq is not None:
        return sql.STANDING_AT_SEQ
    return sql.STANDING if question.as_of_date is None else sql.STANDING_AT_DATE


def _standing(question: TheStanding, row: Row) -> Standing:
    if question.as_of_seq is None:
        return rows.standing_of(row)
    if question.as_of_seq > row["last_seq"]:
        raise ThingNotFound
    start = empty(question.group_id)
    head = Head(question.as_of_seq, row["head"].hex()) if question.as_of_seq else start
    return Standing(head, rows.balances_of(row["balances"]))


# ── Expenses ─────────────────────────────────────────────────────────────────────────────────────


def _expense(_question: TheExpense, row: Row) -> Expense:
    for expense in rows.expenses_of(row):
        return expense
    raise ThingNotFound


READINGS: Final[Mapping[type, Reading[Any, Any]]] = {
    TheGroup: Reading(lambda _: sql.GROUP, _group),
    TheStanding: Reading(_standing_statement, _standing),
    Entries: Reading(
        lambda _: sql.ENTRIES, lambda asked, row: rows.entries_of(asked.group_id, row["entries"])
    ),
    TheExpense: Reading(lambda _: sql.EXPENSE, _expense),
    Expenses: Reading(lambda _: sql.EXPENSES, lambda _, row: rows.expenses_of(row)),
}
"""Every question that there is."""
