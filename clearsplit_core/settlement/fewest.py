"""The fewest transfers: reduce, search, and give the blocks back to the members.

The search sees a sorted multiset of numbers and nothing of whom they belong to, so neither the
order of the input nor anybody's name can change what it finds. Members are handed out afterwards,
equal balances by member id.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic

from clearsplit_core.settlement.descend import Descent
from clearsplit_core.settlement.effort import Effort
from clearsplit_core.settlement.large import Block, Large
from clearsplit_core.settlement.plan import M
from clearsplit_core.settlement.proof import Proof
from clearsplit_core.settlement.reduce import Residual, reduce

LARGE: Final = 64  # members above which cheap blocks are taken first
SEARCHED_MAX: Final = 160  # members up to which the whole is searched


@dataclass(frozen=True, slots=True)
class Partition(Generic[M]):
    """Zero-sum blocks of members; no partition has more than `level_max`."""

    blocks: list[tuple[M, ...]]
    level_max: int
    work: int
    proof: Proof | None


def most_blocks(balances: Mapping[M, int], units: int) -> Partition[M]:
    """As many zero-sum blocks as so much effort finds; the balances sum to zero."""
    divisor, pairs, residual = reduce(balances.values())
    effort = Effort(units)
    blocks, level_max, proof = _split(residual, effort, divisor)
    blocks += [(-value, value) for value in pairs]
    handed_out = _handed_out([[value * divisor for value in block] for block in blocks], balances)
    return Partition(handed_out, len(pairs) + level_max, effort.spent, proof)


def blocks_at_sight(balances: Mapping[M, int]) -> int:
    """No partition has more blocks; known without a search."""
    _, pairs, residual = reduce(balances.values())
    return len(pairs) + residual.level_max


def _split(
    residual: Residual, effort: Effort, divisor: int
) -> tuple[list[Block], int, Proof | None]:
    """The blocks, how many there can be at most, and why."""
    blocks = Large(residual, effort).run() if residual.size > LARGE else []
    if residual.size > SEARCHED_MAX:
        return blocks, residual.level_max, None
    descent = Descent(residual, effort, residual.picks_of(blocks)).run()
    blocks = [residual.balances_of(picks) for picks in descent.best]
    return blocks, descent.level, descent.proof(divisor)


def _handed_out(blocks: Iterable[list[int]], balances: Mapping[M, int]) -> list[tuple[M, ...]]:
    """The members of each block, given the balances of each block."""
    waiting: dict[int, deque[M]] = defaultdict(deque)
    for member in sorted(balances):
        waiting[balances[member]].append(member)
    return [
        tuple(waiting[value].popleft() for value in block)
        for block in sorted(sorted(block) for block in blocks)
    ]
