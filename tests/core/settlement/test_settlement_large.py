"""Large groups: near-linear, never worse than greedy, always with a true bound."""

from hashlib import sha256

import pytest

from clearsplit_core.settlement import Plan, check, settle
from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.large import Large
from clearsplit_core.settlement.reduce import reduce
from tests.core.settlement.questions import Balances, expenses, greedy, uniform

groups = pytest.mark.parametrize(
    "question",
    [
        uniform(200, 100, seed=0),
        uniform(700, 10**4, seed=0),
        uniform(400, 10**6, seed=0),
        uniform(300, 10**12, seed=0),
        expenses(250, seed=0),
        expenses(250, seed=0, payers=0.05),
    ],
)


@groups
def test_a_large_group_is_settled_no_worse_than_greedily(question: Balances) -> None:
    plan = settle(question)
    assert len(plan.transfers) <= greedy(question)
    assert check(plan, question).valid


@groups
def test_blocks_of_a_large_group_are_a_partition(question: Balances) -> None:
    _, _, residual = reduce(question.values())
    blocks = Large(residual, Effort(10**6)).run()
    assert all(sum(block) == 0 for block in blocks)
    assert sorted(residual.picks_of([[v for block in blocks for v in block]])[0]) == list(
        residual.everybody()
    )


def test_more_effort_gives_a_thousand_members_better_plans() -> None:
    question = uniform(1_000, 10**4, seed=0)
    lengths = [len(settle(question, effort=10**e).transfers) for e in range(3, 7)]
    assert lengths == sorted(lengths, reverse=True)


def test_ten_thousand_members_are_settled_within_two_percent_of_the_bound() -> None:
    plan = settle(uniform(10_000, 10**4, seed=0))
    assert len(plan.transfers) <= 1.02 * plan.lower_bound


def test_fifty_thousand_members_take_no_recursion() -> None:
    question = uniform(50_000, 10**4, seed=0)
    assert check(settle(question), question).valid


def test_one_creditor_of_many_takes_a_transfer_each() -> None:
    question = {f"m{i:05}": -1 - i % 7 for i in range(2_000)}
    question["zoe"] = -sum(question.values())
    plan = settle(question)
    assert (len(plan.transfers), plan.optimal) == (2_000, True)


# ── The same everywhere ──────────────────────────────────────────────────────────────────────────


def digest(plan: Plan[str]) -> str:
    return sha256(repr(plan).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (uniform(60, 10**4, seed=5), "8fb45c74015d0f24"),
        (uniform(60, 10**6, seed=5), "9b8743c3f2da6529"),
        (uniform(40, 10**9, seed=5), "170e38f0fb5b494f"),
        (expenses(60, seed=5), "6ebd3924b460063c"),
        (expenses(60, seed=5, payers=0.2), "6b8d1c73e6815b9e"),
        (uniform(90, 100, seed=5), "d918894422576af7"),
        (uniform(700, 10**4, seed=5), "2f4bdb5f77cb3da8"),
    ],
)
def test_the_plan_is_the_same_on_every_machine_and_python(
    question: Balances, expected: str
) -> None:
    # Proof, work and all. Who changes the search on purpose writes the new digests here.
    assert digest(settle(question)) == expected
