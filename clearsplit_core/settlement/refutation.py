"""Refutation: what a proof says, confirmed in the plainest way that is fast enough.

1. List every zero-sum set of at most `listed` members, by a method of our own.
2. See that each of them weighs the quota, and each member a fair share: quota / (listed + 1).
3. Try all ways to choose blocks. Whoever is in no set any more can only be in a block too large to
   list, and counts for a fair share. Stop where the members left weigh too little for the blocks to
   be made.

A set of members is one integer, a byte for each value: how many members with that value are in it.
So sets are united by adding them: a byte does not run over where there are fewer than 255 members.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import prod
from operator import itemgetter
from typing import Final

from clearsplit_core.settlement.effort import Effort, Exhausted
from clearsplit_core.settlement.proof import Proof

PROVEN_MAX: Final = 160  # members that a proof may speak of
QUOTA_MAX: Final = 1 << 40
PICKS_MAX: Final = 600_000  # held in memory at a time
SETS_MAX: Final = 20_000

Pick = tuple[int, int, int]  # how many members, what they sum to, who they are


def refutes(proof: Proof, left: Counter[int], work: Effort) -> bool:
    """The members left cannot be split into `proof.level` zero-sum blocks.

    `left`: how many members have each balance. Raises Exhausted where that is too hard to say.
    """
    values = sorted(+left)
    counts = [left[value] for value in values]
    numbers = (proof.level, proof.listed, proof.quota)
    if sum(counts) > PROVEN_MAX or not _are_sound(numbers, proof.weights):
        return False
    weights = [dict(proof.weights).get(value, 0) for value in values]
    sets = _zero_sum_sets(values, counts, min(proof.listed, sum(counts)), work)
    cover = _Cover(values, weights, sets, proof, work)
    return cover.weighs_enough() and cover.impossible(bytes(counts), cover.all, proof.level)


def _are_sound(numbers: tuple[object, ...], weights: object) -> bool:
    """All are integers above zero, and of a size to work with."""
    rows = weights if isinstance(weights, tuple) and len(weights) <= PROVEN_MAX else (None,)
    return (
        all(type(number) is int and 0 < number <= QUOTA_MAX for number in numbers)
        and all(isinstance(row, tuple) and len(row) == 2 for row in rows)
        and all(type(balance) is type(weight) is int for balance, weight in rows)
        and all(0 < weight <= QUOTA_MAX for _, weight in rows)
    )


# ── Every zero-sum set of at most so many members ────────────────────────────────────────────────


def _zero_sum_sets(
    values: Sequence[int], counts: Sequence[int], listed: int, work: Effort
) -> list[bytes]:
    """What one pick of members makes, two others unmake."""
    first, second, third = _three_picks(values, counts, listed, work)
    made: dict[int, list[int]] = defaultdict(list)
    for _, total, who in first:
        made[total].append(who)
    found: set[int] = set()
    for size, total, who in second:
        fitting = third[: bisect_right(third, listed - size, key=itemgetter(0))]
        for other, more in [(one, more) for _, one, more in fitting if -total - one in made]:
            makers = made[-total - other]
            work.spend(len(makers))
            found.update(maker + who + more for maker in makers)
            if len(found) > SETS_MAX:
                raise Exhausted
    sets = (who.to_bytes(len(counts), "little") for who in found)
    return [who for who in sets if 0 < sum(who) <= listed and all(map(int.__le__, who, counts))]


def _three_picks(
    values: Sequence[int], counts: Sequence[int], listed: int, work: Effort
) -> tuple[list[Pick], list[Pick], list[Pick]]:
    """Every set of at most `listed` members is made of one of each.

    A small set falls into two halves, and both may be of anybody. Where there are too many halves,
    the first pick is from some of the values, as many as memory bears; the others, from the rest.
    """
    places = range(len(values))
    width = _width(values)
    halves = width * _number_of_picks(counts, (listed + 1) // 2)
    if halves <= PICKS_MAX:
        work.spend(3 * halves)
        half = _picks(values, counts, places, (listed + 1) // 2)
        return [pick for pick in half if pick[0] <= listed // 2], [(0, 0, 0)], half
    some = [i for i in places if width * prod(n + 1 for n in counts[: i + 1]) <= PICKS_MAX]
    rest = places[len(some) :]
    work.spend(PICKS_MAX + width * prod(counts[i] + 1 for i in rest) // 8)
    first = _picks(values, counts, some, listed)
    second = _picks(values, counts, rest[::2], listed)
    return first, second, _picks(values, counts, rest[1::2], listed)


def _width(values: Sequence[int]) -> int:
    """How many times as much as ordinary amounts these cost to add and to keep."""
    return 1 + max(map(abs, values)).bit_length() // 128


def _number_of_picks(counts: Sequence[int], members_max: int) -> int:
    """How many different sets of at most so many members there are, zero-sum or not."""
    numbers = [1] + [0] * members_max
    for n in counts:
        numbers = [sum(numbers[max(0, j - n) : j + 1]) for j in range(members_max + 1)]
    return sum(numbers)


def _picks(
    values: Sequence[int], counts: Sequence[int], places: Sequence[int], members_max: int
) -> list[Pick]:
    """All sets of at most so many members with the values at these places; by size.

    Raises Exhausted if memory would not do.
    """
    number = _number_of_picks([counts[i] for i in places], members_max)
    if number * _width(values) > PICKS_MAX:
        raise Exhausted
    picks: list[Pick] = [(0, 0, 0)]
    for i in places:
        picks += [
            (size + times, total + times * values[i], who + (times << 8 * i))
            for size, total, who in picks
            for times in range(1, min(counts[i], members_max - size) + 1)
        ]
    picks.sort(key=itemgetter(0))
    return picks


# ── Every way to choose blocks ───────────────────────────────────────────────────────────────────


class _Cover:
    """Tries all ways to choose blocks. Live sets, those still allowed, are bits of an integer."""

    def __init__(
        self,
        values: Sequence[int],
        weights: Sequence[int],
        sets: Sequence[bytes],
        proof: Proof,
        work: Effort,
    ) -> None:
        self.values, self.weights, self.work = values, weights, work
        self.quota, self.listed = proof.quota, proof.listed
        self.share = -(-proof.quota // (proof.listed + 1))
        heavy = sorted((sum(map(int.__mul__, who, weights)), who) for who in sets)
        self.excess = [weight - proof.quota for weight, _ in heavy]
        self.picked = [{i: n for i, n in enumerate(who) if n} for _, who in heavy]
        self.users = [0] * len(values)  # by value
        for number, picked in enumerate(self.picked):
            for i in picked:
                self.users[i] |= 1 << number
        self.all = (1 << len(sets)) - 1
        self.price = 5 + len(values) * (1 + len(sets) // 2_000)
        work.spend(5 * len(sets))

    def weighs_enough(self) -> bool:
        """Each listed set weighs the quota, and each member a fair share."""
        return min(self.excess, default=0) >= 0 and min(self.weights) >= self.share

    def impossible(self, left: bytes, live: int, need: int) -> bool:
        """`left[i]` members with value i cannot be split into `need` blocks, live sets or large."""
        while True:
            self.work.spend(self.price)
            live, slack = self._narrowed(left, live, need)
            if slack < 0:
                return True
            if need == 1 or not live:
                return need > 1 and not self._may_split(left)
            for number in self._rivals(live):
                rest = bytes(n - self.picked[number].get(i, 0) for i, n in enumerate(left))
                if not self.impossible(rest, self._fitting(live, number, rest), need - 1):
                    return False
                live ^= 1 << number

    def _narrowed(self, left: bytes, live: int, need: int) -> tuple[int, int]:
        """The live sets light enough, and what the members left weigh above `need` quotas."""
        before, slack = -1, 0
        while live != before and slack >= 0:
            before = live
            slack = -need * self.quota
            for n, weight, users in zip(left, self.weights, self.users, strict=True):
                slack += n * (weight if live & users else self.share)
            live &= (1 << bisect_right(self.excess, max(slack, 0))) - 1
        return live, slack

    def _rivals(self, live: int) -> list[int]:
        """All live sets of whoever is in the fewest."""
        used = ((live & users).bit_count() for users in self.users)
        _, branch = min((uses, i) for i, uses in enumerate(used) if uses)
        return list(_bits(live & self.users[branch]))

    def _fitting(self, live: int, chosen: int, rest: bytes) -> int:
        """The live sets whose members are all left."""
        for i in self.picked[chosen]:
            rivals = live & self.users[i]
            self.work.spend(rivals.bit_count())
            for number in _bits(rivals):
                if self.picked[number][i] > rest[i]:
                    live ^= 1 << number
        return live

    def _may_split(self, left: bytes) -> bool:
        """The members left can be split at least in two blocks of more than `listed` members."""
        sides = [[i for i, v in enumerate(self.values) if v * sign > 0] for sign in (1, -1)]
        due, owed = (_picks(self.values, left, side, sum(left)) for side in sides)
        self.work.spend(len(due) + len(owed))
        sizes: dict[int, set[int]] = defaultdict(set)
        for size, total, _ in owed:
            sizes[-total].add(size)
        return any(
            self.listed < size + other < sum(left) - self.listed
            for size, total, _ in due
            for other in sizes.get(total, ())
        )


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
