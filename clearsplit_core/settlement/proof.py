"""Proof: what a stranger needs to confirm a lower bound, and no more.

The claim: after exact pairs are taken out, the members left cannot be split into `level` zero-sum
blocks. The evidence is a weight for each balance. Confirm, by any means, that every zero-sum set of
at most `listed` members weighs at least `quota`, and every member at least quota / (listed + 1).
Then every block weighs at least `quota`, and in trying all ways to choose blocks one may stop
wherever the members left weigh too little for the blocks still to be made. Often that is at once.

Wrong weights cannot confirm anything wrong; they only fail to confirm. `check` is such a stranger.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """So many blocks, `level`, are impossible."""

    level: int
    listed: int
    quota: int
    weights: tuple[tuple[int, int], ...]  # (balance in minor units, weight), by balance
