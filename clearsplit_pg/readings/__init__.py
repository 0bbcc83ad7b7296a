"""Readings: how Postgres answers each question, in one statement.

A question means what its `answer` in core says; a reading says the same from tables and indexes,
and the contract suite holds the two together. A new question needs a reading here and nothing else.
"""

from dataclasses import fields, is_dataclass
from typing import Final, TypeVar

from clearsplit_core.questions import Question
from clearsplit_pg.readings import (
    balances,
    comments,
    expenses,
    groups,
    invites,
    journal,
    payments,
    settlements,
    statement,
)
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Params

R = TypeVar("R")

READINGS: Final[Readings] = {
    **groups.READINGS,
    **invites.READINGS,
    **balances.READINGS,
    **statement.READINGS,
    **journal.READINGS,
    **expenses.READINGS,
    **comments.READINGS,
    **payments.READINGS,
    **settlements.READINGS,
}
"""Every question that there is."""


def reading_of(question: Question[R]) -> Reading[Question[R], R]:
    """How to answer `question`."""
    return READINGS[type(question)]


def fields_of(question: Question[object]) -> Params:
    """A question's own fields, which its statement knows under the same names."""
    assert is_dataclass(question), "a question is a frozen value"
    return {field.name: getattr(question, field.name) for field in fields(question)}
