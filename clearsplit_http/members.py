"""Routes of a group's members."""

from itertools import dropwhile, islice

from clearsplit_core.errors import (
    AlreadyExists,
    BadText,
    GroupFull,
    GuestOwner,
    InactiveMember,
    LastOwner,
    NeedsInvite,
    PaymentPending,
    ThingNotFound,
    UnsettledBalance,
)
from clearsplit_core.group import Group
from clearsplit_core.journal import MemberId
from clearsplit_core.members import DeactivateMember
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import TheGroup
from clearsplit_core.records import Member
from clearsplit_http.access import (
    managers,
    managers_of_the_member,
    members,
    removers_of_the_member,
)
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId
from clearsplit_http.wire.groups import MemberAnswer, MemberChanges, NewMember
from clearsplit_http.wire.resources import Nothing, Page


@operation(
    "POST",
    "/groups/{group_id}/members",
    takes=NewMember,
    gives=MemberAnswer,
    status=201,
    door=managers,
    refuses=(AlreadyExists, BadId, BadText, GroupFull, GuestOwner),
)
async def add_guest(asked: Asked[NewMember]) -> Sealed:
    """Give somebody without an account a seat in the group."""
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.add(asked.group_id)),
        caller=asked.caller,
        receipt=asked.receipt(MemberAnswer.of),
    )


@operation(
    "GET",
    "/groups/{group_id}/members",
    takes=Nothing,
    gives=Page[MemberAnswer],
    door=members,
    query=PAGE_QUERY,
)
async def list_members(asked: Asked[Nothing]) -> Sealed:
    """The group's members, those who left included, in the order in which they came."""
    group = await asked.read(TheGroup(asked.group_id))
    return asked.page(
        _after(group, asked.position(), asked.limit), MemberAnswer.of, lambda member: str(member.id)
    )


@operation(
    "GET",
    "/groups/{group_id}/members/{member_id}",
    takes=Nothing,
    gives=MemberAnswer,
    door=members,
)
async def get_member(asked: Asked[Nothing]) -> Sealed:
    """A seat in the group."""
    group = await asked.read(TheGroup(asked.group_id))
    return asked.found(MemberAnswer.of(_member(group, asked.ids.member_id)))


@operation(
    "PATCH",
    "/groups/{group_id}/members/{member_id}",
    takes=MemberChanges,
    gives=MemberAnswer,
    door=managers_of_the_member,
    versioned=True,
    refuses=(BadText, GuestOwner, LastOwner, NeedsInvite),
)
async def revise_member(asked: Asked[MemberChanges]) -> Sealed:
    """Rename a member, give them another role, or take a guest back who had left.

    A member with an account comes back by accepting an invite to their seat.
    """
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.revise(asked.group_id, asked.ids.member_id, asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(MemberAnswer.of),
    )


@operation(
    "DELETE",
    "/groups/{group_id}/members/{member_id}",
    takes=Nothing,
    gives=MemberAnswer,
    door=removers_of_the_member,
    versioned=True,
    refuses=(InactiveMember, LastOwner, PaymentPending, UnsettledBalance),
)
async def deactivate_member(asked: Asked[Nothing]) -> Sealed:
    """Leave the group, or as an owner let somebody go: they see it no more.

    They stay in balances and history. A balance that is not zero has to be settled first.
    """
    return await asked.store.perform_once(
        asked.command(
            lambda: DeactivateMember(
                group_id=asked.group_id,
                member_id=asked.ids.member_id,
                expected_version=asked.expected_version,
            )
        ),
        caller=asked.caller,
        receipt=asked.receipt(MemberAnswer.of),
    )


ROUTES = (add_guest, list_members, get_member, revise_member, deactivate_member)


def _member(group: Group, member_id: MemberId) -> Member:
    if member_id not in group.members:
        raise ThingNotFound
    return group.members[member_id]


def _after(group: Group, position: str | None, limit: int) -> list[Member]:
    """The members after the one at `position`, one more than a page takes."""
    everybody = iter(group.members.values())
    if position is not None:
        everybody = islice(dropwhile(lambda m: str(m.id) != position, everybody), 1, None)
    return list(islice(everybody, limit + 1))
