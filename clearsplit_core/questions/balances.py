"""Questions about balances: where a group stands, now, after an entry, or without later dates."""

from dataclasses import dataclass
from datetime import date

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import Balances, GroupId, Head, balances_of, empty
from clearsplit_core.questions.book import Book


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a group stands: its balances, and the head of the journal that they were read at."""

    head: Head
    balances: Balances


@dataclass(frozen=True, slots=True)
class MyBalance:
    """What a group owes the caller (negative: what they owe it) in one currency."""

    group_id: GroupId
    currency: str
    balance_minor: int


@dataclass(frozen=True, slots=True)
class TheStanding:
    """The balances, at the same cost after ten entries and after a million.

    `as_of_seq`: as they were after that entry, `head` being that entry's; 0 is before the first.
    `as_of_date`: without the legs that are dated later, of everybody who has a balance now. At most
    one of the two. Raises ThingNotFound for an entry that is not there.
    """

    group_id: GroupId
    as_of_seq: int | None = None
    as_of_date: date | None = None

    def answer(self, book: Book) -> Standing:
        if self.as_of_seq is not None:
            return _standing_at(book, self.as_of_seq)
        if self.as_of_date is None:
            return Standing(book.group.head, book.group.balances)
        nothing = dict.fromkeys(book.group.balances, 0)
        legs = (leg for entry in book.entries for leg in entry.postings)
        counted = balances_of(leg for leg in legs if leg.effective_date <= self.as_of_date)
        return Standing(book.group.head, nothing | counted)


def _standing_at(book: Book, seq: int) -> Standing:
    if seq > len(book.entries):
        raise ThingNotFound
    entries = book.entries[:seq]
    head = entries[-1].head if entries else empty(book.group.id)
    return Standing(head, balances_of(leg for entry in entries for leg in entry.postings))
