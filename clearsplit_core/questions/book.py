"""The book that a question is answered from, and what a question is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from clearsplit_core.group import Group
from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.plain import Texts

PAGE_MAX: Final = 100
"""Items that one page of a list may have."""

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A group as its caller finds it, everything that stands in it, and the journal behind it.

    `texts` are those that have not been erased, by commitment.
    """

    group: Group
    entries: Sequence[Entry]
    texts: Texts


class Question(Protocol[R_co]):
    """What an active member asks about one group."""

    @property
    def group_id(self) -> GroupId: ...

    def answer(self, book: Book) -> R_co:
        """The answer from the whole journal. Raises ThingNotFound."""
        ...


def latest_first(
    records: Iterable[T], seq: Callable[[T], int], before_seq: int | None, limit: int
) -> Sequence[T]:
    """At most `limit` of the records from before `before_seq`, the latest first."""
    some = [each for each in records if before_seq is None or seq(each) < before_seq]
    return sorted(some, key=seq, reverse=True)[:limit]
