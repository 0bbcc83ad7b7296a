"""Comments: what members say about an expense.

A comment is said once and never changed; an operator can erase its words. It moves no money, so it
can be about a voided expense as well.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from clearsplit_core.errors import AlreadyExists
from clearsplit_core.group import Event, Group, Right
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Comment, CommentId, Expense, ExpenseId
from clearsplit_core.text import Text, require_readable

COMMENT_MAX: Final = 2_000
"""Characters that one comment may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """Say something about an expense.

    Raises InsufficientRole, ThingNotFound, AlreadyExists, BadText.
    """

    group_id: GroupId
    expense_id: ExpenseId
    comment_id: CommentId
    said: Text

    def __post_init__(self) -> None:
        words = self.said.words or ""
        require_readable(words, field="/text", characters_max=COMMENT_MAX)

    @property
    def needs(self) -> Needs:
        return Needs(expenses=frozenset({self.expense_id}), comments=frozenset({self.comment_id}))

    def decide(self, group: Group) -> Decision[Comment]:
        expense_to_comment_on(group, self.expense_id)
        if self.comment_id in group.comments:
            raise AlreadyExists(field="/id")
        event = CommentAdded(comment_id=self.comment_id, expense_id=self.expense_id, said=self.said)
        return Decision((event,), event.comment(group))


@dataclass(frozen=True, kw_only=True)
class CommentAdded(Event):
    kind: ClassVar[str] = "comment-added"
    comment_id: CommentId
    expense_id: ExpenseId
    said: Text

    def comment(self, group: Group) -> Comment:
        """The comment, `group` being as it was before."""
        return Comment(
            id=self.comment_id,
            expense_id=group.expense(self.expense_id).id,
            said=self.said,
            said_by=group.actor.id,
            said_at=group.now,
            recorded_seq=group.head.seq + 1,
            version=1,
        )

    def evolve(self, group: Group) -> Group:
        return group.with_comment(self.comment(group))


def expense_to_comment_on(group: Group, expense_id: ExpenseId) -> Expense:
    """The expense, if the caller may comment on it. Raises ThingNotFound, InsufficientRole."""
    group.require(Right.RECORD)
    return group.expense(expense_id)
