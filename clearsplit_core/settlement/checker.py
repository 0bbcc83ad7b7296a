"""Check: is a plan right, and is its lower bound true? Answered without trusting the search.

This file shares no code with the search but the counting of effort. It is plain, and slow where
plain is slow: with few distinct amounts, very slow, so do not check a stranger's proof on a server.
It confirms:

- The transfers clear the balances; the blocks are disjoint, sum to zero and miss nobody.
- No plan has fewer transfers than `lower_bound`. A plan falls apart into zero-sum blocks, and one
  of s members takes s - 1 transfers; so transfers = members who owe or are owed - blocks. Exact
  pairs x, -x may be counted as blocks first: that costs none (docs/settlement.md). Of those left,

  - at most min(members / 3, creditors, debtors) blocks can be made, whatever the amounts;
  - up to TABLE_MAX members, a table over all subsets says how many;
  - beyond, a `Proof` may claim that so many are impossible. We list every zero-sum set of at most
    `listed` members ourselves, see that each weighs a unit and each member its share of one, and
    try all ways to choose blocks, stopping where the members left weigh too little for the rest.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations, product
from math import comb
from typing import Final

from clearsplit_core.settlement.effort import Effort, Exhausted, units
from clearsplit_core.settlement.plan import M, Plan
from clearsplit_core.settlement.proof import Proof

TABLE_MAX: Final = 16
PROVEN_MAX: Final = 200  # members that a proof may speak of
PICKS_MAX: Final = 30_000_000  # looked at to list the sets
SPLIT_MAX: Final = 1 << 18  # picks of one side, when a leaf is split in two
RESIDUES: Final = 251

Picks = tuple[int, ...]  # a set of members: indices of their values, sorted, with repetition
Buckets = list[dict[Picks, int]]
Makers = dict[int, list[Picks]]


@dataclass(frozen=True, slots=True)
class Checked:
    """`lower_bound` is confirmed; `valid` says whether all that the plan claims is.

    A true claim that is too hard to confirm with this effort is not valid either.
    """

    valid: bool
    lower_bound: int


def check(plan: Plan[M], balances: Mapping[M, int], *, effort: str | int = "thorough") -> Checked:
    """What of the plan's claims is confirmed. Raises BadEffort."""
    bound = _confirmed_bound(list(balances.values()), plan.proof, Effort(units(effort)))
    valid = (
        _clears(plan, balances)
        and _partitions(plan, balances)
        and plan.lower_bound <= bound
        and (not plan.optimal or len(plan.transfers) == plan.lower_bound)
    )
    return Checked(valid, bound)


def _clears(plan: Plan[M], balances: Mapping[M, int]) -> bool:
    left = dict(balances)
    for t in plan.transfers:
        if t.amount_minor <= 0 or t.debtor not in left or t.creditor not in left:
            return False
        left[t.debtor] += t.amount_minor
        left[t.creditor] -= t.amount_minor
    return not any(left.values())


def _partitions(plan: Plan[M], balances: Mapping[M, int]) -> bool:
    named = list(chain.from_iterable(plan.blocks))
    return (
        len(named) == len(set(named))
        and {member for member, balance in balances.items() if balance} <= set(named)
        and all(not sum(balances.get(m, 0) for m in block) for block in plan.blocks)
    )


def _confirmed_bound(balances: list[int], proof: Proof | None, work: Effort) -> int:
    """No plan has fewer transfers."""
    counted = Counter(balance for balance in balances if balance)
    left = {value: n - min(n, counted[-value]) for value, n in list(counted.items())}
    values = [value for value in sorted(left) for _ in range(left[value])]
    pairs = (counted.total() - len(values)) // 2
    creditors = sum(value > 0 for value in values)
    blocks = min(len(values) // 3, creditors, len(values) - creditors)
    if len(values) <= TABLE_MAX:
        blocks = _blocks_by_table(values)
    elif proof and proof.level <= blocks and _refutes(proof, values, work):
        blocks = proof.level - 1
    return counted.total() - pairs - blocks


def _blocks_by_table(values: list[int]) -> int:
    """The most zero-sum blocks, by the most among all members but one, for every subset."""
    totals = [0]
    for value in values:
        totals += [total + value for total in totals]
    most = [0] * len(totals)
    bits = [1 << i for i in range(len(values))]
    for members in range(1, len(totals)):
        fewer = max(most[members ^ bit] for bit in bits if members & bit)
        most[members] = fewer + (totals[members] == 0)
    return most[-1]


def _refutes(proof: Proof, members: list[int], work: Effort) -> bool:
    """The members cannot be split into `proof.level` zero-sum blocks."""
    if not _is_sound(proof, members):
        return False
    counted = Counter(members)
    values = sorted(counted)
    weights = dict(proof.weights)
    counts = tuple(counted[value] for value in values)
    try:
        sets = _zero_sum_sets(values, counts, proof.listed, work)
        cover = _Cover(values, [weights[value] for value in values], sets, proof, work)
        return min(cover.excess, default=0) >= 0 and cover.impossible(
            counts, (1 << len(sets)) - 1, proof.level
        )
    except Exhausted:
        return False


def _is_sound(proof: Proof, members: list[int]) -> bool:
    """It speaks of two blocks or more, in integers, and gives each member a share of a unit."""
    if len(members) > PROVEN_MAX:
        return False
    weights = dict(proof.weights)
    numbers = [proof.level - 1, proof.listed, proof.quota, *weights.values()]
    if any(type(number) is not int or number <= 0 for number in numbers):
        return False
    return all(weights.get(value, 0) * (proof.listed + 1) >= proof.quota for value in members)


# ── Every zero-sum set of at most so many members ────────────────────────────────────────────────


def _zero_sum_sets(values: list[int], counts: Picks, listed: int, work: Effort) -> list[Picks]:
    """By size, or by halves; whichever looks at fewer picks."""
    members = [i for i, n in enumerate(counts) for _ in range(n)]
    listed = min(listed, len(members))
    sizes = range(2, listed + 1)
    by_size = sum(comb(len(members), half) for s in sizes for half in (s // 2, s - s // 2))
    by_halves = 1 << (len(members) // 2 + 1)
    work.spend(min(by_size, by_halves) // 2)
    if min(by_size, by_halves) > PICKS_MAX:
        raise Exhausted
    found = _by_size if by_size < by_halves else _by_halves
    return [
        picks
        for picks in found(values, members, listed)
        if all(times <= counts[i] for i, times in Counter(picks).items())
    ]


def _by_size(values: list[int], members: list[int], listed: int) -> set[Picks]:
    """What the first half of a set makes, in the order of the members, the second unmakes."""
    found: set[Picks] = set()
    made, unmade = [values[i] for i in members], [-values[i] for i in members]
    for size in range(2, listed + 1):
        one, other = size // 2, size - size // 2
        common = set(map(sum, combinations(made, one)))
        common.intersection_update(map(sum, combinations(unmade, other)))
        if not common:
            continue
        firsts: Makers = defaultdict(list)
        for first, total in _with_sums(members, made, one):
            if total in common:
                firsts[total].append(first)
        for second, total in _with_sums(members, unmade, other):
            if total in common:
                found.update(first + second for first in firsts[total] if first[-1] <= second[0])
    return found


def _with_sums(members: list[int], made: list[int], size: int) -> Iterator[tuple[Picks, int]]:
    return zip(combinations(members, size), map(sum, combinations(made, size)), strict=True)


def _by_halves(values: list[int], members: list[int], listed: int) -> set[Picks]:
    """What one half of the members makes, the other unmakes; one residue of the sum at a time."""
    first, second, third, fourth = (
        _by_residue([(i, values[i] * sign) for i in members[start::4]])
        for start, sign in enumerate((1, 1, -1, -1))
    )
    found: set[Picks] = set()
    for residue in range(RESIDUES):
        common = _sums(first, second, residue) & _sums(third, fourth, residue)
        made = _makers(first, second, residue, common)
        for total, ones in _makers(third, fourth, residue, common).items():
            for one, other in product(ones, made[total]):
                if 0 < len(one) + len(other) <= listed:
                    found.add(tuple(sorted(one + other)))
    return found


def _by_residue(members: list[tuple[int, int]]) -> Buckets:
    """Every pick of a few members, with its sum, by the residue of the sum."""
    picks: list[tuple[Picks, int]] = [((), 0)]
    for i, value in members:
        picks += [((*picked, i), total + value) for picked, total in picks]
    buckets: Buckets = [{} for _ in range(RESIDUES)]
    for picked, total in picks:
        buckets[total % RESIDUES][picked] = total
    return buckets


def _sums(first: Buckets, second: Buckets, residue: int) -> set[int]:
    return {
        one + other
        for r in range(RESIDUES)
        for one in first[r].values()
        for other in second[residue - r].values()
    }


def _makers(first: Buckets, second: Buckets, residue: int, sums: set[int]) -> Makers:
    """Whoever makes one of these sums, of this residue."""
    makers: Makers = defaultdict(list)
    for r in range(RESIDUES):
        for here, one in first[r].items():
            for there, other in second[residue - r].items():
                if one + other in sums:
                    makers[one + other].append(here + there)
    return makers


# ── Every way to choose blocks ───────────────────────────────────────────────────────────────────


class _Cover:
    """Tries all ways to choose blocks. Live sets, those still allowed, are bits of an integer."""

    def __init__(
        self, values: list[int], weights: list[int], sets: list[Picks], proof: Proof, work: Effort
    ) -> None:
        self.values, self.weights, self.work = values, weights, work
        self.quota, self.listed = proof.quota, proof.listed
        self.share = -(-proof.quota // (proof.listed + 1))
        ranked = sorted((sum(weights[i] for i in picks) - proof.quota, picks) for picks in sets)
        self.excess = [excess for excess, _ in ranked]
        self.picked = [Counter(picks) for _, picks in ranked]
        self.users = [0] * len(values)
        for number, picked in enumerate(self.picked):
            for i in picked:
                self.users[i] |= 1 << number
        self.known: set[tuple[Picks, int, int]] = set()

    def impossible(self, left: Picks, live: int, need: int) -> bool:
        """`left[i]` members with value i cannot be split into `need` blocks, live sets or large.

        Members in no live set are in a large block, where a share each is weight enough.
        """
        self.work.spend(5 + len(left) // 3)
        before = -1
        while live != before:
            before = live
            slack = self._weight(left, live) - need * self.quota
            if slack < 0:
                return True
            live &= (1 << bisect_right(self.excess, slack)) - 1
        if need == 1:
            return False
        creditors = sum(n for n, value in zip(left, self.values, strict=True) if value > 0)
        if min(creditors, sum(left) - creditors) < need or (left, live, need) in self.known:
            return True
        refuted = self._no_branch(left, live, need) if live else self._no_large_split(left)
        if refuted:
            self.known.add((left, live, need))
        return refuted

    def _weight(self, left: Picks, live: int) -> int:
        return sum(
            n * (weight if live & users else self.share)
            for n, weight, users in zip(left, self.weights, self.users, strict=True)
            if n
        )

    def _no_branch(self, left: Picks, live: int, need: int) -> bool:
        """Whoever is in the fewest live sets: none of them works out, and a large block neither."""
        used = [((live & users).bit_count(), i) for i, users in enumerate(self.users)]
        _, branch = min((uses, i) for uses, i in used if uses)
        for number in _bits(live & self.users[branch]):
            picked = self.picked[number]
            rest = tuple(n - picked[i] for i, n in enumerate(left))
            if not self.impossible(rest, self._fitting(live, picked, rest), need - 1):
                return False
            live ^= 1 << number
        return self.impossible(left, live & ~self.users[branch], need)

    def _fitting(self, live: int, picked: Counter[int], rest: Picks) -> int:
        """The live sets whose members are all left."""
        for i in picked:
            for number in _bits(live & self.users[i]):
                if self.picked[number][i] > rest[i]:
                    live ^= 1 << number
        return live

    def _no_large_split(self, left: Picks) -> bool:
        """The members cannot be split even in two blocks of more than `listed` members each."""
        due = {(0, 0)}
        owed = {(0, 0)}
        for value, n in zip(self.values, left, strict=True):
            side = due if value > 0 else owed
            side |= {
                (total + t * abs(value), size + t) for total, size in side for t in range(1, n + 1)
            }
            if len(side) > SPLIT_MAX:
                raise Exhausted
            self.work.spend(len(side))
        sizes = defaultdict(set)
        for total, size in owed:
            sizes[total].add(size)
        most = sum(left) - self.listed
        return not any(
            self.listed < size + other < most for total, size in due for other in sizes[total]
        )


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
