"""What a reading is: a statement, and the answer in the row that it comes back with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, LiteralString, TypeAlias, TypeVar

from clearsplit_pg.rows import Row

Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Reading(Generic[Q, R]):
    """A statement, and the answer in the row that it comes back with.

    Each row says whether the session is `live` and the caller `seated`. `statement` may depend on
    the question, since no statement is ever put together from pieces.
    """

    statement: Callable[[Q], LiteralString]
    answer: Callable[[Q, Row], R]


Readings: TypeAlias = Mapping[type, Reading[Any, Any]]
