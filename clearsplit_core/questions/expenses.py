"""Questions about expenses."""

from collections.abc import Sequence
from dataclasses import dataclass

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
