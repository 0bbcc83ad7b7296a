"""Invites: how an account comes to a seat, once, and back to the one that it had."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadySeated,
    BadLifetime,
    GroupArchived,
    GroupFull,
    InsufficientRole,
    InviteEnded,
    MemberLinked,
    ThingNotFound,
    TooManyInvites,
    UnknownMember,
)
from clearsplit_core.group import MEMBERS_MAX
from clearsplit_core.invites import INVITES_OPEN_MAX
from clearsplit_core.members import UnlinkMember
from clearsplit_core.ports import Command
from clearsplit_core.records import Invite, InviteState, Member, Role
from tests.literals import (
    NOON,
    TRIP,
    Seat,
    Story,
    accepting,
    account,
    caller,
    deleting,
    expense,
    founding,
    guest,
    invite_called,
    inviting,
    leaving,
    linked,
    member,
    restoring,
    revising,
    seat,
    setting,
    story,
    text,
    uninviting,
)

TRIO: Final = story(founding("ann"), seat("bob"), guest("cem"), expense("Dinner", "60.00 EUR"))
"""Ann owns it, bob is a member, cem a guest; ann paid a dinner for all three."""


def the(told: Story, name: str) -> Member:
    return told.group.members[member(name)]


def invite(told: Story, name: str = "Card") -> Invite:
    return told.group.invite(invite_called(name))


def later(told: Story, **much: float) -> Story:
    return replace(told, group=replace(told.group, now=told.group.now + timedelta(**much)))


# ── Making one ───────────────────────────────────────────────────────────────────────────────────


def test_an_invite_says_who_offers_which_seat_and_for_how_long() -> None:
    told = TRIO.then(inviting(to="cem", role=Role.VIEWER, days=3))
    made_at = NOON + timedelta(seconds=5)
    assert invite(told) == Invite(
        id=invite_called("Card"),
        member_id=member("cem"),
        role=Role.VIEWER,
        made_by=member("ann"),
        made_at=made_at,
        expires_at=made_at + timedelta(days=3),
        state=InviteState.OPEN,
        version=1,
        recorded_seq=5,
    )
    assert told.group.version == TRIO.group.version


@pytest.mark.parametrize("days", [-1, 0, 31, 10**30])
def test_an_invite_is_good_for_1_to_30_days(days: int) -> None:
    with pytest.raises(BadLifetime) as refused:
        inviting(days=days)
    assert refused.value.field == "/expires_in_days"


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_an_owner_invites_and_takes_an_invite_back(role: Role) -> None:
    told = story(founding("ann"), seat("bob", role), inviting())
    for command in (inviting("Note"), uninviting()):
        with pytest.raises(InsufficientRole):
            told.then(command, by="bob")


def test_an_invite_leads_to_a_seat_that_is_there_and_free() -> None:
    with pytest.raises(UnknownMember) as refused:
        TRIO.then(inviting(to="zoe"))
    assert refused.value.field == "/member_id"
    with pytest.raises(MemberLinked):
        TRIO.then(inviting(to="bob"))


def test_an_invite_is_made_once() -> None:
    with pytest.raises(AlreadyExists):
        TRIO.then(inviting()).then(inviting())


def test_a_group_has_so_many_open_invites_and_no_more() -> None:
    told = TRIO
    for number in range(INVITES_OPEN_MAX):
        told = told.then(inviting(f"Card {number}"))
    with pytest.raises(TooManyInvites):
        told.then(inviting("One more"))
    for room in (told.then(uninviting("Card 7")), later(told, days=7)):
        assert invite(room.then(inviting("One more")), "One more").state is InviteState.OPEN


# ── Accepting one ────────────────────────────────────────────────────────────────────────────────


def test_an_account_gets_a_new_seat_called_as_it_is() -> None:
    told = TRIO.then(inviting(role=Role.VIEWER)).then(accepting("dee"), by="dee")
    dee = the(told, "dee")
    assert (dee.name, dee.role, dee.active, dee.version) == (text("dee"), Role.VIEWER, True, 1)
    assert dee.account_id == account("dee")
    assert (invite(told).state, invite(told).version) == (InviteState.USED, 2)
    assert told.entries[-1].actor_id == member("dee")
    assert told.group.seen_by(account("dee"), NOON).actor == dee


def test_an_account_gets_a_guests_seat_with_its_name_and_all_that_is_owed() -> None:
    told = TRIO.then(inviting(to="cem")).then(accepting("dee"), by="dee")
    cem = the(told, "cem")
    assert (cem.name, cem.account_id, cem.version) == (text("cem"), account("dee"), 2)
    assert told.group.balances == TRIO.group.balances
    assert member("dee") not in told.group.members


def test_an_invited_owner_is_one() -> None:
    told = TRIO.then(inviting(to="cem", role=Role.OWNER)).then(accepting("dee"), by="dee")
    assert [owner.id for owner in told.group.owners] == [member("ann"), member("cem")]


def test_an_invite_is_good_once() -> None:
    told = TRIO.then(inviting()).then(accepting("dee"), by="dee")
    with pytest.raises(ThingNotFound):
        told.then(accepting("eve"), by="eve")


def test_who_has_a_seat_needs_none() -> None:
    for name in ("ann", "bob"):
        with pytest.raises(AlreadySeated):
            TRIO.then(inviting()).then(accepting(name), by=name)
        with pytest.raises(AlreadySeated):
            TRIO.then(inviting(to="cem")).then(accepting(name), by=name)


def test_claiming_a_seat_ends_its_other_invites_and_no_others() -> None:
    told = TRIO.then(inviting(to="cem")).then(inviting("Note", to="cem")).then(inviting("Call"))
    told = told.then(accepting("dee"), by="dee")
    assert invite(told, "Note").state is InviteState.REVOKED
    assert invite(told, "Call").state is InviteState.OPEN
    with pytest.raises(ThingNotFound):
        told.then(accepting("eve", "Note"), by="eve")


def test_a_full_group_has_no_new_seat_but_those_that_it_has_can_be_claimed() -> None:
    crowd = tuple(linked(f"sailor {n}") for n in range(MEMBERS_MAX - 3))
    told = TRIO.then(Seat(group_id=TRIP, members=crowd))
    told = told.then(inviting()).then(inviting("Note", to="cem"))
    with pytest.raises(GroupFull):
        told.then(accepting("dee"), by="dee")
    assert the(told.then(accepting("dee", "Note"), by="dee"), "cem").account_id == account("dee")


INVITED: Final = TRIO.then(inviting(to="cem"))
OVER: Final[Mapping[str, Story]] = {
    "unknown": TRIO,
    "revoked": INVITED.then(uninviting()),
    "used": INVITED.then(accepting("eve"), by="eve"),
    "expired": later(INVITED, days=7),
    "maker demoted": INVITED.then(seat("ann", Role.MEMBER)),
    "maker left": INVITED.then(seat("ann", Role.OWNER, active=False)),
    "seat given up": story(founding("ann"), guest("cem"), inviting(to="cem"), leaving("cem")),
    "group deleted": INVITED.then(deleting(version=3)),
}


@pytest.mark.parametrize("why", OVER)
def test_whatever_cannot_be_accepted_is_refused_alike(why: str) -> None:
    with pytest.raises(ThingNotFound) as refused:
        OVER[why].then(accepting("dee"), by="dee")
    assert (refused.value.message, refused.value.field) == (ThingNotFound.sentence(), "")


def test_an_invite_is_good_until_the_moment_in_which_it_expires() -> None:
    almost = later(INVITED, days=7, seconds=-2)
    assert the(almost.then(accepting("dee"), by="dee"), "cem").account_id == account("dee")


def test_an_archived_group_lets_nobody_in_until_it_is_taken_out() -> None:
    told = INVITED.then(setting(version=3, archived=True))
    with pytest.raises(GroupArchived):
        told.then(accepting("dee"), by="dee")
    told = told.then(setting(version=4, archived=False))
    assert the(told.then(accepting("dee"), by="dee"), "cem").account_id == account("dee")


def test_an_invite_outlives_a_group_that_was_deleted_and_restored() -> None:
    told = INVITED.then(deleting(version=3)).then(restoring(version=4))
    assert the(told.then(accepting("dee"), by="dee"), "cem").account_id == account("dee")


# ── Coming back ──────────────────────────────────────────────────────────────────────────────────

LEFT: Final = story(founding("ann"), seat("bob"), guest("cem"), leaving("bob"))


def test_an_account_takes_back_the_seat_that_it_had_left() -> None:
    told = LEFT.then(inviting(to="bob", role=Role.VIEWER)).then(accepting("bob"), by="bob")
    assert the(told, "bob") == replace(linked("bob", Role.VIEWER), version=3)


def test_nobody_else_takes_that_seat() -> None:
    with pytest.raises(MemberLinked):
        LEFT.then(inviting(to="bob")).then(accepting("dee"), by="dee")


def test_who_comes_back_by_any_invite_finds_their_old_seat() -> None:
    told = LEFT.then(inviting()).then(accepting("bob"), by="bob")
    assert the(told, "bob").active
    assert len(told.group.members) == len(LEFT.group.members)


def test_a_seat_whose_account_was_erased_is_claimed_like_any_guests() -> None:
    told = TRIO.then(UnlinkMember(group_id=TRIP), by="bob")
    told = told.then(inviting(to="bob")).then(accepting("dee"), by="dee")
    assert the(told, "bob").account_id == caller("dee").account_id


def test_an_invite_back_is_no_use_to_others_once_the_account_was_erased() -> None:
    told = LEFT.then(inviting(to="bob")).then(UnlinkMember(group_id=TRIP), by="bob")
    with pytest.raises(ThingNotFound):
        told.then(accepting("dee"), by="dee")


# ── Ending one ───────────────────────────────────────────────────────────────────────────────────


def test_an_invite_is_taken_back_once_and_not_after_it_was_used() -> None:
    told = INVITED.then(uninviting())
    assert (invite(told).state, invite(told).version) == (InviteState.REVOKED, 2)
    with pytest.raises(InviteEnded):
        told.then(uninviting())
    with pytest.raises(InviteEnded):
        INVITED.then(accepting("dee"), by="dee").then(uninviting())


def test_an_invite_that_has_expired_can_still_be_taken_back() -> None:
    assert invite(later(INVITED, days=9).then(uninviting())).state is InviteState.REVOKED


def test_giving_up_a_seat_ends_the_invites_to_it() -> None:
    told = story(
        founding("ann"), guest("cem"), inviting(to="cem"), inviting("Call"), leaving("cem")
    )
    assert invite(told).state is InviteState.REVOKED
    assert invite(told, "Call").state is InviteState.OPEN


@pytest.mark.parametrize("ends", [leaving("bob"), revising("bob", role=Role.MEMBER)])
def test_the_invites_of_an_owner_end_when_they_are_none_any_more(ends: Command[object]) -> None:
    told = story(founding("ann"), seat("bob", Role.OWNER), inviting("Note"))
    gone = told.then(inviting(), by="bob").then(ends)
    assert invite(gone).state is InviteState.REVOKED
    assert invite(gone, "Note").state is InviteState.OPEN


def test_the_invites_of_an_account_that_goes_end_with_it() -> None:
    told = story(founding("ann"), seat("bob", Role.OWNER)).then(inviting(), by="bob")
    gone = told.then(UnlinkMember(group_id=TRIP), by="bob")
    assert invite(gone).state is InviteState.REVOKED
