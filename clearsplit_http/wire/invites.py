"""Invites on the wire. The token of one is told to whoever makes it, and stands in no list."""

import secrets
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from clearsplit_core.invites import INVITE_DAYS_MAX, AcceptInvite, MakeInvite
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.records import Invite, InviteId, InviteState, Member, Role
from clearsplit_core.text import SALT_BYTES
from clearsplit_http.wire.resources import Body, ChosenId, Resource, new_id, new_text

Days = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": INVITE_DAYS_MAX})]


class NewInvite(Body, frozen=True, kw_only=True):
    """An invite to be: to a new seat or, with `member_id`, to that one, with all its history."""

    id: ChosenId | None = None
    member_id: UUID | None = None
    role: Role = Role.MEMBER
    expires_in_days: Days = 7

    def make(self, group_id: GroupId) -> MakeInvite:
        """The command to make it. Raises BadId, BadLifetime."""
        return MakeInvite(
            group_id=group_id,
            invite_id=InviteId(new_id(self.id)),
            member_id=None if self.member_id is None else MemberId(self.member_id),
            role=self.role,
            expires_in_days=self.expires_in_days,
        )


class InviteAnswer(Resource, frozen=True, kw_only=True):
    """An invite. It can be accepted while it is open and has not expired, and while `made_by` is an
    owner.
    """

    member_id: UUID | None
    role: Role
    state: InviteState
    made_by: UUID
    made_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invite: Invite) -> Self:
        return cls(
            id=invite.id,
            version=invite.version,
            member_id=invite.member_id,
            role=invite.role,
            state=invite.state,
            made_by=invite.made_by,
            made_at=invite.made_at,
            expires_at=invite.expires_at,
        )


class ToldInviteAnswer(InviteAnswer, frozen=True, kw_only=True):
    """An invite with its token, for whoever is invited."""

    token: str


def accept(group_id: GroupId, invite_id: InviteId, account_name: str) -> AcceptInvite:
    """The command to accept an invite; a new seat is called as the account is."""
    return AcceptInvite(
        group_id=group_id,
        invite_id=invite_id,
        member_id=MemberId(new_id(None)),
        name=new_text(account_name),
        account_salt=secrets.token_bytes(SALT_BYTES),
    )


class SeatAnswer(Resource, frozen=True, kw_only=True):
    """The seat that somebody took, and the group that it is in."""

    group_id: UUID
    name: str | None
    role: Role
    active: bool
    account_id: UUID | None

    @classmethod
    def of(cls, group_id: GroupId, seat: Member) -> Self:
        return cls(
            id=seat.id,
            version=seat.version,
            group_id=group_id,
            name=seat.name.words,
            role=seat.role,
            active=seat.active,
            account_id=seat.account_id,
        )
