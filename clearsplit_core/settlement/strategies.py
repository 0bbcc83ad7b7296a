"""The two ways to settle: in the fewest transfers, or along the existing debts.

This file checks what comes in and chooses; the files beside it do the work.
"""

from collections.abc import Iterable, Mapping

from clearsplit_core.errors import BadTransfer, DebtsMissing, UnknownStrategy
from clearsplit_core.settlement.balances import refuse_bad_balances
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
    keep: Iterable[Transfer[M]] = (),
) -> Plan[M]:
    """The plan clears every balance; the same question always has the same plan.

    `balances` in minor units, positive: the group owes the member. `effort`: interactive (about a
    second on ordinary balances), thorough (about ten), or a number of units, see effort.py.
    `debts`, by (debtor, creditor) in minor units: what direct starts from; fewest does not look at
    them. `keep`: the unpaid transfers of an earlier plan, returned as they are if they still clear
    the balances exactly: for fewest, from members who owe to members who are owed.
    Raises NotAnInteger, BalancesNotZero, UnknownStrategy, BadEffort, DebtsMissing, DebtsMismatch,
    BadTransfer.
    """
    refuse_bad_balances(balances)
    budget = units(effort)
    unpaid = _transfers(keep)
    if strategy == "fewest":
        return _fewest(balances, budget, unpaid)
    if strategy == "direct":
        return _direct(balances, debts, unpaid)
    raise UnknownStrategy(f"{strategy!r} is not a strategy: fewest, direct", field="/strategy")


def _transfers(keep: Iterable[Transfer[M]]) -> list[Transfer[M]]:
    unpaid = list(keep)
    given: list[object] = [*unpaid]
    for transfer in given:
        if not isinstance(transfer, Transfer):
            raise BadTransfer(f"What is kept is a transfer, not {transfer!r}", field="/keep")
    return unpaid


def _fewest(balances: Mapping[M, int], budget: int, keep: list[Transfer[M]]) -> Plan[M]:
    if not all(balances.get(t.debtor, 0) < 0 < balances.get(t.creditor, 0) for t in keep):
        keep = []
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
    keep: list[Transfer[M]],
) -> Plan[M]:
    if debts is None:
        raise DebtsMissing(field="/debts")
    transfers = direct_transfers(balances, debts)
    members = {*balances, *(member for pair in debts for member in pair)}
    if not members.issuperset(member for t in keep for member in (t.debtor, t.creditor)):
        keep = []
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


def _kept(balances: Mapping[M, int], keep: list[Transfer[M]]) -> list[Transfer[M]]:
    """The transfers to be kept, if they clear the balances exactly; else none."""
    left = {member: balance for member, balance in balances.items() if balance}
    return keep if nets(keep) == left else []
