"""Proof: what a stranger needs to confirm a lower bound, and no more.

The claim: after exact pairs are taken out, what is left cannot be split into `blocks` zero-sum blocks.
The evidence is a weight for each balance. Confirm, by any means, that every zero-sum set of at most
`listed` members weighs at least `unit`, and every member at least unit / (listed + 1). Then each block
weighs at least `unit`, and an exhaustive search need only be followed where the weight of the members
left suffices for the blocks still to be made. Usually it does not even suffice at the start.

Wrong weights can only fail to confirm. `check` is such a confirmation; it shares no code with the search.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """So many blocks are impossible."""

    blocks: int
    listed: int
    unit: int
    weights: tuple[tuple[int, int], ...]  # (balance in minor units, weight), by balance
