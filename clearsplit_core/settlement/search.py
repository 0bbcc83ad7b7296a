"""Search: can the members be split into so many zero-sum blocks, given listed sets and weights?

A depth-first search for an exact cover. A node has some members left and `need` blocks to make of
them; chosen so far are sets from the list. What makes it small and fast:

- *Slack.* Every block weighs at least UNIT, so the members left must weigh need * UNIT. Slack is what
  they weigh above that. Choosing a set spends its excess (its weight above UNIT); a node without
  slack is closed.
- *Big.* A member in no live set can only be in a block too large to list. There it need weigh no more
  than the floor, so the rest of its weight, its charge, leaves the slack as well.
- *Live sets are bits.* The listed sets are numbered by rising excess, and the live ones are the bits
  of one integer. Those whose excess fits the slack are a prefix; those that clash with a choice are
  struck out with one mask per chosen member.
- *Branching* on the member in the fewest live sets: each of these sets in turn, then "it is big".
- *Seen.* A node with the same members left, and the same ones big, is not searched again, not even in
  a later search over the same list.

A leaf at which all members left are big, and enough for `need` blocks, is *open*: the list cannot
decide it. It is put aside, and `split_large` may decide it later.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

from clearsplit_core.settlement.bound import UNIT, Weights
from clearsplit_core.settlement.effort import Effort, list_units
from clearsplit_core.settlement.enumerate import Picks, ZeroSums
from clearsplit_core.settlement.reduce import Residual

Left = tuple[int, ...]  # how many members of each class are left


class Verdict(Enum):
    FOUND = auto()
    REFUTED = auto()
    OPEN = auto()  # refuted, unless one of the open leaves can be split after all
    CAPPED = auto()


class _Capped(Exception):
    """This search has seen as many nodes as it may."""


class Search:
    """Searches over one list of sets and one choice of weights."""

    def __init__(
        self, residual: Residual, sets: Sequence[Picks], weights: Weights, effort: Effort
    ) -> None:
        self.residual, self.weights, self.effort = residual, weights, effort
        self.node_price = 4 + len(residual.values) // 3
        ranked = sorted((weights.of(picks) - UNIT, len(picks), picks) for picks in sets)
        self.sets = [picks for _, _, picks in ranked]
        self.excess = [excess for excess, _, _ in ranked]
        self.creditors_in = [sum(residual.values[e] > 0 for e in picks) for picks in self.sets]
        # more_than[e][n]: the sets that pick more than n members of class e
        self.more_than = [[0] * count for count in residual.counts]
        for number, picks in enumerate(self.sets):
            for e, times in Counter(picks).items():
                for n in range(times):
                    self.more_than[e][n] |= 1 << number
        self.users = [more[0] for more in self.more_than]
        self.charge = [weight - weights.floor for weight in weights.weight]
        self.seen: set[tuple[Left, int, tuple[int, ...]]] = set()
        self.open: dict[tuple[Left, int], list[Picks]] = {}

    def run(
        self, blocks: int, nodes_max: int, reluctance: Sequence[float] | None = None
    ) -> Verdict:
        """`self.best` is the best partition met; the verdict says whether it has so many blocks.

        `reluctance`: a factor per class on the number of live sets, when the member to branch on is
        chosen. It changes where the search looks first, not what it would answer in the end.
        """
        residual = self.residual
        self.nodes_left = nodes_max
        self.reluctance = reluctance or [1.0] * len(residual.values)
        self.left = list(residual.counts)
        self.chosen: list[Picks] = []
        self.best: list[Picks] = []
        slack = self.weights.total - blocks * UNIT
        alive = tuple(range(len(residual.values)))
        creditors = residual.creditors
        live = (1 << len(self.sets)) - 1
        try:
            found = self._extend(live, alive, blocks, slack, creditors, residual.size - creditors)
        except _Capped:
            return Verdict.CAPPED
        if found:
            return Verdict.FOUND
        return Verdict.OPEN if self.open else Verdict.REFUTED

    def close_leaves(self) -> None:
        """The open leaves are known to have no split."""
        self.seen.update((left, need, ()) for left, need in self.open)
        self.open.clear()

    def _extend(
        self, live: int, alive: tuple[int, ...], need: int, slack: int, creditors: int, debtors: int
    ) -> bool:
        """The members left can be split into `need` blocks, and `best` tells how.

        `alive`: the classes not known to be big. `creditors`, `debtors`: how many are left.
        """
        self._visit()
        if creditors + debtors:
            self._remember()
        if slack < 0 or min(creditors, debtors) < need:
            return False
        if need == 1:
            return True
        left = self.left
        keys = []
        while True:
            live, alive, slack, pivot = self._narrow(live, alive, slack)
            key = (tuple(left), need, alive)
            if slack < 0 or key in self.seen:
                break
            keys.append(key)
            if not alive:
                if creditors + debtors >= need * (self.weights.listed + 1):
                    self.open[key[0], need] = list(self.chosen)
                break
            # Each set with the pivot ...
            rivals = live & self.users[pivot]
            while rivals:
                bit = rivals & -rivals
                rivals ^= bit
                number = bit.bit_length() - 1
                if self.excess[number] > slack:
                    break
                picks = self.sets[number]
                due = self.creditors_in[number]
                self.chosen.append(picks)
                if self._extend(
                    self._without(live, picks),
                    alive,
                    need - 1,
                    slack - self.excess[number],
                    creditors - due,
                    debtors - len(picks) + due,
                ):
                    return True
                self.chosen.pop()
                for e in picks:
                    left[e] += 1
                live ^= bit
            # ... and then none: it is big.
            slack -= self.charge[pivot] * left[pivot]
            live &= ~self.users[pivot]
            alive = tuple(e for e in alive if e != pivot)
        self.seen.update(keys)
        return False

    def _visit(self) -> None:
        self.effort.spend(self.node_price)
        if not self.nodes_left:
            raise _Capped
        self.nodes_left -= 1

    def _remember(self) -> None:
        """What is chosen, and all members left as one more block, is a partition too."""
        if len(self.chosen) >= len(self.best):
            rest = tuple(e for e, n in enumerate(self.left) for _ in range(n))
            self.best = [*self.chosen, rest]

    def _narrow(
        self, live: int, alive: tuple[int, ...], slack: int
    ) -> tuple[int, tuple[int, ...], int, int]:
        """Live sets fit the slack, alive members are in one, and the slack has paid for the rest.

        Last: the alive member in the fewest live sets.
        """
        left, users, charge, reluctance = self.left, self.users, self.charge, self.reluctance
        pivot, fewest, known = -1, 0.0, -1
        while slack >= 0:
            live &= (1 << bisect_right(self.excess, slack)) - 1
            if live == known:
                break
            known, pivot, still = live, -1, []
            for e in alive:
                if not left[e]:
                    continue
                fits = (live & users[e]).bit_count() * reluctance[e]
                if not fits:
                    slack -= charge[e] * left[e]
                    continue
                still.append(e)
                if pivot < 0 or fits < fewest or (fits == fewest and charge[e] > charge[pivot]):
                    pivot, fewest = e, fits
            alive = tuple(still)
        return live, alive, slack, pivot

    def _without(self, live: int, picks: Picks) -> int:
        """These members are taken; the live sets that can still be chosen."""
        for e in picks:
            self.left[e] -= 1
        for e in picks:
            live &= ~self.more_than[e][self.left[e]]
        return live


def split_price(residual: Residual, need: int, listed: int) -> int:
    """What the first step of `split_large` looks at."""
    sums = ZeroSums(residual)
    return sum(sums.price(size) for size in range(listed + 1, residual.size // need + 1))


def split_large(residual: Residual, need: int, listed: int, effort: Effort) -> list[Picks] | None:
    """So many blocks, each of more than `listed` members; None: there are none.

    The smallest of them has at most size / need members.
    """
    sums = ZeroSums(residual)
    for size in range(listed + 1, residual.size // need + 1):
        effort.spend(list_units(sums.price(size)))
        for picks in sums.of_size(size):
            rest = residual.without(picks)
            others = (
                [rest.everybody()] if need == 2 else split_large(rest, need - 1, size - 1, effort)
            )
            if others:
                return [picks, *others]
    return None
