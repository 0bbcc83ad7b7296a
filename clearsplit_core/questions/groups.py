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


@dataclass(frozen=True, slots=True)
class Link:
    """A group in which an account has a seat, or had one before it left.

    `needs_owner`: the account is the last owner and others with an account are there, so that it
    has to make one of them an owner before it can be unlinked.
    """

    group_id: GroupId
    needs_owner: bool


def bare(group: Group) -> Group:
    """`group` with its members and balances only."""
    return replace(
        group, debts=NO_DEBTS, expenses={}, comments={}, payments={}, settlements={}, invites={}
    )
