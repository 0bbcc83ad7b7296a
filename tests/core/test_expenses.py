"""Expenses: recording and correcting them; and, whatever is done, what is true afterwards."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clearsplit_core import expenses, records, splits
from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    AmountOutOfRange,
    AmountZero,
    BadRate,
    BadText,
    CurrencyMismatch,
    InactiveMember,
    InsufficientRole,
    NamedTwice,
    NobodyNamed,
    NotAnInteger,
    NotVoided,
    Refusal,
    ThingNotFound,
    TooMany,
    UnknownCurrency,
    UnknownMember,
    VersionMismatch,
    WrongSign,
    WrongTotal,
)
from clearsplit_core.expenses import Changes, RecordExpense
from clearsplit_core.group import Group, replay
from clearsplit_core.journal import MemberId, Posting, balances_of, net, reversed_legs, verify
from clearsplit_core.memory import MemoryStore
from clearsplit_core.plain import texts_in
from clearsplit_core.ports import Command
from clearsplit_core.records import AMOUNT_MINOR_MAX, PAYERS_MAX, Expense, Fx, Role, Terms
from clearsplit_core.splits import Adjustment, Equal, Exact, Item, Itemised, Part, Percentage
from clearsplit_core.text import Text
from tests.literals import (
    NOON,
    TODAY,
    TOMORROW,
    TRIP,
    Clock,
    Story,
    account,
    by_currency,
    by_date,
    caller,
    expense,
    expense_called,
    founding,
    group,
    guest,
    leg,
    member,
    members,
    parts,
    restore,
    revise,
    seat,
    story,
    terms,
    text,
    void,
)
from tests.stories import EVERYBODY, any_terms, correcting, recording, stories
from tests.strategies import NAMES

ANN_BOB_CEM: Final = story(founding("ann"), seat("bob"), seat("cem"), seat("vic", Role.VIEWER))
DINNER: Final = ANN_BOB_CEM.then(expense("Dinner", "60.00 EUR", by="ann", among="ann bob"))


def legs_of_last_entry(told: Story) -> set[object]:
    return set(told.entries[-1].postings)


# ── Recording ────────────────────────────────────────────────────────────────────────────────────


def test_who_paid_is_owed_what_the_others_had() -> None:
    told = group().then(expense("Dinner", "60.00 EUR", by="ann", among="ann bob cem"))
    assert legs_of_last_entry(told) == {
        leg("ann", "40.00 EUR"), leg("bob", "-20.00 EUR"), leg("cem", "-20.00 EUR"),
    }  # fmt: skip


def test_several_may_pay_and_somebody_else_may_have_it() -> None:
    gift = expense("Gift", "30.00 EUR", by=parts("ann 20.00, bob 10.00"), among="cem")
    told = group().then(gift)
    assert legs_of_last_entry(told) == {
        leg("ann", "20.00 EUR"), leg("bob", "10.00 EUR"), leg("cem", "-30.00 EUR"),
    }  # fmt: skip


def test_a_refund_turns_everything_round() -> None:
    told = group().then(expense("Refund", "-60.00 EUR", by="ann", among="ann bob cem"))
    assert legs_of_last_entry(told) == {
        leg("ann", "-40.00 EUR"), leg("bob", "20.00 EUR"), leg("cem", "20.00 EUR"),
    }  # fmt: skip


def test_what_one_paid_for_oneself_moves_nothing_and_is_an_entry_all_the_same() -> None:
    told = group().then(expense("Postcards", "5.00 EUR", by="ann", among="ann"))
    assert told.entries[-1].postings == ()
    assert told.expense("Postcards").recorded_seq == 4


def test_an_expense_of_another_day_counts_for_that_day() -> None:
    told = group("ann bob").then(expense("Rent", "10.00 EUR", by="ann", among="bob", on=TOMORROW))
    assert legs_of_last_entry(told) == {
        leg("ann", "10.00 EUR", TOMORROW), leg("bob", "-10.00 EUR", TOMORROW),
    }  # fmt: skip


def test_a_group_may_hold_several_currencies_side_by_side() -> None:
    told = group("ann bob").then(expense("Ramen", "4000 JPY", by="bob", among="ann bob"))
    assert told.group.balances == {(member("ann"), "JPY"): -2000, (member("bob"), "JPY"): 2000}


def test_with_a_rate_the_total_is_converted_once_and_posted_in_the_currency_of_the_group() -> None:
    ramen = expense("Ramen", "1000 JPY", by="bob", among="ann bob cem", fx=Fx("EUR", "0.00617"))
    told = group().then(ramen)
    assert told.expense("Ramen").outcome.posted is not None
    assert sum(share.amount_minor for share in told.expense("Ramen").outcome.shares) == 1000
    assert by_currency(told.entries[-1].postings) == {"EUR": 0}
    assert told.group.balances[member("bob"), "EUR"] in (617 - 205, 617 - 206)


@given(any_terms())
@settings(max_examples=60, deadline=None)
def test_payers_and_shares_come_to_the_amount_and_posted_ones_to_each_other(said: Terms) -> None:
    told = EVERYBODY.then(
        RecordExpense(group_id=TRIP, expense_id=expense_called("Any"), terms=said)
    ).expense("Any")
    posted = told.outcome.posted or records.Posted(said.payers, told.outcome.shares)
    assert sum(part.amount_minor for part in said.payers) == said.amount_minor
    assert sum(part.amount_minor for part in told.outcome.shares) == said.amount_minor
    assert sum(p.amount_minor for p in posted.payers) == sum(p.amount_minor for p in posted.shares)


def test_the_answer_is_the_expense_as_it_stands_in_the_group() -> None:
    later = NOON + timedelta(hours=1)
    ann = ANN_BOB_CEM.group.seen_by(account("ann"), later)
    answer = expense("Dinner", among="ann bob").decide(ann).answer
    assert (answer.version, answer.voided, answer.recorded_by) == (1, False, member("ann"))
    assert (answer.recorded_seq, answer.recorded_at, answer.changed_at) == (5, later, later)


def test_an_expense_is_recorded_once() -> None:
    with pytest.raises(AlreadyExists):
        DINNER.then(expense("Dinner"))


def test_a_voided_expense_keeps_its_id() -> None:
    with pytest.raises(AlreadyExists):
        DINNER.then(void("Dinner")).then(expense("Dinner"))


@pytest.mark.parametrize("who", ["ann", "bob", "cem"])
def test_owners_and_members_record(who: str) -> None:
    told = ANN_BOB_CEM.then(expense("Taxi"), by=who)
    assert told.expense("Taxi").recorded_by == member(who)


def test_a_viewer_does_not_record() -> None:
    with pytest.raises(InsufficientRole):
        ANN_BOB_CEM.then(expense("Taxi"), by="vic")


def test_a_stranger_finds_nothing_to_record_in() -> None:
    with pytest.raises(ThingNotFound):
        ANN_BOB_CEM.then(expense("Taxi"), by="zoe")


@pytest.mark.parametrize("taxi", [expense("Taxi", by="zoe"), expense("Taxi", among="ann zoe")])
def test_only_members_pay_and_share(taxi: RecordExpense) -> None:
    with pytest.raises(UnknownMember):
        ANN_BOB_CEM.then(taxi)


@pytest.mark.parametrize("taxi", [expense("Taxi", by="bob"), expense("Taxi", among="ann bob")])
def test_whoever_has_left_takes_no_part_in_what_is_new(taxi: RecordExpense) -> None:
    with pytest.raises(InactiveMember):
        ANN_BOB_CEM.then(seat("bob", active=False)).then(taxi)


@pytest.mark.parametrize(
    ("amount", "fx"),
    [
        ("10.00 USD", Fx("CHF", "0.9")),
        ("10.00 EUR", Fx("EUR", "1")),
        ("10.00 EUR", Fx("USD", "1.1")),
    ],
)
def test_a_rate_leads_from_another_currency_to_that_of_the_group(amount: str, fx: Fx) -> None:
    with pytest.raises(CurrencyMismatch):
        ANN_BOB_CEM.then(expense("Taxi", amount, fx=fx))


@pytest.mark.parametrize("rate", ["0", "-1", "x", "", "1e3", "0.0001"])
def test_a_rate_is_above_zero_and_converts_to_something(rate: str) -> None:
    with pytest.raises(BadRate):
        ANN_BOB_CEM.then(expense("Sweet", "1 JPY", fx=Fx("EUR", rate)))


def test_a_converted_amount_has_the_same_limit() -> None:
    huge = replace(terms("Yacht", "1.00 USD", among="ann"), fx=Fx("EUR", "1" + "0" * 16))
    with pytest.raises(AmountOutOfRange):
        ANN_BOB_CEM.then(replace(expense("Yacht"), terms=huge))


# ── Terms that cannot be said ────────────────────────────────────────────────────────────────────

TAXI: Final = terms("Taxi", "12.00 EUR", by="ann")


def paid(minor: int) -> Mapping[str, object]:
    return {"amount_minor": minor, "payers": (Part(member("ann"), minor),)}


HUGE = 10**5_000
HUGE_SPLITS = (
    Exact.of({member("ann"): HUGE, member("bob"): -HUGE}),
    Adjustment.of(members("ann bob"), {member("ann"): HUGE}),
    Itemised((Item(1_200, members("ann")),), tax_minor=HUGE, discount_minor=HUGE),
)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (paid(0), AmountZero),
        (paid(AMOUNT_MINOR_MAX + 1), AmountOutOfRange),
        (paid(-AMOUNT_MINOR_MAX - 1), AmountOutOfRange),
        *(({"split": split}, AmountOutOfRange) for split in HUGE_SPLITS),
        ({"amount_minor": 12.0}, NotAnInteger),
        ({"amount_minor": True}, NotAnInteger),
        ({"currency": "EUX"}, UnknownCurrency),
        ({"payers": ()}, NobodyNamed),
        ({"payers": parts("ann 6.00, ann 6.00")}, NamedTwice),
        ({"payers": parts("ann 6.00, bob 5.99")}, WrongTotal),
        ({"payers": parts("ann 12.01, bob -0.01")}, WrongSign),
        (
            {"payers": (Part(member("ann"), amount_minor=True), Part(member("bob"), 1_199))},
            NotAnInteger,
        ),
        ({"payers": tuple(Part(member(str(n)), 1) for n in range(PAYERS_MAX + 1))}, TooMany),
    ],
)
def test_terms_that_do_not_add_up_cannot_be_built(
    said: dict[str, object], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        replace(TAXI, **said)  # type: ignore[arg-type]  # some of them are wrong on purpose


@pytest.mark.parametrize("minor", [1, -1, AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX])
def test_an_amount_may_be_as_small_and_as_large_as_this(minor: int) -> None:
    said = replace(TAXI, **paid(minor))  # type: ignore[arg-type]  # both fields as they are named
    assert said.amount_minor == minor


def test_as_many_may_pay_as_this() -> None:
    payers = tuple(Part(member(str(n)), 12) for n in range(PAYERS_MAX))
    assert replace(TAXI, payers=payers).members >= {member("0"), member("99")}


@pytest.mark.parametrize(
    "said",
    [
        {"title": text("")},
        {"title": text("two\nlines")},
        {"title": text("a" * 201)},
        {"title": Text.of("half a \ud83d face", bytes(32))},
        {"category": text("a" * 51)},
        {"category": text("two\nlines")},
        {"memo": text("a" * 2_001)},
        {"memo": text("\x00")},
        {"split": Itemised((Item(1_200, members("ann"), text("")),))},
        {"split": Itemised((Item(1_200, members("ann"), text("two\nlines")),))},
    ],
)
def test_terms_with_a_text_that_cannot_be_shown_are_neither_recorded_nor_revised(
    said: dict[str, Text],
) -> None:
    with pytest.raises(BadText):
        replace(expense("Taxi"), terms=replace(TAXI, **said))  # type: ignore[arg-type]  # any field
    with pytest.raises(BadText):
        DINNER.then(revise("Dinner", Changes(amount_minor=1_200, payers=TAXI.payers, **said)))  # type: ignore[arg-type]  # any field


def test_a_memo_may_have_lines() -> None:
    memo = "one\n\ttwo"
    assert expense("Taxi", memo=memo).terms.memo == text(memo)


# ── Revising ─────────────────────────────────────────────────────────────────────────────────────


def test_revising_the_amount_moves_the_difference() -> None:
    cheaper = Changes(amount_minor=5_000, payers=parts("ann 50.00"))
    told = DINNER.then(revise("Dinner", cheaper))
    assert legs_of_last_entry(told) == {leg("ann", "-5.00 EUR"), leg("bob", "5.00 EUR")}
    assert told.group.balances[member("bob"), "EUR"] == -2_500


def test_an_only_payer_goes_on_paying_all_of_it() -> None:
    told = DINNER.then(revise("Dinner", Changes(amount_minor=5_000)))
    assert told.expense("Dinner").terms.payers == parts("ann 50.00")


def test_several_payers_do_not_change_with_the_amount() -> None:
    told = ANN_BOB_CEM.then(expense("Gift", "30.00 EUR", by=parts("ann 20.00, bob 10.00")))
    with pytest.raises(WrongTotal):
        told.then(revise("Gift", Changes(amount_minor=5_000)))


def test_one_may_have_paid_all_of_it_instead() -> None:
    told = ANN_BOB_CEM.then(expense("Gift", "30.00 EUR", by=parts("ann 20.00, bob 10.00")))
    revised = told.then(revise("Gift", Changes(paid_by=member("cem"), amount_minor=5_000)))
    assert revised.expense("Gift").terms.payers == parts("cem 50.00")


def test_revising_the_date_takes_the_legs_back_on_the_old_day() -> None:
    told = DINNER.then(revise("Dinner", Changes(date=TOMORROW)))
    assert legs_of_last_entry(told) == {
        leg("ann", "-30.00 EUR", TODAY), leg("bob", "30.00 EUR", TODAY),
        leg("ann", "30.00 EUR", TOMORROW), leg("bob", "-30.00 EUR", TOMORROW),
    }  # fmt: skip


def test_revising_the_currency_takes_the_legs_back_in_the_old_one() -> None:
    told = DINNER.then(revise("Dinner", Changes(currency="USD")))
    assert legs_of_last_entry(told) == {
        leg("ann", "-30.00 EUR"), leg("bob", "30.00 EUR"),
        leg("ann", "30.00 USD"), leg("bob", "-30.00 USD"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(title=text("Supper")),
        Changes(category=text("food")),
        Changes(memo=text("late")),
    ],
)
def test_revising_words_moves_nothing_and_leaves_the_outcome_as_it_is(changes: Changes) -> None:
    told = DINNER.then(revise("Dinner", changes))
    assert told.entries[-1].postings == ()
    assert told.expense("Dinner").outcome == DINNER.expense("Dinner").outcome


def test_a_text_may_be_taken_away() -> None:
    told = group().then(expense("Dinner", category="food", memo="late"))
    silent = told.then(revise("Dinner", Changes(category=None, memo=None))).expense("Dinner")
    assert (silent.terms.category, silent.terms.memo) == (None, None)


def test_what_is_not_changed_stays() -> None:
    told = DINNER.then(revise("Dinner", Changes(title=text("Supper"))))
    assert told.expense("Dinner").terms == replace(
        DINNER.expense("Dinner").terms, title=text("Supper")
    )


def test_whoever_left_may_stay_in_an_expense_that_is_revised() -> None:
    left = DINNER.then(seat("bob", active=False))
    cheaper = Changes(amount_minor=5_000, payers=parts("ann 50.00"))
    assert left.then(revise("Dinner", cheaper)).group.balances[member("bob"), "EUR"] == -2_500


def test_whoever_left_cannot_be_put_into_an_expense() -> None:
    left = DINNER.then(seat("cem", active=False))
    with pytest.raises(InactiveMember):
        left.then(revise("Dinner", Changes(split=Equal(members("ann bob cem")))))


def test_a_revision_is_held_to_what_recording_is_held_to() -> None:
    with pytest.raises(UnknownMember):
        DINNER.then(revise("Dinner", Changes(split=Equal(members("ann zoe")))))
    with pytest.raises(CurrencyMismatch):
        DINNER.then(revise("Dinner", Changes(fx=Fx("USD", "1.1"))))
    with pytest.raises(WrongTotal):
        DINNER.then(revise("Dinner", Changes(payers=parts("ann 1.00"))))
    with pytest.raises(WrongTotal):
        DINNER.then(revise("Dinner", Changes(split=Exact(parts("ann 1.00")))))


# ── Voiding and restoring ────────────────────────────────────────────────────────────────────────


def test_voiding_takes_every_leg_back_on_its_own_day() -> None:
    told = DINNER.then(void("Dinner"))
    assert told.entries[-1].postings == reversed_legs(DINNER.entries[-1].postings)
    assert set(told.group.balances.values()) == {0}


def test_voiding_what_was_moved_to_another_day_takes_it_back_on_that_day() -> None:
    moved = DINNER.then(revise("Dinner", Changes(date=TOMORROW)))
    voided = moved.then(void("Dinner", version=2))
    assert {one.effective_date for one in voided.entries[-1].postings} == {TOMORROW}
    assert set(by_date(voided.legs).values()) == {0}


def test_restoring_puts_back_what_was_there() -> None:
    told = DINNER.then(void("Dinner")).then(restore("Dinner"))
    assert told.entries[-1].postings == DINNER.entries[-1].postings
    assert told.group.balances == DINNER.group.balances
    assert told.expense("Dinner").outcome == DINNER.expense("Dinner").outcome


def test_each_correction_is_a_new_version() -> None:
    told = (
        DINNER.then(revise("Dinner", Changes(title=text("Supper"))))
        .then(void("Dinner", version=2))
        .then(restore("Dinner", version=3))
    )
    assert told.expense("Dinner").version == 4
    assert told.expense("Dinner").recorded_seq == DINNER.group.head.seq
    assert told.expense("Dinner").changed_at == told.group.now


def test_a_voided_expense_is_neither_voided_nor_revised() -> None:
    voided = DINNER.then(void("Dinner"))
    with pytest.raises(AlreadyVoided):
        voided.then(void("Dinner", version=2))
    with pytest.raises(AlreadyVoided):
        voided.then(revise("Dinner", Changes(title=text("Supper")), version=2))


def test_only_a_voided_expense_is_restored() -> None:
    with pytest.raises(NotVoided):
        DINNER.then(restore("Dinner", version=1))


CORRECTIONS: Final[tuple[Command[Expense], ...]] = (
    revise("Dinner", Changes(title=text("Supper"))),
    void("Dinner"),
    restore("Dinner", version=1),
)


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_correction_of_another_version_is_refused(
    correction: expenses.VoidExpense, version: int
) -> None:
    with pytest.raises(VersionMismatch):
        DINNER.then(replace(correction, expected_version=version))


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_an_expense_that_is_not_there_cannot_be_corrected(correction: Command[Expense]) -> None:
    with pytest.raises(ThingNotFound):
        ANN_BOB_CEM.then(correction)


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("who", ["cem", "vic"])
def test_a_member_who_has_nothing_to_do_with_it_and_a_viewer_do_not_correct(
    who: str, correction: Command[Expense]
) -> None:
    with pytest.raises(InsufficientRole):
        DINNER.then(correction, by=who)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_stranger_finds_nothing_to_correct(correction: Command[Expense]) -> None:
    with pytest.raises(ThingNotFound):
        DINNER.then(correction, by="zoe")


def test_a_member_corrects_what_they_take_part_in() -> None:
    assert DINNER.then(void("Dinner"), by="bob").expense("Dinner").voided


def test_a_member_corrects_what_they_recorded() -> None:
    recorded = ANN_BOB_CEM.then(expense("Dinner", by="ann", among="ann bob"), by="cem")
    assert recorded.then(void("Dinner"), by="cem").expense("Dinner").voided


def test_an_owner_corrects_everything() -> None:
    recorded = ANN_BOB_CEM.then(expense("Taxi", by="bob", among="bob cem"), by="cem")
    assert recorded.then(void("Taxi"), by="ann").expense("Taxi").voided


# ── History does not change ──────────────────────────────────────────────────────────────────────


def all_to_the_first(
    amount_minor: int,
    weights: Mapping[MemberId, int],
    *,
    spare_key: object,  # noqa: ARG001
) -> dict[MemberId, int]:
    """An allocator of another age."""
    first = min(weights)
    return {who: amount_minor if who == first else 0 for who in weights}


@pytest.fixture
def _another_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "allocate", all_to_the_first)
    monkeypatch.setattr(records.expenses, "allocate", all_to_the_first)


LONG_AGO: Final = DINNER.then(
    expense("Ramen", "4000 JPY", by="bob", among="ann bob cem", fx=Fx("EUR", "0.0061"))
).then(revise("Ramen", Changes(split=Percentage.of({member("ann"): "10", member("cem"): "90"}))))


@pytest.mark.usefixtures("_another_age")
def test_an_allocator_of_another_age_does_not_change_what_was_recorded() -> None:
    again = replay(TRIP, LONG_AGO.entries, LONG_AGO.texts)
    assert again.expenses == LONG_AGO.group.expenses
    assert again.balances == LONG_AGO.group.balances


@pytest.mark.usefixtures("_another_age")
def test_a_new_title_in_another_age_leaves_the_shares_as_they_are() -> None:
    told = LONG_AGO.then(revise("Dinner", Changes(title=text("Supper"), date=TOMORROW)))
    assert told.expense("Dinner").outcome == LONG_AGO.expense("Dinner").outcome


@pytest.mark.usefixtures("_another_age")
def test_voiding_in_another_age_takes_back_what_was_posted() -> None:
    told = LONG_AGO.then(void("Ramen", version=2)).then(void("Dinner"))
    assert set(by_date(told.legs).values()) == {0}


# ── Whatever is done ─────────────────────────────────────────────────────────────────────────────


@given(stories())
@settings(max_examples=25, deadline=None)
def test_a_leg_that_is_taken_back_keeps_the_day_on_which_it_stood(told: Story) -> None:
    """What stands on each day is what the expenses and payments that count put there."""
    spent = [leg for one in told.group.expenses.values() for leg in one.legs()]
    paid = [leg for one in told.group.payments.values() for leg in one.legs()]
    stands = net(spent + paid)
    assert net(told.legs) == stands


class Table(RuleBasedStateMachine):
    """People at a table record and correct whatever they like, with mistakes."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore(clock=Clock())
        self.said: dict[str, Text] = {}
        self.recorded = 0
        self.do(founding(NAMES[0]))
        for name in NAMES[1:]:
            self.do(guest(name))

    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        command = data.draw(recording(self.recorded))
        self.recorded += 1
        self.do(command)
        assert self.group.expense(command.expense_id).version == 1

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        old = self.any_expense(data)
        self.do(data.draw(correcting(old)))
        assert self.group.expense(old.id).version == old.version + 1

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def correct_what_was_changed_meanwhile(self, data: st.DataObject) -> None:
        old = self.any_expense(data)
        late = replace(old, version=old.version - 1)
        self.fail(data.draw(correcting(late)), VersionMismatch)

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def record_twice(self, data: st.DataObject) -> None:
        again = replace(data.draw(recording(0)), expense_id=self.any_expense(data).id)
        self.fail(again, AlreadyExists)

    @rule(data=st.data())
    def record_for_a_stranger(self, data: st.DataObject) -> None:
        command = data.draw(recording(self.recorded))
        for_zoe = replace(command.terms, split=Equal((member("zoe"),)))
        self.fail(replace(command, terms=for_zoe), UnknownMember)

    @invariant()
    def balances_are_the_sum_of_postings(self) -> None:
        assert self.group.balances == balances_of(self.legs)

    @invariant()
    def everything_sums_to_zero_per_currency_and_date(self) -> None:
        everybody = [replace(one, member_id=member("all")) for one in self.legs]
        assert set(by_date(everybody).values()) <= {0}

    @invariant()
    def the_journal_verifies_and_tells_the_group_again(self) -> None:
        entries = self.store._books[TRIP].entries
        assert verify(TRIP, entries, head=self.group.head) == self.group.head
        again = replay(TRIP, entries, self.said)
        assert of_no_moment(again) == of_no_moment(self.group)

    @invariant()
    def each_expense_stands_in_the_journal_as_it_stands_in_the_group(self) -> None:
        stands = (leg for one in self.group.expenses.values() for leg in one.legs())
        assert net(self.legs) == net(stands)

    def teardown(self) -> None:
        """Voiding everything leaves nothing on any day."""
        for standing in [one for one in self.group.expenses.values() if not one.voided]:
            self.do(
                expenses.VoidExpense(
                    group_id=TRIP, expense_id=standing.id, expected_version=standing.version
                )
            )
        assert net(self.legs) == ()
        assert set(self.group.balances.values()) <= {0}

    @property
    def group(self) -> Group:
        return self.store._books[TRIP].group

    @property
    def legs(self) -> list[Posting]:
        return [leg for entry in self.store._books[TRIP].entries for leg in entry.postings]

    def any_expense(self, data: st.DataObject) -> Expense:
        return data.draw(st.sampled_from(list(self.group.expenses.values())))

    def do(self, command: Command[object]) -> None:
        self.store.perform(command, caller=caller("ann"))
        seats = tuple(self.group.members.values())
        self.said |= {said.commitment: said for said in texts_in((command, self.group.name, seats))}

    def fail(self, command: Command[object], refusal: type[Refusal]) -> None:
        before = repr(self.store._books)
        with pytest.raises(refusal):
            self.store.perform(command, caller=caller("ann"))
        assert repr(self.store._books) == before


def of_no_moment(group: Group) -> Group:
    """The group without what belongs to the caller and the moment."""
    return replace(group, now=NOON, caller=None, actor_id=None)


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
