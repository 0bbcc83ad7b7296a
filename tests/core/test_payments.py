"""Payments: what moves when, who may say so, and that nobody pays too much by mistake."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core import payments
from clearsplit_core.errors import (
    AlreadyConfirmed,
    AlreadyExists,
    AlreadyVoided,
    AmountNegative,
    AmountOutOfRange,
    AmountZero,
    BadText,
    InsufficientRole,
    Overpayment,
    PaysThemselves,
    ThingNotFound,
    TooManyPending,
    UnknownCurrency,
    UnknownMember,
    VersionMismatch,
)
from clearsplit_core.group import Group
from clearsplit_core.journal import MemberId
from clearsplit_core.ports import Command
from clearsplit_core.records import AMOUNT_MINOR_MAX, Payment, PaymentState, Role
from tests.literals import (
    TOMORROW,
    Cautious,
    Story,
    confirm,
    expense,
    group,
    leg,
    member,
    payment,
    pending,
    seat,
    take_back,
    text,
)
from tests.stories import open_stories, paying, stories

DINED: Final = group("ann bob cem").then(expense("Dinner", "60.00 EUR", by="ann"))
"""Bob and cem owe ann 20.00 EUR each."""
SEATED: Final = (
    DINED.then(seat("dan"))
    .then(seat("bob"))
    .then(seat("cem"))
    .then(seat("eve", Role.OWNER))
    .then(seat("vic", Role.VIEWER))
)
"""The same, with accounts; dan is in it for nothing, eve is an owner too, vic looks on."""


def at_odds(of: Group) -> Mapping[tuple[MemberId, str], int]:
    """The balances that are not zero."""
    return {place: minor for place, minor in of.balances.items() if minor}


def owed(of: Group) -> Mapping[tuple[MemberId, MemberId, str], int]:
    """The debts that are not zero."""
    return {pair: minor for pair, minor in of.debts.items() if minor}


# ── Laws ─────────────────────────────────────────────────────────────────────────────────────────


@given(open_stories(), st.data())
@settings(max_examples=50, deadline=None)
def test_voiding_is_the_inverse_of_recording(told: Story, data: st.DataObject) -> None:
    recorded = told.then(data.draw(paying(99)))
    last = max(recorded.group.payments.values(), key=lambda each: each.recorded_seq)
    voided = recorded.then(voiding(last))
    assert at_odds(voided.group) == at_odds(told.group)
    assert owed(voided.group) == owed(told.group)


@given(open_stories(), st.data())
@settings(max_examples=50, deadline=None)
def test_to_wait_and_be_confirmed_is_to_be_recorded(told: Story, data: st.DataObject) -> None:
    command = data.draw(paying(99))
    command = command.command if isinstance(command, Cautious) else command
    at_once = told.then(command)
    waited = told.then(Cautious(command))
    last = max(waited.group.payments.values(), key=lambda each: each.recorded_seq)
    confirmed = waited.then(
        payments.ConfirmPayment(
            group_id=told.group.id, payment_id=last.id, expected_version=1, allow_overpay=True
        )
    )
    assert at_odds(waited.group) == at_odds(told.group)
    assert at_odds(confirmed.group) == at_odds(at_once.group)
    assert owed(confirmed.group) == owed(at_once.group)


@given(stories())
@settings(max_examples=50, deadline=None)
def test_only_confirmed_payments_have_legs(told: Story) -> None:
    for each in told.group.payments.values():
        assert bool(each.legs()) is (each.state is PaymentState.CONFIRMED)


def voiding(one: Payment) -> payments.VoidPayment:
    return payments.VoidPayment(
        group_id=DINED.group.id, payment_id=one.id, expected_version=one.version, reason=None
    )


# ── What a payment moves ─────────────────────────────────────────────────────────────────────────


def test_whoever_pays_owes_less_and_whoever_is_paid_is_owed_less() -> None:
    told = DINED.then(payment("Cash", "20.00 EUR", by="bob", to="ann", on=TOMORROW))
    assert set(told.entries[-1].postings) == {
        leg("bob", "20.00 EUR", TOMORROW), leg("ann", "-20.00 EUR", TOMORROW),
    }  # fmt: skip
    assert at_odds(told.group) == {(member("ann"), "EUR"): 2000, (member("cem"), "EUR"): -2000}


def test_a_voided_payment_is_taken_back_on_its_own_day() -> None:
    told = DINED.then(payment(on=TOMORROW)).then(take_back(reason="It bounced."))
    assert {one.effective_date for one in told.entries[-1].postings} == {TOMORROW}
    assert (told.payment().state, told.payment().version) == (PaymentState.VOIDED, 2)
    assert told.payment().void_reason == text("It bounced.")


def test_whoever_left_can_pay_and_be_paid() -> None:
    left = SEATED.then(seat("bob", active=False)).then(seat("cem", active=False))
    told = left.then(payment("Cash", by="bob", to="cem"))
    assert told.payment().state is PaymentState.CONFIRMED


# ── Waiting to be confirmed ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["ann", "bob", "dan"])
def test_what_the_payer_or_anybody_else_records_waits_where_the_group_asks_for_it(
    name: str,
) -> None:
    told = SEATED.then(pending(by="bob", to="cem"), by=name)
    assert told.payment().state is PaymentState.PENDING
    assert told.entries[-1].postings == ()


def test_who_received_it_confirms_it_in_a_step_of_its_own() -> None:
    told = SEATED.then(pending(by="bob", to="cem"), by="cem")
    assert told.payment().legs() == ()
    assert told.then(confirm(), by="cem").payment().legs()


@pytest.mark.parametrize("name", ["cem", "ann", "eve"])
def test_the_receiver_and_the_owners_confirm(name: str) -> None:
    told = SEATED.then(pending(by="bob", to="cem")).then(confirm(), by=name)
    assert (told.payment().state, told.payment().version) == (PaymentState.CONFIRMED, 2)


def test_a_viewer_confirms_what_they_received() -> None:
    told = SEATED.then(pending(by="bob", to="vic"))
    assert told.then(confirm(), by="vic").payment().legs()


@pytest.mark.parametrize("name", ["bob", "dan", "vic"])
def test_nobody_else_confirms(name: str) -> None:
    with pytest.raises(InsufficientRole):
        SEATED.then(pending(by="bob", to="cem")).then(confirm(), by=name)


@pytest.mark.parametrize("name", ["bob", "cem", "dan", "ann", "eve"])
def test_the_parties_whoever_recorded_it_and_the_owners_void(name: str) -> None:
    told = SEATED.then(payment(by="bob", to="cem"), by="dan")
    assert told.then(take_back(), by=name).payment().state is PaymentState.VOIDED


def test_nobody_else_voids() -> None:
    with pytest.raises(InsufficientRole):
        SEATED.then(payment(by="bob", to="cem")).then(take_back(), by="dan")


def test_a_viewer_records_no_payment() -> None:
    with pytest.raises(InsufficientRole):
        SEATED.then(payment(), by="vic")


def test_a_payment_is_confirmed_once() -> None:
    told = DINED.then(pending()).then(confirm())
    with pytest.raises(VersionMismatch) as refused:
        told.then(confirm())
    assert refused.value.version == 2
    with pytest.raises(AlreadyConfirmed):
        told.then(confirm(version=2))


def test_a_payment_is_voided_once() -> None:
    told = DINED.then(pending()).then(take_back())
    with pytest.raises(VersionMismatch):
        told.then(take_back())
    for again in (take_back(version=2), confirm(version=2)):
        with pytest.raises(AlreadyVoided):
            told.then(again)


def test_the_version_comes_after_the_door_and_before_the_rules() -> None:
    told = SEATED.then(payment(by="bob", to="cem"))
    with pytest.raises(InsufficientRole):
        told.then(confirm(version=7), by="bob")
    with pytest.raises(VersionMismatch):
        told.then(confirm(version=7))
    with pytest.raises(ThingNotFound):
        told.then(confirm("Cheque", version=7))


def test_only_so_many_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "PENDING_MAX", 2)
    full = DINED.then(pending("One", "1.00 EUR")).then(pending("Two", "1.00 EUR"))
    with pytest.raises(TooManyPending):
        full.then(pending("Three", "1.00 EUR"))
    full.then(payment("Three", "1.00 EUR"))
    full.then(take_back("One")).then(pending("Three", "1.00 EUR"))


# ── Paying too much ──────────────────────────────────────────────────────────────────────────────

ALL: Final = "20.00 EUR"
MORE: Final = "20.01 EUR"


def test_what_is_owed_can_be_paid_to_the_last_cent() -> None:
    assert at_odds(DINED.then(payment(amount=ALL)).group).keys() == {
        (member("ann"), "EUR"), (member("cem"), "EUR"),
    }  # fmt: skip


OVER: Final[Mapping[str, tuple[Story, Command[object], str]]] = {
    "a cent more": (DINED, payment(amount=MORE), "0.01 EUR (1 in"),
    "by somebody who is owed": (DINED, payment(by="ann", to="bob"), "20.00 EUR (2000 in"),
    "in another currency": (DINED, payment(amount="5 JPY"), "5 JPY (5 in"),
    "a second time": (DINED.then(payment("One")), payment("Two"), "20.00 EUR (2000 in"),
    "while the first waits": (DINED.then(pending("One")), pending("Two"), "20.00 EUR (2000 in"),
    "while a part waits": (
        DINED.then(pending("One", "5.00 EUR")), payment("Two"), "5.00 EUR (500 in",
    ),
    "to somebody else": (
        DINED.then(pending("One")), payment("Two", "1.00 EUR", to="cem"), "1.00 EUR (100 in",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OVER)
def test_more_than_is_owed_is_refused_with_by_how_much(case: str) -> None:
    told, command, excess = OVER[case]
    with pytest.raises(Overpayment) as refused:
        told.then(command)
    assert (refused.value.field, excess in refused.value.message) == ("/amount_minor", True)


def test_more_than_is_owed_can_be_meant() -> None:
    told = DINED.then(payment(amount=MORE, allow_overpay=True))
    assert told.group.balances[member("bob"), "EUR"] == 1


def test_what_waits_from_others_or_in_other_currencies_takes_nothing() -> None:
    told = DINED.then(pending("One", by="cem", to="bob")).then(
        pending("Two", "5 JPY", allow_overpay=True)
    )
    assert told.then(payment("Three", ALL)).payment("Three").legs()


def test_a_voided_payment_leaves_room_again() -> None:
    told = DINED.then(pending("One")).then(take_back("One"))
    assert told.then(payment("Two", ALL)).payment("Two").legs()


def test_what_was_right_when_recorded_is_checked_again_when_confirmed() -> None:
    told = DINED.then(pending()).then(expense("Taxi", "15.00 EUR", by="bob", among="cem"))
    with pytest.raises(Overpayment, match=r"15\.00 EUR"):
        told.then(confirm())
    assert told.then(confirm(allow_overpay=True)).group.balances[member("bob"), "EUR"] == 1500


def test_of_two_payments_for_one_debt_the_one_that_waited_longer_counts() -> None:
    told = DINED.then(pending("One")).then(pending("Two", allow_overpay=True))
    with pytest.raises(Overpayment):
        told.then(confirm("Two"))
    one = told.then(confirm("One"))
    with pytest.raises(Overpayment):
        one.then(confirm("Two"))
    assert one.then(confirm("Two", allow_overpay=True)).payment("Two").legs()


# ── What is refused at sight ─────────────────────────────────────────────────────────────────────


def test_a_payment_is_recorded_once() -> None:
    with pytest.raises(AlreadyExists):
        DINED.then(payment("Cash", "1.00 EUR")).then(payment("Cash", "1.00 EUR"))


@pytest.mark.parametrize(("by", "to", "field"), [
    ("zoe", "ann", "/from_member_id"), ("bob", "zoe", "/to_member_id"),
])  # fmt: skip
def test_both_are_members(by: str, to: str, field: str) -> None:
    with pytest.raises(UnknownMember) as refused:
        DINED.then(payment(by=by, to=to))
    assert refused.value.field == field


def test_nobody_pays_themselves() -> None:
    with pytest.raises(PaysThemselves):
        payment(by="bob", to="bob")


@pytest.mark.parametrize(
    ("minor", "refusal"),
    [(0, AmountZero), (-1, AmountNegative), (AMOUNT_MINOR_MAX + 1, AmountOutOfRange)],
)
def test_a_payment_is_above_zero_and_not_too_large(minor: int, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        replace(payment(), amount_minor=minor)
    assert replace(payment(), amount_minor=AMOUNT_MINOR_MAX).amount_minor == AMOUNT_MINOR_MAX


def test_a_payment_has_a_currency_that_exists_and_texts_that_can_be_read() -> None:
    with pytest.raises(UnknownCurrency):
        replace(payment(), currency="EUX")
    with pytest.raises(BadText):
        replace(payment(), memo=text(" "))
    with pytest.raises(BadText):
        replace(take_back(), reason=text("\u202e"))
