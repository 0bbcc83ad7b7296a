"""The fewest transfers: what is true of every plan, whatever the balances."""

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearsplit_core.settlement import Plan, Transfer, settle
from tests.core.settlement.questions import (
    Balances,
    adversarial,
    awkward,
    balances,
    expenses,
    fewest_by_table,
    greedy,
    group,
    middling,
    small,
    uniform,
)

efforts = st.one_of(st.integers(1, 20_000), st.sampled_from(["interactive", "thorough"]))
amounts_max = st.sampled_from([30, 1_000, 10**6])
seeds = st.integers(0, 10**6)
quick = settings(deadline=None, max_examples=60)


def nets(transfers: tuple[Transfer[str], ...]) -> Counter[str]:
    net: Counter[str] = Counter()
    for t in transfers:
        net[t.debtor] -= t.amount_minor
        net[t.creditor] += t.amount_minor
    return net


def amounts(plan: Plan[str], factor: int = 1) -> list[int]:
    return sorted(factor * t.amount_minor for t in plan.transfers)


# ── Every plan ───────────────────────────────────────────────────────────────────────────────────


@given(st.one_of(balances, middling), efforts)
@quick
def test_every_plan_clears_every_balance(question: Balances, effort: int | str) -> None:
    net = nets(settle(question, effort=effort).transfers)
    assert {member: net[member] for member in question} == question


@given(balances)
@quick
def test_debtors_only_pay_and_creditors_only_receive(question: Balances) -> None:
    for t in settle(question).transfers:
        assert question[t.debtor] < 0 < question[t.creditor]


@given(balances)
@quick
def test_no_more_money_moves_than_is_owed(question: Balances) -> None:
    moved = sum(amounts(settle(question)))
    assert moved == sum(balance for balance in question.values() if balance > 0)


@given(balances)
@quick
def test_there_are_fewer_transfers_than_members_who_owe_or_are_owed(question: Balances) -> None:
    owing = sum(balance != 0 for balance in question.values())
    assert len(settle(question).transfers) <= max(0, owing - 1)


@given(balances)
@quick
def test_blocks_clear_among_themselves_and_miss_nobody(question: Balances) -> None:
    plan = settle(question)
    assert all(sum(question[member] for member in block) == 0 for block in plan.blocks)
    assert sorted(member for block in plan.blocks for member in block) == sorted(
        member for member, balance in question.items() if balance
    )
    assert len(plan.transfers) == sum(len(block) - 1 for block in plan.blocks)


# ── The optimum ──────────────────────────────────────────────────────────────────────────────────


@given(st.one_of(small, adversarial))
@settings(deadline=None, max_examples=150)
def test_no_plan_has_fewer_transfers(question: Balances) -> None:
    plan = settle(question)
    assert plan.optimal is True
    assert len(plan.transfers) == plan.lower_bound == fewest_by_table(question)


@given(st.one_of(small, adversarial), st.integers(1, 3_000))
@settings(deadline=None, max_examples=100)
def test_however_little_effort_the_bound_is_true(question: Balances, effort: int) -> None:
    plan = settle(question, effort=effort)
    assert plan.lower_bound <= fewest_by_table(question) <= len(plan.transfers)
    assert plan.optimal is (plan.lower_bound == len(plan.transfers))
    assert plan.work <= effort


@given(st.one_of(balances, middling), efforts)
@quick
def test_a_plan_is_never_worse_than_greedy(question: Balances, effort: int | str) -> None:
    assert len(settle(question, effort=effort).transfers) <= greedy(question)


@given(
    st.one_of(balances, middling, st.builds(uniform, st.integers(66, 140), amounts_max, seeds)),
    st.lists(st.integers(1, 60_000), min_size=4, max_size=4),
)
@settings(deadline=None, max_examples=60)
@example(
    group(-12, -16, -28, -14, -19, -9, -9, -6, -15, -13, -12, 3, 67, 13, 49, 21), [300, 600, 1, 1]
)
@example(
    group(
        *(-27, 32, -10, 68, 70, 21, 18, -57, -18, -5, -50, 56),
        *(6, 45, 24, 24, -67, 3, -12, -28, 41, -39, -26, -69),
    ),
    [1_210, 2_577, 1, 1],
)
@example(uniform(170, 400, seed=1), [60, 67, 1, 1])
@example(uniform(90, 10**6, seed=1), [20_000, 40_000, 60_000, 200_000])
@example(uniform(700, 10**4, seed=1), [2_000, 20_000, 60_000, 200_000])
@example(awkward["crowded"], [1_000, 40_000, 300_000, 600_000])
def test_more_effort_never_gives_a_worse_plan_or_bound(
    question: Balances, efforts: list[int]
) -> None:
    plans = [settle(question, effort=effort) for effort in sorted(efforts)]
    lengths = [len(plan.transfers) for plan in plans]
    bounds = [plan.lower_bound for plan in plans]
    assert lengths == sorted(lengths, reverse=True)
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("question", awkward.values(), ids=awkward)
@pytest.mark.parametrize("effort", [20_000, 800_000])
def test_awkward_groups_are_settled_within_the_effort(question: Balances, effort: int) -> None:
    plan = settle(question, effort=effort)
    assert plan.work <= effort
    assert nets(plan.transfers) == Counter(question)
    assert plan.lower_bound <= len(plan.transfers) <= greedy(question)


# ── What cannot matter ───────────────────────────────────────────────────────────────────────────


@given(st.one_of(balances, middling), st.data())
@quick
def test_the_order_of_the_balances_does_not_matter(question: Balances, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(list(question.items())))
    assert settle(dict(shuffled)) == settle(question)


@given(st.one_of(balances, middling))
@quick
def test_names_do_not_matter_but_to_whom_they_belong(question: Balances) -> None:
    renamed = {f"x{100 - i:03}": balance for i, balance in enumerate(question.values())}
    plan, other = settle(question), settle(renamed)
    assert (other.optimal, other.lower_bound, other.work) == (
        plan.optimal,
        plan.lower_bound,
        plan.work,
    )
    assert len(other.transfers) == len(plan.transfers)


@given(st.one_of(balances, middling), st.sampled_from([2, 3, 10, 10**20]))
@quick
def test_in_larger_money_only_the_amounts_are_larger(question: Balances, factor: int) -> None:
    plan = settle(question)
    larger = settle({member: factor * balance for member, balance in question.items()})
    assert amounts(larger) == amounts(plan, factor)
    assert [(t.debtor, t.creditor) for t in larger.transfers] == [
        (t.debtor, t.creditor) for t in plan.transfers
    ]
    assert (larger.optimal, larger.work) == (plan.optimal, plan.work)


@given(balances)
@quick
def test_members_at_zero_do_not_matter(question: Balances) -> None:
    bystander = {**question, "zoe": 0, "abe": 0}
    assert settle(bystander) == settle(question)


# ── Staying stable ───────────────────────────────────────────────────────────────────────────────


@given(st.one_of(small, adversarial), st.data())
@quick
def test_what_is_left_of_an_optimal_plan_is_kept_and_optimal(
    question: Balances, data: st.DataObject
) -> None:
    plan = settle(question)
    unpaid = [t for t in plan.transfers if data.draw(st.booleans())]
    paid = nets(tuple(t for t in plan.transfers if t not in unpaid))
    left = {member: balance - paid[member] for member, balance in question.items()}
    kept = settle(left, keep=unpaid)
    assert kept.transfers == tuple(unpaid)
    assert kept.optimal is True
    assert kept.lower_bound == plan.lower_bound - (len(plan.transfers) - len(unpaid))


def test_transfers_that_do_not_clear_the_balances_any_more_are_not_kept() -> None:
    stale = [Transfer("bo", "ana", 3000)]
    plan = settle({"ana": 5000, "bo": -5000}, keep=stale)
    assert plan.transfers == (Transfer("bo", "ana", 5000),)


def test_a_clumsy_plan_is_kept_too_but_not_called_optimal() -> None:
    clumsy = [Transfer("bo", "ana", 1), Transfer("bo", "ana", 4)]
    plan = settle({"ana": 5, "bo": -5}, keep=clumsy)
    assert plan.transfers == tuple(clumsy)
    assert (plan.optimal, plan.lower_bound) == (False, 1)


@given(small)
@quick
def test_what_is_kept_may_be_any_iterable(question: Balances) -> None:
    plan = settle(question)
    assert settle(question, keep=iter(plan.transfers)) == plan


@pytest.mark.parametrize(
    "detour",
    [
        [Transfer("bo", "cy", 5), Transfer("cy", "ana", 5)],
        [Transfer("bo", "eve", 5), Transfer("eve", "ana", 5)],
        [Transfer("bo", "ana", 6), Transfer("ana", "bo", 1)],
    ],
)
def test_detours_by_others_are_not_kept(detour: list[Transfer[str]]) -> None:
    question = {"ana": 5, "bo": -5, "cy": 0}
    assert settle(question, keep=detour).transfers == (Transfer("bo", "ana", 5),)


# ── Examples that teach ──────────────────────────────────────────────────────────────────────────


def test_two_debtors_pay_one_creditor() -> None:
    plan = settle({"ana": 5000, "bo": -3000, "cy": -2000})
    assert plan.transfers == (Transfer("bo", "ana", 3000), Transfer("cy", "ana", 2000))
    assert plan.blocks == (("ana", "bo", "cy"),)


@pytest.mark.parametrize("question", [{}, {"ana": 0}, {"ana": 0, "bo": 0}])
def test_a_settled_group_has_nothing_to_pay(question: Balances) -> None:
    plan = settle(question)
    assert (plan.transfers, plan.lower_bound, plan.optimal) == ((), 0, True)


@pytest.mark.parametrize(
    ("question", "optimum", "by_greedy"),
    [
        (group(-5, -4, 2, 3, 4), 3, 4),
        (group(-9, -7, -4, 9, 11), 3, 4),
        (group(-8, -7, -6, 2, 5, 6, 8), 4, 5),
        (group(-7, -6, -4, -3, -2, 3, 7, 12), 5, 6),
    ],
)
def test_greedy_is_not_minimal(question: Balances, optimum: int, by_greedy: int) -> None:
    assert len(settle(question).transfers) == optimum
    assert greedy(question) == by_greedy


def test_an_exact_triple_is_not_safe() -> None:
    # -12 + 5 + 7 is a block, but the best are -12 + 2 + 10, -11 + 4 + 7 and -8 + 3 + 5.
    question = group(-12, -11, -8, 2, 3, 4, 5, 7, 10)
    without_the_triple = group(-11, -8, 2, 3, 4, 10)
    assert len(settle(question).transfers) == 6
    assert 2 + fewest_by_table(without_the_triple) == 7


def test_amounts_may_be_of_any_size() -> None:
    ten = 10**400
    plan = settle(group(-5 * ten, -4 * ten, 2 * ten, 3 * ten, 4 * ten))
    assert (len(plan.transfers), plan.optimal) == (3, True)


def test_large_amounts_are_listed_by_halves_and_proven() -> None:
    plan = settle(uniform(34, 10**9, seed=1))
    assert plan.optimal is True


def test_a_group_of_sixty_is_settled_optimally() -> None:
    plan = settle(expenses(60, seed=3), effort="thorough")
    assert (plan.optimal, len(plan.transfers)) == (True, plan.lower_bound)
    assert len(plan.transfers) < greedy(expenses(60, seed=3))
