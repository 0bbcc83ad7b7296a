"""Halves: every zero-sum set at once, for amounts so large that there are few.

Half the members make 2^(n/2) sums, and what they make, the other half must unmake. To hold neither
half in memory, each is again two quarters of 2^(n/4) sums, and the halves meet one residue class at
a time: a sum of two quarters has residue r if theirs are a and r - a. So the work is 2^(n/2), but
the memory is 2^(n/4) and one slice of sums, short enough for the processor's cache.

One member of the first class sits out: the sets with it are the complements of the others.

Matches are counted before they are written out, and a residue class that draws far more sums than
its share is seen before they are made: such amounts have no list.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, compress
from math import isqrt, prod
from typing import Final

from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.enumerate import Contents, Listing
from clearsplit_core.settlement.reduce import Residual

SLICE: Final = 1 << 16  # sums of one residue
SUMS_MAX: Final = 100_000_000
CROWD: Final = 8  # times as many sums of one residue are not made
SETS_FEW: Final = 20_000  # a list of all sets is not longer

Made = tuple[int, int]  # a sum, and who makes it


def halves_price(residual: Residual) -> int:
    """How many sums are made; they are never held in memory together."""
    return 3 * residual.width * isqrt(prod(count + 1 for count in residual.counts))


def halves_fit(residual: Residual) -> bool:
    """All sets can be listed, as far as one knows beforehand."""
    return halves_price(residual) <= SUMS_MAX and expected_sets(residual) <= SETS_FEW


def expected_sets(residual: Residual) -> int:
    """About how many zero-sum sets there are: sums of random members are nearly normal.

    The variance is spread / 12, and 11 / 21 is about 2 pi / 12.
    """
    spread = sum(v * v * n * (n + 2) for v, n in zip(residual.values, residual.counts, strict=True))
    return prod(count + 1 for count in residual.counts) // isqrt(spread * 11 // 21 + 1)


def every_set(residual: Residual, effort: Effort) -> Listing:
    """The zero-sum sets of members, but the empty one and the whole; by size, then sorted.

    Incomplete, and empty, if there are more than SETS_FEW. Raises Exhausted.
    """
    effort.spend(1_000 + halves_price(residual) // 8)
    contents = Contents(residual.counts)
    everybody = sum(one * n for one, n in zip(contents.one, residual.counts, strict=True))
    counts = (residual.counts[0] - 1, *residual.counts[1:])
    halves = _halves(residual.values, counts, contents)
    found: set[int] = set()
    for residue in range(halves[0].buckets):
        met = _met(*halves, residue, SETS_FEW - len(found))
        if met is None:
            return Listing([], complete=False)
        found.update(met)
    found |= {everybody - content for content in found}
    found -= {0, everybody}
    sets = sorted(map(contents.picks, found), key=lambda picks: (len(picks), picks))
    return Listing(sets, complete=True)


class Half:
    """The sums of half the members, in two quarters that are bucketed by residue."""

    def __init__(self, first: list[Made], second: list[Made], buckets: int) -> None:
        self.buckets = buckets
        self.first, self.second = _bucketed(first, buckets), _bucketed(second, buckets)
        self.first_sums = [[total for total, _ in bucket] for bucket in self.first]
        self.second_sums = [[total for total, _ in bucket] for bucket in self.second]

    def number(self, residue: int) -> int:
        """How many sums have this residue."""
        return sum(len(ones) * len(self.second[residue - i]) for i, ones in enumerate(self.first))

    def sums(self, residue: int) -> list[int]:
        """All sums with this residue. A negative bucket counts from the end, as it should."""
        return [
            one + other
            for i, ones in enumerate(self.first_sums)
            for others in (self.second_sums[residue - i],)
            for one in ones
            for other in others
        ]

    def makers(self, residue: int, places: Iterable[int]) -> Iterator[int]:
        """Who makes the sums that stand at these places of `sums(residue)`."""
        lengths = (len(ones) * len(self.second[residue - i]) for i, ones in enumerate(self.first))
        starts = list(accumulate(lengths, initial=0))
        for place in places:
            i = bisect_right(starts, place) - 1
            others = self.second[residue - i]
            one, other = divmod(place - starts[i], len(others))
            yield self.first[i][one][1] + others[other][1]


def _halves(
    values: tuple[int, ...], counts: tuple[int, ...], contents: Contents
) -> tuple[Half, Half]:
    """What one half of the members makes, and what the other does, with the sign changed."""
    quarters: list[list[Made]] = [[(0, 0)] for _ in range(4)]
    for index in sorted(range(len(values)), key=lambda index: -counts[index]):
        shortest = min(range(4), key=lambda i: len(quarters[i]))
        step = values[index] if shortest < 2 else -values[index]
        quarters[shortest] = [
            (total + times * step, content + times * contents.one[index])
            for times in range(counts[index] + 1)
            for total, content in quarters[shortest]
        ]
    # An odd number: money likes even amounts, and they would crowd in half of the classes.
    buckets = len(quarters[0]) * len(quarters[1]) // SLICE | 1
    return Half(quarters[0], quarters[1], buckets), Half(quarters[2], quarters[3], buckets)


def _bucketed(quarter: list[Made], buckets: int) -> list[list[Made]]:
    by_residue: list[list[Made]] = [[] for _ in range(buckets)]
    for total, content in quarter:
        by_residue[total % buckets].append((total, content))
    return by_residue


def _met(made: Half, unmade: Half, residue: int, met_max: int) -> list[int] | None:
    """Everybody who makes a sum of this residue, with everybody who unmakes it; None: too many."""
    if max(made.number(residue), unmade.number(residue)) > CROWD * SLICE:
        return None
    sums, others = made.sums(residue), unmade.sums(residue)
    common = set(others).intersection(sums)
    here, there = _where(sums, common), _where(others, common)
    times = Counter(sums[place] for place in here)
    if sum(times[others[place]] for place in there) > met_max:
        return None
    makers = defaultdict(list)
    for place, who in zip(here, made.makers(residue, here), strict=True):
        makers[sums[place]].append(who)
    return [
        who + other
        for place, who in zip(there, unmade.makers(residue, there), strict=True)
        for other in makers[others[place]]
    ]


def _where(sums: list[int], wanted: set[int]) -> list[int]:
    """The places of the wanted sums."""
    return list(compress(range(len(sums)), map(wanted.__contains__, sums)))
