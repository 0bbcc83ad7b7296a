"""Exact nets made whole: they sum to zero and stay within a minor unit of exact."""

from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.imports.rounding import Rounding, is_rounding_drift, without_drift

UNIT = 1000
NAMES = ("ana", "bo", "cy", "di")


def balanced(first: list[int]) -> list[int]:
    return [*first, -sum(first)]


rows = st.lists(st.lists(st.integers(-9999, 9999), min_size=3, max_size=3).map(balanced))


@given(rows)
def test_every_row_comes_out_in_whole_units_that_sum_to_zero(exact: list[list[int]]) -> None:
    rounding = Rounding.start(UNIT, NAMES)
    assert [sum(rounding.whole(nets)) for nets in exact] == [0] * len(exact)


@given(rows)
def test_a_running_sum_is_never_a_unit_off(exact: list[list[int]]) -> None:
    rounding = Rounding.start(UNIT, NAMES)
    whole = [rounding.whole(nets) for nets in exact]
    off = [
        sum(row[i] for row in whole) * UNIT - sum(row[i] for row in exact)
        for i in range(len(NAMES))
    ]
    assert max(map(abs, off)) < UNIT


@given(rows, st.lists(st.integers(-9, 9), min_size=3, max_size=3).map(balanced))
def test_a_whole_row_comes_out_as_it_is_whatever_went_before(
    exact: list[list[int]], whole: list[int]
) -> None:
    rounding = Rounding.start(UNIT, NAMES)
    for nets in exact:
        rounding.whole(nets)
    assert rounding.whole([net * UNIT for net in whole]) == whole


@given(st.lists(st.integers(501, 9999), min_size=1, max_size=6).map(balanced))
def test_rounding_each_net_on_its_own_is_never_more_than_drift(exact: list[int]) -> None:
    assert is_rounding_drift([round(net, -3) for net in exact], UNIT)


def test_a_unit_or_half_of_one_for_each_net_is_drift_and_more_is_not() -> None:
    assert is_rounding_drift([6667, -3333, -3333, 0], UNIT)
    assert is_rounding_drift([1000, 0, 0, 0], UNIT)
    assert not is_rounding_drift([2001, -1000, 0, 0], UNIT)
    assert is_rounding_drift([4500, -1000, -1000, -1000], UNIT)
    assert not is_rounding_drift([5001, -1000, -1000, -1000], UNIT)


def test_the_largest_net_takes_the_difference() -> None:
    assert without_drift([66_670, -33_330, -33_330, 0], NAMES) == [66_660, -33_330, -33_330, 0]


def test_of_two_largest_the_first_by_name_takes_it_wherever_the_columns_stand() -> None:
    assert without_drift([-500, 510], ["bo", "ana"]) == [-500, 500]
    assert without_drift([-500, 500, 3], ["bo", "ana", "cy"]) == [-500, 497, 3]
