"""Settlements: plans that clear the balances, stay as they are, and are paid once."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core import settlements
from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    BadText,
    BalancesMoved,
    InsufficientRole,
    Overpayment,
    SettlementStale,
    SettlementSuperseded,
    SettlementTooLarge,
    ThingNotFound,
    TransferAlreadyPaid,
    VersionMismatch,
)
from clearsplit_core.group import Group
from clearsplit_core.journal import MemberId
from clearsplit_core.payments import VoidPayment
from clearsplit_core.ports import Command
from clearsplit_core.records import (
    PaymentState,
    PlannedTransfer,
    Role,
    Settlement,
    SettlementId,
    Strategy,
    TransferState,
)
from clearsplit_core.settlements import PayTransfer, RecordSettlement, problems, solve
from tests.literals import (
    TODAY,
    TOMORROW,
    TRIP,
    Cautious,
    Settle,
    Story,
    confirm,
    expense,
    group,
    member,
    pay,
    payment,
    payment_called,
    pending,
    seat,
    settlement,
    settlement_called,
    take_back,
    tear_up,
    text,
    transfer_id,
    void,
)
from tests.stories import open_stories, stories

strategies: Final = st.sampled_from(Strategy)
DINED: Final = group("ann bob cem dan").then(expense("Dinner", "60.00 EUR", by="ann"))
"""Bob and cem owe ann 20.00 EUR each."""
PLANNED: Final = DINED.then(settlement())


def at_odds(of: Group) -> Mapping[tuple[MemberId, str], int]:
    """The balances that are not zero."""
    return {place: minor for place, minor in of.balances.items() if minor}


def settled(told: Story, strategy: Strategy) -> tuple[Story, Settlement]:
    """The story with one more settlement, and nothing that waits to be confirmed."""
    for waiting in told.group.pending:
        told = told.then(
            VoidPayment(
                group_id=TRIP,
                payment_id=waiting.id,
                expected_version=waiting.version,
                reason=None,
            )
        )
    settlement_id = SettlementId(member("the law's"))
    after = told.then(Settle(group_id=TRIP, settlement_id=settlement_id, strategy=strategy))
    return after, after.group.settlement(settlement_id)


def paid(told: Story, of: Settlement, transfers: list[PlannedTransfer]) -> Story:
    for transfer in transfers:
        told = told.then(
            PayTransfer(
                group_id=TRIP,
                settlement_id=of.id,
                transfer_id=transfer.id,
                payment_id=payment_called(str(transfer.id)),
                date=TODAY,
                memo=None,
            )
        )
    return told


def what(transfers: Iterable[PlannedTransfer]) -> list[tuple[str, MemberId, MemberId, int]]:
    """Who should pay whom what, whatever it is called."""
    return sorted(
        (each.currency, each.from_member_id, each.to_member_id, each.amount_minor)
        for each in transfers
    )


# ── Laws ─────────────────────────────────────────────────────────────────────────────────────────


@given(open_stories(), strategies, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_paying_all_of_a_plan_in_any_order_leaves_nobody_owing(
    told: Story, strategy: Strategy, luck: random.Random
) -> None:
    told, plan = settled(told, strategy)
    transfers = list(plan.transfers)
    luck.shuffle(transfers)
    assert at_odds(paid(told, plan, transfers).group) == {}


@given(open_stories())
@settings(max_examples=40, deadline=None)
def test_both_strategies_leave_everybody_with_the_same(told: Story) -> None:
    nets = []
    for strategy in Strategy:
        sums: dict[tuple[MemberId, str], int] = {}
        for each in settled(told, strategy)[1].transfers:
            for who, minor in (
                (each.from_member_id, -each.amount_minor),
                (each.to_member_id, each.amount_minor),
            ):
                sums[who, each.currency] = sums.get((who, each.currency), 0) + minor
        nets.append({place: minor for place, minor in sums.items() if minor})
    assert nets == [at_odds(told.group)] * 2


@given(open_stories(), strategies, st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_left_of_a_plan_is_the_next_plan_and_as_good(
    told: Story, strategy: Strategy, data: st.DataObject
) -> None:
    told, plan = settled(told, strategy)
    some = data.draw(st.lists(st.sampled_from(plan.transfers or [None]), unique=True))
    part = [each for each in some if each is not None]
    again = paid(told, plan, part).then(settlement("Next", strategy)).settlement("Next")
    left = [each for each in plan.transfers if each not in part]
    assert what(again.transfers) == what(left)
    proven = {each.currency for each in plan.by_currency if each.optimal}
    assert all(each.optimal for each in again.by_currency if each.currency in proven)


@given(open_stories(), strategies, st.data())
@settings(max_examples=40, deadline=None)
def test_paying_a_transfer_and_taking_that_back_leaves_the_settlement_fresh_and_open(
    told: Story, strategy: Strategy, data: st.DataObject
) -> None:
    told, plan = settled(told, strategy)
    if not plan.transfers:
        return
    transfer = data.draw(st.sampled_from(plan.transfers))
    title = str(transfer.id)
    after = paid(told, plan, [transfer])
    assert after.group.settlement(plan.id).transfer(transfer.id).state is TransferState.PAID
    back = after.then(take_back(title))
    assert replace(back.group.settlement(plan.id), revision=1) == plan
    assert at_odds(back.group) == at_odds(told.group)
    assert back.group.is_fresh(back.group.settlement(plan.id))


@given(stories())
@settings(max_examples=40, deadline=None)
def test_a_transfer_has_one_payment_that_is_not_voided_unless_it_is_open(told: Story) -> None:
    payments = told.group.payments.values()
    for plan in told.group.settlements.values():
        for transfer in plan.transfers:
            of_it = [
                each
                for each in payments
                if each.pays and (each.pays.settlement_id, each.pays.transfer_id)
                == (plan.id, transfer.id) and each.state is not PaymentState.VOIDED
            ]  # fmt: skip
            assert [each.id for each in of_it] == (
                [] if transfer.state is TransferState.OPEN else [transfer.payment_id]
            )


@given(stories())
@settings(max_examples=40, deadline=None)
def test_settlements_count_from_one_and_the_last_alone_is_not_superseded(told: Story) -> None:
    ordered = sorted(told.group.settlements.values(), key=lambda each: each.recorded_seq)
    assert [each.version for each in ordered] == list(range(1, len(ordered) + 1))
    assert [each.id for each in ordered if each.superseded_seq is None] == [
        each.id for each in ordered[-1:]
    ]


@given(stories())
@settings(max_examples=40, deadline=None)
def test_a_settlement_that_is_not_stale_clears_the_balances_with_what_is_left(told: Story) -> None:
    for plan in told.group.settlements.values():
        if plan.superseded_seq is None and not told.group.is_stale(plan):
            left = [each for each in plan.transfers if each.state is not TransferState.PAID]
            sums: dict[tuple[MemberId, str], int] = {}
            for each in left:
                payer, receiver = each.from_member_id, each.to_member_id
                sums[payer, each.currency] = sums.get((payer, each.currency), 0) - each.amount_minor
                sums[receiver, each.currency] = (
                    sums.get((receiver, each.currency), 0) + each.amount_minor
                )
            assert {place: minor for place, minor in sums.items() if minor} == at_odds(told.group)


# ── Computing ────────────────────────────────────────────────────────────────────────────────────


def test_a_settlement_says_what_it_was_computed_from_and_by_whom() -> None:
    plan = PLANNED.settlement()
    assert (plan.version, plan.revision, plan.seq, plan.recorded_seq) == (1, 1, 5, 6)
    assert (plan.strategy, plan.computed_by) == (Strategy.FEWEST, member("ann"))
    assert what(plan.transfers) == sorted(
        ("EUR", member(name), member("ann"), 2000) for name in ("bob", "cem")
    )
    (known,) = plan.by_currency
    assert (known.currency, known.optimal, known.lower_bound) == ("EUR", True, 2)


def test_a_group_that_does_not_simplify_settles_directly() -> None:
    chain = DINED.then(expense("Taxi", "20.00 EUR", by="bob", among="cem"))
    plain = replace(chain, group=replace(chain.group, simplify=False))
    plan = plain.then(settlement()).settlement()
    assert (plan.strategy, len(plan.transfers)) == (Strategy.DIRECT, 3)
    assert [each.optimal for each in plan.by_currency] == [None]
    assert len(chain.then(settlement()).settlement().transfers) == 1


def test_currencies_are_settled_each_by_itself() -> None:
    told = DINED.then(expense("Ramen", "300 JPY", by="bob", among="ann bob cem"))
    plan = told.then(settlement()).settlement()
    assert [each.currency for each in plan.by_currency] == ["EUR", "JPY"]
    assert sorted(each.currency for each in plan.transfers) == ["EUR", "EUR", "JPY", "JPY"]


def test_what_is_kept_is_what_is_left_of_the_latest_by_the_same_strategy() -> None:
    told = PLANNED.then(pay(0))
    left = told.settlement().transfers[1]
    (problem,) = problems(told.group, Strategy.FEWEST)
    assert [(each.debtor, each.creditor) for each in problem.keep] == [
        (left.from_member_id, left.to_member_id)
    ]
    for group_, strategy in (
        (told.group, Strategy.DIRECT),
        (told.then(tear_up(revision=2)).group, Strategy.FEWEST),
    ):
        assert problems(group_, strategy)[0].keep == ()


def test_whoever_left_is_in_the_plan() -> None:
    told = DINED.then(seat("bob", active=False)).then(settlement())
    assert member("bob") in {each.from_member_id for each in told.settlement().transfers}
    assert told.then(pay(0)).then(pay(1)).group.balances[member("bob"), "EUR"] == 0


def test_a_settled_group_has_an_empty_settlement() -> None:
    plan = group("ann bob").then(recorded(settlements.NOTHING_TO_PAY)).settlement()
    assert (plan.transfers, plan.by_currency) == ((), ())


def recorded(solutions: settlements.Solutions, title: str = "Plan") -> RecordSettlement:
    return RecordSettlement(
        group_id=TRIP,
        settlement_id=settlement_called(title),
        strategy=None,
        solutions=solutions,
    )


def test_a_plan_that_no_longer_clears_the_balances_is_not_recorded() -> None:
    solved = tuple(map(solve, problems(DINED.group, Strategy.FEWEST)))
    moved = DINED.then(payment("Cash", "0.01 EUR"))
    for told, solutions in ((moved, solved), (DINED, ()), (DINED, solved * 2)):
        with pytest.raises(BalancesMoved):
            told.then(recorded(solutions))
    renamed = DINED.then(seat("eve"))
    assert renamed.then(recorded(solved)).settlement().seq == renamed.group.head.seq


def test_a_settlement_is_recorded_once() -> None:
    with pytest.raises(AlreadyExists):
        PLANNED.then(settlement())


def test_a_viewer_computes_none_and_a_member_does() -> None:
    told = DINED.then(seat("vic", Role.VIEWER)).then(seat("eve"))
    with pytest.raises(InsufficientRole):
        told.then(settlement(), by="vic")
    assert told.then(settlement(), by="eve").settlement().computed_by == member("eve")


def test_a_settlement_holds_so_many_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlements, "TRANSFERS_MAX", 2)
    assert len(DINED.then(settlement("Plan", Strategy.DIRECT)).settlement().transfers) == 2
    more = DINED.then(expense("Taxi", "10.00 EUR", by="ann", among="dan"))
    for strategy in Strategy:
        with pytest.raises(SettlementTooLarge):
            more.then(settlement("Plan", strategy))


# ── Stale and superseded ─────────────────────────────────────────────────────────────────────────

STRAYING: Final[Mapping[str, Command[object]]] = {
    "an expense": expense("Taxi", "9.00 EUR", by="bob"),
    "a voided expense": void("Dinner"),
    "a payment of its own": payment("Cash", "1.00 EUR", allow_overpay=True),
}


@pytest.mark.parametrize("case", STRAYING)
def test_whatever_else_moves_a_balance_makes_it_stale(case: str) -> None:
    told = PLANNED.then(pay(0)).then(STRAYING[case])
    assert told.group.is_stale(told.settlement())
    again = told.then(settlement("Next"))
    assert again.group.is_fresh(again.settlement("Next"))


def test_what_moves_no_balance_leaves_it_fresh() -> None:
    waits = pending("Cash", "1.00 EUR", allow_overpay=True)
    told = PLANNED.then(seat("eve")).then(pay(0)).then(waits)
    assert told.group.is_fresh(told.settlement())


def test_a_newer_one_takes_its_place() -> None:
    told = PLANNED.then(settlement("Next"))
    assert told.settlement().superseded_seq == told.settlement("Next").recorded_seq == 7
    with pytest.raises(SettlementSuperseded):
        told.then(pay(0))
    assert told.then(pay(0, of="Next")).group.balances[member("ann"), "EUR"] == 2000


def test_a_superseded_one_is_stale_once_anything_moved() -> None:
    told = PLANNED.then(settlement("Next"))
    assert not told.group.is_stale(told.settlement())
    after = told.then(pay(0, of="Next"))
    assert after.group.is_stale(after.settlement())
    assert not after.group.is_stale(after.settlement("Next"))


def test_one_that_was_stale_when_it_was_superseded_stays_so() -> None:
    told = PLANNED.then(payment("Cash", "1.00 EUR")).then(settlement("Next"))
    assert told.group.is_stale(told.settlement())


def test_a_late_payment_of_a_superseded_one_makes_the_newer_stale() -> None:
    waiting = PLANNED.then(Cautious(pay(0))).then(settlement("Next"))
    late = waiting.then(confirm("Transfer 0"))
    assert late.group.is_stale(late.settlement("Next"))


def test_a_stale_transfer_is_paid_as_long_as_that_is_owed() -> None:
    told = PLANNED.then(payment("Cash", "5.00 EUR", by="bob", to="ann"))
    numbers = {each.from_member_id: n for n, each in enumerate(told.settlement().transfers)}
    with pytest.raises(SettlementStale):
        told.then(pay(numbers[member("bob")]))
    assert told.then(pay(numbers[member("cem")])).group.balances[member("cem"), "EUR"] == 0


def test_nobody_is_asked_twice_for_what_waits_to_be_confirmed() -> None:
    """A settlement computed meanwhile names the same debt again."""
    waiting = PLANNED.then(Cautious(pay(0))).then(settlement("Next"))
    with pytest.raises(Overpayment, match="wait to be confirmed"):
        waiting.then(pay(0, "Again", of="Next"))
    assert waiting.then(pay(1, "Other", of="Next")).payment("Other").legs()


def test_what_waits_besides_the_plan_counts_against_it() -> None:
    payer = PLANNED.settlement().transfers[0].from_member_id
    name = next(name for name in ("ann", "bob", "cem") if member(name) == payer)
    waiting = PLANNED.then(pending("Cash", "0.01 EUR", by=name, to="ann"))
    with pytest.raises(Overpayment, match="so this is 0"):
        waiting.then(pay(0))


def test_what_waits_of_the_plan_itself_leaves_the_rest_payable() -> None:
    told = PLANNED.then(Cautious(pay(0))).then(pay(1))
    assert told.payment("Transfer 0").state is PaymentState.PENDING
    assert told.payment("Transfer 1").state is PaymentState.CONFIRMED


# ── Paying ───────────────────────────────────────────────────────────────────────────────────────


def test_a_transfer_is_paid_with_its_amount_on_the_day_that_is_named() -> None:
    told = PLANNED.then(pay(0, on=TOMORROW))
    payment_ = told.payment("Transfer 0")
    transfer = told.settlement().transfer(transfer_id(0))
    assert (payment_.from_member_id, payment_.to_member_id, payment_.amount_minor) == (
        transfer.from_member_id, transfer.to_member_id, transfer.amount_minor,
    )  # fmt: skip
    assert {leg.effective_date for leg in told.entries[-1].postings} == {TOMORROW}
    assert (transfer.state, transfer.payment_id) == (TransferState.PAID, payment_.id)
    assert told.settlement().revision == 2


def test_without_a_day_it_is_that_of_the_entry() -> None:
    assert PLANNED.then(pay(0, on=None)).payment("Transfer 0").date == TODAY


def test_a_transfer_is_paid_once() -> None:
    with pytest.raises(TransferAlreadyPaid):
        PLANNED.then(pay(0)).then(pay(0, "Again"))


def test_one_that_waits_blocks_a_second_until_it_is_voided() -> None:
    told = PLANNED.then(seat("eve")).then(Cautious(pay(0)), by="eve")
    assert told.settlement().transfer(transfer_id(0)).state is TransferState.PENDING
    with pytest.raises(TransferAlreadyPaid):
        told.then(pay(0, "Again"))
    again = told.then(take_back("Transfer 0")).then(pay(0, "Again"))
    assert again.settlement().transfer(transfer_id(0)).payment_id == payment_called("Again")
    assert again.settlement().revision == 4


def test_confirming_it_makes_the_transfer_paid() -> None:
    told = PLANNED.then(seat("eve")).then(Cautious(pay(0)), by="eve").then(confirm("Transfer 0"))
    assert told.settlement().transfer(transfer_id(0)).state is TransferState.PAID
    assert (told.settlement().revision, told.group.is_fresh(told.settlement())) == (3, True)


def test_a_direct_transfer_may_be_more_than_its_payer_owes_on_balance() -> None:
    """Bob owes ann 20.00 and is owed 20.00 by cem: nothing on balance, and yet he pays."""
    chain = DINED.then(expense("Taxi", "20.00 EUR", by="bob", among="cem"))
    told = chain.then(seat("eve")).then(settlement("Plan", Strategy.DIRECT))
    numbers = {each.from_member_id: n for n, each in enumerate(told.settlement().transfers)}
    waits = told.then(Cautious(pay(numbers[member("bob")], "Bob's")), by="eve")
    assert waits.then(confirm("Bob's")).payment("Bob's").legs()
    strayed = waits.then(expense("Bus", "1.00 EUR", by="cem", among="dan"))
    with pytest.raises(Overpayment):
        strayed.then(confirm("Bob's"))


def test_what_is_not_there_is_not_paid() -> None:
    for missing in (pay(7), pay(0, of="Nowhere")):
        with pytest.raises(ThingNotFound):
            PLANNED.then(missing)
    with pytest.raises(AlreadyExists):
        PLANNED.then(pay(0, "Once")).then(pay(1, "Once"))


def test_a_viewer_pays_nothing() -> None:
    with pytest.raises(InsufficientRole):
        PLANNED.then(seat("vic", Role.VIEWER)).then(pay(0), by="vic")


# ── Voiding ──────────────────────────────────────────────────────────────────────────────────────


def test_a_voided_settlement_keeps_its_history_and_is_not_paid() -> None:
    told = PLANNED.then(pay(0)).then(tear_up(revision=2))
    assert (told.settlement().voided, told.settlement().void_reason) == (True, text("Another way."))
    assert told.settlement().transfer(transfer_id(0)).state is TransferState.PAID
    assert told.group.balances[member("ann"), "EUR"] == 2000
    with pytest.raises(SettlementSuperseded, match="voided"):
        told.then(pay(1))
    assert told.then(settlement("Next")).settlement("Next").version == 2


def test_a_settlement_is_voided_once_by_whoever_has_seen_it() -> None:
    with pytest.raises(VersionMismatch) as refused:
        PLANNED.then(pay(0)).then(tear_up())
    assert (refused.value.version, refused.value.revision) == (1, 2)
    with pytest.raises(VersionMismatch):
        PLANNED.then(tear_up(version=2))
    voided = PLANNED.then(tear_up())
    with pytest.raises(VersionMismatch):
        voided.then(tear_up())
    with pytest.raises(AlreadyVoided):
        voided.then(tear_up(revision=2))


def test_a_reason_can_be_read() -> None:
    with pytest.raises(BadText):
        tear_up(reason=" ")
    with pytest.raises(BadText):
        replace(pay(0), memo=text("\u202e"))
