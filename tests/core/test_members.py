"""Members: seats in a group, with an account or without."""

from dataclasses import replace
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    BadText,
    GroupFull,
    GuestOwner,
    InsufficientRole,
    ThingNotFound,
)
from clearsplit_core.group import MEMBERS_MAX
from clearsplit_core.records import AccountId, Member, Role
from clearsplit_core.text import Text
from tests.literals import (
    TRIP,
    Seat,
    account,
    founding,
    group,
    guest,
    linked,
    member,
    seat,
    story,
    text,
)

OFF_THE_COAST: Final = group("ann").then(
    Seat(group_id=TRIP, members=tuple(linked(f"sailor {n}") for n in range(MEMBERS_MAX - 2)))
)
"""A group with room for one more."""


def test_a_guest_has_a_seat_and_no_account() -> None:
    bob = group("ann").then(guest("bob", Role.VIEWER)).group.members[member("bob")]
    assert bob == Member(
        id=member("bob"), name=text("bob"), role=Role.VIEWER, active=True, account=None, version=1
    )
    assert bob.account_id is None


def test_a_seat_knows_its_account_until_that_is_erased() -> None:
    bob = linked("bob")
    assert bob.account_id == AccountId(account("bob"))
    assert bob.account is not None
    assert replace(bob, account=Text.erased(bob.account.commitment)).account_id is None


def test_each_new_seat_is_a_new_version_of_the_group_and_an_entry_without_legs() -> None:
    told = group("ann bob cem")
    assert told.group.version == 3
    assert told.legs == ()


def test_a_guest_is_no_owner() -> None:
    with pytest.raises(GuestOwner):
        guest("bob", Role.OWNER)


@pytest.mark.parametrize("words", ["", "\u200b", "a" * 101, "two\nlines", "half a \ud83d face"])
def test_a_member_has_a_name_that_can_be_shown(words: str) -> None:
    with pytest.raises(BadText):
        replace(guest("bob"), name=text(words))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_an_owner_gives_seats(role: Role) -> None:
    with pytest.raises(InsufficientRole):
        story(founding("ann"), seat("bob", role)).then(guest("cem"), by="bob")


def test_a_stranger_gives_no_seats() -> None:
    with pytest.raises(ThingNotFound):
        group("ann").then(guest("cem"), by="zoe")


def test_a_seat_is_given_once() -> None:
    with pytest.raises(AlreadyExists):
        group("ann bob").then(guest("bob"))


def test_a_group_has_room_for_its_last_member_and_no_more() -> None:
    full = OFF_THE_COAST.then(guest("bob"))
    assert len(full.group.members) == MEMBERS_MAX
    with pytest.raises(GroupFull):
        full.then(guest("cem"))
