"""Search: can the members be split into so many zero-sum blocks, given listed sets and weights?

A depth-first search for an exact cover. A node has some members left and `need` blocks to make of
them; what is chosen so far are sets from the list. What makes it small and fast:

- *Slack.* Every block weighs at least QUOTA, so the members left must weigh need * QUOTA. Slack is
  what they weigh above that. Choosing a set spends its excess, its weight above QUOTA; a node whose
  slack is negative is closed.
- *Big.* A member in no live set can only be in a block too large to list. There it need not weigh
  more than the floor, so the rest of its weight, its charge, leaves the slack as well.
- *Live sets are bits.* The listed sets are numbered by rising excess, and the live ones are the
  bits of one integer. Those whose excess fits the slack are a prefix; those that clash with a
  choice are struck out with one mask for each member chosen.
- *Branching* on the member in the fewest live sets: each of these sets in turn, then "it is big".
- *Seen.* A node with the same members left, and the same ones big, is not searched again, not even
  in a later search over the same list: whoever was there before tried all there is.

The list may hold a sample of larger sets as well. They help to find; and since a block too large to
list may be one of them or not, nothing said above is less true.

A leaf where all members left are big, and enough for `need` blocks, is *open*: the list cannot
decide it. It is put aside, and `split_large` may decide it later.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from clearsplit_core.settlement.bound import QUOTA, Weights
from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.enumerate import PICKS_MAX, Picks, ZeroSums
from clearsplit_core.settlement.reduce import Residual

SETS_FREE: Final = 20_000  # so many bits double the price of a node

Left = bytes  # how many members of each class are left; a search is over fewer than 256


class Verdict(Enum):
    """What a search has to say about a number of blocks."""

    FOUND = auto()
    REFUTED = auto()
    OPEN = auto()  # refuted, unless an open leaf can be split after all
    CAPPED = auto()  # too many nodes


class Node(NamedTuple):
    """What is still to be done, apart from `Search.left`, which holds the members left."""

    need: int  # blocks to be made
    slack: int
    live: int  # the listed sets that may be chosen, as bits
    alive: tuple[int, ...]  # the classes not known to be big
    creditors: int  # left
    debtors: int


class _Capped(Exception):
    """This search has seen as many nodes as it may."""


class Search:
    """Searches over one list of sets and one choice of weights."""

    def __init__(
        self,
        residual: Residual,
        sets: Sequence[Picks],
        weights: Weights,
        effort: Effort,
        keep: Callable[[list[Picks]], None] = lambda _: None,
    ) -> None:
        """`keep` is told of every partition with more blocks than any before."""
        self.residual, self.weights, self.effort, self.keep = residual, weights, effort, keep
        self.node_price = 4 + len(residual.values) * (SETS_FREE + len(sets)) // (3 * SETS_FREE)
        ranked = sorted((weights.of(picks) - QUOTA, len(picks), picks) for picks in sets)
        self.sets = [picks for _, _, picks in ranked]
        self.excess = [excess for excess, _, _ in ranked]
        self.creditors_in = [sum(residual.values[e] > 0 for e in picks) for picks in self.sets]
        self.charge = [weight - weights.floor for weight in weights.weight]
        self.more_than = self._more_than()
        self.users = [more[0] for more in self.more_than]
        self.seen: set[tuple[Left, int, bytes]] = set()  # left, need, alive
        self.open: dict[
            tuple[Left, int], list[Picks]
        ] = {}  # leaves, and what was chosen on the way
        self.most = 0  # blocks of a partition met

    def _more_than(self) -> list[list[int]]:
        """more_than[e][n]: the sets that pick more than n members of class e, as bits."""
        length = len(self.sets) // 8 + 1
        rows = [[bytearray(length) for _ in range(n)] for n in self.residual.counts]
        for number, picks in enumerate(self.sets):
            place, bit = number >> 3, 1 << (number & 7)
            for e, times in Counter(picks).items():
                for row in rows[e][:times]:
                    row[place] |= bit
        return [[int.from_bytes(row, "little") for row in more] or [0] for more in rows]

    def run(self, level: int, nodes_max: int, reluctance: Sequence[float] | None = None) -> Verdict:
        """Can there be `level` blocks?

        `reluctance`: a factor per class on its number of live sets, when the member to branch on is
        chosen. It changes where the search looks first, not what it would say in the end.
        """
        residual = self.residual
        self.nodes_left = nodes_max
        self.reluctance = reluctance or [1.0] * len(residual.values)
        self.left = list(residual.counts)
        self.chosen: list[Picks] = []
        root = Node(
            need=level,
            slack=self.weights.total - level * QUOTA,
            live=(1 << len(self.sets)) - 1,
            alive=tuple(range(len(residual.values))),
            creditors=residual.creditors,
            debtors=residual.size - residual.creditors,
        )
        try:
            if self._extend(root):
                return Verdict.FOUND
        except _Capped:
            return Verdict.CAPPED
        return Verdict.OPEN if self.open else Verdict.REFUTED

    def glance(self, level: int, nodes_max: int, reluctance: Sequence[float]) -> None:
        """`keep` may hear of partitions into fewer blocks than are searched for otherwise.

        Leaves of such a search mean nothing to the other levels, so it leaves no traces.
        """
        traces = self.seen, self.open
        self.seen, self.open = set(), {}
        try:
            self.run(level, nodes_max, reluctance)
        finally:
            self.seen, self.open = traces

    def close_leaves(self) -> None:
        """The open leaves are known to have no split."""
        self.seen.update((left, need, b"") for left, need in self.open)
        self.open.clear()

    def _extend(self, node: Node) -> bool:
        """The members left can be split into `need` blocks, and `best` tells how."""
        self._visit()
        if node.creditors:
            self._remember()
        if node.slack < 0 or min(node.creditors, node.debtors) < node.need:
            return False
        if node.need == 1:
            return True
        passed = []
        while True:
            node, pivot = self._narrow(node)
            key = (bytes(self.left), node.need, bytes(node.alive))
            if node.slack < 0 or key in self.seen:
                break
            passed.append(key)
            if not node.alive:
                self._put_aside(node)
                break
            if self._choose_with(pivot, node):
                return True
            node = self._big(pivot, node)
        self.seen.update(passed)
        return False

    def _visit(self) -> None:
        self.effort.spend(self.node_price)
        if not self.nodes_left:
            raise _Capped
        self.nodes_left -= 1

    def _remember(self) -> None:
        """What is chosen, and all members left as one more block, is a partition too."""
        if len(self.chosen) >= self.most:
            self.most = len(self.chosen) + 1
            rest = tuple(e for e, n in enumerate(self.left) for _ in range(n))
            self.keep([*self.chosen, rest])

    def _narrow(self, node: Node) -> tuple[Node, int]:
        """Live sets fit the slack, alive members are in one, and the slack has paid for the rest.

        Second: the alive member in the fewest live sets; among equals, of the greatest charge.
        """
        left, users, charge, reluctance = self.left, self.users, self.charge, self.reluctance
        need, slack, live, alive, creditors, debtors = node
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
        return Node(need, slack, live, alive, creditors, debtors), pivot

    def _choose_with(self, pivot: int, node: Node) -> bool:
        """One of the live sets with this member leads to a split."""
        need, slack, live, alive, creditors, debtors = node
        rivals = live & self.users[pivot]
        while rivals:
            bit = rivals & -rivals
            rivals ^= bit
            number = bit.bit_length() - 1
            picks, due = self.sets[number], self.creditors_in[number]
            self.chosen.append(picks)
            found = self._extend(
                Node(
                    need - 1,
                    slack - self.excess[number],
                    self._take(picks, live),
                    alive,
                    creditors - due,
                    debtors - len(picks) + due,
                )
            )
            if found:
                return True
            self.chosen.pop()
            for e in picks:
                self.left[e] += 1
            live ^= bit  # a second member of the class need not try it again
        return False

    def _take(self, picks: Picks, live: int) -> int:
        """The members are not left any more; the live sets that need none of them."""
        for e in picks:
            self.left[e] -= 1
        for e in picks:
            live &= ~self.more_than[e][self.left[e]]
        return live

    def _big(self, pivot: int, node: Node) -> Node:
        return node._replace(
            slack=node.slack - self.charge[pivot] * self.left[pivot],
            live=node.live & ~self.users[pivot],
            alive=tuple(e for e in node.alive if e != pivot),
        )

    def _put_aside(self, node: Node) -> None:
        """The leaf is open, if there are members enough for `need` blocks too large to list."""
        if node.creditors + node.debtors >= node.need * (self.weights.listed + 1):
            self.open[bytes(self.left), node.need] = list(self.chosen)


def split_price(residual: Residual, need: int, listed: int) -> int:
    """How many picks the first step of `split_large` looks at."""
    sums = ZeroSums(residual)
    return sum(sums.price(size) for size in range(listed + 1, residual.size // need + 1))


class TooMany(Exception):
    """There are too many sets to try them all."""


def split_large(residual: Residual, need: int, listed: int, effort: Effort) -> list[Picks] | None:
    """So many blocks, each of more than `listed` members; None: there are none.

    The smallest of them has at most size / need members. Recurses on `need` alone.
    Raises TooMany, Exhausted.
    """
    sums = ZeroSums(residual)
    complete = True
    for size in range(listed + 1, residual.size // need + 1):
        if sums.price(size) > PICKS_MAX:
            raise TooMany
        listing = sums.of_size(size, effort)
        complete = complete and listing.complete
        for picks in listing.sets:
            rest = residual.without(picks)
            if need == 2:
                return [picks, rest.everybody()]
            others = split_large(rest, need - 1, size - 1, effort)
            if others:
                return [picks, *others]
    if not complete:
        raise TooMany
    return None
