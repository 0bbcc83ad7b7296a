"""What cannot be settled, and how that is said."""

import re

import pytest

from clearsplit_core.errors import (
    BadEffort,
    BadTransfer,
    BalancesNotZero,
    NotAnInteger,
    UnknownStrategy,
)
from clearsplit_core.settlement import Transfer, settle
from tests.core.settlement.questions import Balances


@pytest.mark.parametrize("balance", [1.0, float("nan"), True, "1", None])
def test_a_balance_is_a_whole_number(balance: object) -> None:
    question: dict[str, object] = {"ana": balance, "bo": -1}
    with pytest.raises(NotAnInteger, match="ana"):
        settle(question)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("excess", [1, -1, 10**30])
def test_balances_that_do_not_sum_to_zero_are_refused_with_the_excess(excess: int) -> None:
    with pytest.raises(BalancesNotZero, match=f"sum to {excess},") as refusal:
        settle({"ana": 7 + excess, "bo": -7})
    assert refusal.value.field == "/balances"


@pytest.mark.parametrize(("sign", "told"), [(1, "more than 10^4998"), (-1, "less than -10^4998")])
def test_an_excess_too_long_to_be_spelt_out_is_told_by_its_magnitude(sign: int, told: str) -> None:
    with pytest.raises(BalancesNotZero, match=re.escape(told)):
        settle({"ana": 7 + sign * 10**5_000, "bo": -7})


@pytest.mark.parametrize("balances", [None, "balances", 5, [("ana", 5), ("bo", -5)]])
def test_balances_are_by_member(balances: object) -> None:
    with pytest.raises(NotAnInteger):
        settle(balances)  # type: ignore[arg-type]  # that is the point


def test_what_is_kept_is_transfers() -> None:
    keep: list[object] = [("bo", "ana", 5)]
    with pytest.raises(BadTransfer, match="kept"):
        settle({"ana": 5, "bo": -5}, keep=keep)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("effort", [0, -1, True, 1.5, "lazy", "", None])
def test_effort_is_a_positive_number_or_a_name(effort: object) -> None:
    with pytest.raises(BadEffort):
        settle({"ana": 1, "bo": -1}, effort=effort)  # type: ignore[arg-type]  # that is the point


def test_there_are_two_strategies() -> None:
    with pytest.raises(UnknownStrategy, match="greedy"):
        settle({"ana": 1, "bo": -1}, strategy="greedy")


@pytest.mark.parametrize("amount_minor", [0, -1, 1.0, True])
def test_a_transfer_is_above_zero(amount_minor: int) -> None:
    with pytest.raises(BadTransfer):
        Transfer("ana", "bo", amount_minor)


def test_nobody_pays_themselves() -> None:
    with pytest.raises(BadTransfer):
        Transfer("ana", "ana", 1)


def test_members_may_be_told_apart_by_any_ordered_id() -> None:
    balances: dict[tuple[int, str], int] = {(2, "b"): -4, (1, "a"): 4}
    assert settle(balances).transfers == (Transfer((2, "b"), (1, "a"), 4),)


def test_balances_are_not_changed() -> None:
    question: Balances = {"ana": 5, "bo": -5, "cy": 0}
    settle(question)
    assert question == {"ana": 5, "bo": -5, "cy": 0}
