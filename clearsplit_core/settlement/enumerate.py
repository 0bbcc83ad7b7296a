"""Enumerate: every zero-sum set of members, one size after another.

A zero-sum set of size s has p creditors and q = s - p debtors whose sums agree. So we list the sums
of all p-picks of creditors and of all q-picks of debtors, and join the two lists on the sum. Picks
are grown class by class, and one whose sum the other side cannot reach is dropped on the spot:
seven debtors who together owe what one creditor is due are few, however many sevens there are.

Where one list would be far longer than the other (five debtors against one creditor, in a group
with few creditors) some picks cross over with their sign changed: one creditor less two debtors,
against three debtors. Such a set is met once for each way to choose who crosses; it counts once.

Prices are counted beforehand, by the number of picks, as if none were dropped.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import compress
from typing import Final, NamedTuple

from clearsplit_core.settlement.reduce import Residual

PICKS_MAX: Final = 6_000_000  # that are held in memory at a time, at most
UNAFFORDABLE: Final = 1 << 100

Picks = tuple[int, ...]  # a set of members: its classes, sorted, each as often as it is picked


class Sums(NamedTuple):
    """Picks, in two columns: what each adds up to, and who is in it (see `Contents`)."""

    sums: list[int]
    contents: list[int]


class Join(NamedTuple):
    """How the sets with so many creditors and debtors are found.

    So many picks of the longer side cross to the other: debtors if above zero, creditors if below.
    """

    price: int
    creditors: int
    debtors: int
    crossing: int

    @property
    def longest(self) -> tuple[int, int]:
        """The longest picks that the join needs: of creditors, of debtors."""
        if self.crossing < 0:
            return max(self.creditors + self.crossing, -self.crossing), self.debtors
        return self.creditors, max(self.debtors - self.crossing, self.crossing)


class Contents:
    """Who is in a set, as one integer: a row of small counters, one per class, that add up."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self.counts = counts
        self.one: list[int] = []  # a single member of each class
        self.picked_by_bit: list[Picks] = []
        for index, count in enumerate(counts):
            self.one.append(1 << len(self.picked_by_bit))
            self.picked_by_bit += [(index,) * (1 << bit) for bit in range(count.bit_length())]
        self.bits = len(self.picked_by_bit)

    def picks(self, content: int) -> Picks:
        picked: Picks = ()
        while content:
            lowest = content & -content
            picked += self.picked_by_bit[lowest.bit_length() - 1]
            content ^= lowest
        return picked

    def exist(self, picks: Picks) -> bool:
        """Nobody is picked more often than there are members of their class."""
        return all(times <= self.counts[index] for index, times in Counter(picks).items())


class Side:
    """The creditors, or the debtors: (class, magnitude, count), by falling magnitude."""

    def __init__(self, classes: list[tuple[int, int, int]]) -> None:
        self.classes = classes
        size = sum(count for _, _, count in classes)
        self.numbers = [1] + [0] * size  # how many different picks of j members there are
        self.greatest = [0]  # the greatest sum of j members
        for _, magnitude, count in classes:
            numbers = self.numbers
            self.numbers = [sum(numbers[max(0, j - count) : j + 1]) for j in range(size + 1)]
            for _ in range(count):
                self.greatest.append(self.greatest[-1] + magnitude)

    def most(self, j: int) -> int:
        """No j members of this side, or fewer, have a greater sum."""
        return self.greatest[min(max(j, 0), len(self.greatest) - 1)]


class ZeroSums:
    """Finds the zero-sum sets of a residual."""

    def __init__(self, residual: Residual) -> None:
        self.values = residual.values
        self.contents = Contents(residual.counts)
        rows = list(zip(range(len(self.values)), self.values, residual.counts, strict=True))
        self.creditors = Side([row for row in rows if row[1] > 0])
        self.debtors = Side([(index, -value, count) for index, value, count in rows if value < 0])

    def price(self, size: int) -> int:
        """How many picks are looked at, at most, to find the sets of this size."""
        return sum(join.price for join in self._joins(size))

    def of_size(self, size: int) -> list[Picks]:
        """Every zero-sum set of so many members, sorted."""
        joins = list(self._joins(size))
        due_max = max((join.longest[0] for join in joins), default=0)
        owed_max = max((join.longest[1] for join in joins), default=0)
        due = self._grow(self.creditors, self.debtors, size, due_max)
        owed = self._grow(self.debtors, self.creditors, size, owed_max)
        found: set[Picks] = set()
        for _, p, q, crossing in joins:
            if crossing > 0:
                found.update(self._crossed(due[p], owed[crossing], owed[q - crossing], size))
            elif crossing < 0:
                found.update(self._crossed(owed[q], due[-crossing], due[p + crossing], size))
            else:
                found.update(self._joined(due[p], owed[q]))
        return sorted(found)

    def _joins(self, size: int) -> Iterator[Join]:
        """The cheapest way for each number of creditors."""
        due, owed = self.creditors.numbers, self.debtors.numbers
        for p in range(max(1, size - len(owed) + 1), min(size, len(due))):
            q = size - p
            ways = [Join(due[p] + owed[q], p, q, 0)]
            ways += [Join(due[p] * owed[t] + owed[q - t], p, q, t) for t in range(1, q - 1)]
            ways += [Join(owed[q] * due[t] + due[p - t], p, q, -t) for t in range(1, p - 1)]
            yield min(ways)

    def _grow(self, side: Side, other: Side, size: int, upto: int) -> list[Sums]:
        """For each j up to `upto`, the j-picks of a side that the rest of `size` can reach."""
        grown = [Sums([0], [0]), *(Sums([], []) for _ in range(upto))]
        reach = [other.most(size - j) for j in range(upto + 1)]
        for index, magnitude, count in side.classes:
            one = self.contents.one[index]
            for j in range(upto, 0, -1):
                for times in range(1, min(count, j) + 1):
                    _add(grown[j], grown[j - times], times * magnitude, times * one, reach[j])
        return grown

    def _joined(self, left: Sums, right: Sums) -> Iterator[Picks]:
        """A pick of either list with the same sum."""
        common = _common(left.sums, right.sums)
        contents = _by_sum(left, common)
        for i in _where(right.sums, common):
            for content in contents[right.sums[i]]:
                yield self.contents.picks(content + right.contents[i])

    def _crossed(self, near: Sums, crossing: Sums, far: Sums, size: int) -> Iterator[Picks]:
        """A near pick less a crossing one, against a far one; all three of different members.

        The same member on both sides of the join shows: there are more picks than members of the
        class, or their counter runs over into the next, and the picks do not add up any more.
        """
        common = _common([a - b for a in near.sums for b in crossing.sums if a > b], far.sums)
        if not common:
            return
        ends = _by_sum(far, common)
        met = {
            here + over + there
            for total, here in zip(*near, strict=True)
            for less, over in zip(*crossing, strict=True)
            if total - less in common
            for there in ends[total - less]
        }
        for picks in (self.contents.picks(who) for who in met if not who >> self.contents.bits):
            total = sum(self.values[index] for index in picks)
            if not total and len(picks) == size and self.contents.exist(picks):
                yield picks


def listing_price(picks: int) -> int:
    """The effort to look at so many picks; where memory would not do, more than anybody has."""
    return 300 + picks // 6 if picks <= PICKS_MAX else UNAFFORDABLE


def _add(grown: Sums, shorter: Sums, magnitude: int, content: int, reach: int) -> None:
    """The shorter picks, each with more members in it, join the grown ones within reach."""
    room = reach - magnitude
    contents = [who + content for total, who in zip(*shorter, strict=True) if total <= room]
    grown.contents.extend(contents)
    grown.sums.extend([total + magnitude for total in shorter.sums if total <= room])


def _common(left: list[int], right: list[int]) -> set[int]:
    few, many = sorted((left, right), key=len)
    return set(few).intersection(many)


def _where(sums: list[int], wanted: set[int]) -> Iterator[int]:
    """The places of the wanted sums."""
    return compress(range(len(sums)), map(wanted.__contains__, sums)) if wanted else iter(())


def _by_sum(picks: Sums, wanted: set[int]) -> dict[int, list[int]]:
    """Who makes the wanted sums."""
    contents: dict[int, list[int]] = defaultdict(list)
    for i in _where(picks.sums, wanted):
        contents[picks.sums[i]].append(picks.contents[i])
    return contents
