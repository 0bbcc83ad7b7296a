"""Who owes whom: exact to the unit, turned round for nobody, and never apart from the balances."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.debts import Debts, added, between, owed, reversed_debts
from clearsplit_core.journal import Balances, MemberId
from tests.literals import Story, by_currency, group, member, members
from tests.literals import expense as recording
from tests.stories import stories
from tests.strategies import NAMES


@st.composite
def paid_and_had(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """The same sum cut into what some paid and what some had."""
    total = draw(st.integers(1, 10**6))

    def cut() -> list[int]:
        cuts = sorted(draw(st.lists(st.integers(0, total), max_size=len(NAMES) - 1)))
        return [end - start for start, end in pairwise([0, *cuts, total])]

    return cut(), cut()


def named(amounts: list[int], sign: int = 1) -> list[tuple[MemberId, int]]:
    return [(member(name), sign * minor) for name, minor in zip(NAMES, amounts, strict=False)]


def nets(debts: Debts) -> dict[MemberId, int]:
    """What each is owed on balance; nobody at zero."""
    sums: dict[MemberId, int] = {}
    for (debtor, creditor, _), minor in debts.items():
        sums[debtor] = sums.get(debtor, 0) - minor
        sums[creditor] = sums.get(creditor, 0) + minor
    return {who: minor for who, minor in sums.items() if minor}


@given(paid_and_had(), st.sampled_from([1, -1]))
def test_everybody_is_owed_what_they_paid_less_what_they_had(
    cuts: tuple[list[int], list[int]], sign: int
) -> None:
    paid, had = named(cuts[0], sign), named(cuts[1], sign)
    expected = {
        who: dict(paid).get(who, 0) - dict(had).get(who, 0)
        for who in {*dict(paid), *dict(had)}
    }  # fmt: skip
    debts = between(paid, had, "EUR")
    assert nets(debts) == {who: minor for who, minor in expected.items() if minor}


@given(paid_and_had(), st.sampled_from([1, -1]))
def test_one_payer_is_owed_as_if_somebody_else_had_paid_nothing(
    cuts: tuple[list[int], list[int]], sign: int
) -> None:
    had = named(cuts[1], sign)
    payer, nobody = (member(NAMES[0]), sum(minor for _, minor in had)), (member("nobody"), 0)
    assert between([payer], had, "EUR") == between([payer, nobody], had, "EUR")


@given(paid_and_had())
def test_who_had_something_owes_and_who_paid_is_owed(cuts: tuple[list[int], list[int]]) -> None:
    """With payers and sharers apart, each pair's debt can be seen by itself."""
    half = len(NAMES) // 2
    payers = [(member(f"payer {n}"), minor) for n, minor in enumerate(cuts[0][:half])]
    sharers = [(member(f"sharer {n}"), minor) for n, minor in enumerate(cuts[1][:half])]
    total = min(sum(minor for _, minor in payers), sum(minor for _, minor in sharers))
    payers, sharers = _cut_down(payers, total), _cut_down(sharers, total)

    debts = between(payers, sharers, "EUR")

    ids = {who for who, _ in sharers}
    turned = [minor if debtor in ids else -minor for (debtor, _, _), minor in debts.items()]
    assert min(turned, default=0) >= 0


def _cut_down(parts: list[tuple[MemberId, int]], total: int) -> list[tuple[MemberId, int]]:
    kept: list[tuple[MemberId, int]] = []
    for who, minor in parts:
        kept.append((who, min(minor, total)))
        total -= kept[-1][1]
    return kept


@given(stories())
def test_debts_net_to_the_balances_whatever_happened(story: Story) -> None:
    by_code: dict[str, Debts] = {}
    for (debtor, creditor, currency), minor in story.group.debts.items():
        by_code[currency] = added(
            by_code.get(currency, {}), owed(debtor, creditor, currency, minor)
        )
    assert {
        (who, currency): minor for currency, debts in by_code.items()
        for who, minor in nets(debts).items()
    } == at_odds(story.group.balances)  # fmt: skip


def at_odds(balances: Balances) -> dict[tuple[MemberId, str], int]:
    return {place: minor for place, minor in balances.items() if minor}


@given(stories())
def test_taking_everything_back_leaves_no_debt(story: Story) -> None:
    debts = added(story.group.debts, reversed_debts(story.group.debts))
    assert set(debts.values()) <= {0}


def test_one_payer_is_owed_every_share_but_their_own() -> None:
    told = group("ann bob cem").then(recording("Dinner", "60.00 EUR", by="ann"))
    assert nets(told.group.debts) == {
        member("ann"): 4000, member("bob"): -2000, member("cem"): -2000,
    }  # fmt: skip
    assert len(told.group.debts) == 2


def test_two_payers_are_owed_in_proportion() -> None:
    ann, bob, cem = members("ann bob cem")
    debts = between([(ann, 30), (bob, 60)], [(cem, 90)], "EUR")
    assert nets(debts) == {ann: 30, bob: 60, cem: -90}


def test_a_refund_is_owed_by_whoever_got_it() -> None:
    ann, bob = members("ann bob")
    assert nets(between([(ann, -100)], [(ann, -50), (bob, -50)], "EUR")) == {ann: -50, bob: 50}


def test_nobody_owes_themselves() -> None:
    ann = member("ann")
    assert between([(ann, 100)], [(ann, 100)], "EUR") == {}


@pytest.mark.parametrize("story", [group("ann bob")])
def test_a_group_in_which_nothing_happened_has_no_debts(story: Story) -> None:
    assert (story.group.debts, by_currency(story.legs)) == ({}, {})
