"""The parts of the search, each against the plainest way to know the same."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearsplit_core.settlement.bound import QUOTA, Packing, Weights, _made_up
from clearsplit_core.settlement.descend import SETS_MAX, Descent
from clearsplit_core.settlement.effort import Effort, Exhausted
from clearsplit_core.settlement.enumerate import (
    MATCH_PRICE,
    MATCHES_MAX,
    PICKS_MAX,
    SAMPLE,
    Listing,
    Picks,
    ZeroSums,
    listing_price,
)
from clearsplit_core.settlement.halves import every_set, halves_fit
from clearsplit_core.settlement.reduce import Residual, reduce
from clearsplit_core.settlement.search import Search, Verdict, split_large
from tests.core.settlement.questions import (
    Balances,
    adversarial,
    awkward,
    closed,
    expenses,
    fewest_by_table,
    group,
    small,
    uniform,
)

quick = settings(deadline=None, max_examples=80)
boundless = 10**9


def residual_of(question: Balances) -> Residual:
    return reduce(question.values())[2]


residuals = st.one_of(small, adversarial).map(residual_of).filter(lambda residual: residual.size)


def zero_sum_sets(residual: Residual) -> list[Picks]:
    """All but the empty one, by trying every count of every class."""
    picks = [
        tuple(index for index, times in enumerate(counts) for _ in range(times))
        for counts in product(*(range(count + 1) for count in residual.counts))
        if sum(n * value for n, value in zip(counts, residual.values, strict=True)) == 0
    ]
    return sorted(filter(None, picks), key=lambda picks: (len(picks), picks))


def by_size(residual: Residual, sizes: range) -> list[Picks]:
    sums = ZeroSums(residual)
    listings = [sums.of_size(size, Effort(boundless)) for size in sizes]
    assert all(listing.complete for listing in listings)
    return [picks for listing in listings for picks in listing.sets]


def weights_of(residual: Residual, listed: int) -> tuple[list[Picks], Weights]:
    sets = [picks for picks in zero_sum_sets(residual) if len(picks) <= listed]
    return sets, Packing(residual).weights(sets, listed, Effort(boundless))


def fewest(residual: Residual) -> int:
    members = [residual.values[index] for index in residual.everybody()]
    return fewest_by_table(group(*members))


# ── Reduce ───────────────────────────────────────────────────────────────────────────────────────


@given(st.one_of(small, adversarial))
@quick
def test_taking_exact_pairs_out_costs_no_transfer(question: Balances) -> None:
    _, pairs, residual = reduce(question.values())
    assert len(pairs) + fewest(residual) == fewest_by_table(question)


@given(st.one_of(small, adversarial))
@quick
def test_no_value_meets_its_negative_and_values_share_no_divisor(question: Balances) -> None:
    divisor, pairs, residual = reduce(question.values())
    assert not {-value for value in residual.values} & set(residual.values)
    assert sorted(
        divisor * value
        for values in (
            pairs,
            [-value for value in pairs],
            map(residual.values.__getitem__, residual.everybody()),
        )
        for value in values
    ) == sorted(balance for balance in question.values() if balance)


# ── Enumerate ────────────────────────────────────────────────────────────────────────────────────


@given(residuals)
@quick
def test_every_zero_sum_set_is_listed_by_size(residual: Residual) -> None:
    listed = by_size(residual, range(1, residual.size + 1))
    assert listed == zero_sum_sets(residual)


@given(residuals)
@quick
def test_every_zero_sum_set_but_the_whole_is_listed_by_halves(residual: Residual) -> None:
    assert every_set(residual, Effort(boundless)).sets == zero_sum_sets(residual)[:-1]


def test_halves_in_many_slices_list_the_same_as_sizes() -> None:
    residual = residual_of(uniform(36, 10**7, seed=1))
    found = [picks for picks in every_set(residual, Effort(boundless)).sets if len(picks) <= 10]
    assert found == by_size(residual, range(3, 11))
    assert found


def test_few_creditors_and_many_debtors_are_joined_across() -> None:
    residual = residual_of(expenses(24, seed=1, payers=0.15))
    assert any(join.crossing for join in ZeroSums(residual)._joins(7))
    found = by_size(residual, range(7, 8))
    everything = every_set(residual, Effort(boundless)).sets
    assert found == [picks for picks in everything if len(picks) == 7]
    assert found


@given(residuals, st.integers(2, 13))
@quick
def test_every_match_that_is_written_out_is_paid_for(residual: Residual, size: int) -> None:
    effort = Effort(boundless)
    listing = ZeroSums(residual).of_size(size, effort)
    assert listing.complete
    looked_at = listing_price(ZeroSums(residual).price(size))
    assert looked_at + MATCH_PRICE * len(listing.sets) <= effort.spent


@pytest.mark.parametrize("question", awkward.values(), ids=awkward)
def test_what_is_held_and_written_out_is_limited_beforehand(question: Balances) -> None:
    descent = Descent(residual_of(question), Effort(800_000)).run()
    assert descent.listed == 3 or descent.sums.price(descent.listed) <= PICKS_MAX
    assert len(descent.sets) <= SETS_MAX + MATCHES_MAX
    assert len(descent.sample or []) <= 2 * SAMPLE


def test_of_too_many_sets_a_sample_is_listed() -> None:
    residual = residual_of(awkward["small integers"])
    listing = ZeroSums(residual).of_size(6, Effort(boundless))
    assert not listing.complete
    assert 0 < len(listing.sets) <= 2 * SAMPLE
    assert all(not sum(residual.balances_of(picks)) for picks in listing.sets)
    assert not any(Counter(picks) - Counter(residual.everybody()) for picks in listing.sets)


def test_too_many_sets_are_not_listed_by_halves() -> None:
    listing = every_set(residual_of(uniform(30, 300, seed=0)), Effort(boundless))
    assert listing == Listing([], complete=False)


def test_sums_that_crowd_in_one_residue_class_are_not_made() -> None:
    residual = residual_of(closed([65 * b for b in uniform(44, 10**9, 0).values()] + [1]))
    assert halves_fit(residual)
    assert not every_set(residual, Effort(boundless)).complete


# ── Bound ────────────────────────────────────────────────────────────────────────────────────────


@given(residuals, st.integers(2, 8))
@quick
def test_listed_sets_weigh_a_unit_and_members_their_share(residual: Residual, listed: int) -> None:
    sets, weights = weights_of(residual, listed)
    assert all(weights.of(picks) >= QUOTA for picks in sets)
    assert all(weight * (listed + 1) >= QUOTA for weight in weights.weight)
    assert weights.total == weights.of(residual.everybody())


@given(residuals)
@quick
def test_sets_that_came_out_too_light_are_made_up(residual: Residual) -> None:
    sets = zero_sum_sets(residual)
    weight = _made_up([0] * len(residual.values), sets)
    assert all(sum(weight[index] for index in picks) >= QUOTA for picks in sets)


@given(residuals, st.integers(2, 8))
@quick
def test_no_partition_has_more_blocks_than_the_weights_allow(
    residual: Residual, listed: int
) -> None:
    _, weights = weights_of(residual, listed)
    assert residual.size - fewest(residual) <= weights.level_max


def test_weights_refute_what_counting_cannot() -> None:
    residual = residual_of(uniform(60, 10**4, seed=0))
    sets = by_size(residual, range(3, 7))
    weights = Packing(residual).weights(sets, 6, Effort(boundless))
    assert weights.level_max < residual.level_max


# ── Search ───────────────────────────────────────────────────────────────────────────────────────


@given(residuals, st.integers(2, 7), st.integers(1, 5))
@settings(deadline=None, max_examples=120)
def test_a_verdict_is_true(residual: Residual, listed: int, blocks: int) -> None:
    sets, weights = weights_of(residual, listed)
    search = Search(residual, sets, weights, Effort(boundless))
    verdict = search.run(blocks, nodes_max=boundless)
    possible = residual.size - fewest(residual) >= blocks
    assert verdict in (
        [Verdict.FOUND, Verdict.OPEN] if possible else [Verdict.REFUTED, Verdict.OPEN]
    )
    if verdict is Verdict.OPEN:
        splits = [
            split_large(Residual(residual.values, tuple(left)), need, listed, Effort(boundless))
            for left, need in search.open
        ]
        assert any(splits) is possible


@given(residuals, st.integers(2, 7), st.data())
@quick
def test_reluctance_changes_the_way_but_not_the_verdict(
    residual: Residual, listed: int, data: st.DataObject
) -> None:
    sets, weights = weights_of(residual, listed)
    taste = [data.draw(st.floats(0.5, 1.5)) for _ in residual.values]
    blocks = data.draw(st.integers(1, 4))
    plain = Search(residual, sets, weights, Effort(boundless)).run(blocks, boundless)
    other = Search(residual, sets, weights, Effort(boundless)).run(blocks, boundless, taste)
    assert other is plain


@given(residuals, st.data())
@quick
def test_what_one_search_has_seen_does_not_mislead_the_next(
    residual: Residual, data: st.DataObject
) -> None:
    sets, weights = weights_of(residual, residual.size)
    search = Search(residual, sets, weights, Effort(boundless))
    for blocks in sorted(data.draw(st.lists(st.integers(1, 5), min_size=1)), reverse=True):
        for nodes_max in (1, 3, 9):
            search.run(blocks, nodes_max)
        possible = residual.size - fewest(residual) >= blocks
        verdict = search.run(blocks, boundless)
        assert verdict is (Verdict.FOUND if possible else Verdict.REFUTED)


@given(residuals, st.integers(1, 4))
@quick
def test_a_glance_at_another_level_leaves_no_traces(residual: Residual, level: int) -> None:
    sets, weights = weights_of(residual, listed=3)
    search = Search(residual, sets, weights, Effort(boundless))
    search.glance(level, boundless, [1.0] * len(residual.values))
    assert not search.seen
    assert not search.open


@given(residuals)
@quick
def test_the_best_partition_met_is_one(residual: Residual) -> None:
    descent = Descent(residual, Effort(2_000)).run()
    assert sorted(index for picks in descent.best for index in picks) == list(residual.everybody())
    assert all(sum(residual.values[index] for index in picks) == 0 for picks in descent.best)


# ── Effort ───────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 100), st.lists(st.integers(0, 50)))
def test_no_more_is_spent_than_there_was(budget: int, prices: list[int]) -> None:
    effort = Effort(budget)
    for price in prices:
        try:
            effort.spend(price)
        except Exhausted:
            break
    assert effort.spent <= budget


def test_exhausted_effort_stays_exhausted() -> None:
    effort = Effort(10)
    with pytest.raises(Exhausted):
        effort.spend(11)
    with pytest.raises(Exhausted):
        effort.spend(1)


def test_a_part_is_whole_or_not_at_all() -> None:
    effort = Effort(10)
    effort.spend(4)
    assert effort.part(6).budget == 6
    with pytest.raises(Exhausted):
        effort.part(7)


def test_a_residual_without_members_is_done() -> None:
    descent = Descent(residual_of({}), Effort(1)).run()
    assert (descent.best, descent.level) == ([], 0)


@given(residuals)
@quick
def test_large_blocks_are_split_off_smallest_first(residual: Residual) -> None:
    assume(residual.size >= 4)
    blocks = split_large(residual, 2, 1, Effort(boundless))
    assert (blocks is None) is (residual.size - fewest(residual) < 2)
