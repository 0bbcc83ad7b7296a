"""Descend: from the most blocks that are thinkable down to the most that there are.

At every moment two things stand: `level`, above which every number of blocks is refuted, and `best`,
the best partition met so far. They close in on each other:

1. List the zero-sum sets of one more member, and weigh them anew; the weights may refute levels.
2. Search for a partition into `level` blocks. Found: done. Refuted: one level down, again.
3. Undecided: back to 1 while lists are short and cheap. Then search longer, four times each turn, and
   between two searches *dive*: many short searches, each with another taste in whom to branch on. A
   search that looks in the wrong place first may stay there; a hundred short ones do not.

Where even the next size is dear (huge amounts have few zero-sum sets, all of them large) `halves` lists
everything at once.
"""

import random
from collections.abc import Sequence
from typing import Final

from clearsplit_core.settlement.bound import Packing, Weights
from clearsplit_core.settlement.effort import Effort, Exhausted, list_units
from clearsplit_core.settlement.enumerate import Picks, ZeroSums
from clearsplit_core.settlement.halves import every_set, expected_sets, halves_price
from clearsplit_core.settlement.reduce import Residual
from clearsplit_core.settlement.search import Search, Verdict, split_large, split_price

LISTED_ENOUGH: Final = 8  # sets per member; fewer are not worth a long search
LISTED_MAX: Final = 3_000  # with more than this, another size is not listed
PICKS_MAX: Final = 6_000_000  # nor where so many picks are to be looked at: memory
NODES: Final = 500  # of the first search over a list
DIVE_NODES: Final = 100
DIVES: Final = 10


class Descent:
    """The fewest-transfers search over one residual."""

    def __init__(self, residual: Residual, effort: Effort, best: Sequence[Picks] = ()) -> None:
        self.residual, self.effort = residual, effort
        self.level = residual.blocks_max
        self.best = list(best) or [residual.everybody()] * (residual.size > 0)
        self.refuted: tuple[int, Weights] | None = None
        self.sums = ZeroSums(residual)
        self.packing = Packing(residual)
        self.sets: list[Picks] = []
        self.everything: list[Picks] = []
        self.listed = 2
        self.patience = 0

    def run(self) -> "Descent":
        try:
            self._descend()
        except Exhausted:
            pass
        return self

    @property
    def done(self) -> bool:
        return len(self.best) >= self.level

    def _descend(self) -> None:
        while not self.done:
            if self.listed == 2 or self._list_is_short():
                self._list_more()
                self._weigh()
            if len(self.sets) >= LISTED_ENOUGH * self.residual.size:
                self.patience += 1
            self._try_level()

    def _list_is_short(self) -> bool:
        return (
            self.listed < self.residual.size // 2
            and len(self.sets) < LISTED_MAX
            and self._next_price() <= PICKS_MAX
        )

    def _next_price(self) -> int:
        if self.everything:
            return 0
        return min(self.sums.price(self.listed + 1), halves_price(self.residual))

    def _list_more(self) -> None:
        """One more size is listed, or everything."""
        if not self.everything and self._halves_are_cheaper():
            self.effort.spend(list_units(halves_price(self.residual)))
            self.everything = every_set(self.residual)
        if self.everything:
            self.listed = max(self.listed + 1, self.residual.size // self.level)
            self.sets = [picks for picks in self.everything if len(picks) <= self.listed]
            return
        self.effort.spend(list_units(self.sums.price(self.listed + 1)))
        self.listed += 1
        self.sets += self.sums.of_size(self.listed)

    def _halves_are_cheaper(self) -> bool:
        """Than all the sizes that the smallest of `level` blocks may have."""
        if expected_sets(self.residual) > LISTED_MAX:
            return False
        sizes = range(self.listed + 1, self.residual.size // self.level + 1)
        return sum(map(self.sums.price, sizes)) > halves_price(self.residual)

    def _weigh(self) -> None:
        self.effort.spend(10 * len(self.sets))
        weights = self.packing.weights(self.sets, self.listed, self.effort)
        self.search = Search(self.residual, self.sets, weights, self.effort)
        while self.level > 1 and weights.blocks_max < self.level:
            self._refute()

    def _refute(self) -> None:
        self.refuted = (self.level, self.search.weights)
        self.level -= 1

    def _try_level(self) -> None:
        """The level is decided, or a while has been spent on it."""
        while not self.done:
            verdict = self._searched(self.level, NODES * 4**self.patience)
            if verdict is Verdict.OPEN and self._leaves_are_cheap():
                verdict = self._decide_leaves()
            if verdict is not Verdict.REFUTED:
                break
            self._refute()
        if not self.done and verdict is Verdict.CAPPED and self.patience:
            self._dive(DIVES * 3**self.patience)

    def _searched(
        self, blocks: int, nodes_max: int, reluctance: list[float] | None = None
    ) -> Verdict:
        try:
            return self.search.run(blocks, nodes_max, reluctance)
        finally:
            self._keep(self.search.best)

    def _keep(self, blocks: list[Picks]) -> None:
        if len(blocks) > len(self.best):
            self.best = blocks

    def _leaves_are_cheap(self) -> bool:
        """To decide them costs less than to list another size."""
        return not self._list_is_short() or (
            all(need == 2 for _, need in self.search.open)
            and self._leaves_price() < self._next_price() + 20 * len(self.sets)
        )

    def _leaves_price(self) -> int:
        return sum(
            1000 + split_price(Residual(self.residual.values, left), need, self.listed)
            for left, need in self.search.open
        )

    def _decide_leaves(self) -> Verdict:
        for (left, need), chosen in self.search.open.items():
            rest = Residual(self.residual.values, left)
            blocks = split_large(rest, need, self.listed, self.effort)
            if blocks:
                self._keep([*chosen, *blocks])
                return Verdict.FOUND
        self.search.close_leaves()
        return Verdict.REFUTED

    def _dive(self, times: int) -> None:
        taste = random.Random(1)  # noqa: S311 - a fixed sequence is what we want
        for _ in range(times):
            reluctance = [0.5 + taste.random() for _ in self.residual.values]
            self._searched(self.level, DIVE_NODES, reluctance)
            if self.done:
                return
