"""The checker: it confirms what is true and provable, and nothing that is false.

Up to sixteen members it answers from a table and needs no proof. So that laws can hold its reading
of proofs against the true optimum, some of them take the table away.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import BadEffort
from clearsplit_core.settlement import Plan, Transfer, check, settle
from clearsplit_core.settlement.proof import Proof
from tests.core.settlement.questions import (
    Balances,
    adversarial,
    balances,
    expenses,
    fewest_by_table,
    group,
    middling,
    small,
    uniform,
)

quick = settings(deadline=None, max_examples=60)
checker: Final = importlib.import_module("clearsplit_core.settlement.checker")


@contextmanager
def without_the_table() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker, "TABLE_MAX", 2)
        yield


def with_one_amount_changed(plan: Plan[str]) -> Plan[str]:
    first, *others = plan.transfers
    wrong = replace(first, amount_minor=first.amount_minor + 1)
    return replace(plan, transfers=(wrong, *others))


# ── What is true is confirmed ────────────────────────────────────────────────────────────────────


@given(st.one_of(balances, middling))
@quick
def test_every_certified_plan_is_accepted_with_its_bound(question: Balances) -> None:
    plan = settle(question)
    checked = check(plan, question)
    assert (checked.valid, checked.lower_bound) == (True, plan.lower_bound)


@given(st.one_of(small, adversarial))
@quick
def test_proofs_are_accepted_where_there_is_no_table(question: Balances) -> None:
    plan = settle(question)
    with without_the_table():
        assert check(plan, question).valid


@given(middling, st.integers(1, 40_000))
@quick
def test_plans_that_ran_out_of_effort_are_accepted_with_the_bound_they_reached(
    question: Balances, effort: int
) -> None:
    plan = settle(question, effort=effort)
    assert check(plan, question).valid


@pytest.mark.parametrize(
    "question",
    [
        uniform(60, 10**4, seed=0),
        expenses(60, seed=0),
        expenses(60, seed=0, payers=0.2),
        uniform(36, 10**9, seed=2),
    ],
)
def test_a_certificate_of_many_members_is_accepted(question: Balances) -> None:
    plan = settle(question, effort="thorough")
    assert plan.proof is not None
    assert plan.optimal
    assert check(plan, question).valid


# ── What is false is not ─────────────────────────────────────────────────────────────────────────


@given(balances)
@quick
def test_a_wrong_amount_is_rejected(question: Balances) -> None:
    plan = settle(question)
    assume(plan.transfers)
    assert not check(with_one_amount_changed(plan), question).valid


@given(balances)
@quick
def test_a_dropped_transfer_is_rejected(question: Balances) -> None:
    plan = settle(question)
    assume(plan.transfers)
    assert not check(replace(plan, transfers=plan.transfers[1:]), question).valid


@given(balances, st.booleans())
@quick
def test_a_bound_raised_by_one_is_rejected(question: Balances, optimal: bool) -> None:  # noqa: FBT001
    plan = settle(question)
    raised = replace(plan, lower_bound=plan.lower_bound + 1, optimal=optimal)
    with without_the_table():
        assert not check(raised, question).valid
    assert not check(raised, question).valid


@given(middling)
@quick
def test_a_proof_of_one_block_less_is_rejected(question: Balances) -> None:
    plan = settle(question)
    assume(plan.proof and plan.optimal)
    assert plan.proof
    bolder = replace(plan.proof, level=plan.proof.level - 1)
    claim = replace(plan, proof=bolder, lower_bound=plan.lower_bound + 1, optimal=False)
    checked = check(claim, question)
    assert not checked.valid
    assert checked.lower_bound <= len(plan.transfers)


@given(st.one_of(small, adversarial), st.data())
@settings(deadline=None, max_examples=150)
def test_no_proof_whatever_confirms_a_bound_above_the_optimum(
    question: Balances, data: st.DataObject
) -> None:
    weight = st.integers(-1, 12)
    weights = [(balance, data.draw(weight)) for balance in sorted(set(question.values()))]
    proof = Proof(
        level=data.draw(st.integers(-1, 6)),
        listed=data.draw(st.integers(-1, 7)),
        quota=data.draw(st.integers(-1, 12)),
        weights=tuple(weights),
    )
    plan = replace(settle(question), proof=proof)
    with without_the_table():
        assert check(plan, question).lower_bound <= fewest_by_table(question)


@given(st.one_of(small, adversarial), st.data())
@settings(deadline=None, max_examples=60)
def test_no_bent_proof_confirms_a_bound_above_the_optimum(
    question: Balances, data: st.DataObject
) -> None:
    plan = settle(question)
    evenly = tuple((balance, 300_000) for balance in sorted(set(question.values())))
    straight = plan.proof or Proof(level=3, listed=3, quota=10**6, weights=evenly)
    bent = replace(
        straight,
        level=straight.level - data.draw(st.integers(0, 2)),
        listed=max(1, straight.listed + data.draw(st.integers(-2, 2))),
        weights=tuple(
            (balance, max(0, weight + data.draw(st.integers(-300_000, 100_000))))
            for balance, weight in straight.weights
        ),
    )
    with without_the_table():
        assert check(replace(plan, proof=bent), question).lower_bound <= fewest_by_table(question)


def test_weight_that_just_suffices_refutes_nothing() -> None:
    question = group(-3, 1, 2, -30, 10, 20)
    plan = settle(question)
    evenly = tuple((balance, 12) for balance in sorted(question.values()))
    with without_the_table():
        for listed, unit in [(3, 36), (5, 36), (3, 48), (2, 36), (1, 24)]:
            claim = replace(plan, proof=Proof(2, listed, unit, evenly))
            assert check(claim, question).lower_bound == len(plan.transfers) == 4


@given(balances, balances)
@quick
def test_a_plan_for_other_balances_is_rejected(question: Balances, other: Balances) -> None:
    owing = {member: balance for member, balance in question.items() if balance}
    assume(owing != {member: balance for member, balance in other.items() if balance})
    assert not check(settle(question), other).valid


def test_blocks_that_do_not_clear_among_themselves_are_rejected() -> None:
    question = group(-5, -4, 5, 4)
    plan = settle(question)
    assert check(plan, question).valid
    for blocks in [
        (("m00", "m01"), ("m02", "m03")),
        (("m00", "m02"),),
        (("m00", "m02"), ("m00", "m02"), ("m01", "m03")),
    ]:
        assert not check(replace(plan, blocks=blocks), question).valid


def test_an_optimum_that_is_not_the_bound_is_rejected() -> None:
    question = {"ana": 5, "bo": -5}
    detour = (Transfer("bo", "ana", 4), Transfer("bo", "ana", 1))
    plan = replace(settle(question), transfers=detour)
    assert not check(plan, question).valid
    assert check(replace(plan, optimal=False), question).valid


def test_a_bound_that_is_too_dear_to_confirm_is_not_confirmed() -> None:
    question = uniform(60, 10**4, seed=0)
    plan = settle(question)
    checked = check(plan, question, effort=1_000)
    assert not checked.valid
    assert checked.lower_bound < plan.lower_bound


def test_weights_that_are_no_integers_are_not_believed() -> None:
    question = uniform(60, 10**4, seed=0)
    plan = settle(question)
    assert plan.proof
    infinite = tuple((balance, float("inf")) for balance, _ in plan.proof.weights)
    proof = replace(plan.proof, weights=infinite)  # type: ignore[arg-type]  # that is the point
    assert not check(replace(plan, proof=proof), question).valid


def test_effort_is_refused_as_by_settle() -> None:
    with pytest.raises(BadEffort):
        check(settle({"ana": 5, "bo": -5}), {"ana": 5, "bo": -5}, effort="lazy")
