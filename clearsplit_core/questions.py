"""Questions: what can be asked of a group, and what the answer is.

A **question** is a frozen value about one group with a reference `answer`: pure, and plain rather
than quick, over a `Book`, the group with its whole journal. The memory store answers with just
that; a store with indexes answers the same from them, and one law holds it to it. So what a read
means stands here once, whoever gives it.

A page goes on from a `seq`, since entries never move: what stood there when the first page was read
comes exactly once, whatever others add meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol, TypeVar

from clearsplit_core.debts import NO_DEBTS
from clearsplit_core.errors import ThingNotFound
from clearsplit_core.group import Group
from clearsplit_core.journal import Balances, Entry, GroupId, Head, balances_of, empty
from clearsplit_core.plain import Texts
from clearsplit_core.records import Expense, ExpenseId

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


# ── The group ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TheGroup:
    """The group with its members and balances, and nothing of what else stands in it."""

    group_id: GroupId

    def answer(self, book: Book) -> Group:
        return bare(book.group)


def bare(group: Group) -> Group:
    """`group` with its members and balances only."""
    return replace(
        group, debts=NO_DEBTS, expenses={}, comments={}, payments={}, settlements={}, invites={}
    )


# ── Balances and the journal ─────────────────────────────────────────────────────────────────────


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


@dataclass(frozen=True, slots=True)
class Entries:
    """The journal after entry `after_seq`, in order."""

    group_id: GroupId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Entry]:
        return book.entries[self.after_seq : self.after_seq + self.limit]


# ── Expenses ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TheExpense:
    """An expense, also one that was voided. Raises ThingNotFound."""

    group_id: GroupId
    expense_id: ExpenseId

    def answer(self, book: Book) -> Expense:
        return book.group.expense(self.expense_id)


@dataclass(frozen=True, slots=True)
class Expenses:
    """The expenses recorded before entry `before_seq`, the latest first, voided ones left out."""

    group_id: GroupId
    before_seq: int | None = None
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Expense]:
        live = [expense for expense in book.group.expenses.values() if not expense.voided]
        return latest_first(live, lambda each: each.recorded_seq, self.before_seq, self.limit)


def latest_first(
    records: Iterable[T], seq: Callable[[T], int], before_seq: int | None, limit: int
) -> Sequence[T]:
    """At most `limit` of the records from before `before_seq`, the latest first."""
    some = [each for each in records if before_seq is None or seq(each) < before_seq]
    return sorted(some, key=seq, reverse=True)[:limit]
