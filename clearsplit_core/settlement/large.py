"""Large: many blocks for a group that is too large to be searched as a whole.

Nothing is proven here. Blocks are taken where they are cheap to find, in nearly linear time, and
what is left in the end is one more block:

1. Triples: the largest amounts first, each against two of the other sign. The partners that a
   member tries are spread evenly over those between half its magnitude and all of it; always to
   take the first, or the nearest, uses up the middle and leaves thousands who fit nobody.
2. Quartets: two pairs of members with opposite sums, within a pool of some hundreds.
3. Windows: a few dozen members and an extra one who makes them sum to zero, split by `Descent`.

A plan that was stopped midway could by chance be shorter than a later one with more blocks. So
plans are looked at, and the best is kept, when the work passes one of the CHECKPOINTS: at the same
moments whatever the effort. What is done between the last of them and the end of effort is lost.

Pools and windows slide down the members by falling magnitude; members who found no block stay for
the next, until they fill two thirds of it. Neighbours differ by little, and small numbers meet more
often.
"""

import contextlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Final

from clearsplit_core.settlement.descend import Descent
from clearsplit_core.settlement.effort import BY_NAME, Effort, Exhausted
from clearsplit_core.settlement.plan import transfers_within
from clearsplit_core.settlement.reduce import Residual, residual_of

PARTNERS_MAX: Final = 300  # tried for a triple
POOL: Final = 300
WINDOW: Final = 40
WINDOW_UNITS: Final = 30_000

CHECKPOINTS: Final = sorted((e >> k for e in BY_NAME.values() for k in range(14)), reverse=True)
CHECKED_FROM: Final = 4  # units of work per member

Block = tuple[int, ...]  # the balances of its members


class Large:
    """Takes blocks out of a multiset of balances until effort or chances run out."""

    def __init__(self, residual: Residual, effort: Effort) -> None:
        self.effort = effort
        self.blocks: list[Block] = []
        self.transfers = 0  # within `blocks`
        self.left = Counter(dict(zip(residual.values, residual.counts, strict=True)))
        self.checkpoints = [work for work in CHECKPOINTS if work > CHECKED_FROM * residual.size]
        self.best = tuple(self.left.elements())  # the rest, where the plan was best ...
        self.best_blocks = 0  # ... and how many blocks were taken before
        self.best_transfers = transfers_within(self.best)

    def run(self) -> list[Block]:
        """A partition into zero-sum blocks."""
        with contextlib.suppress(Exhausted):
            self._take_triples()
            self._slide(POOL, self._quartets)
            self._slide(WINDOW, self._window)
            self._look()
        return [*self.blocks[: self.best_blocks], *([self.best] if self.best else [])]

    def _spend(self, units: int) -> None:
        self._reach(units)
        self.effort.spend(units)

    def _reach(self, units: int) -> None:
        """The plan has been looked at, if with so much more work a checkpoint is passed."""
        while self.checkpoints and self.effort.spent + units > self.checkpoints[-1]:
            self.checkpoints.pop()
            self._look()

    def _look(self) -> None:
        """The best plan stays, if the present one is no better."""
        rest = tuple(self.left.elements())
        transfers = self.transfers + transfers_within(rest)
        if transfers < self.best_transfers:
            self.best, self.best_blocks, self.best_transfers = rest, len(self.blocks), transfers

    def _take(self, block: Block) -> None:
        self.blocks.append(block)
        self.transfers += transfers_within(block)
        self.left.subtract(block)

    def _ranked(self) -> list[int]:
        return sorted(self.left.elements(), key=lambda value: (-abs(value), value))

    def _take_triples(self) -> None:
        magnitudes = {
            sign: sorted(abs(value) for value in self.left if value * sign > 0) for sign in (1, -1)
        }
        for value in self._ranked():
            sign = 1 if value > 0 else -1
            if self.left[value]:
                partner = self._partner(abs(value), -sign, magnitudes[-sign])
                if partner:
                    self._take((value, -sign * partner, -sign * (abs(value) - partner)))

    def _partner(self, magnitude: int, sign: int, others: Sequence[int]) -> int:
        """The larger of two members of this sign whose magnitudes sum to this one; 0: not found."""
        first, last = bisect_left(others, (magnitude + 1) // 2), bisect_left(others, magnitude)
        tried = range(first, last, max(1, (last - first) // PARTNERS_MAX))
        for tries, i in enumerate(tried):
            larger, smaller = others[i], magnitude - others[i]
            needed = 1 + (larger == smaller)
            if self.left[sign * smaller] >= needed and self.left[sign * larger] >= needed:
                self._spend(3 + tries // 8)
                return larger
        self._spend(3 + len(tried) // 8)
        return 0

    def _slide(self, width: int, blocks_in: Callable[[list[int]], Iterable[Block]]) -> None:
        """All members have been in a pool of this width, and its blocks are taken."""
        waiting = self._ranked()[::-1]
        pool: list[int] = []
        while waiting:
            while waiting and len(pool) < width:
                pool.append(waiting.pop())
            stay = Counter(pool)
            for block in blocks_in(pool):
                self._take(block)
                stay.subtract(block)
            pool = sorted(stay.elements(), key=lambda value: (-abs(value), value))
            if len(pool) > width * 2 // 3:
                del pool[: width // 3]

    def _quartets(self, pool: list[int]) -> list[Block]:
        """Greedily: the first pair that meets an earlier one of four members still free."""
        self._spend(len(pool) ** 2 // 4)
        earlier: dict[int, list[tuple[int, int]]] = defaultdict(list)
        free = [True] * len(pool)
        found = []
        for i, j in combinations(range(len(pool)), 2):
            if not (free[i] and free[j]):
                continue
            partners = earlier[-pool[i] - pool[j]]
            partners[:] = [pair for pair in partners if free[pair[0]] and free[pair[1]]]
            self._spend(len(partners) // 16)
            four = next(({i, j, *pair} for pair in partners if not {i, j} & set(pair)), None)
            if four:
                found.append(tuple(pool[member] for member in sorted(four)))
                for member in four:
                    free[member] = False
            else:
                earlier[pool[i] + pool[j]].append((i, j))
        return found

    def _window(self, pool: list[int]) -> list[Block]:
        """The blocks of the best partition met in a short search, without the extra member's."""
        extra = -sum(pool)
        window = residual_of([*pool, extra] if extra else pool)
        self._reach(WINDOW_UNITS)
        part = self.effort.part(WINDOW_UNITS)
        best = Descent(window, part).run().best
        self.effort.spend(part.spent)
        blocks = [window.balances_of(picks) for picks in best]
        with_extra = next((block for block in blocks if extra in block), None)
        return [block for block in blocks if block is not with_extra]
