"""Check: is a plan right, and is its lower bound true? Answered without trusting the search.

Nothing of the search is used here but the counting of effort, which limits what a check may cost
whatever is claimed. What is not as it should be in a plan is a claim that is not valid, no error,
so plans and proofs of strangers may be checked. Confirmed is:

- The transfers clear the balances; the blocks are disjoint, sum to zero and miss nobody.
- No plan has fewer transfers than `lower_bound`. A plan falls apart into zero-sum blocks, and one
  of s members takes s - 1 transfers; so transfers = members who owe or are owed - blocks. Exact
  pairs x, -x may be counted as blocks first: that costs none (docs/settlement.md). Of those left,

  - at most min(members / 3, creditors, debtors) blocks can be made, whatever the amounts;
  - up to TABLE_MAX members, a table over all subsets says how many;
  - beyond, a `Proof` may refute more: see refutation.py.
"""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from clearsplit_core.settlement.balances import refuse_bad_balances
from clearsplit_core.settlement.effort import Effort, Exhausted, units
from clearsplit_core.settlement.plan import M, Plan, Transfer
from clearsplit_core.settlement.proof import Proof
from clearsplit_core.settlement.refutation import refutes

TABLE_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Checked:
    """`lower_bound` is confirmed; `valid` says whether all that the plan claims is.

    A true claim that is too hard to confirm with this effort is not valid either.
    """

    valid: bool
    lower_bound: int


def check(plan: Plan[M], balances: Mapping[M, int], *, effort: str | int = "thorough") -> Checked:
    """What of the plan's claims is confirmed. Raises NotAnInteger, BalancesNotZero, BadEffort."""
    refuse_bad_balances(balances)
    work = Effort(units(effort))
    well_formed = _is_well_formed(plan, balances)
    bound = _confirmed_bound(balances, plan.proof if well_formed else None, work)
    valid = (
        well_formed
        and _clears(plan, balances)
        and _partitions(plan, balances)
        and plan.lower_bound <= bound
        and (not plan.optimal or len(plan.transfers) == plan.lower_bound)
    )
    return Checked(valid, bound)


# ── The plan ─────────────────────────────────────────────────────────────────────────────────────


def _is_well_formed(plan: object, balances: Container[object]) -> bool:
    """It is a plan, of whole amounts between these members."""
    if not isinstance(plan, Plan):
        return False
    claims: tuple[object, ...] = (plan.transfers, plan.blocks, plan.lower_bound, plan.optimal)
    transfers, blocks, lower_bound, optimal = claims
    return (
        type(lower_bound) is int
        and (optimal is None or type(optimal) is bool)
        and isinstance(transfers, tuple)
        and all(_is_transfer(transfer, balances) for transfer in transfers)
        and isinstance(blocks, tuple)
        and all(isinstance(block, tuple) and block for block in blocks)
        and all(_is_member(member, balances) for block in blocks for member in block)
    )


def _is_transfer(transfer: object, balances: Container[object]) -> bool:
    return (
        isinstance(transfer, Transfer)
        and type(transfer.amount_minor) is int
        and transfer.amount_minor > 0
        and _is_member(transfer.debtor, balances)
        and _is_member(transfer.creditor, balances)
    )


def _is_member(member: object, balances: Container[object]) -> bool:
    try:
        return member in balances
    except TypeError:  # not hashable
        return False


def _clears(plan: Plan[M], balances: Mapping[M, int]) -> bool:
    left = dict(balances)
    for t in plan.transfers:
        left[t.debtor] += t.amount_minor
        left[t.creditor] -= t.amount_minor
    return not any(left.values())


def _partitions(plan: Plan[M], balances: Mapping[M, int]) -> bool:
    named = Counter(member for block in plan.blocks for member in block)
    return (
        set(named.values()) <= {1}
        and all(member in named for member, balance in balances.items() if balance)
        and all(not sum(balances[member] for member in block) for block in plan.blocks)
    )


# ── The bound ────────────────────────────────────────────────────────────────────────────────────


def _confirmed_bound(balances: Mapping[M, int], proof: object, work: Effort) -> int:
    """No plan has fewer transfers."""
    counted = Counter(balance for balance in balances.values() if balance)
    left = Counter({value: n - min(n, counted[-value]) for value, n in counted.items()})
    pairs = (counted.total() - left.total()) // 2
    creditors = sum(n for value, n in left.items() if value > 0)
    blocks = min(left.total() // 3, creditors, left.total() - creditors)
    try:
        if left.total() <= TABLE_MAX:
            blocks = _blocks_by_table(sorted(left.elements()), work)
        elif isinstance(proof, Proof) and refutes(proof, left, work):
            blocks = min(blocks, proof.level - 1)
    except Exhausted:
        pass  # what is known without
    return counted.total() - pairs - blocks


def _blocks_by_table(values: list[int], work: Effort) -> int:
    """The most zero-sum blocks, by the most among all members but one, for every subset."""
    width = 1 + max((value.bit_length() for value in values), default=0) // 128
    work.spend(width * len(values) << len(values) >> 2)
    totals = [0]
    for value in values:
        totals += [total + value for total in totals]
    most = [0] * len(totals)
    bits = [1 << i for i in range(len(values))]
    for members in range(1, len(totals)):
        fewer = max(most[members ^ bit] for bit in bits if members & bit)
        most[members] = fewer + (totals[members] == 0)
    return most[-1]
