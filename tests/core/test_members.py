"""Members: seats in a group, with an account or without."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings

from clearsplit_core.errors import (
    AlreadyExists,
    BadText,
    GroupFull,
    GuestOwner,
    InactiveMember,
    InsufficientRole,
    LastOwner,
    NeedsInvite,
    PaymentPending,
    ThingNotFound,
    UnsettledBalance,
    VersionMismatch,
)
from clearsplit_core.expenses import RecordExpense
from clearsplit_core.group import MEMBERS_MAX, replay
from clearsplit_core.journal import balances_of
from clearsplit_core.records import AccountId, Member, Role
from clearsplit_core.text import Text
from tests.literals import (
    NOON,
    TRIP,
    Seat,
    Story,
    account,
    expense,
    founding,
    group,
    guest,
    leaving,
    linked,
    member,
    members,
    pending,
    revising,
    seat,
    story,
    take_back,
    text,
    void,
)
from tests.stories import comings_and_goings

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


# ── Names and roles ──────────────────────────────────────────────────────────────────────────────

TWO: Final = story(founding("ann"), seat("bob"), guest("cem"))
"""Ann owns it, bob is a member, cem a guest."""
OWNERS: Final = story(founding("ann"), seat("bob", Role.OWNER), guest("cem"))
"""Ann and bob own it, cem is a guest."""


def the(told: Story, name: str) -> Member:
    return told.group.members[member(name)]


def test_a_member_is_renamed_and_keeps_everything_else() -> None:
    told = TWO.then(revising("bob", called="Robert"))
    assert the(told, "bob") == replace(the(TWO, "bob"), name=text("Robert"), version=2)
    assert told.group.version == TWO.group.version + 1
    assert told.legs == ()


def test_a_member_becomes_an_owner_and_an_owner_a_member() -> None:
    told = TWO.then(revising("bob", role=Role.OWNER))
    told = told.then(revising("ann", role=Role.VIEWER), by="bob")
    assert [owner.id for owner in told.group.owners] == [member("bob")]


def test_a_guest_does_not_become_an_owner() -> None:
    with pytest.raises(GuestOwner) as refused:
        TWO.then(revising("cem", role=Role.OWNER))
    assert refused.value.field == "/role"


def test_the_last_owner_stays_one() -> None:
    for role in (Role.MEMBER, Role.VIEWER):
        with pytest.raises(LastOwner):
            TWO.then(revising("ann", role=role))


def test_two_owners_who_demote_each_other_leave_one() -> None:
    told = OWNERS.then(revising("bob", role=Role.MEMBER), by="ann")
    with pytest.raises(InsufficientRole):
        told.then(revising("ann", role=Role.MEMBER), by="bob")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_an_owner_changes_members_themselves_included(role: Role) -> None:
    told = story(founding("ann"), seat("bob", role), guest("cem"))
    for name in ("ann", "bob", "cem"):
        with pytest.raises(InsufficientRole):
            told.then(revising(name, called="X"), by="bob")


def test_a_member_is_changed_by_who_has_seen_them() -> None:
    with pytest.raises(VersionMismatch) as refused:
        TWO.then(revising("bob", called="Robert", version=2))
    assert refused.value.version == 1
    with pytest.raises(ThingNotFound):
        TWO.then(revising("dee", called="D"))


@pytest.mark.parametrize("words", ["", "\u200b", "a" * 101, "two\nlines"])
def test_a_member_is_not_renamed_to_what_cannot_be_shown(words: str) -> None:
    with pytest.raises(BadText):
        revising("bob", called=words)


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", Role)
def test_anyone_may_give_up_their_own_seat(role: Role) -> None:
    told = story(founding("ann"), seat("bob", role)).then(leaving("bob"), by="bob")
    assert the(told, "bob") == replace(linked("bob", role), active=False, version=2)
    with pytest.raises(ThingNotFound):
        told.then(leaving("bob", version=2), by="bob")


def test_an_owner_lets_anybody_go_and_nobody_else_does() -> None:
    assert not the(TWO.then(leaving("cem")), "cem").active
    assert not the(OWNERS.then(leaving("ann"), by="bob"), "ann").active
    for name in ("ann", "cem"):
        with pytest.raises(InsufficientRole):
            TWO.then(leaving(name), by="bob")
    with pytest.raises(ThingNotFound):
        TWO.then(leaving("bob"), by="zoe")


def test_the_last_owner_does_not_leave() -> None:
    for told in (TWO, story(founding("ann"))):
        with pytest.raises(LastOwner):
            told.then(leaving("ann"))


def test_whoever_left_stays_in_balances_and_history() -> None:
    told = TWO.then(expense("Dinner", by="bob", among="ann bob")).then(
        expense("Supper", by="ann", among="ann bob")
    )
    left = told.then(leaving("bob"))
    assert left.group.balances == told.group.balances
    assert left.expense("Dinner").terms.members == set(members("ann bob"))
    with pytest.raises(InactiveMember):
        left.then(expense("Taxi", by="ann", among="ann bob"))


@pytest.mark.parametrize(
    ("bills", "told"),
    [
        (expense("Dinner", "60.00 EUR", by="bob", among="ann"), "60.00 EUR"),
        (expense("Dinner", "0.01 EUR", by="ann", among="bob"), "-0.01 EUR"),
        (expense("Dinner", "700 JPY", by="ann", among="bob"), "-700 JPY"),
    ],
)
def test_who_owes_or_is_owed_anything_stays_and_is_told_how_much(
    bills: RecordExpense, told: str
) -> None:
    with pytest.raises(UnsettledBalance) as refused:
        TWO.then(bills).then(leaving("bob"), by="bob")
    assert f" {told} " in refused.value.message


def test_balances_in_several_currencies_are_told_and_do_not_cancel() -> None:
    told = TWO.then(expense("Dinner", "10.00 EUR", by="bob", among="ann"))
    told = told.then(expense("Taxi", "10.00 USD", by="ann", among="bob"))
    with pytest.raises(UnsettledBalance, match=r"10\.00 EUR, -10\.00 USD"):
        told.then(leaving("bob"))


def test_who_pays_or_receives_what_waits_to_be_confirmed_stays() -> None:
    told = TWO.then(pending("Cash", "5.00 EUR", by="cem", to="bob", allow_overpay=True))
    for name in ("bob", "cem"):
        with pytest.raises(PaymentPending):
            told.then(leaving(name))
    assert not the(told.then(take_back("Cash")).then(leaving("bob")), "bob").active


def test_a_seat_is_given_up_once() -> None:
    with pytest.raises(InactiveMember):
        TWO.then(leaving("cem")).then(leaving("cem", version=2))
    with pytest.raises(VersionMismatch):
        TWO.then(leaving("cem")).then(leaving("cem"))


def test_a_balance_that_comes_back_stays_with_whoever_left() -> None:
    told = TWO.then(expense("Dinner", by="bob", among="ann bob")).then(
        expense("Supper", by="ann", among="ann bob")
    )
    again = told.then(leaving("bob")).then(void("Dinner"))
    assert again.group.balances[member("bob"), "EUR"] == -3_000


# ── Coming back ──────────────────────────────────────────────────────────────────────────────────


def test_an_owner_takes_a_guest_back() -> None:
    told = TWO.then(leaving("cem")).then(revising("cem", returns=True, version=2))
    assert the(told, "cem") == replace(the(TWO, "cem"), version=3)


def test_who_has_an_account_comes_back_by_an_invite() -> None:
    with pytest.raises(NeedsInvite):
        TWO.then(leaving("bob")).then(revising("bob", returns=True, version=2))


def test_who_never_left_is_only_changed() -> None:
    told = TWO.then(revising("bob", returns=True, called="Robert"))
    assert (the(told, "bob").active, the(told, "bob").name) == (True, text("Robert"))


# ── Whatever they try ────────────────────────────────────────────────────────────────────────────


@given(comings_and_goings())
@settings(max_examples=150, deadline=None)
def test_whoever_comes_and_goes_an_open_group_with_accounts_has_an_owner(told: list[Story]) -> None:
    for one in told:
        accounts = [m for m in one.group.members.values() if m.active and m.account]
        assert bool(one.group.owners) >= bool(accounts) or was_deleted(told)
        assert all(owner.account for owner in one.group.owners)


def was_deleted(told: list[Story]) -> bool:
    """A group that nobody sees lets its last owner go."""
    return any(one.group.deleted for one in told)


@given(comings_and_goings())
@settings(max_examples=150, deadline=None)
def test_whoever_comes_and_goes_an_account_has_one_seat_at_a_time(told: list[Story]) -> None:
    for one in told:
        taken = [m.account_id for m in one.group.members.values() if m.active and m.account]
        assert len(set(taken)) == len(taken)


@given(comings_and_goings())
@settings(max_examples=150, deadline=None)
def test_whoever_comes_and_goes_what_is_owed_stays_owed(told: list[Story]) -> None:
    last = told[-1]
    assert last.group.balances == balances_of(last.legs)
    for left in (m for m in last.group.members.values() if not m.active):
        assert not any(minor for (who, _), minor in last.group.balances.items() if who == left.id)


@given(comings_and_goings())
@settings(max_examples=150, deadline=None)
def test_the_journal_of_comings_and_goings_tells_the_group(told: list[Story]) -> None:
    last = told[-1]
    again = replay(TRIP, last.entries, last.texts)
    assert replace(again, now=NOON, caller=None, actor_id=None) == replace(
        last.group, now=NOON, caller=None, actor_id=None
    )


@given(comings_and_goings())
@settings(max_examples=150, deadline=None)
def test_an_open_invite_is_an_owners_and_leads_to_a_seat_that_is_free(told: list[Story]) -> None:
    for now in (one.group for one in told):
        for invite in now.live_invites:
            maker = now.members[invite.made_by]
            assert (maker.active, maker.role) == (True, Role.OWNER)
            offered = invite.member_id and now.members[invite.member_id]
            assert not (offered and offered.active and offered.account)
