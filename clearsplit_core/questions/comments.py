"""Questions about comments."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book
from clearsplit_core.records import Comment, CommentId, ExpenseId


@dataclass(frozen=True, slots=True)
class TheComment:
    """One comment on an expense. Raises ThingNotFound."""

    group_id: GroupId
    expense_id: ExpenseId
    comment_id: CommentId

    def answer(self, book: Book) -> Comment:
        comment = book.group.comments.get(self.comment_id)
        if comment is None or comment.expense_id != self.expense_id:
            raise ThingNotFound
        return comment


@dataclass(frozen=True, slots=True)
class Comments:
    """What was said about an expense after entry `after_seq`, as a talk is read: the first first.

    Raises ThingNotFound for an expense that is not there.
    """

    group_id: GroupId
    expense_id: ExpenseId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Comment]:
        about = book.group.expense(self.expense_id)
        some = [c for c in book.group.comments.values() if c.expense_id == about.id]
        later = [comment for comment in some if comment.recorded_seq > self.after_seq]
        return sorted(later, key=lambda comment: comment.recorded_seq)[: self.limit]
