"""Members: the commands and events of a seat in a group. So far: adding a guest."""

from dataclasses import dataclass
from typing import ClassVar

from clearsplit_core.errors import AlreadyExists, GroupFull, GuestOwner
from clearsplit_core.group import MEMBERS_MAX, Event, Group, Right
from clearsplit_core.groups import require_name
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Member, Role
from clearsplit_core.text import Text


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
class MemberAdded(Event):
    kind: ClassVar[str] = "member-added"
    member: Member

    def evolve(self, group: Group) -> Group:
        return group.with_member(self.member)
