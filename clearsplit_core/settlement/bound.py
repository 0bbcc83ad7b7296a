"""Bound: integer weights that prove how many blocks there can be at most.

List every zero-sum set of at most `listed` members, and give each member a weight such that

    every listed set weighs at least QUOTA, and every member at least QUOTA / (listed + 1).

Then *every* block weighs at least QUOTA: a listed one by the first line; a larger one by the
second, because it has at least listed + 1 members. So there are at most (weight of all) / QUOTA
blocks. Such weights are the dual of a linear programme: set packing over the list, with one more
column for each member, "is in a block too large to list", worth 1 / (listed + 1) of a block.

A small dense simplex in floats finds near-optimal weights; they are rounded to integers, and a set
that came out too light is made up. Floats steer, never prove: whatever they did, both lines hold
exactly. Columns are priced by the rounded weights and floats are added by `fsum`, so that the same
pivots are taken under every version of Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.enumerate import Picks
from clearsplit_core.settlement.reduce import Residual

QUOTA: Final = 1_000_000
TOLERANCE: Final = 20  # weight that a column may lack without being worth a pivot
NEGLIGIBLE: Final = 1e-9
SETS_PER_UNIT: Final = 2  # that are weighed for a unit of effort
PIVOTS_MAX: Final = 10  # per class; simplex needs two or three


@dataclass(frozen=True, slots=True)
class Weights:
    """Sets of at most `listed` members weigh at least QUOTA, and every member at least `floor`."""

    weight: tuple[int, ...]  # of a member of each class
    listed: int
    total: int  # of all members

    @property
    def floor(self) -> int:
        return -(-QUOTA // (self.listed + 1))

    @property
    def level_max(self) -> int:
        """No partition has more blocks."""
        return self.total // QUOTA

    def of(self, picks: Picks) -> int:
        return sum(map(self.weight.__getitem__, picks))


class Packing:
    """The linear programme. Its basis is kept: a longer list starts where the last one ended.

    A column is a set, or a single member: the one who is in a block too large to list.
    """

    def __init__(self, residual: Residual) -> None:
        d = len(residual.values)
        self.counts = residual.counts
        self.basis: list[Picks] = [(i,) for i in range(d)]
        self.inverse = [[float(i == j) for j in range(d)] for i in range(d)]
        # Equal counts tie, and ties can lead a simplex in circles: small fixed differences help.
        self.basic = [n + 1e-6 * ((i * 7919) % 101 + 1) for i, n in enumerate(self.counts)]

    def weights(self, sets: Sequence[Picks], listed: int, effort: Effort) -> Weights:
        """Near-optimal weights; `sets` are all zero-sum sets of at most `listed` members."""
        self.worth_alone = 1.0 / (listed + 1)
        floor = -(-QUOTA // (listed + 1))
        d = len(self.counts)
        duals = self._duals()
        near: list[Picks] = []  # the columns that lacked most when all were last looked at
        for _ in range(PIVOTS_MAX * d):
            weight = [round(dual * QUOTA) for dual in duals]
            column, lacks = _lightest(weight, near, floor)
            if lacks <= TOLERANCE:
                effort.spend(1 + len(sets) // SETS_PER_UNIT)
                near = _light(weight, sets, max(20, d // 2))
                column, lacks = _lightest(weight, near, floor)
                if lacks <= TOLERANCE:
                    break
            effort.spend(40 + d * d // 20)
            gain = self._worth(column) - fsum(duals[i] for i in column)
            row = self._enter(column)
            if not row:
                break
            duals = [dual + gain * part for dual, part in zip(duals, row, strict=True)]
        effort.spend(1 + len(sets) // SETS_PER_UNIT)
        weight = _made_up([max(floor, min(QUOTA, round(dual * QUOTA))) for dual in duals], sets)
        total = sum(w * n for w, n in zip(weight, self.counts, strict=True))
        return Weights(tuple(weight), listed, total)

    def _worth(self, column: Picks) -> float:
        return self.worth_alone if len(column) == 1 else 1.0

    def _duals(self) -> list[float]:
        worths = [self._worth(column) for column in self.basis]
        return [
            fsum(worth * part for worth, part in zip(worths, parts, strict=True))
            for parts in zip(*self.inverse, strict=True)
        ]

    def _enter(self, column: Picks) -> list[float]:
        """The column is in the basis, instead of the one that limits it; its row of the inverse.

        Something always does, unless rounding has spoilt the inverse: then nothing is returned.
        """
        rates = [fsum([row[i] for i in column]) for row in self.inverse]
        limits = [
            (amount / rate, i)
            for i, (amount, rate) in enumerate(zip(self.basic, rates, strict=True))
            if rate > NEGLIGIBLE
        ]
        if not limits:
            return []
        step, leaving = min(limits)
        scale = 1.0 / rates[leaving]
        row = [part * scale for part in self.inverse[leaving]]
        for i, rate in enumerate(rates):
            if i != leaving and abs(rate) > NEGLIGIBLE:
                others = zip(self.inverse[i], row, strict=True)
                self.inverse[i] = [part - rate * other for part, other in others]
                self.basic[i] -= rate * step
        self.inverse[leaving], self.basic[leaving], self.basis[leaving] = row, step, column
        return row


def _lightest(weight: list[int], sets: list[Picks], floor: int) -> tuple[Picks, int]:
    """The column that lacks most of what it should weigh, and how much."""
    lightest = min(range(len(weight)), key=weight.__getitem__)
    column, lacks = (lightest,), floor - weight[lightest]
    totals = [sum(map(weight.__getitem__, picks)) for picks in sets]
    if totals and QUOTA - min(totals) > lacks:
        return sets[totals.index(min(totals))], QUOTA - min(totals)
    return column, lacks


def _light(weight: list[int], sets: Sequence[Picks], number: int) -> list[Picks]:
    """The sets that lack most."""
    totals = [sum(map(weight.__getitem__, picks)) for picks in sets]
    light = sorted((total, i) for i, total in enumerate(totals) if total < QUOTA - TOLERANCE)
    return [sets[i] for _, i in light[:number]]


def _made_up(weight: list[int], sets: Sequence[Picks]) -> list[int]:
    """No listed set weighs less than QUOTA: what it lacks goes to its heaviest member."""
    for picks in sets:
        total = sum(map(weight.__getitem__, picks))
        if total < QUOTA:
            weight[max(picks, key=lambda i: (weight[i], i))] += QUOTA - total
    return weight
