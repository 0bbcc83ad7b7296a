"""Readings: how Postgres answers each question, in one statement.

A question means what its `answer` in core says; a reading says the same from tables and indexes,
and the contract suite holds the two together. A new question needs a reading here and nothing else.
"""

from dataclasses import fields, is_dataclass
from functools import cache
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
    return {name: getattr(question, name) for name in _names(type(question))}


@cache
def _names(kind: type[Question[object]]) -> tuple[str, ...]:
    """To look them up costs more than to read them."""
    assert is_dataclass(kind), "a question is a frozen value"
    return tuple(field.name for field in fields(kind))
