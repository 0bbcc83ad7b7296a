"""Descend: from the most blocks that are thinkable down to the most that there are.

Two things stand at every moment: `level`, above which every number of blocks is refuted, and
`best`, the partition met so far that is paid in the fewest transfers. They close in on each other:

1. List the zero-sum sets of one more member and weigh them anew; the weights may refute levels.
2. Search for a partition into `level` blocks. Found: done. Refuted: one level down, and again.
3. Undecided: back to 1 while lists are short and cheap. After that search longer, four times at
   each turn, and between two searches *dive*: many short searches, each with another taste in whom
   to branch on. A search that looks in the wrong place first may stay there; a hundred short ones
   do not. Where `best` is far below `level`, they look for one block more than it has.

Where even the next size is costly (huge amounts have few zero-sum sets, and large ones) `halves`
lists everything at once. Where there are too many to be listed, listing is over, and a sample of
those that were too many takes part in the search.

What is done next never depends on how much effort is left, so less effort sees the beginning of
what more effort sees. Both `level` and `best` only ever get better on the way: more effort never
gives a worse bound or a worse plan.
"""

import contextlib
import random
from collections.abc import Sequence
from typing import Final

from clearsplit_core.settlement.bound import QUOTA, Packing, Weights
from clearsplit_core.settlement.effort import Effort, Exhausted
from clearsplit_core.settlement.enumerate import PICKS_MAX, Picks, ZeroSums
from clearsplit_core.settlement.halves import every_set, halves_fit, halves_price
from clearsplit_core.settlement.plan import transfers_within
from clearsplit_core.settlement.proof import Proof
from clearsplit_core.settlement.reduce import Residual
from clearsplit_core.settlement.search import Search, TooMany, Verdict, split_large, split_price

SETS_ENOUGH: Final = 8  # per member; a list with fewer is not worth a long search
SETS_MAX: Final = 6_000  # a list with more does not get another size
NODES: Final = 500  # of the first search over a list
DIVE_NODES: Final = 200
DIVES: Final = 10
SET_PRICE: Final = 10  # to weigh a set and to number it
LEAF_PICKS: Final = 5_000  # to look at an open leaf at all is worth as many picks


class Descent:
    """The search for the most zero-sum blocks of one residual."""

    def __init__(self, residual: Residual, effort: Effort, best: Sequence[Picks] = ()) -> None:
        self.residual, self.effort = residual, effort
        self.level = residual.level_max
        self.refuted: tuple[int, Weights] | None = None  # the lowest level that is, and by what
        self.best: list[Picks] = []
        self.transfers = residual.size  # that `best` takes, at most
        self.most = 0  # blocks of a partition met
        self.sums = ZeroSums(residual)
        self.packing = Packing(residual)
        self.sets: list[Picks] = []  # every zero-sum set of at most `listed` members
        self.listed = 2
        self.everything: list[Picks] | None = None  # every zero-sum set of any size
        self.halves_fit = halves_fit(residual)
        self.sample: list[Picks] | None = None  # of the sets that were too many to be listed
        self.patience = 0
        self._keep(list(best) or [residual.everybody()] * (residual.size > 0))

    def run(self) -> "Descent":
        """`best` and `level` are as close as the effort, or the lists, can bring them."""
        with contextlib.suppress(Exhausted):
            verdict = Verdict.CAPPED
            while not self._done and (verdict is not Verdict.OPEN or self._more_can_be_listed()):
                if listing := self._more_can_be_listed():
                    self._list_more()
                    self._weigh()
                if not listing or len(self.sets) >= SETS_ENOUGH * self.residual.size:
                    self.patience += 1
                verdict = self._try_levels()
        return self

    @property
    def _done(self) -> bool:
        return self.residual.size - self.transfers >= self.level

    def _keep(self, blocks: list[Picks]) -> None:
        """If it has more blocks than any before, the partition is paid; the best plan stays."""
        if len(blocks) <= self.most:
            return
        self.most = len(blocks)
        transfers = sum(transfers_within(self.residual.balances_of(picks)) for picks in blocks)
        if transfers < self.transfers:
            self.best, self.transfers = blocks, transfers

    # Listing

    def _more_can_be_listed(self) -> bool:
        return self.listed == 2 or (
            self.sample is None
            and self.listed < self.residual.size // 2
            and len(self.sets) < SETS_MAX
            and (self.everything is not None or self._size_fits() or self.halves_fit)
        )

    def _size_fits(self) -> bool:
        return self.sums.price(self.listed + 1) <= PICKS_MAX

    def _next_price(self) -> int:
        """How many picks to look at for another size, or for all of them."""
        if self.everything is not None:
            return 0
        next_size = self.sums.price(self.listed + 1)
        return min(next_size, halves_price(self.residual)) if self.halves_fit else next_size

    def _list_more(self) -> None:
        """One more size is listed; or everything, and then as much of it as the level asks for."""
        if self.everything is None and self.halves_fit and self._sizes_are_costlier():
            self._list_by_halves()
        if self.everything is not None:
            self.listed = max(self.listed + 1, self.residual.size // self.level)
            self.sets = [picks for picks in self.everything if len(picks) <= self.listed]
        elif self._size_fits():
            self._list_by_size()
        else:
            self.sample = []

    def _list_by_halves(self) -> None:
        listing = every_set(self.residual, self.effort)
        if listing.complete:
            self.everything = listing.sets
        else:
            self.halves_fit = False

    def _list_by_size(self) -> None:
        listing = self.sums.of_size(self.listed + 1, self.effort)
        if listing.complete:
            self.listed += 1
            self.sets += listing.sets
        else:
            self.sample = listing.sets

    def _sizes_are_costlier(self) -> bool:
        """Than halves: all the sizes that the smallest of `level` blocks may have."""
        largest = max(self.listed + 1, self.residual.size // self.level)
        by_size = sum(map(self.sums.price, range(self.listed + 1, largest + 1)))
        return by_size > halves_price(self.residual) or not self._size_fits()

    def _weigh(self) -> None:
        """The search is over the present list, and levels too heavy for it are refuted."""
        sets = [*self.sets, *(self.sample or [])]
        self.effort.spend(SET_PRICE * len(sets))
        weights = self.packing.weights(self.sets, self.listed, self.effort)
        self.search = Search(self.residual, sets, weights, self.effort, self._keep)
        while weights.level_max < self.level:
            self._refute()

    def _refute(self) -> None:
        self.refuted = (self.level, self.search.weights)
        self.level -= 1

    # Searching

    def _try_levels(self) -> Verdict:
        """Levels are refuted until one is found, or has been searched for long enough."""
        verdict = Verdict.REFUTED
        while verdict is Verdict.REFUTED and not self._done:
            verdict = self.search.run(self.level, NODES * 4**self.patience)
            if verdict is Verdict.OPEN and self._leaves_are_cheap():
                verdict = self._decide_leaves()
            if verdict is Verdict.REFUTED:
                self._refute()
        if verdict is Verdict.CAPPED and self.patience:
            self._dive(DIVES * 3**self.patience)
        return verdict

    def _dive(self, times: int) -> None:
        """Many short searches: for one block more than was met, until that is the level."""
        taste = random.Random(1)  # noqa: S311 - the same sequence every time is what we want
        for _ in range(times):
            reluctance = [0.5 + taste.random() for _ in self.residual.values]
            if self.most + 1 < self.level:
                self.search.glance(self.most + 1, DIVE_NODES, reluctance)
            else:
                self.search.run(self.level, DIVE_NODES, reluctance)
            if self._done:
                return

    # Open leaves

    def _leaves_are_cheap(self) -> bool:
        """To decide them costs less than to list another size, or that cannot be done."""
        if not self._more_can_be_listed():
            return True
        budget = self._next_price() + 2 * SET_PRICE * len(self.sets)
        for left, need in self.search.open:
            rest = Residual(self.residual.values, tuple(left))
            budget -= LEAF_PICKS + split_price(rest, need, self.listed)
            if need > 2 or budget < 0:
                return False
        return True

    def _decide_leaves(self) -> Verdict:
        verdict = Verdict.REFUTED
        for (left, need), chosen in self.search.open.items():
            rest = Residual(self.residual.values, tuple(left))
            try:
                blocks = split_large(rest, need, self.listed, self.effort)
            except TooMany:
                verdict = Verdict.OPEN
                continue
            if blocks:
                self._keep([*chosen, *blocks])
                return Verdict.FOUND
        if verdict is Verdict.REFUTED:
            self.search.close_leaves()
        return verdict

    # What is proven

    def proof(self, divisor: int) -> Proof | None:
        """Why no partition has more than `level` blocks, if it took weights to say so."""
        if self.refuted is None:
            return None
        level, weights = self.refuted
        balances = [value * divisor for value in self.residual.values]
        by_balance = sorted(zip(balances, weights.weight, strict=True))
        return Proof(level, weights.listed, QUOTA, tuple(by_balance))
