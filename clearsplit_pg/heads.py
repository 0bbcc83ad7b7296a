"""Heads: what this process knows of groups, each as of the head of its journal.

A head is a hash of all that ever happened in its group. Whoever knows what a group was at some head
knows what it is for as long as that head stands, and need not read it again: `APPEND` looks at the
head, and does nothing where it is another. What is known may have passed, so it is good for
deciding what to append, and never for refusing anything.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.records import AccountId

KNOWN_MAX: Final = 500
"""Groups that are known; whichever was longest not written to is forgotten first."""
SIZE_MAX: Final = 100
"""Members and balances of a group that is remembered: a larger one is read each time."""


@dataclass(frozen=True, slots=True)
class Known:
    """A group as of its head, without names, debts or expenses, and the seats of the accounts that
    wrote to it while they were known."""

    group: Group
    seats: Mapping[AccountId, MemberId]

    def seen_by(self, account_id: AccountId, now: datetime) -> Group | None:
        """The group as that account finds it; None if its seat is not known."""
        seat_id = self.seats.get(account_id)
        return None if seat_id is None else self.group.at_moment(account_id, seat_id, now)


class Heads:
    """What is known. Whoever takes it has it alone, and gives back what became of it.

    A repeated key passes by its group's turn (turns.py), so what is given back may be older than
    what was given back meanwhile; then its head stands no more, and it is good for nothing.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[GroupId, Known] = OrderedDict()

    def take(self, group_id: GroupId) -> Known | None:
        return self._known.pop(group_id, None)

    def keep(self, known: Known | None, before: Group, after: Group) -> None:
        """`before`, read without names, became `after` by entries that moved money and changed
        nothing else but expenses. `known` is what was taken.
        """
        if len(after.members) + len(after.balances) > SIZE_MAX:
            return
        still = known is not None and known.group.head == before.head
        seats = dict(known.seats) if known is not None and still else {}
        if after.caller and after.actor_id:
            seats[after.caller] = after.actor_id
        self._known[after.id] = Known(after.bare, seats)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
