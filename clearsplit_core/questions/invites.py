"""Questions about invites."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book, latest_first
from clearsplit_core.records import Invite, InviteId


@dataclass(frozen=True, slots=True)
class TheInvite:
    """An invite, whatever became of it. Raises ThingNotFound."""

    group_id: GroupId
    invite_id: InviteId

    def answer(self, book: Book) -> Invite:
        return book.group.invite(self.invite_id)


@dataclass(frozen=True, slots=True)
class Invites:
    """The invites made before entry `before_seq`, the latest first, those that ended included."""

    group_id: GroupId
    before_seq: int | None = None
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Invite]:
        invites = book.group.invites.values()
        return latest_first(invites, lambda each: each.recorded_seq, self.before_seq, self.limit)
