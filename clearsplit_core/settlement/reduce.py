"""Reduce: leave out what cannot matter before anything is searched.

Three steps, and none of them can cost the best plan a block:

1. Zero balances drop out, and the rest is divided by its greatest common divisor.
2. Exact pairs x, -x become blocks. They are safe: take an optimal partition, with x in block A and
   -x in B. If A and B differ, {x, -x} and (A and B without them) are two zero-sum blocks as well;
   if they are one block, splitting the pair off gains a block. Exact triples are *not* safe.
3. Members with equal balances are interchangeable: the residual keeps a count per value.

Afterwards each magnitude has one sign, so every block has at least three members, and one of either
sign: there are at most min(members / 3, creditors, debtors) blocks.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True, slots=True)
class Residual:
    """A zero-sum multiset: `counts[i]` members have the balance `values[i]`.

    Values are distinct, not zero, and ordered by falling magnitude. An index into them is a class,
    and a set of members is written as its classes, sorted, each as often as it is picked.
    """

    values: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def size(self) -> int:
        return sum(self.counts)

    @property
    def creditors(self) -> int:
        return sum(n for value, n in zip(self.values, self.counts, strict=True) if value > 0)

    @property
    def level_max(self) -> int:
        """No partition has more blocks, provided that no value meets its negative."""
        return min(self.size // 3, self.creditors, self.size - self.creditors)

    @property
    def width(self) -> int:
        """How many times as much as ordinary amounts these cost to add and to keep."""
        return 1 + self.spread.bit_length() // 128

    @property
    def spread(self) -> int:
        """No sum of members is as far from zero."""
        return 1 + sum(abs(v) * n for v, n in zip(self.values, self.counts, strict=True))

    def everybody(self) -> tuple[int, ...]:
        """The set of all members."""
        return tuple(index for index, n in enumerate(self.counts) for _ in range(n))

    def without(self, picks: Iterable[int]) -> "Residual":
        """The same classes, less the members of a set."""
        counts = list(self.counts)
        for index in picks:
            counts[index] -= 1
        return Residual(self.values, tuple(counts))

    def balances_of(self, picks: Iterable[int]) -> tuple[int, ...]:
        """The balances of a set of members."""
        return tuple(self.values[index] for index in picks)

    def picks_of(self, blocks: Iterable[Iterable[int]]) -> list[tuple[int, ...]]:
        """Blocks of balances, written as sets of members."""
        index = {value: i for i, value in enumerate(self.values)}
        return [tuple(sorted(index[value] for value in block)) for block in blocks]


def residual_of(balances: Iterable[int]) -> Residual:
    counted = Counter(balances)
    values = sorted(counted, key=lambda value: (-abs(value), value))
    return Residual(tuple(values), tuple(counted[value] for value in values))


def reduce(balances: Iterable[int]) -> tuple[int, list[int], Residual]:
    """The divisor, the positive half of each exact pair, and what remains; both divided by it."""
    counted = Counter(balance for balance in balances if balance)
    divisor = gcd(*counted) or 1
    pairs: list[int] = []
    left: list[int] = []
    for magnitude in sorted({abs(value) for value in counted}):
        plus, minus = counted[magnitude], counted[-magnitude]
        value = magnitude // divisor
        pairs += [value] * min(plus, minus)
        left += [value] * (plus - minus) + [-value] * (minus - plus)
    return divisor, pairs, residual_of(left)
