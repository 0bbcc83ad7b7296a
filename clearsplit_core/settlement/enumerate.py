"""Enumerate: every zero-sum set of members, one size after another.

A zero-sum set of size s has p creditors and q = s - p debtors whose sums agree. So we list the sums
of all p-picks of creditors and of all q-picks of debtors, and join the two lists on the sum. Picks
are grown class by class, and one whose sum the other side cannot reach is dropped on the spot:
seven debtors who together owe what one creditor is due are few, however many sevens there are.

Where one list would be far longer than the other (five debtors against one creditor, in a group
with few creditors) some picks cross over with their sign changed: one creditor less two debtors,
against three debtors. Such a set is met once for each way to choose who crosses; it counts once.

Nothing is bounded by hope. Picks are counted before they are grown, as if none were dropped, and
matches before they are written out. Where there are more than MATCHES_MAX, only every so-manieth is
written out: a *sample*, which can help to find blocks but never to refute any.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate, compress
from typing import Final, NamedTuple

from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.reduce import Residual

PICKS_MAX: Final = 3_000_000  # that are held in memory at a time
MATCHES_MAX: Final = 60_000  # that are written out
SAMPLE: Final = 3_000  # matches that are, where there are more
MATCH_PRICE: Final = 6
UNAFFORDABLE: Final = 1 << 100

Picks = tuple[int, ...]  # a set of members: its classes, sorted, each as often as it is picked


class Listing(NamedTuple):
    """Zero-sum sets: all there are of a kind, or a sample."""

    sets: list[Picks]
    complete: bool


class Sums(NamedTuple):
    """Picks, in two columns: what each adds up to, and who is in it (see `Contents`)."""

    sums: list[int]
    contents: list[int]


NOBODY: Final = Sums([0], [0])


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


class Meeting(NamedTuple):
    """A near pick, less a crossing one, matches every end with the same sum."""

    near: Sums
    crossing: Sums
    ends: dict[int, list[int]]  # contents by sum

    def sums(self) -> Iterator[int]:
        return (total - less for total in self.near.sums for less in self.crossing.sums)

    def matches(self) -> int:
        """How many there are; counted, not written out."""
        ends = {total: len(contents) for total, contents in self.ends.items()}
        return sum(ends[total] for total in self.sums() if total in ends)

    def every(self, step: int) -> Iterator[int]:
        """The contents of every so-manieth match."""
        skip = 0
        for total, here in zip(*self.near, strict=True):
            for less, over in zip(*self.crossing, strict=True):
                ends = self.ends.get(total - less)
                if ends:
                    for there in ends[skip::step]:
                        yield here + over + there
                    skip = (skip - len(ends)) % step


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
        """The set; a counter that ran over the last class is dropped."""
        picked: Picks = ()
        content &= (1 << self.bits) - 1
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
        self.grown = list(accumulate(self.numbers))  # how many of j members or fewer

    def most(self, j: int) -> int:
        """No j members of this side, or fewer, have a greater sum."""
        return self.greatest[min(max(j, 0), len(self.greatest) - 1)]


class ZeroSums:
    """Finds the zero-sum sets of a residual."""

    def __init__(self, residual: Residual) -> None:
        self.values = residual.values
        self.width = residual.width
        self.contents = Contents(residual.counts)
        rows = list(zip(range(len(self.values)), self.values, residual.counts, strict=True))
        self.creditors = Side([row for row in rows if row[1] > 0])
        self.debtors = Side([(index, -value, count) for index, value, count in rows if value < 0])

    def price(self, size: int) -> int:
        """How many picks are looked at, at most, to find the sets of this size."""
        joins = list(self._joins(size))
        due_max, owed_max = _longest(joins)
        grown = self.creditors.grown[due_max] + self.debtors.grown[owed_max]
        return self.width * (grown + sum(join.price for join in joins))

    def of_size(self, size: int, effort: Effort) -> Listing:
        """The zero-sum sets of so many members, sorted. Raises Exhausted."""
        effort.spend(listing_price(self.price(size)))
        joins = list(self._joins(size))
        due_max, owed_max = _longest(joins)
        due = self._grow(self.creditors, self.debtors, size, due_max)
        owed = self._grow(self.debtors, self.creditors, size, owed_max)
        meetings = [self._meeting(join, due, owed) for join in joins]
        matches = sum(meeting.matches() for meeting in meetings)
        step = 1 if matches <= MATCHES_MAX else matches // SAMPLE
        effort.spend(MATCH_PRICE * (matches // step))
        found = {
            picks
            for meeting in meetings
            for picks in map(self.contents.picks, meeting.every(step))
            if meeting.crossing is NOBODY or self._is_one(picks, size)
        }
        return Listing(sorted(found), step == 1)

    def _joins(self, size: int) -> Iterator[Join]:
        """The cheapest way for each number of creditors."""
        due, owed = self.creditors.numbers, self.debtors.numbers
        for p in range(max(1, size - len(owed) + 1), min(size, len(due))):
            q = size - p
            ways = [Join(due[p] + owed[q], p, q, 0)]
            ways += [Join(2 * due[p] * owed[t] + owed[q - t], p, q, t) for t in range(1, q - 1)]
            ways += [Join(2 * owed[q] * due[t] + due[p - t], p, q, -t) for t in range(1, p - 1)]
            yield min(ways)

    def _grow(self, side: Side, other: Side, size: int, upto: int) -> list[Sums]:
        """For each j up to `upto`, the j-picks of a side that the rest of `size` can reach."""
        grown = [NOBODY, *(Sums([], []) for _ in range(upto))]
        reach = [other.most(size - j) for j in range(upto + 1)]
        for index, magnitude, count in side.classes:
            one = self.contents.one[index]
            for j in range(upto, 0, -1):
                for times in range(1, min(count, j) + 1):
                    _add(grown[j], grown[j - times], times * magnitude, times * one, reach[j])
        return grown

    def _meeting(self, join: Join, due: list[Sums], owed: list[Sums]) -> Meeting:
        _, p, q, crossing = join
        if crossing > 0:
            return _crossed(due[p], owed[crossing], owed[q - crossing])
        if crossing < 0:
            return _crossed(owed[q], due[-crossing], due[p + crossing])
        return _joined(due[p], owed[q])

    def _is_one(self, picks: Picks, size: int) -> bool:
        """Near, crossing and far picks are of different members.

        The same member on both sides of the join shows: there are more picks than members of the
        class, or their counter runs over into the next, and the picks do not add up any more.
        """
        return (
            len(picks) == size
            and not sum(self.values[index] for index in picks)
            and self.contents.exist(picks)
        )


def listing_price(picks: int) -> int:
    """The effort to look at so many picks; where memory would not do, more than anybody has."""
    return 1_000 + picks // 8 if picks <= PICKS_MAX else UNAFFORDABLE


def _longest(joins: list[Join]) -> tuple[int, int]:
    """The longest picks that any of the joins needs."""
    due = max((join.longest[0] for join in joins), default=0)
    return due, max((join.longest[1] for join in joins), default=0)


def _add(grown: Sums, shorter: Sums, magnitude: int, content: int, reach: int) -> None:
    """The shorter picks, each with more members in it, join the grown ones within reach."""
    room = reach - magnitude
    contents = [who + content for total, who in zip(*shorter, strict=True) if total <= room]
    grown.contents.extend(contents)
    grown.sums.extend([total + magnitude for total in shorter.sums if total <= room])


def _joined(left: Sums, right: Sums) -> Meeting:
    few, many = sorted((left.sums, right.sums), key=len)
    common = set(few).intersection(many)
    return Meeting(_with(right, common), NOBODY, _by_sum(left, common))


def _crossed(near: Sums, crossing: Sums, far: Sums) -> Meeting:
    met = Meeting(near, crossing, {})
    common = set(far.sums).intersection(met.sums())
    return met._replace(ends=_by_sum(far, common)) if common else Meeting(NOBODY, crossing, {})


def _with(picks: Sums, wanted: set[int]) -> Sums:
    """Those that make a wanted sum."""
    chosen = [total in wanted for total in picks.sums] if wanted else []
    return Sums(list(compress(picks.sums, chosen)), list(compress(picks.contents, chosen)))


def _by_sum(picks: Sums, wanted: set[int]) -> dict[int, list[int]]:
    """Who makes the wanted sums."""
    contents: dict[int, list[int]] = defaultdict(list)
    for total, who in zip(*_with(picks, wanted), strict=True):
        contents[total].append(who)
    return dict(contents)
