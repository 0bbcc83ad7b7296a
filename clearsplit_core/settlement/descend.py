"""Descend: from the most blocks that are thinkable down to the most that there are.

Two things stand at every moment: `level`, above which every number of blocks is refuted, and
`best`, the best partition met so far. They close in on each other:

1. List the zero-sum sets of one more member and weigh them anew; the weights may refute levels.
2. Search for a partition into `level` blocks. Found: done. Refuted: one level down, and again.
3. Undecided: back to 1 while lists are short and cheap. After that search longer, four times at
   each turn, and between two searches *dive*: many short searches, each with another taste in whom
   to branch on. A search that looks in the wrong place first may stay there; a hundred short ones
   do not.

Where even the next size is dear (huge amounts have few zero-sum sets, and large ones) `halves`
lists everything at once.
"""

import contextlib
import random
from collections.abc import Sequence
from typing import Final

from clearsplit_core.settlement.bound import Packing, Weights
from clearsplit_core.settlement.effort import Effort, Exhausted
from clearsplit_core.settlement.enumerate import PICKS_MAX, Picks, ZeroSums, listing_price
from clearsplit_core.settlement.halves import every_set, expected_sets, halves_price
from clearsplit_core.settlement.reduce import Residual
from clearsplit_core.settlement.search import Search, Verdict, split_large, split_price

SETS_ENOUGH: Final = 8  # per member; a list with fewer is not worth a long search
SETS_MAX: Final = 3_000  # a list with more does not get another size
SETS_FEW: Final = 20_000  # of all sizes together; halves do not list more
NODES: Final = 500  # of the first search over a list
DIVE_NODES: Final = 100
DIVES: Final = 10
SET_PRICE: Final = 10  # to weigh a set and to number it
LEAF_PICKS: Final = 5_000  # to look at an open leaf at all is worth as many picks


class Descent:
    """The search for the most zero-sum blocks of one residual."""

    def __init__(self, residual: Residual, effort: Effort, best: Sequence[Picks] = ()) -> None:
        self.residual, self.effort = residual, effort
        self.level = residual.blocks_max
        self.best = list(best) or [residual.everybody()] * (residual.size > 0)
        self.refuted: tuple[int, Weights] | None = None  # the lowest level that is, and by what
        self.sums = ZeroSums(residual)
        self.packing = Packing(residual)
        self.sets: list[Picks] = []  # every zero-sum set of at most `listed` members
        self.listed = 2
        self.everything: list[Picks] | None = None  # every zero-sum set of any size
        self.sets_are_few = expected_sets(residual) <= SETS_FEW
        self.patience = 0

    def run(self) -> "Descent":
        """`best` and `level` are as close as the effort brings them."""
        with contextlib.suppress(Exhausted):
            while not self._done:
                if self.listed == 2 or self._list_is_short():
                    self._list_more()
                    self._weigh()
                if len(self.sets) >= SETS_ENOUGH * self.residual.size:
                    self.patience += 1
                self._try_levels()
        return self

    @property
    def _done(self) -> bool:
        return len(self.best) >= self.level

    # Listing

    def _list_is_short(self) -> bool:
        return (
            self.listed < self.residual.size // 2
            and len(self.sets) < SETS_MAX
            and self._next_price() <= PICKS_MAX
        )

    def _next_price(self) -> int:
        """How many picks to look at for another size, or for all of them."""
        if self.everything is not None:
            return 0
        next_size = self.sums.price(self.listed + 1)
        return min(next_size, halves_price(self.residual)) if self.sets_are_few else next_size

    def _list_more(self) -> None:
        """One more size is listed; or everything, and then as much of it as the level asks for."""
        if self.everything is None and self._halves_are_cheaper():
            self.effort.spend(halves_price(self.residual) // 6)
            self.everything = every_set(self.residual)
        if self.everything is not None:
            self.listed = max(self.listed + 1, self.residual.size // self.level)
            self.sets = [picks for picks in self.everything if len(picks) <= self.listed]
            return
        self.effort.spend(listing_price(self.sums.price(self.listed + 1)))
        self.listed += 1
        self.sets += self.sums.of_size(self.listed)

    def _halves_are_cheaper(self) -> bool:
        """Than all the sizes that the smallest of `level` blocks may have."""
        largest = max(self.listed + 1, self.residual.size // self.level)
        by_size = sum(map(self.sums.price, range(self.listed + 1, largest + 1)))
        return self.sets_are_few and by_size > halves_price(self.residual)

    def _weigh(self) -> None:
        """The search is over the present list, and levels too heavy for it are refuted."""
        self.effort.spend(SET_PRICE * len(self.sets))
        weights = self.packing.weights(self.sets, self.listed, self.effort)
        self.search = Search(self.residual, self.sets, weights, self.effort)
        while weights.blocks_max < self.level:
            self._refute()

    def _refute(self) -> None:
        self.refuted = (self.level, self.search.weights)
        self.level -= 1

    # Searching

    def _try_levels(self) -> None:
        """Levels are refuted until one is found, or has been searched for long enough."""
        verdict = Verdict.REFUTED
        while verdict is Verdict.REFUTED and not self._done:
            verdict = self._searched(NODES * 4**self.patience)
            if verdict is Verdict.OPEN and self._leaves_are_cheap():
                verdict = self._decide_leaves()
            if verdict is Verdict.REFUTED:
                self._refute()
        if verdict is Verdict.CAPPED and self.patience:
            self._dive(DIVES * 3**self.patience)

    def _searched(self, nodes_max: int, reluctance: Sequence[float] | None = None) -> Verdict:
        try:
            return self.search.run(self.level, nodes_max, reluctance)
        finally:
            self._keep(self.search.best)

    def _keep(self, blocks: list[Picks]) -> None:
        if len(blocks) > len(self.best):
            self.best = blocks

    def _dive(self, times: int) -> None:
        taste = random.Random(1)  # noqa: S311 - the same sequence every time is what we want
        for _ in range(times):
            self._searched(DIVE_NODES, [0.5 + taste.random() for _ in self.residual.values])
            if self._done:
                return

    # Open leaves

    def _leaves_are_cheap(self) -> bool:
        """To decide them costs less than to list another size, or that cannot be done."""
        if not self._list_is_short():
            return True
        budget = self._next_price() + 2 * SET_PRICE * len(self.sets)
        for left, need in self.search.open:
            rest = Residual(self.residual.values, tuple(left))
            budget -= LEAF_PICKS + split_price(rest, need, self.listed)
            if need > 2 or budget < 0:
                return False
        return True

    def _decide_leaves(self) -> Verdict:
        for (left, need), chosen in self.search.open.items():
            rest = Residual(self.residual.values, tuple(left))
            blocks = split_large(rest, need, self.listed, self.effort)
            if blocks:
                self._keep([*chosen, *blocks])
                return Verdict.FOUND
        self.search.close_leaves()
        return Verdict.REFUTED
