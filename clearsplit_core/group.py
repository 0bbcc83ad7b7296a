"""The group: the state that a decision sees, the fold that makes it, and what each role may do.

A **command** looks at a `Group` and decides; what it decides are **events**. `append` turns one
event into the group as it is afterwards and the journal entry that says so. It is the only way in
which a group ever changes, so a store, a property test and `replay` all tell the same story.

A group as a decision sees it holds all its members and balances, and of the rest (expenses …) what
the command said that it needs. Times, ids and salts come from outside.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, ClassVar, Final, Protocol, TypeVar

from clearsplit_core.debts import NO_DEBTS, Debts, added, reversed_debts
from clearsplit_core.errors import (
    BalanceOutOfRange,
    GroupArchived,
    GroupDeleted,
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
    net,
    require_place,
    require_unchanged,
    reversed_legs,
)
from clearsplit_core.plain import Plain, Texts, from_plain, to_plain
from clearsplit_core.records import (
    AccountId,
    Comment,
    CommentId,
    Expense,
    ExpenseId,
    Invite,
    InviteId,
    InviteState,
    Member,
    Payment,
    PaymentId,
    PaymentState,
    Role,
    Settlement,
    SettlementId,
    SettlementNow,
)
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
    return _EMPTY


_EMPTY: Final[Mapping[Any, Any]] = MappingProxyType({})
_SHELVES: Final = ("expenses", "comments", "payments", "settlements", "invites")
"""The fields that hold what a command asked to see, and no more."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group as one caller finds it at one moment.

    `version` 0 means that it does not exist yet; only the command that creates it ever sees that.
    `now`, `caller` and `actor_id` belong to the moment: the time of the decision, the account that
    asks, and that account's active seat. `balances` are signed minor units by member and currency,
    positive where the group owes the member.

    `simplify`: settle in the fewest transfers unless somebody asks otherwise. `moved_seq` is the
    last entry that moved a balance, `strayed_seq` the last one that did so other than by paying a
    transfer of the latest settlement: that one is stale once it strayed.
    """

    id: GroupId
    head: Head
    name: Text = field(default_factory=lambda: Text.erased(""))
    currency: str = ""
    version: int = 0
    created_at: datetime | None = None
    archived: bool = False
    deleted: bool = False
    simplify: bool = True
    payments_need_confirmation: bool = False
    latest_settlement_id: SettlementId | None = None
    moved_seq: int = 0
    strayed_seq: int = 0
    members: Mapping[MemberId, Member] = field(default_factory=_none)
    balances: Balances = field(default_factory=_none)
    debts: Debts = field(default_factory=lambda: NO_DEBTS)
    expenses: Mapping[ExpenseId, Expense] = field(default_factory=_none)
    comments: Mapping[CommentId, Comment] = field(default_factory=_none)
    payments: Mapping[PaymentId, Payment] = field(default_factory=_none)
    settlements: Mapping[SettlementId, Settlement] = field(default_factory=_none)
    invites: Mapping[InviteId, Invite] = field(default_factory=_none)
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
        return self._but(caller=caller, actor_id=actor_id, now=max(now, self.now))

    @property
    def bare(self) -> "Group":
        """The same without debts, expenses and whatever else a command has to ask for."""
        return self._but(debts=NO_DEBTS, **dict.fromkeys(_SHELVES, _EMPTY))

    @property
    def actor(self) -> Member:
        """The caller's seat. Raises ThingNotFound for everybody without one.

        Once the group was deleted, only its owners still see it.
        """
        if self.actor_id is None or not self.seen:
            raise ThingNotFound
        return self.members[self.actor_id]

    @property
    def seen(self) -> bool:
        """Whether the caller can see the group at all."""
        seat = None if self.actor_id is None else self.members[self.actor_id]
        return seat is not None and (not self.deleted or seat.role is Role.OWNER)

    def require(self, right: Right) -> Member:
        """The caller's seat, if its role has `right`. Raises ThingNotFound, InsufficientRole."""
        actor = self.actor
        if right not in RIGHTS[actor.role]:
            raise InsufficientRole
        return actor

    def has_active(self, member_id: MemberId) -> bool:
        """Whether that is a member who has not left."""
        member = self.members.get(member_id)
        return member is not None and member.active

    def require_members(self, ids: Iterable[MemberId], *, field: str) -> None:
        """All of `ids` are members who have not left. Raises UnknownMember, InactiveMember."""
        for member_id in ids:
            self.require_seats([member_id], field=field)
            if not self.members[member_id].active:
                raise InactiveMember(field=field)

    def require_seats(self, ids: Iterable[MemberId], *, field: str) -> None:
        """All of `ids` are members, those who left included. Raises UnknownMember."""
        for member_id in ids:
            if member_id not in self.members:
                raise UnknownMember(f"There is no member {member_id} in this group.", field=field)

    def require_open(self) -> None:
        """The group takes new entries. Raises GroupDeleted, GroupArchived."""
        if self.deleted:
            raise GroupDeleted
        if self.archived:
            raise GroupArchived

    # ── What stands in it ────────────────────────────────────────────────────────────────────────

    def member(self, member_id: MemberId) -> Member:
        """Raises ThingNotFound."""
        return _found(self.members, member_id)

    def expense(self, expense_id: ExpenseId) -> Expense:
        """Raises ThingNotFound."""
        return _found(self.expenses, expense_id)

    def payment(self, payment_id: PaymentId) -> Payment:
        """Raises ThingNotFound."""
        return _found(self.payments, payment_id)

    def settlement(self, settlement_id: SettlementId) -> Settlement:
        """Raises ThingNotFound."""
        return _found(self.settlements, settlement_id)

    def invite(self, invite_id: InviteId) -> Invite:
        """Raises ThingNotFound."""
        return _found(self.invites, invite_id)

    @property
    def owners(self) -> Sequence[Member]:
        """The members who may manage the group; there is always one."""
        seats = self.members.values()
        return [seat for seat in seats if seat.active and seat.role is Role.OWNER]

    def is_last_owner(self, member: Member) -> bool:
        """Whether without `member` nobody could manage the group."""
        return [owner.id for owner in self.owners] == [member.id]

    @property
    def live_invites(self) -> Sequence[Invite]:
        """The invites that can be accepted in time, as far as they were loaded."""
        return [invite for invite in self.invites.values() if invite.live_at(self.now)]

    @property
    def latest_settlement(self) -> Settlement | None:
        """The settlement that was computed last, where it was loaded; there may be none."""
        if self.latest_settlement_id is None:
            return None
        return self.settlement(self.latest_settlement_id)

    @property
    def pending(self) -> Sequence[Payment]:
        """The payments that wait to be confirmed, as far as they were loaded."""
        return [p for p in self.payments.values() if p.state is PaymentState.PENDING]

    def is_stale(self, settlement: Settlement) -> bool:
        """Whether a balance changed since the settlement other than by paying its transfers."""
        return settlement.is_stale(moved_seq=self.moved_seq, strayed_seq=self.strayed_seq)

    def now_of(self, settlement: Settlement) -> SettlementNow:
        return SettlementNow(settlement, stale=self.is_stale(settlement))

    def is_payable(self, settlement: Settlement) -> bool:
        """Whether it is the latest one and not voided."""
        return settlement.id == self.latest_settlement_id and not settlement.voided

    def is_fresh(self, settlement: Settlement) -> bool:
        """Whether its transfers can be paid, and paying all of them clears the balances."""
        return self.is_payable(settlement) and not self.is_stale(settlement)

    # ── With something added or replaced ─────────────────────────────────────────────────────────

    def with_member(self, member: Member) -> "Group":
        """A new version of the group: who is in it is part of what it is."""
        return replace(
            self, members=_with(self.members, member.id, member), version=self.version + 1
        )

    def with_expense(self, expense: Expense) -> "Group":
        return self._but(expenses=_with(self.expenses, expense.id, expense))

    def with_comment(self, comment: Comment) -> "Group":
        return self._but(comments=_with(self.comments, comment.id, comment))

    def with_payment(self, payment: Payment) -> "Group":
        return self._but(payments=_with(self.payments, payment.id, payment))

    def with_settlement(self, settlement: Settlement) -> "Group":
        return self._but(settlements=_with(self.settlements, settlement.id, settlement))

    def with_invite(self, invite: Invite) -> "Group":
        return self._but(invites=_with(self.invites, invite.id, invite))

    def with_invites_ended(self, those: Mapping[InviteId, InviteState]) -> "Group":
        after = self
        for invite_id, state in those.items():
            invite = after.invite(invite_id)
            after = after.with_invite(replace(invite, state=state, version=invite.version + 1))
        return after

    def with_entry(self, entry: Entry, moved: "Moved") -> "Group":
        """With the entry as its head, and what that moved in it. Raises BalanceOutOfRange."""
        planned = moved.by_plan is not None and moved.by_plan == self.latest_settlement_id
        return self._but(
            head=entry.head,
            balances=_moved(self.balances, entry.postings),
            debts=_more(self.debts, moved.debts),
            moved_seq=entry.seq if entry.postings else self.moved_seq,
            strayed_seq=entry.seq if entry.postings and not planned else self.strayed_seq,
        )

    def _but(self, **changes: object) -> "Group":
        """As `replace`, which takes five times as long to hand on the fields that stay; whoever
        appends an entry makes four such copies. It takes a dict, so a group has no slots.
        """
        twin = object.__new__(Group)
        vars(twin).update(vars(self), **changes)
        return twin


def _with(shelf: Mapping[K, V], key: K, record: V) -> Mapping[K, V]:
    more = _copied(shelf)
    more[key] = record
    return MappingProxyType(more)


def _copied(shelf: Mapping[K, V]) -> dict[K, V]:
    """A proxy's own copy has the hashes as well; `dict` makes them anew, and an id's in Python."""
    return shelf.copy() if isinstance(shelf, MappingProxyType) else dict(shelf)


def _found(shelf: Mapping[K, V], key: K) -> V:
    if key not in shelf:
        raise ThingNotFound
    return shelf[key]


class Event(ABC):
    """Something that happened in a group. A subclass is a frozen dataclass with a `kind`.

    An event stores what was decided, results included, so that replaying it calculates nothing
    and a later change of a rule cannot change the past.
    """

    kind: ClassVar[str]
    by_kind: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        if "kind" not in vars(cls):
            return  # what several events have in common is none itself
        assert cls.kind not in cls.by_kind, f"the kind {cls.kind!r} is taken"
        cls.by_kind[cls.kind] = cls

    def require_fit(self, group: Group) -> None:
        """The event may happen in `group` as it is: by default, while the group is open.

        Raises GroupDeleted, GroupArchived.
        """
        group.require_open()

    @property
    def forgets(self) -> MemberId | None:
        """Whose names, and links to an account, a store deletes with this; by default nobody's."""
        return None

    @abstractmethod
    def evolve(self, group: Group) -> Group:
        """`group` as it is afterwards, but for its balances, debts and head."""

    def moves(self, before: Group, after: Group) -> "Moved":  # noqa: ARG002
        """What the event moves, `after` being what it made of `before`; by default nothing."""
        return _NOTHING_MOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What an event moves: the legs of its entry, who owes whom, and whether that was planned.

    `by_plan` is the settlement one of whose transfers is paid by this.
    """

    postings: Postings = ()
    debts: Debts = field(default_factory=lambda: NO_DEBTS)
    by_plan: SettlementId | None = None


_NOTHING_MOVED: Final = Moved()


class Moving(Protocol):
    """A record that puts legs in the journal."""

    def legs(self) -> Postings: ...
    def debts(self) -> Debts: ...


def difference(old: Moving | None, new: Moving, *, by_plan: SettlementId | None = None) -> Moved:
    """What it moves that `new` stands in the place of `old`.

    Every leg that is taken back keeps its own effective date, so that a view by date stays right.
    """
    if old is None:
        return Moved(postings=new.legs(), debts=new.debts(), by_plan=by_plan)
    return Moved(
        postings=net((*reversed_legs(old.legs()), *new.legs())),
        debts=added(reversed_debts(old.debts()), new.debts()),
        by_plan=by_plan,
    )


def append(group: Group, event: Event) -> tuple[Group, Entry]:
    """The group after `event`, and the journal entry that records it.

    Raises GroupDeleted and GroupArchived where the event may not happen any more, and
    BalanceOutOfRange when a balance would leave ±(2^53 - 1).
    """
    event.require_fit(group)
    after = event.evolve(group)
    moved = event.moves(group, after)
    entry = Entry(
        group_id=group.id,
        seq=group.head.seq + 1,
        at=group.now,
        actor_id=after.actor_id,
        event=to_plain(event),
        postings=moved.postings,
        previous=group.head.hash,
    )
    return after.with_entry(entry, moved), entry


def replay(group_id: GroupId, entries: Iterable[Entry], texts: Texts) -> Group:
    """The group that `entries` add up to, every entry checked against what its event says.

    Texts that are not in `texts` come back erased. Raises JournalBroken, naming the first entry
    that its event and the entries before it do not lead to.
    """
    group: Group | None = None
    for entry in entries:
        group = told_again(group or Group.unfounded(group_id, entry.at), entry, texts)
    if group is None:
        raise JournalBroken("This journal is empty.", seq=1)
    return group


def told_again(group: Group, entry: Entry, texts: Texts) -> Group:
    """`group` after `entry`: unchanged, in its place, and what its event leads to.

    Raises JournalBroken, naming the entry.
    """
    require_place(entry, group.id, group.head)
    at_that_time = replace(group, now=entry.at, actor_id=entry.actor_id)
    try:
        after, again = append(at_that_time, event_of(entry.event, texts))
    except _SENSELESS as error:
        raise _broken(entry) from error
    if again != entry:  # their hashes are compared as well, so this is where a change is seen
        raise _broken(entry)
    return after


_SENSELESS: Final = (Refusal, LookupError, ValueError, TypeError, AssertionError)
"""What an event raises that is about somebody or something that is not there, or was made up."""


def _broken(entry: Entry) -> JournalBroken:
    """What is wrong with an entry that is not the one that its event leads to."""
    said = f"Entry {entry.seq} does not follow from its event."
    try:
        require_unchanged(entry)
    except JournalBroken as changed:
        said = changed.message
    return JournalBroken(said, seq=entry.seq)


def event_of(tree: Plain, texts: Texts) -> Event:
    """The event that a journal entry holds. Raises JournalBroken for one that nobody knows."""
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in Event.by_kind:
        raise JournalBroken("This event is of a kind that this version does not know.")
    return from_plain(Event.by_kind[kind], tree, texts)


def _more(debts: Debts, moved: Debts) -> Debts:
    return added(debts, moved) if debts and moved else debts or moved


def _moved(balances: Balances, postings: Postings) -> Balances:
    if not postings:
        return balances
    moved = _copied(balances)
    for leg in postings:
        place = (leg.member_id, leg.currency)
        moved[place] = moved.get(place, 0) + leg.amount_minor
    if max(map(abs, moved.values())) > BALANCE_MINOR_MAX:
        raise BalanceOutOfRange
    return MappingProxyType(moved)
