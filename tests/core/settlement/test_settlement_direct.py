"""Along the existing debts: pairs netted, cycles cancelled, nothing else."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import DebtsMismatch, DebtsMissing, NotAnInteger
from clearsplit_core.settlement import Transfer, check, settle

Debts = dict[tuple[str, str], int]

members = st.sampled_from("abcdefg")
debts = st.dictionaries(st.tuples(members, members), st.integers(-20, 20), max_size=25)
quick = settings(deadline=None, max_examples=80)


def balances_of(owed: Debts) -> dict[str, int]:
    net: Counter[str] = Counter()
    for (debtor, creditor), amount_minor in owed.items():
        net[debtor] -= amount_minor
        net[creditor] += amount_minor
    return dict(net)


@given(debts)
@quick
def test_paying_the_debts_that_are_left_clears_the_balances(owed: Debts) -> None:
    plan = settle(balances_of(owed), strategy="direct", debts=owed)
    assert check(plan, balances_of(owed)).valid
    assert plan.optimal is None


@given(debts)
@quick
def test_every_transfer_runs_along_a_debt_and_pays_no_more_than_it(owed: Debts) -> None:
    for t in settle(balances_of(owed), strategy="direct", debts=owed).transfers:
        between = owed.get((t.debtor, t.creditor), 0) - owed.get((t.creditor, t.debtor), 0)
        assert t.amount_minor <= between


@given(debts)
@quick
def test_no_cycle_is_left(owed: Debts) -> None:
    transfers = settle(balances_of(owed), strategy="direct", debts=owed).transfers
    unpaid = {(t.debtor, t.creditor) for t in transfers}
    for _ in "abcdefg":
        creditors = {creditor for _, creditor in unpaid}
        unpaid = {edge for edge in unpaid if edge[0] in creditors}
    assert not unpaid


@given(debts)
@quick
def test_the_order_of_the_debts_does_not_matter(owed: Debts) -> None:
    backwards = dict(reversed(owed.items()))
    assert settle(balances_of(owed), strategy="direct", debts=backwards) == settle(
        balances_of(owed), strategy="direct", debts=owed
    )


@given(debts)
@quick
def test_the_lower_bound_is_that_of_any_plan(owed: Debts) -> None:
    direct = settle(balances_of(owed), strategy="direct", debts=owed)
    assert direct.lower_bound <= len(settle(balances_of(owed)).transfers) <= len(direct.transfers)


def test_a_chain_is_not_shortened() -> None:
    owed = {("ana", "bo"): 5, ("bo", "cy"): 5}
    plan = settle({"ana": -5, "bo": 0, "cy": 5}, strategy="direct", debts=owed)
    assert plan.transfers == (Transfer("ana", "bo", 5), Transfer("bo", "cy", 5))


def test_a_cycle_loses_its_smallest_debt_all_around() -> None:
    owed = {("ana", "bo"): 5, ("bo", "cy"): 7, ("cy", "ana"): 6}
    plan = settle(balances_of(owed), strategy="direct", debts=owed)
    assert plan.transfers == (Transfer("bo", "cy", 2), Transfer("cy", "ana", 1))


def test_a_long_cycle_is_cancelled_without_recursion() -> None:
    owed = {(f"m{i:04}", f"m{(i + 1) % 3000:04}"): 3 for i in range(3000)}
    assert settle(balances_of(owed), strategy="direct", debts=owed).transfers == ()


def test_unpaid_transfers_are_kept() -> None:
    owed = {("ana", "bo"): 5, ("bo", "cy"): 5}
    keep = [Transfer("ana", "cy", 5)]
    plan = settle({"ana": -5, "cy": 5}, strategy="direct", debts=owed, keep=keep)
    assert plan.transfers == tuple(keep)


def test_unpaid_transfers_of_strangers_are_not_kept() -> None:
    owed = {("ana", "cy"): 5}
    keep = [Transfer("ana", "eve", 5), Transfer("eve", "cy", 5)]
    plan = settle({"ana": -5, "cy": 5}, strategy="direct", debts=owed, keep=keep)
    assert plan.transfers == (Transfer("ana", "cy", 5),)


def test_a_chain_through_a_settled_member_is_kept() -> None:
    owed = {("ana", "bo"): 5, ("bo", "cy"): 5}
    plan = settle({"ana": -5, "cy": 5}, strategy="direct", debts=owed)
    again = settle({"ana": -5, "cy": 5}, strategy="direct", debts=owed, keep=plan.transfers)
    assert again == plan


def test_everybody_owes_everybody() -> None:
    names = [f"m{i:03}" for i in range(150)]
    owed = {
        (one, other): 1 + (i * 7 + j * 13) % 101
        for i, one in enumerate(names)
        for j, other in enumerate(names)
        if i != j
    }
    plan = settle(balances_of(owed), strategy="direct", debts=owed)
    assert check(plan, balances_of(owed)).valid
    assert len(plan.transfers) < len(owed) // 2


def test_debts_that_lead_elsewhere_are_refused() -> None:
    with pytest.raises(DebtsMismatch):
        settle({"ana": 5, "bo": -5}, strategy="direct", debts={("bo", "ana"): 4})


def test_without_debts_there_is_nothing_to_follow() -> None:
    with pytest.raises(DebtsMissing):
        settle({"ana": 5, "bo": -5}, strategy="direct")


def test_a_debt_is_a_whole_number() -> None:
    owed: dict[tuple[str, str], object] = {("bo", "ana"): 5.0}
    with pytest.raises(NotAnInteger):
        settle({"ana": 5, "bo": -5}, strategy="direct", debts=owed)  # type: ignore[arg-type]  # on purpose
