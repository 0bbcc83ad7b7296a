"""The journal: entries that sum to zero, and a chain that shows whatever was changed in it."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import JournalBroken, NotAnInteger, Unbalanced, UnknownCurrency
from clearsplit_core.expenses import Changes
from clearsplit_core.journal import (
    Entry,
    Head,
    Posting,
    Postings,
    balances_of,
    empty,
    net,
    reversed_legs,
    verify,
)
from clearsplit_core.plain import Plain
from clearsplit_core.records import Fx
from tests.literals import (
    NOON,
    OFFICE,
    TODAY,
    TOMORROW,
    TRIP,
    Story,
    by_date,
    expense,
    group,
    leg,
    member,
    parts,
    restore,
    revise,
    text,
    void,
)
from tests.stories import dates, stories
from tests.strategies import NAMES

legs: Final = st.builds(
    Posting,
    st.sampled_from(NAMES[:4]).map(member),
    st.sampled_from(["EUR", "JPY"]),
    dates,
    st.integers(-3, 3) | st.integers(),
)
many_legs: Final = st.lists(legs, max_size=12)


def entry(*postings: Posting) -> Entry:
    """The first entry of a journal, with these postings."""
    return Entry(
        group_id=TRIP,
        seq=1,
        at=NOON,
        actor_id=None,
        event={"kind": "test"},
        postings=postings,
        previous=empty(TRIP).hash,
    )


# ── Postings ─────────────────────────────────────────────────────────────────────────────────────


@given(many_legs)
def test_netting_keeps_every_sum_and_drops_what_is_zero(given_legs: list[Posting]) -> None:
    sums = by_date(given_legs)
    assert by_date(net(given_legs)) == {place: minor for place, minor in sums.items() if minor}


@given(many_legs, st.randoms(use_true_random=False))
def test_netting_does_not_depend_on_the_order(
    given_legs: list[Posting], luck: random.Random
) -> None:
    assert net(luck.sample(given_legs, len(given_legs))) == net(given_legs)


@given(many_legs)
def test_netted_legs_are_netted_already(given_legs: list[Posting]) -> None:
    assert net(net(given_legs)) == net(given_legs)


@given(many_legs, many_legs)
def test_netting_in_steps_is_netting_at_once(one: list[Posting], other: list[Posting]) -> None:
    assert net((*net(one), *net(other))) == net((*one, *other))


@given(many_legs)
def test_legs_and_their_reversal_come_to_nothing_on_every_date(given_legs: list[Posting]) -> None:
    there = tuple(given_legs)
    assert net((*there, *reversed_legs(there))) == ()
    assert [one.effective_date for one in reversed_legs(there)] == [
        one.effective_date for one in there
    ]


@given(many_legs)
def test_a_balance_is_the_sum_over_all_dates(given_legs: list[Posting]) -> None:
    on_one_day = [replace(one, effective_date=TODAY) for one in given_legs]
    flat = {(who, money): minor for (who, money, _), minor in by_date(on_one_day).items()}
    assert balances_of(given_legs) == flat


@pytest.mark.parametrize("amount", [1.0, True, "1", None])
def test_a_posting_is_of_whole_minor_units(amount: int) -> None:
    with pytest.raises(NotAnInteger):
        Posting(member("ann"), "EUR", TODAY, amount)


def test_a_posting_is_in_a_currency_that_exists() -> None:
    with pytest.raises(UnknownCurrency):
        Posting(member("ann"), "EUX", TODAY, 1)


# ── Entries ──────────────────────────────────────────────────────────────────────────────────────

ANN, BOB = sorted(["ann", "bob"], key=member)


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (leg(ANN, "5.00 EUR"), leg(BOB, "-5.00 EUR")),
        (
            leg(ANN, "5.00 EUR"),
            leg(ANN, "-7 JPY", TOMORROW),
            leg(BOB, "-5.00 EUR"),
            leg(BOB, "7 JPY", TOMORROW),
        ),
    ],
    ids=["nothing moved", "one currency", "two currencies and dates"],
)
def test_an_entry_that_sums_to_zero_can_be_built(postings: Postings) -> None:
    assert entry(*postings).postings == postings


@pytest.mark.parametrize(
    "postings",
    [
        [leg(ANN, "5.00 EUR")],
        [leg(ANN, "5.00 EUR"), leg(BOB, "-4.99 EUR")],
        [leg(ANN, "5 JPY"), leg(BOB, "-0.05 EUR")],
        [leg(ANN, "5.00 EUR", TODAY), leg(BOB, "-5.00 EUR", TOMORROW)],
        [
            leg(ANN, "5.00 EUR", TODAY),
            leg(ANN, "-5.00 EUR", TOMORROW),
            leg(BOB, "-4.00 EUR", TODAY),
            leg(BOB, "4.00 EUR", TOMORROW),
        ],
    ],
    ids=["one leg", "a cent off", "across currencies", "across dates", "each date is off"],
)
def test_an_entry_off_zero_cannot_be_built(postings: list[Posting]) -> None:
    with pytest.raises(Unbalanced, match="off zero"):
        entry(*postings)


@pytest.mark.parametrize(
    "postings",
    [
        [leg(ANN, "0.00 EUR")],
        [leg(ANN, "5.00 EUR"), leg(BOB, "-5.00 EUR"), leg(BOB, "0 JPY")],
        [leg(BOB, "-5.00 EUR"), leg(ANN, "5.00 EUR")],
        [leg(ANN, "2.00 EUR"), leg(ANN, "3.00 EUR"), leg(BOB, "-5.00 EUR")],
        [leg(ANN, "5.00 EUR"), leg(ANN, "-5.00 EUR")],
    ],
    ids=["zero alone", "zero beside others", "out of order", "twice", "against itself"],
)
def test_an_entry_whose_legs_are_not_netted_cannot_be_built(postings: list[Posting]) -> None:
    with pytest.raises(Unbalanced, match="netted"):
        entry(*postings)


@given(many_legs)
def test_legs_make_an_entry_exactly_if_they_are_netted_and_sum_to_zero_on_every_date(
    given_legs: list[Posting],
) -> None:
    balancing = [replace(one, member_id=member("pot")) for one in reversed_legs(tuple(given_legs))]
    netted = net((*given_legs, *balancing))
    assert entry(*netted).postings == netted
    with pytest.raises(Unbalanced):
        entry(*netted, leg("zoe", "0.01 EUR"))


def test_the_first_entry_counts_one() -> None:
    with pytest.raises(AssertionError, match="counts from 1"):
        replace(entry(), seq=0)


@pytest.mark.parametrize("postings", [[], [leg("ann", "5.00 EUR"), leg("bob", "-5.00 EUR")]])
def test_an_entry_keeps_no_list_that_somebody_could_add_to(postings: Postings) -> None:
    with pytest.raises(AssertionError, match="stay as they are"):
        replace(entry(), postings=postings)


def test_a_posting_is_for_a_day_and_in_a_code_that_are_nothing_more() -> None:
    class Code(str):
        __slots__ = ()

    with pytest.raises(AssertionError, match="no time"):
        replace(leg("ann", "5.00 EUR"), effective_date=NOON)
    with pytest.raises(AssertionError, match="its code"):
        replace(leg("ann", "5.00 EUR"), currency=Code("EUR"))


def test_an_entry_is_dated_in_utc() -> None:
    with pytest.raises(AssertionError, match="UTC"):
        replace(entry(), at=NOON.replace(tzinfo=None))


# ── The chain ────────────────────────────────────────────────────────────────────────────────────

TOLD: Final = (
    group("ann bob cem")
    .then(expense("Dinner", "60.00 EUR", by="ann", among="ann bob cem", memo="late"))
    .then(expense("Ramen", "4000 JPY", by="bob", among="ann bob", fx=Fx("EUR", "0.0061")))
    .then(expense("Bill", "10.00 EUR", by=parts("ann 4.00, bob 6.00"), category="food"))
    .then(expense("Refund", "-10.00 USD", by="cem", among="ann cem"))
    .then(revise("Dinner", Changes(title=text("Supper"))))
    .then(revise("Dinner", Changes(date=TOMORROW), version=2))
    .then(void("Bill"))
    .then(restore("Bill"))
)
"""A journal with every kind of event in it."""


def mutations(original: Entry) -> Iterator[Entry]:
    """Everything that one could change in a stored entry, one thing at a time."""
    yield replace(original, group_id=OFFICE)
    yield replace(original, seq=original.seq + 1)
    yield replace(original, at=original.at + timedelta(microseconds=1))
    yield replace(original, actor_id=None)
    yield replace(original, actor_id=member("bob"))
    yield replace(original, previous=_other(original.previous))
    yield replace(original, hash=_other(original.hash))
    for event in _changed(original.event):
        yield replace(original, event=event)
    for postings in _moved(original.postings):
        yield replace(original, postings=postings)


def _changed(tree: Plain) -> Iterator[Plain]:
    """`tree` with one leaf changed, or one branch gone, or one branch more."""
    if isinstance(tree, dict):
        yield {**tree, "more": None}
        for key, branch in tree.items():
            yield {name: kept for name, kept in tree.items() if name != key}
            yield from ({**tree, key: changed} for changed in _changed(branch))
    elif isinstance(tree, list):
        yield [*tree, None]
        for place, branch in enumerate(tree):
            yield [*tree[:place], *tree[place + 1 :]]
            yield from ([*tree[:place], new, *tree[place + 1 :]] for new in _changed(branch))
    else:
        yield _other_leaf(tree)
        yield [tree]
        if isinstance(tree, int):
            yield float(tree)  # type: ignore[misc]  # equal to it, and no plain tree


def _other_leaf(leaf: str | int | None) -> Plain:
    if isinstance(leaf, bool):
        return not leaf
    return leaf + 1 if isinstance(leaf, int) else f"{leaf}."


def _moved(postings: Postings) -> Iterator[Postings]:
    """Other postings that sum to zero as well: nobody would see it by adding up."""
    yield net((*postings, leg("ann", "0.01 EUR"), leg("bob", "-0.01 EUR")))
    if postings:
        yield ()
        yield net(reversed_legs(postings))
        yield net(replace(one, effective_date=date(2025, 1, 1)) for one in postings)
        yield net(replace(one, currency="CHF") for one in postings)


def _other(digest: str) -> str:
    return ("1" if digest[0] == "0" else "0") + digest[1:]


def put(told: Story, changed: Entry, *, at: int) -> list[Entry]:
    """The journal with `changed` in the place of entry number `at`."""
    return [*told.entries[: at - 1], changed, *told.entries[at:]]


@given(stories())
@settings(max_examples=25, deadline=None)
def test_a_journal_as_it_was_written_verifies_to_its_head(told: Story) -> None:
    assert verify(TRIP, told.entries, head=told.group.head) == told.group.head
    assert [one.seq for one in told.entries] == list(range(1, len(told.entries) + 1))


@pytest.mark.parametrize("seq", range(1, len(TOLD.entries) + 1))
def test_whatever_is_changed_in_an_entry_is_found_and_the_entry_named(seq: int) -> None:
    unfound = [changed for changed in mutations(TOLD.entries[seq - 1]) if not found(seq, changed)]
    assert unfound == []


def found(seq: int, changed: Entry) -> bool:
    """Whether verification says that entry `seq` is the first that is wrong."""
    try:
        verify(TRIP, put(TOLD, changed, at=seq))
    except JournalBroken as broken:
        return broken.message.startswith(f"Entry {seq} ")
    return False


@given(stories(), st.data())
@settings(max_examples=25, deadline=None)
def test_one_change_anywhere_in_any_journal_is_found_and_the_entry_named(
    told: Story, data: st.DataObject
) -> None:
    seq = data.draw(st.integers(1, len(told.entries)))
    changed = data.draw(st.sampled_from(list(mutations(told.entries[seq - 1]))))
    with pytest.raises(JournalBroken, match=rf"^Entry {seq} "):
        verify(TRIP, put(told, changed, at=seq))


@pytest.mark.parametrize("seq", range(1, len(TOLD.entries)))
def test_an_entry_rewritten_with_its_hash_is_found_at_the_next_one(seq: int) -> None:
    rewritten = replace(TOLD.entries[seq - 1], actor_id=member("bob"), hash="")
    with pytest.raises(JournalBroken, match=rf"^Entry {seq + 1} does not follow"):
        verify(TRIP, put(TOLD, rewritten, at=seq))


def test_a_last_entry_rewritten_with_its_hash_is_found_by_whoever_remembers_the_head() -> None:
    last = len(TOLD.entries)
    rewritten = put(TOLD, replace(TOLD.entries[-1], actor_id=None, hash=""), at=last)
    assert verify(TRIP, rewritten) != TOLD.group.head
    with pytest.raises(JournalBroken, match="never had the head"):
        verify(TRIP, rewritten, head=TOLD.group.head)


def dropped(entries: list[Entry], place: int) -> list[Entry]:
    return entries[:place] + entries[place + 1 :]


def swapped(entries: list[Entry], place: int) -> list[Entry]:
    return [*entries[:place], *reversed(entries[place : place + 2]), *entries[place + 2 :]]


def doubled(entries: list[Entry], place: int) -> list[Entry]:
    return [*entries[: place + 1], *entries[place:]]


def cut_short(entries: list[Entry], place: int) -> list[Entry]:
    return entries[:place]


@pytest.mark.parametrize("damage", [dropped, swapped, doubled, cut_short])
@given(told=stories(), data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_journal_out_of_order_or_cut_short_does_not_lead_to_its_head(
    damage: Callable[[list[Entry], int], list[Entry]], told: Story, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(told.entries) - 2))
    with pytest.raises(JournalBroken):
        verify(TRIP, damage(list(told.entries), place), head=told.group.head)


def test_without_a_head_a_journal_that_was_cut_short_looks_whole() -> None:
    assert verify(TRIP, TOLD.entries[:3]) == TOLD.entries[2].head


def test_a_journal_that_went_on_still_passes_through_an_earlier_head() -> None:
    assert verify(TRIP, TOLD.entries, head=TOLD.entries[2].head) == TOLD.group.head
    assert verify(TRIP, TOLD.entries, head=empty(TRIP)) == TOLD.group.head


def test_an_empty_journal_leads_to_the_head_of_its_own_group_alone() -> None:
    assert verify(TRIP, [], head=empty(TRIP)) == empty(TRIP)
    with pytest.raises(JournalBroken):
        verify(TRIP, [], head=empty(OFFICE))


def test_a_head_with_the_right_hash_and_another_number_is_another_head() -> None:
    with pytest.raises(JournalBroken):
        verify(TRIP, TOLD.entries, head=Head(2, TOLD.group.head.hash))


def test_the_journal_of_one_group_is_not_the_journal_of_another() -> None:
    with pytest.raises(JournalBroken, match="Entry 1 "):
        verify(OFFICE, TOLD.entries)


# ── The hash, by another hand ────────────────────────────────────────────────────────────────────


def netstring(mark: str, content: str) -> str:
    return f"{mark}{len(content.encode())}:{content}"


def written_out(tree: Plain) -> str:
    """The canonical form, written again from its description alone."""
    if isinstance(tree, dict):
        pairs = [netstring("s", key) + written_out(tree[key]) for key in sorted(tree)]
        return f"d{len(pairs)}:" + "".join(pairs)
    if isinstance(tree, list):
        return f"l{len(tree)}:" + "".join(map(written_out, tree))
    if isinstance(tree, str):
        return netstring("s", tree)
    return {"None": "n", "True": "t", "False": "f"}.get(str(tree)) or netstring("i", str(tree))


def hash_by_hand(entry: Entry, at: str) -> str:
    said: Plain = [
        "clearsplit/entry/1",
        [
            str(entry.group_id),
            entry.seq,
            at,
            None if entry.actor_id is None else str(entry.actor_id),
            [
                {
                    "member_id": str(one.member_id),
                    "currency": one.currency,
                    "effective_date": str(one.effective_date),
                    "amount_minor": one.amount_minor,
                }
                for one in entry.postings
            ],
            entry.previous,
        ],
        entry.event,
    ]
    return hashlib.sha256(written_out(said).encode()).hexdigest()


def test_a_hash_covers_domain_place_time_actor_legs_previous_hash_and_event() -> None:
    dinner = TOLD.entries[3]
    assert (dinner.group_id, dinner.seq, dinner.actor_id) == (TRIP, 4, member("ann"))
    assert dinner.previous == TOLD.entries[2].hash
    assert dinner.hash == hash_by_hand(dinner, "2026-01-31T12:00:04.000000Z")


@given(stories())
@settings(deadline=None)
def test_every_hash_is_the_one_that_another_hand_writes(told: Story) -> None:
    assert [entry.hash for entry in told.entries] == [
        hash_by_hand(entry, entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) for entry in told.entries
    ]


def test_a_journal_begins_at_a_hash_of_its_group() -> None:
    assert empty(TRIP) == Head(0, hashlib.sha256(f"clearsplit/entry/1/{TRIP}".encode()).hexdigest())


def test_a_journal_has_today_the_head_that_it_had_on_the_first_day() -> None:
    assert TOLD.group.head == Head(
        11, "ff2dbc8f988acfffd0b48578e76b80d2820e19192f31323d78ace410b121efab"
    )
