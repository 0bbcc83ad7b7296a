"""Members: the commands and events of a seat in a group.

An event about a seat holds the whole seat as it is afterwards. A seat stays in balances and history
whatever becomes of it; a group always has an owner while anybody with an account is there.
"""

from abc import ABC
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from clearsplit_core.errors import (
    AlreadyExists,
    GroupFull,
    GuestOwner,
    InactiveMember,
    LastOwner,
    NeedsInvite,
    PaymentPending,
    ThingNotFound,
    UnsettledBalance,
    VersionMismatch,
)
from clearsplit_core.group import MEMBERS_MAX, Event, Group, Right
from clearsplit_core.groups import GroupCreated, require_name
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.keep import KEEP, Change, Keep, changed
from clearsplit_core.money import Money
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import InviteId, InviteState, Member, Role
from clearsplit_core.text import Text


@dataclass(frozen=True, kw_only=True)
class OfMember(Event, ABC):
    """What happens to one seat."""

    member: Member

    def evolve(self, group: Group) -> Group:
        return group.with_member(self.member)


# ── A seat for a guest ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AddGuest:
    """Give somebody without an account a seat, which an account may claim later.

    A guest is a member or a viewer; only a seat with an account can be an owner.

    Raises InsufficientRole, AlreadyExists, GroupFull, GuestOwner, BadText.
    """

    group_id: GroupId
    member_id: MemberId
    name: Text
    role: Role

    def __post_init__(self) -> None:
        require_name(self.name)
        if self.role is Role.OWNER:
            raise GuestOwner(field="/role")

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, group: Group) -> Decision[Member]:
        group.require(Right.MANAGE)
        require_room(group, self.member_id)
        guest = Member(
            id=self.member_id, name=self.name, role=self.role, active=True, account=None, version=1
        )
        return Decision((MemberAdded(member=guest),), guest)


@dataclass(frozen=True, kw_only=True)
class MemberAdded(OfMember):
    kind: ClassVar[str] = "member-added"


def require_room(group: Group, member_id: MemberId) -> None:
    """The group can have another seat, with that id. Raises AlreadyExists, GroupFull."""
    if member_id in group.members:
        raise AlreadyExists(field="/id")
    if len(group.members) >= MEMBERS_MAX:
        raise GroupFull


# ── Changing a seat: what every change says ──────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class SeatChanged(OfMember, ABC):
    """What happens to a seat that was there already, and the invites that end with it."""

    ended: tuple[InviteId, ...]

    def evolve(self, group: Group) -> Group:
        return (
            super().evolve(group).with_invites_ended(dict.fromkeys(self.ended, InviteState.REVOKED))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOfMember:
    """A wish to change one seat, by somebody who has seen it in `expected_version`."""

    group_id: GroupId
    member_id: MemberId
    expected_version: int

    def as_seen(self, seat: Member) -> Member:
        """Raises VersionMismatch."""
        if seat.version != self.expected_version:
            raise VersionMismatch(version=seat.version)
        return seat


def _ended_with(group: Group, seat: Member) -> tuple[InviteId, ...]:
    """The invites that end where `seat` is how a seat is from now on.

    None leads to a seat that is given up, and none is from somebody who is no owner any more.
    """
    manages = seat.active and seat.role is Role.OWNER
    return tuple(
        invite.id
        for invite in group.live_invites
        if (invite.made_by == seat.id and not manages)
        or (invite.member_id == seat.id and not seat.active)
    )


# ── Names and roles ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseMember(ChangeOfMember):
    """Rename a member, give them another role, or, with `returns`, take a guest back who had left.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, BadText, GuestOwner, LastOwner,
    NeedsInvite.
    """

    name: Change[Text] = KEEP
    role: Change[Role] = KEEP
    returns: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, Keep):
            require_name(self.name)

    @property
    def needs(self) -> Needs:
        return Needs(names=True, open_invites=True)

    def decide(self, group: Group) -> Decision[Member]:
        seat = self.as_seen(seat_to_manage(group, self.member_id))
        revised = replace(
            seat,
            name=changed(seat.name, self.name),
            role=changed(seat.role, self.role),
            active=seat.active or self.returns,
            version=seat.version + 1,
        )
        _require_possible(group, seat, revised)
        event = MemberRevised(member=revised, ended=_ended_with(group, revised))
        return Decision((event,), revised)


@dataclass(frozen=True, kw_only=True)
class MemberRevised(SeatChanged):
    kind: ClassVar[str] = "member-revised"


def seat_to_manage(group: Group, member_id: MemberId) -> Member:
    """The seat, if the caller is an owner. Raises ThingNotFound, InsufficientRole."""
    group.require(Right.MANAGE)
    return group.member(member_id)


def _require_possible(group: Group, seat: Member, revised: Member) -> None:
    if revised.role is Role.OWNER and seat.account is None:
        raise GuestOwner(field="/role")
    if revised.role is not Role.OWNER and group.is_last_owner(seat):
        raise LastOwner
    if revised.active and not seat.active and seat.account is not None:
        raise NeedsInvite


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivateMember(ChangeOfMember):
    """A member has left: they see the group no more, and new expenses leave them out.

    Everybody may give up their own seat, owners any. Raises ThingNotFound, InsufficientRole,
    VersionMismatch, InactiveMember, LastOwner, UnsettledBalance, PaymentPending.
    """

    @property
    def needs(self) -> Needs:
        return Needs(names=True, pending=True, open_invites=True)

    def decide(self, group: Group) -> Decision[Member]:
        seat = self.as_seen(seat_to_give_up(group, self.member_id))
        if not seat.active:
            raise InactiveMember("This member has left already.")
        if group.is_last_owner(seat):
            raise LastOwner
        _require_settled(group, seat)
        left = replace(seat, active=False, version=seat.version + 1)
        event = MemberDeactivated(member=left, ended=_ended_with(group, left))
        return Decision((event,), left)


@dataclass(frozen=True, kw_only=True)
class MemberDeactivated(SeatChanged):
    kind: ClassVar[str] = "member-deactivated"


def seat_to_give_up(group: Group, member_id: MemberId) -> Member:
    """The seat, if it is the caller's or the caller an owner.

    Raises ThingNotFound, InsufficientRole.
    """
    if group.actor.id != member_id:
        group.require(Right.MANAGE)
    return group.member(member_id)


def _require_settled(group: Group, seat: Member) -> None:
    """Nothing is owed and nothing waits. Raises UnsettledBalance, PaymentPending."""
    open_ = [
        Money(minor, currency)
        for (member_id, currency), minor in sorted(group.balances.items())
        if member_id == seat.id and minor
    ]
    if open_:
        told = ", ".join(str(money) for money in open_)
        raise UnsettledBalance(
            f"The balance of this member is {told} and not zero; settle up first."
            " (Above zero the group owes them.)"
        )
    if any(seat.id in (p.from_member_id, p.to_member_id) for p in group.pending):
        raise PaymentPending


# ── An account that goes ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkMember:
    """Take the caller's account out of the group: each of its seats is a nameless guest's.

    What the seats owe and are owed stays, and an owner becomes a member. This happens in archived
    and deleted groups as well, and to seats that were left: it is how an account is erased.

    Raises ThingNotFound where the account has no seat, and LastOwner where others with an account
    would be left without an owner in a group that they can see.
    """

    group_id: GroupId

    @property
    def needs(self) -> Needs:
        return Needs(names=True, open_invites=True)

    def decide(self, group: Group) -> Decision[None]:
        seats = [seat for seat in group.members.values() if seat.account_id == group.caller]
        if not seats:
            raise ThingNotFound
        if any(needs_owner(group, seat) for seat in seats):
            raise LastOwner
        return Decision(tuple(_unlinking(group, seat) for seat in seats), None)


@dataclass(frozen=True, kw_only=True)
class MemberUnlinked(SeatChanged):
    kind: ClassVar[str] = "member-unlinked"

    @property
    def forgets(self) -> MemberId:
        return self.member.id

    def require_fit(self, group: Group) -> None:
        """Nobody is kept by a group that is archived or deleted."""


def needs_owner(group: Group, seat: Member) -> bool:
    """Whether without `seat` others with an account would be left without an owner."""
    others = (m for m in group.members.values() if m.active and m.account and m.id != seat.id)
    return not group.deleted and group.is_last_owner(seat) and any(others)


def _unlinking(group: Group, seat: Member) -> MemberUnlinked:
    """An invite for the account to come back ends as well, or anybody could use it from now on."""
    guest = replace(
        seat,
        name=Text.erased(seat.name.commitment),
        role=Role.MEMBER if seat.role is Role.OWNER else seat.role,
        account=None,
        version=seat.version + 1,
    )
    return MemberUnlinked(member=guest, ended=_ended_with(group, guest))


def names_and_links(member_id: MemberId, events: Iterable[Event]) -> Iterator[Text]:
    """Every name that the seat ever had, and every account that it was linked to."""
    for event in events:
        match event:
            case OfMember(member=seat) | GroupCreated(founder=seat) if seat.id == member_id:
                yield seat.name
                yield from [seat.account] if seat.account else []
