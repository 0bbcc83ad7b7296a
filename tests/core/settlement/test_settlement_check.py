"""The checker: it confirms what is true and provable, and nothing that is false.

Up to sixteen members it answers from a table and needs no proof. So that laws can hold its reading
of proofs against the true optimum, some of them take the table away.
"""

import contextlib
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Final, TypeVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import BadEffort, BalancesNotZero, NotAnInteger
from clearsplit_core.plain import from_plain, to_plain
from clearsplit_core.settlement import Plan, Transfer, check, refutation, settle
from clearsplit_core.settlement.effort import Effort, Exhausted
from clearsplit_core.settlement.proof import Proof
from tests.core.settlement.questions import (
    Balances,
    adversarial,
    awkward,
    balances,
    expenses,
    fewest_by_table,
    group,
    middling,
    small,
    uniform,
)

T = TypeVar("T")

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


# ── What is no plan or no proof ──────────────────────────────────────────────────────────────────


def bent(value: T, **claims: object) -> T:
    """The same with other claims, whatever they are."""
    twin = copy(value)
    for claim, other in claims.items():
        object.__setattr__(twin, claim, other)
    return twin


def kind(value: object) -> str:
    """How pytest names it: numbers may be too long to be spelt out, and objects differ by run."""
    return type(value).__name__


junk: Final = [
    None,
    "",
    "text",
    1 << 50,
    1.5,
    float("nan"),
    b"",
    [],
    {},
    (),
    object(),
    (None,),
    ("x",),
]


claims: Final = ["transfers", "blocks", "lower_bound", "optimal"]


@pytest.mark.parametrize(
    ("claim", "other"),
    [(claim, other) for claim in claims for other in junk if (claim, other) != ("optimal", None)],
    ids=kind,
)
def test_a_plan_that_is_none_is_not_valid(claim: str, other: object) -> None:
    question = group(-5, -4, 2, 3, 4)
    plan = settle(question)
    assert not check(bent(plan, **{claim: other}), question).valid


@pytest.mark.parametrize("plan", [*junk, Plan, Transfer("bo", "ana", 5)], ids=kind)
def test_what_is_no_plan_is_not_valid(plan: object) -> None:
    checked = check(plan, {"ana": 5, "bo": -5})  # type: ignore[arg-type]  # that is the point
    assert (checked.valid, checked.lower_bound) == (False, 1)


@pytest.mark.parametrize(
    "transfer",
    [
        bent(Transfer("bo", "ana", 5), amount_minor=5.0),
        bent(Transfer("bo", "ana", 5), amount_minor="5"),
        bent(Transfer("bo", "ana", 5), debtor=["bo"]),
        bent(Transfer("bo", "ana", 5), creditor="eve"),
        bent(Transfer("bo", "ana", 5), amount_minor=-5, debtor="ana", creditor="bo"),
        ("bo", "ana", 5),
    ],
)
def test_what_is_no_transfer_between_members_is_not_valid(transfer: object) -> None:
    question = {"ana": 5, "bo": -5}
    assert not check(bent(settle(question), transfers=(transfer,)), question).valid


@pytest.mark.parametrize(
    "blocks",
    [
        (("ana", "bo"), ()),
        (("ana", "bo"), ("eve",)),
        (("ana", "bo"), (["cy"],)),
        (("ana", "bo", "ana"),),
        ("ana", "bo"),
        (("ana", "bo", None),),
    ],
)
def test_blocks_that_are_empty_or_of_strangers_are_not_valid(blocks: object) -> None:
    question = {"ana": 5, "bo": -5, "cy": 0}
    assert not check(bent(settle(question), blocks=blocks), question).valid


@pytest.mark.parametrize("claim", ["level", "listed", "quota", "weights"])
@pytest.mark.parametrize(
    "other", [*junk, True, 0, -1, 10**5_000, ((1, 2, 3),), ((1, None),)], ids=kind
)
def test_a_proof_that_is_none_confirms_nothing(claim: str, other: object) -> None:
    question = uniform(40, 10**4, seed=0)
    plan = settle(question)
    proof = bent(plan.proof, **{claim: other})
    assert not check(bent(plan, proof=proof), question).valid
    assert not check(bent(plan, proof=other), question).valid


@pytest.mark.parametrize("balances", [{"ana": 5.0, "bo": -5.0}, {"ana": True, "bo": -1}, None])
def test_balances_are_refused_as_by_settle(balances: object) -> None:
    plan = settle({"ana": 5, "bo": -5})
    with pytest.raises(NotAnInteger):
        check(plan, balances)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BalancesNotZero):
        check(plan, {"ana": 5, "bo": -6})


# ── What it costs ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("question", awkward.values(), ids=awkward)
@pytest.mark.parametrize(("level", "listed"), [(2, 60), (3, 22), (6, 9), (12, 5), (20, 3)])
def test_no_proof_takes_more_than_there_is(question: Balances, level: int, listed: int) -> None:
    evenly = tuple((balance, 10**6 // 3) for balance in set(question.values()) if balance)
    plan = settle(question, effort=20_000)
    forged = replace(plan, proof=Proof(level, listed, 10**6, evenly))
    checked = check(forged, question, effort=500_000)
    assert checked.lower_bound <= len(plan.transfers)


@pytest.mark.parametrize("question", awkward.values(), ids=awkward)
def test_picks_are_counted_before_they_are_made(question: Balances) -> None:
    values = sorted(set(question.values()))
    counts = [min(15, list(question.values()).count(value)) for value in values]
    for listed in (3, 5, 8, 20, 60):
        with contextlib.suppress(Exhausted):
            for picks in refutation._three_picks(values, counts, listed, Effort(10**7)):
                assert len(picks) * max(values).bit_length() // 128 <= refutation.PICKS_MAX


def test_a_proof_is_plain_data() -> None:
    plan = settle(uniform(40, 10**4, seed=0))
    assert plan.proof
    told = json.loads(json.dumps(to_plain(plan.proof)))
    assert from_plain(Proof, told, {}) == plan.proof


def test_effort_is_refused_as_by_settle() -> None:
    with pytest.raises(BadEffort):
        check(settle({"ana": 5, "bo": -5}), {"ana": 5, "bo": -5}, effort="lazy")
