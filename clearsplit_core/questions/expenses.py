"""Questions about expenses."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book, latest_first
from clearsplit_core.records import Expense, ExpenseId


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


CATEGORIES_FROM_MAX: Final = 500
"""Expenses that are looked through for the categories that a group uses: its latest."""


@dataclass(frozen=True, slots=True)
class Category:
    """A category, and how many of the latest expenses are in it."""

    name: str
    uses: int


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories of the group's latest expenses, the most used first; voided ones left out."""

    group_id: GroupId
    latest: int = CATEGORIES_FROM_MAX

    def answer(self, book: Book) -> Sequence[Category]:
        recent = Expenses(self.group_id, limit=self.latest).answer(book)
        named = (each.terms.category for each in recent)
        uses = Counter(text.words for text in named if text and text.words is not None)
        return [Category(name, count) for name, count in _most_used_first(uses)]


def _most_used_first(uses: Counter[str]) -> Sequence[tuple[str, int]]:
    return sorted(uses.items(), key=lambda use: (-use[1], use[0]))
