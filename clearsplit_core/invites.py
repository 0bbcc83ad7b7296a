"""Invites: how an account comes to a seat.

An invite offers a new seat, or a guest's with all its history, or the one that its account had
left. It is good once and for some days, and only while its maker is an owner. Whoever brings its
secret may accept it; the secret is not known here, only that whoever names the invite has shown it.

What cannot be accepted any more is not told from what never was (ThingNotFound).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadySeated,
    BadLifetime,
    InviteEnded,
    MemberLinked,
    ThingNotFound,
    TooManyInvites,
    UnknownMember,
)
from clearsplit_core.group import Event, Group, Right
from clearsplit_core.groups import require_name
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.members import SeatChanged, require_room
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Invite, InviteId, InviteState, Member, Role
from clearsplit_core.text import Text

INVITE_DAYS_MAX: Final = 30
INVITES_OPEN_MAX: Final = 100
"""Invites of one group that can be accepted at the same time."""


# ── Making one ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeInvite:
    """Offer a seat in `role`: `member_id`'s, or a new one, for `expires_in_days`, 1 to 30.

    Raises InsufficientRole, AlreadyExists, BadLifetime, UnknownMember, MemberLinked,
    TooManyInvites.
    """

    group_id: GroupId
    invite_id: InviteId
    member_id: MemberId | None
    role: Role
    expires_in_days: int

    def __post_init__(self) -> None:
        if not 1 <= self.expires_in_days <= INVITE_DAYS_MAX:
            raise BadLifetime(field="/expires_in_days")

    @property
    def needs(self) -> Needs:
        return Needs(invites=frozenset({self.invite_id}), open_invites=True)

    def decide(self, group: Group) -> Decision[Invite]:
        group.require(Right.MANAGE)
        if self.invite_id in group.invites:
            raise AlreadyExists(field="/id")
        if self.member_id is not None:
            _require_free(group, self.member_id)
        if len(group.live_invites) >= INVITES_OPEN_MAX:
            raise TooManyInvites
        event = InviteMade(
            invite_id=self.invite_id,
            member_id=self.member_id,
            role=self.role,
            expires_at=group.now + timedelta(days=self.expires_in_days),
        )
        return Decision((event,), event.invite(group))


@dataclass(frozen=True, kw_only=True)
class InviteMade(Event):
    kind: ClassVar[str] = "invite-made"
    invite_id: InviteId
    member_id: MemberId | None
    role: Role
    expires_at: datetime

    def invite(self, group: Group) -> Invite:
        return Invite(
            id=self.invite_id,
            member_id=self.member_id,
            role=self.role,
            made_by=group.actor.id,
            made_at=group.now,
            expires_at=self.expires_at,
            state=InviteState.OPEN,
            version=1,
            recorded_seq=group.head.seq + 1,
        )

    def evolve(self, group: Group) -> Group:
        return group.with_invite(self.invite(group))


def _require_free(group: Group, member_id: MemberId) -> None:
    """The seat is a guest's, or was left. Raises UnknownMember, MemberLinked."""
    if member_id not in group.members:
        raise UnknownMember(field="/member_id")
    seat = group.members[member_id]
    if seat.active and seat.account is not None:
        raise MemberLinked(field="/member_id")


# ── Revoking one ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvite:
    """Nobody can accept the invite any more.

    Raises ThingNotFound, InsufficientRole, InviteEnded.
    """

    group_id: GroupId
    invite_id: InviteId

    @property
    def needs(self) -> Needs:
        return Needs(invites=frozenset({self.invite_id}))

    def decide(self, group: Group) -> Decision[Invite]:
        invite = invite_to_manage(group, self.invite_id)
        if invite.state is not InviteState.OPEN:
            raise InviteEnded
        event = InviteRevoked(invite_id=invite.id)
        return Decision((event,), event.evolve(group).invite(invite.id))


@dataclass(frozen=True, kw_only=True)
class InviteRevoked(Event):
    kind: ClassVar[str] = "invite-revoked"
    invite_id: InviteId

    def evolve(self, group: Group) -> Group:
        return group.with_invites_ended({self.invite_id: InviteState.REVOKED})


def invite_to_manage(group: Group, invite_id: InviteId) -> Invite:
    """The invite, if the caller is an owner. Raises ThingNotFound, InsufficientRole."""
    group.require(Right.MANAGE)
    return group.invite(invite_id)


# ── Accepting one ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvite:
    """Take the seat that an invite offers, as an account that has none in the group yet.

    A guest's seat keeps its name. Whoever was in the group before and is offered a new seat gets
    back the one that they had; `member_id` and `name` are for a seat that is new.

    Raises ThingNotFound, AlreadySeated, MemberLinked, GroupFull, AlreadyExists, BadText,
    GroupArchived.
    """

    group_id: GroupId
    invite_id: InviteId
    member_id: MemberId
    name: Text
    account_salt: bytes

    def __post_init__(self) -> None:
        require_name(self.name)

    @property
    def needs(self) -> Needs:
        return Needs(names=True, invites=frozenset({self.invite_id}), open_invites=True)

    def decide(self, group: Group) -> Decision[Member]:
        invite = invite_on_offer(group, self.invite_id)
        if group.actor_id is not None:
            raise AlreadySeated
        seat = self._taken(invite, _offered(group, invite), group)
        others = (each for each in group.live_invites if each.member_id == seat.id)
        ended = tuple(each.id for each in others if each.id != invite.id)
        event = InviteAccepted(invite_id=invite.id, member=seat, ended=ended)
        return Decision((event,), seat)

    def _taken(self, invite: Invite, seat: Member | None, group: Group) -> Member:
        account = Text.of(str(group.caller), self.account_salt)
        if seat is None:
            require_room(group, self.member_id)
            return Member(
                id=self.member_id,
                name=self.name,
                role=invite.role,
                active=True,
                account=account,
                version=1,
            )
        if seat.account is not None and seat.account_id != group.caller:
            raise MemberLinked
        return replace(
            seat,
            role=invite.role,
            active=True,
            account=seat.account or account,
            version=seat.version + 1,
        )


@dataclass(frozen=True, kw_only=True)
class InviteAccepted(SeatChanged):
    """An account has a seat: it is the one whose act this is."""

    kind: ClassVar[str] = "invite-accepted"
    invite_id: InviteId

    def evolve(self, group: Group) -> Group:
        seated = super().evolve(group).with_invites_ended({self.invite_id: InviteState.USED})
        return replace(seated, actor_id=self.member.id)


def invite_on_offer(group: Group, invite_id: InviteId) -> Invite:
    """The invite, if it can be accepted. Raises ThingNotFound, whyever it cannot."""
    invite = group.invite(invite_id)
    makers = {owner.id for owner in group.owners}
    if group.deleted or not invite.live_at(group.now) or invite.made_by not in makers:
        raise ThingNotFound
    return invite


def _offered(group: Group, invite: Invite) -> Member | None:
    """The seat on offer, where it is not a new one."""
    if invite.member_id is not None:
        return group.member(invite.member_id)
    left = (seat for seat in group.members.values() if seat.account_id == group.caller)
    return next(left, None)
