"""Questions about a group itself."""

from dataclasses import dataclass, replace

from clearsplit_core.debts import NO_DEBTS
from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import Book


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
