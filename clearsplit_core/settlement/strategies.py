"""The two ways to settle: in the fewest transfers, or along the existing debts.

This file checks what comes in and chooses; the files beside it do the work.
"""

from collections.abc import Mapping, Sequence

from clearsplit_core.errors import BalancesNotZero, DebtsMissing, NotAnInteger, UnknownStrategy
from clearsplit_core.settlement.direct import direct_transfers
from clearsplit_core.settlement.effort import units
from clearsplit_core.settlement.fewest import blocks_at_sight, most_blocks
from clearsplit_core.settlement.plan import (
    M,
    Plan,
    Transfer,
    blocks_of,
    in_order,
    nets,
    pay_within,
)


def settle(
    balances: Mapping[M, int],
    *,
    strategy: str = "fewest",
    effort: str | int = "interactive",
    debts: Mapping[tuple[M, M], int] | None = None,
    keep: Sequence[Transfer[M]] = (),
) -> Plan[M]:
    """The plan clears every balance; the same question always has the same plan.

    `balances` in minor units, positive: the group owes the member. `effort`: interactive (about a
    second on ordinary balances), thorough (about ten), or a number of units, see effort.py.
    `debts`, by (debtor, creditor) in minor units: what direct starts from. `keep`: the unpaid
    transfers of an earlier plan, returned as they are if they still clear the balances exactly.
    Raises NotAnInteger, BalancesNotZero, UnknownStrategy, BadEffort, DebtsMissing, DebtsMismatch.
    """
    _refuse_bad_balances(balances)
    budget = units(effort)
    if strategy == "fewest":
        return _fewest(balances, budget, keep)
    if strategy == "direct":
        return _direct(balances, debts, keep)
    raise UnknownStrategy(f"{strategy!r} is not a strategy: fewest, direct", field="/strategy")


def _refuse_bad_balances(balances: Mapping[M, int]) -> None:
    for member, balance in balances.items():
        if type(balance) is not int:
            raise NotAnInteger(
                f"The balance of {member} is {balance!r}; it must be an integer of minor units.",
                field="/balances",
            )
    if excess := sum(balances.values()):
        raise BalancesNotZero(f"Balances sum to {excess}, not to zero", field="/balances")


def _fewest(balances: Mapping[M, int], budget: int, keep: Sequence[Transfer[M]]) -> Plan[M]:
    partition = most_blocks(balances, budget)
    bound = _owing(balances) - partition.level_max
    searched = [t for block in partition.blocks for t in pay_within(block, balances)]
    greedy = pay_within(balances, balances)  # now and then shorter, where nothing is proven
    transfers = in_order(
        _kept(balances, keep) or (greedy if len(greedy) < len(searched) else searched)
    )
    return Plan(
        transfers=transfers,
        optimal=len(transfers) == bound,
        lower_bound=bound,
        blocks=blocks_of(transfers),
        work=partition.work,
        proof=partition.proof,
    )


def _direct(
    balances: Mapping[M, int],
    debts: Mapping[tuple[M, M], int] | None,
    keep: Sequence[Transfer[M]],
) -> Plan[M]:
    if debts is None:
        raise DebtsMissing(field="/debts")
    transfers = direct_transfers(balances, debts)
    transfers = in_order(_kept(balances, keep)) or transfers
    return Plan(
        transfers=transfers,
        optimal=None,
        lower_bound=_owing(balances) - blocks_at_sight(balances),
        blocks=blocks_of(transfers),
        work=0,
    )


def _owing(balances: Mapping[M, int]) -> int:
    """How many members owe or are owed."""
    return sum(balance != 0 for balance in balances.values())


def _kept(balances: Mapping[M, int], keep: Sequence[Transfer[M]]) -> Sequence[Transfer[M]]:
    """The transfers to be kept, if they clear the balances exactly; else none."""
    owing = {member: balance for member, balance in balances.items() if balance}
    return keep if nets(keep) == owing else ()
