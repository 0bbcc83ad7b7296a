"""The group: the state that a decision sees, the fold that makes it, and what each role may do.

A **command** looks at a `Group` and decides; what it decides are **events**. `append` turns one
event into the group as it is afterwards and the journal entry that says so. It is the only way in
which a group ever changes, so a store, a property test and `replay` all tell the same story.

A group as a decision sees it holds all its members and balances, and of the rest (expenses …) what
the command said that it needs. Times, ids and salts come from outside.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar

from clearsplit_core.errors import (
    BalanceOutOfRange,
    InactiveMember,
    InsufficientRole,
    JournalBroken,
    Refusal,
    ThingNotFound,
    UnknownMember,
)
from clearsplit_core.journal import (
    Balances,
    Entry,
    GroupId,
    Head,
    MemberId,
    Postings,
    empty,
)
from clearsplit_core.plain import Plain, Texts, from_plain, to_plain
from clearsplit_core.records import AccountId, Expense, ExpenseId, Member, Role
from clearsplit_core.text import Text

K = TypeVar("K")
V = TypeVar("V")

BALANCE_MINOR_MAX: Final = 2**53 - 1
"""The largest balance, of either sign: JavaScript clients read no larger integer exactly."""
MEMBERS_MAX: Final = 1_000
"""Members that one group may have, those who left included."""


class Right(Enum):
    """What a role may allow."""

    READ = auto()
    RECORD = auto()
    MANAGE = auto()


RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Right),
        Role.MEMBER: frozenset({Right.READ, Right.RECORD}),
        Role.VIEWER: frozenset({Right.READ}),
    }
)


def _none() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group as one caller finds it at one moment.

    `version` 0 means that it does not exist yet; only the command that creates it ever sees that.
    `now`, `caller` and `actor_id` belong to the moment: the time under the lock, the account that
    asks, and that account's active seat. `balances` are signed minor units by member and currency,
    positive where the group owes the member.
    """

    id: GroupId
    head: Head
    name: Text = field(default_factory=lambda: Text.erased(""))
    currency: str = ""
    version: int = 0
    created_at: datetime | None = None
    members: Mapping[MemberId, Member] = field(default_factory=_none)
    balances: Balances = field(default_factory=_none)
    expenses: Mapping[ExpenseId, Expense] = field(default_factory=_none)
    now: datetime
    caller: AccountId | None = None
    actor_id: MemberId | None = None

    @classmethod
    def unfounded(cls, group_id: GroupId, now: datetime) -> "Group":
        """The group before its first entry."""
        return cls(id=group_id, head=empty(group_id), now=now)

    def seen_by(self, caller: AccountId, now: datetime) -> "Group":
        """The same group with another caller and time; whoever has no active seat has no actor."""
        seats = (m.id for m in self.members.values() if m.active and m.account_id == caller)
        return self.at_moment(caller, next(seats, None), now)

    def at_moment(self, caller: AccountId, actor_id: MemberId | None, now: datetime) -> "Group":
        """The same, where the caller's active seat is known already.

        Time does not run backwards: where a clock was set back, the last entry's time stands.
        """
        return replace(self, caller=caller, actor_id=actor_id, now=max(now, self.now))

    @property
    def actor(self) -> Member:
        """The caller's seat. Raises ThingNotFound for everybody without one."""
        if self.actor_id is None:
            raise ThingNotFound
        return self.members[self.actor_id]

    def require(self, right: Right) -> Member:
        """The caller's seat, if its role has `right`. Raises ThingNotFound, InsufficientRole."""
        if right not in RIGHTS[self.actor.role]:
            raise InsufficientRole
        return self.actor

    def require_members(self, ids: Iterable[MemberId], *, field: str) -> None:
        """All of `ids` are members who have not left. Raises UnknownMember, InactiveMember."""
        for member_id in ids:
            if member_id not in self.members:
                raise UnknownMember(f"There is no member {member_id} in this group.", field=field)
            if not self.members[member_id].active:
                raise InactiveMember(field=field)

    def expense(self, expense_id: ExpenseId) -> Expense:
        """Raises ThingNotFound."""
        if expense_id not in self.expenses:
            raise ThingNotFound
        return self.expenses[expense_id]

    def with_member(self, member: Member) -> "Group":
        """The group with `member` added or replaced, which makes a new version of it."""
        members = MappingProxyType({**self.members, member.id: member})
        return replace(self, members=members, version=self.version + 1)

    def with_expense(self, expense: Expense) -> "Group":
        """The group with `expense` added or replaced."""
        return replace(self, expenses=MappingProxyType({**self.expenses, expense.id: expense}))


class Event(ABC):
    """Something that happened in a group. A subclass is a frozen dataclass with a `kind`.

    An event stores what was decided, results included, so that replaying it calculates nothing
    and a later change of a rule cannot change the past.
    """

    kind: ClassVar[str]
    by_kind: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        assert cls.kind not in cls.by_kind, f"the kind {cls.kind!r} is taken"
        cls.by_kind[cls.kind] = cls

    def postings(self, group: Group) -> Postings:  # noqa: ARG002
        """What the event moves in `group` as it was before; by default nothing."""
        return ()

    @abstractmethod
    def evolve(self, group: Group) -> Group:
        """`group` as it is afterwards, but for its balances and head."""


def append(group: Group, event: Event) -> tuple[Group, Entry]:
    """The group after `event`, and the journal entry that records it.

    Raises BalanceOutOfRange when a balance would leave ±(2^53 - 1).
    """
    after = event.evolve(group)
    entry = Entry(
        group_id=group.id,
        seq=group.head.seq + 1,
        at=group.now,
        actor_id=after.actor_id,
        event=to_plain(event),
        postings=event.postings(group),
        previous=group.head.hash,
    )
    balances = _moved(group.balances, entry.postings)
    return replace(after, head=entry.head, balances=balances), entry


def replay(group_id: GroupId, entries: Iterable[Entry], texts: Texts) -> Group:
    """The group that `entries` add up to, every entry checked against what its event says.

    Texts that are not in `texts` come back erased. Raises JournalBroken, naming the first entry
    that its event and the entries before it do not lead to.
    """
    group: Group | None = None
    for entry in entries:
        before = group or Group.unfounded(group_id, entry.at)
        at_that_time = replace(before, now=entry.at, actor_id=entry.actor_id)
        group, again = _appended_again(at_that_time, entry, texts)
        if again != entry:
            raise JournalBroken(f"Entry {entry.seq} does not follow from its event.")
    if group is None:
        raise JournalBroken("This journal is empty.")
    return group


def _appended_again(group: Group, entry: Entry, texts: Texts) -> tuple[Group, Entry]:
    try:
        return append(group, event_of(entry.event, texts))
    except (Refusal, KeyError) as error:  # an event about somebody or something that is not there
        raise JournalBroken(f"Entry {entry.seq} does not follow from its event.") from error


def event_of(tree: Plain, texts: Texts) -> Event:
    """The event that a journal entry holds. Raises JournalBroken for one that nobody knows."""
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in Event.by_kind:
        raise JournalBroken("This event is of a kind that this version does not know.")
    return from_plain(Event.by_kind[kind], tree, texts)


def _moved(balances: Balances, postings: Postings) -> Balances:
    moved = dict(balances)
    for leg in postings:
        place = (leg.member_id, leg.currency)
        moved[place] = moved.get(place, 0) + leg.amount_minor
    if any(abs(minor) > BALANCE_MINOR_MAX for minor in moved.values()):
        raise BalanceOutOfRange
    return MappingProxyType(moved)
