"""The group: what a caller may see and do, and the one way in which it ever changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings

from clearsplit_core.errors import (
    AlreadyExists,
    BadText,
    BalanceOutOfRange,
    InactiveMember,
    InsufficientRole,
    JournalBroken,
    ThingNotFound,
    UnknownCurrency,
    UnknownMember,
)
from clearsplit_core.expenses import RecordExpense
from clearsplit_core.group import BALANCE_MINOR_MAX, Event, Group, Right, append, replay
from clearsplit_core.journal import Entry, balances_of, empty
from clearsplit_core.plain import to_plain
from clearsplit_core.records import AMOUNT_MINOR_MAX, Role
from clearsplit_core.splits import Exact, Part
from tests.literals import (
    NOON,
    OFFICE,
    TOMORROW,
    TRIP,
    Story,
    account,
    expense,
    expense_called,
    founding,
    group,
    leg,
    member,
    restore,
    seat,
    story,
    terms,
    text,
    void,
)
from tests.stories import stories

ANN_AND_BOB: Final = story(founding("ann"), seat("bob"))


def unmoved(of: Group) -> Group:
    """The group without what belongs to the caller and the moment."""
    return replace(of, now=NOON, caller=None, actor_id=None)


# ── Copies ───────────────────────────────────────────────────────────────────────────────────────


@given(stories())
def test_a_copy_is_the_group_with_only_that_changed(told: Story) -> None:
    before, ann, tomorrow = replace(told.group), account("ann"), told.group.now + timedelta(days=1)
    moved_on = told.group.at_moment(ann, member("ann"), tomorrow)
    assert moved_on == replace(before, caller=ann, actor_id=member("ann"), now=tomorrow)
    assert told.group == before


@given(stories())
def test_a_bare_group_has_members_and_balances_and_nothing_that_has_to_be_asked_for(
    told: Story,
) -> None:
    assert told.group.bare == replace(
        told.group, debts={}, expenses={}, comments={}, payments={}, settlements={}, invites={}
    )


# ── Founding ─────────────────────────────────────────────────────────────────────────────────────


def test_who_founds_a_group_is_its_first_member_and_owner() -> None:
    founded = story(founding("ann", "EUR")).group
    assert founded.actor == founded.members[member("ann")]
    assert (founded.actor.role, founded.actor.account_id) == (Role.OWNER, account("ann"))
    assert (founded.currency, founded.version, founded.head.seq) == ("EUR", 1, 1)


def test_the_answer_to_founding_is_the_group_as_it_is_from_then_on() -> None:
    before = Group.unfounded(TRIP, NOON).seen_by(account("ann"), NOON)
    decision = founding("ann").decide(before)
    assert decision.answer == append(before, decision.events[0])[0]


def test_a_group_is_founded_once() -> None:
    with pytest.raises(AlreadyExists):
        group().then(founding("bob"), by="bob")


@pytest.mark.parametrize("currency", ["", "eur", "EUX", "XXX"])
def test_a_group_has_a_currency_that_exists(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        founding("ann", currency)


@pytest.mark.parametrize("words", ["", " ", "a" * 101, "two\nlines", "half a \ud83d face"])
def test_a_group_has_a_name_that_can_be_shown(words: str) -> None:
    with pytest.raises(BadText):
        replace(founding(), name=replace(text("x"), words=None, salt=None))
    with pytest.raises(BadText):
        replace(founding(), name=text(words))


# ── Who sees it, and what they may do ────────────────────────────────────────────────────────────


def test_a_stranger_finds_no_group() -> None:
    with pytest.raises(ThingNotFound):
        _ = ANN_AND_BOB.group.seen_by(account("zoe"), NOON).actor


def test_whoever_has_left_finds_no_group() -> None:
    left = ANN_AND_BOB.then(seat("bob", active=False)).group
    with pytest.raises(ThingNotFound):
        left.seen_by(account("bob"), NOON).require(Right.READ)


def test_a_guest_has_no_account_to_find_the_group_with() -> None:
    with pytest.raises(ThingNotFound):
        group("ann bob").group.seen_by(account("bob"), NOON).require(Right.READ)


@pytest.mark.parametrize(
    ("role", "right"),
    [
        (Role.OWNER, Right.READ), (Role.OWNER, Right.RECORD), (Role.OWNER, Right.MANAGE),
        (Role.MEMBER, Right.READ), (Role.MEMBER, Right.RECORD),
        (Role.VIEWER, Right.READ),
    ],
)  # fmt: skip
def test_a_role_allows(role: Role, right: Right) -> None:
    seated = ANN_AND_BOB.then(seat("bob", role)).group
    assert seated.seen_by(account("bob"), NOON).require(right).id == member("bob")


@pytest.mark.parametrize(
    ("role", "right"),
    [
        (Role.MEMBER, Right.MANAGE),
        (Role.VIEWER, Right.RECORD), (Role.VIEWER, Right.MANAGE),
    ],
)  # fmt: skip
def test_a_role_does_not_allow(role: Role, right: Right) -> None:
    seated = ANN_AND_BOB.then(seat("bob", role)).group
    with pytest.raises(InsufficientRole):
        seated.seen_by(account("bob"), NOON).require(right)


def test_members_of_another_group_are_unknown() -> None:
    with pytest.raises(UnknownMember):
        ANN_AND_BOB.group.require_members([member("ann"), member("zoe")], field="/split")


def test_whoever_left_is_out_of_what_is_new_and_stays_in_what_was() -> None:
    left = ANN_AND_BOB.then(seat("bob", active=False)).group
    with pytest.raises(InactiveMember) as refused:
        left.require_members([member("bob")], field="/split")
    assert refused.value.field == "/split"
    assert member("bob") in left.members


# ── What happens to it ───────────────────────────────────────────────────────────────────────────


def test_an_event_becomes_the_next_entry_of_whoever_caused_it() -> None:
    told = group("ann bob cem").then(expense("Dinner", "60.00 EUR", by="ann", among="ann bob"))
    entry = told.entries[-1]
    assert (entry.seq, entry.actor_id, entry.at) == (4, member("ann"), NOON + timedelta(seconds=4))
    assert set(entry.postings) == {leg("ann", "30.00 EUR"), leg("bob", "-30.00 EUR")}
    assert told.group.head == entry.head


def test_balances_are_positive_where_the_group_owes() -> None:
    told = group("ann bob cem").then(expense("Dinner", "60.00 EUR", by="ann"))
    assert told.group.balances == {
        (member("ann"), "EUR"): 4000,
        (member("bob"), "EUR"): -2000,
        (member("cem"), "EUR"): -2000,
    }


@given(stories())
@settings(max_examples=25, deadline=None)
def test_balances_are_the_sum_of_all_postings(told: Story) -> None:
    assert told.group.balances == balances_of(told.legs)


LARGEST: Final = f"{AMOUNT_MINOR_MAX // 100}.00 EUR"


def in_debt(times: int) -> Story:
    """Bob owes ann so many of the largest amounts."""
    told = group("ann bob")
    for number in range(times):
        told = told.then(expense(f"Yacht {number}", LARGEST, by="ann", among="bob"))
    return told


def owing(minor: int) -> RecordExpense:
    split = Exact((Part(member("bob"), minor),))
    paid = (Part(member("ann"), minor),)
    said = replace(
        terms("Fuel", LARGEST, among="bob"), amount_minor=minor, payers=paid, split=split
    )
    return RecordExpense(group_id=TRIP, expense_id=expense_called("Fuel"), terms=said)


def test_a_balance_reaches_what_every_client_can_read_and_no_further() -> None:
    room = BALANCE_MINOR_MAX - 9 * AMOUNT_MINOR_MAX
    full = in_debt(9).then(owing(room))
    assert full.group.balances[member("ann"), "EUR"] == BALANCE_MINOR_MAX
    with pytest.raises(BalanceOutOfRange):
        in_debt(9).then(owing(room + 1))


# ── Telling it again ─────────────────────────────────────────────────────────────────────────────


@given(stories())
@settings(max_examples=25, deadline=None)
def test_a_journal_told_again_is_the_group_that_wrote_it(told: Story) -> None:
    assert unmoved(replay(TRIP, told.entries, told.texts)) == unmoved(told.group)


@given(stories())
@settings(max_examples=10, deadline=None)
def test_a_journal_without_its_texts_leads_to_the_same_sums_and_head(told: Story) -> None:
    silent = replay(TRIP, told.entries, {})
    assert (silent.balances, silent.head) == (told.group.balances, told.group.head)
    assert silent.name.words is None
    assert to_plain(tuple(silent.expenses.values())) == to_plain(
        tuple(told.group.expenses.values())
    )


def test_an_empty_journal_is_no_group() -> None:
    with pytest.raises(JournalBroken):
        replay(TRIP, [], {})


TOLD: Final = (
    group("ann bob cem")
    .then(expense("Dinner", "60.00 EUR"))
    .then(void("Dinner"))
    .then(restore("Dinner"))
)


MOVED: Final = TOLD.entries[3].postings


def rewritten(told: Story, **changes: object) -> list[Entry]:
    """The journal with its fourth entry changed, by somebody who knows how to hash."""
    first, fourth, rest = told.entries[:3], told.entries[3], told.entries[4:]
    chained = [*first, replace(fourth, hash="", **changes)]  # type: ignore[arg-type]  # any field
    for entry in rest:
        chained.append(replace(entry, previous=chained[-1].hash, hash=""))
    return chained


@pytest.mark.parametrize(
    "changes",
    [
        {"postings": ()},
        {"postings": tuple(replace(one, effective_date=TOMORROW) for one in MOVED)},
        {"event": {"kind": "expense-voided", "expense_id": str(expense_called("Dinner"))}},
        {"event": {"kind": "expense-voided", "expense_id": "Dinner"}},
        {"event": {"kind": "king"}},
        {"actor_id": None},
        {"actor_id": member("zoe")},
    ],
    ids=["no legs", "other date", "nothing to void", "no id", "no such kind", "nobody", "stranger"],
)  # fmt: skip
def test_a_journal_whose_legs_do_not_follow_from_its_events_is_refused_though_its_hashes_fit(
    changes: dict[str, object],
) -> None:
    with pytest.raises(JournalBroken):
        replay(TRIP, rewritten(TOLD, **changes), TOLD.texts)


def test_the_first_entry_that_does_not_follow_is_named() -> None:
    voided = {"kind": "expense-voided", "expense_id": str(expense_called("Dinner"))}
    with pytest.raises(JournalBroken, match=r"^Entry 4 "):
        replay(TRIP, rewritten(TOLD, event=voided), TOLD.texts)


def test_the_journal_of_one_group_is_not_told_of_another() -> None:
    with pytest.raises(JournalBroken):
        replay(OFFICE, TOLD.entries, TOLD.texts)


def test_a_group_that_is_not_there_yet_stands_at_the_beginning_of_its_journal() -> None:
    assert Group.unfounded(TRIP, NOON).head == empty(TRIP)


def test_a_kind_of_event_is_taken_once() -> None:
    with pytest.raises(AssertionError, match="taken"):
        type("Again", (Event,), {"kind": "group-created"})
