"""The two ways to settle: the fewest transfers, or along the existing debts.

This file checks what comes in and chooses; the files beside it do the work.
"""

from collections.abc import Mapping, Sequence

from clearsplit_core.errors import (
    BalancesNotZero,
    DebtsMissing,
    NotAnInteger,
    UnknownStrategy,
)
from clearsplit_core.settlement.direct import direct_transfers
from clearsplit_core.settlement.effort import units
from clearsplit_core.settlement.fewest import most_blocks
from clearsplit_core.settlement.plan import M, Plan, Transfer, blocks_of, in_order, nets, pay_within


def settle(
    balances: Mapping[M, int],
    *,
    strategy: str = "fewest",
    effort: str | int = "interactive",
    debts: Mapping[tuple[M, M], int] | None = None,
    keep: Sequence[Transfer[M]] = (),
) -> Plan[M]:
    """The plan clears every balance.

    `balances` in minor units, positive: the group owes the member. `effort`: a number of work units,
    or interactive or thorough. `debts[debtor, creditor]`: what direct starts from. `keep`: the
    unpaid transfers of an earlier plan, returned as they are if they still clear the balances.
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
            raise NotAnInteger(f"the balance of {member} is {balance!r}", field="/balances")
    if excess := sum(balances.values()):
        raise BalancesNotZero(f"balances sum to {excess}, not to zero", field="/balances")


def _fewest(balances: Mapping[M, int], units: int, keep: Sequence[Transfer[M]]) -> Plan[M]:
    found = most_blocks(balances, units)
    owing = sum(balance != 0 for balance in balances.values())
    bound = owing - found.blocks_max
    transfers = _kept(balances, keep) or _better(
        [t for block in found.blocks for t in pay_within(block, balances)],
        pay_within(balances, balances),
    )
    return Plan(
        transfers=in_order(transfers),
        optimal=len(transfers) == bound,
        lower_bound=bound,
        blocks=blocks_of(transfers),
        work=found.work,
        proof=found.proof,
    )


def _better(searched: list[Transfer[M]], greedy: list[Transfer[M]]) -> list[Transfer[M]]:
    """Greedy is better only where effort ran out at once."""
    return greedy if len(greedy) < len(searched) else searched


def _direct(
    balances: Mapping[M, int],
    debts: Mapping[tuple[M, M], int] | None,
    keep: Sequence[Transfer[M]],
) -> Plan[M]:
    if debts is None:
        raise DebtsMissing(field="/debts")
    transfers = direct_transfers(balances, debts)
    transfers = in_order(_kept(balances, keep)) or transfers
    return Plan(transfers, None, 0, blocks_of(transfers), 0)


def _kept(balances: Mapping[M, int], keep: Sequence[Transfer[M]]) -> list[Transfer[M]]:
    """The transfers to be kept, if they clear the balances exactly; else none."""
    owing = {member: balance for member, balance in balances.items() if balance}
    return list(keep) if nets(keep) == owing else []
