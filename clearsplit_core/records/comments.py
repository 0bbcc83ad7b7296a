"""Comments as they stand: what a member said about an expense."""

from dataclasses import dataclass
from datetime import datetime

from clearsplit_core.journal import MemberId
from clearsplit_core.records.ids import CommentId, ExpenseId
from clearsplit_core.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What a member said about an expense; it is never changed."""

    id: CommentId
    expense_id: ExpenseId
    said: Text
    said_by: MemberId
    said_at: datetime
    recorded_seq: int
    version: int
