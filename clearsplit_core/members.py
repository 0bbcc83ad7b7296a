"""Members: the commands and events of a seat in a group.

An event about a seat holds the whole seat as it is afterwards.
"""

from abc import ABC
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from clearsplit_core.errors import AlreadyExists, GroupFull, GuestOwner, LastOwner, ThingNotFound
from clearsplit_core.group import MEMBERS_MAX, Event, Group, Right
from clearsplit_core.groups import GroupCreated, require_name
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Member, Role
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
        if self.member_id in group.members:
            raise AlreadyExists
        if len(group.members) >= MEMBERS_MAX:
            raise GroupFull
        guest = Member(
            id=self.member_id, name=self.name, role=self.role, active=True, account=None, version=1
        )
        return Decision((MemberAdded(member=guest),), guest)


@dataclass(frozen=True, kw_only=True)
class MemberAdded(OfMember):
    kind: ClassVar[str] = "member-added"


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
        return Needs(names=True)

    def decide(self, group: Group) -> Decision[None]:
        seats = [seat for seat in group.members.values() if seat.account_id == group.caller]
        if not seats:
            raise ThingNotFound
        if any(needs_owner(group, seat) for seat in seats):
            raise LastOwner
        return Decision(tuple(MemberUnlinked(member=_unlinked(seat)) for seat in seats), None)


@dataclass(frozen=True, kw_only=True)
class MemberUnlinked(OfMember):
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


def _unlinked(seat: Member) -> Member:
    return replace(
        seat,
        name=Text.erased(seat.name.commitment),
        role=Role.MEMBER if seat.role is Role.OWNER else seat.role,
        account=None,
        version=seat.version + 1,
    )


def names_and_links(member_id: MemberId, events: Iterable[Event]) -> Iterator[Text]:
    """Every name that the seat ever had, and every account that it was linked to."""
    for event in events:
        match event:
            case OfMember(member=seat) | GroupCreated(founder=seat) if seat.id == member_id:
                yield seat.name
                yield from [seat.account] if seat.account else []
