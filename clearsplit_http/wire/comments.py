"""Comments on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from clearsplit_core.comments import COMMENT_MAX, AddComment
from clearsplit_core.journal import GroupId
from clearsplit_core.records import Comment, CommentId, ExpenseId
from clearsplit_http.wire.resources import Body, ChosenId, Resource, new_id, new_text

Said = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": COMMENT_MAX})]


class NewComment(Body, frozen=True, kw_only=True):
    """What a member says about an expense."""

    id: ChosenId | None = None
    text: Said

    def add(self, group_id: GroupId, expense_id: ExpenseId) -> AddComment:
        """The command to add it. Raises BadId, BadText."""
        return AddComment(
            group_id=group_id,
            expense_id=expense_id,
            comment_id=CommentId(new_id(self.id)),
            said=new_text(self.text),
        )


class CommentAnswer(Resource, frozen=True, kw_only=True):
    """What a member said about an expense; null once it was erased."""

    expense_id: UUID
    text: str | None
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, comment: Comment) -> Self:
        return cls(
            id=comment.id,
            version=comment.version,
            expense_id=comment.expense_id,
            text=comment.said.words,
            recorded_by=comment.said_by,
            recorded_at=comment.said_at,
        )
