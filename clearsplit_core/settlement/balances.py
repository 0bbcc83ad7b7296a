"""Balances: what can be settled at all.

Whole minor units by member, positive: the group owes the member. They sum to zero; whatever does
not is refused before anything is searched or checked.
"""

from collections.abc import Mapping
from typing import Final

from clearsplit_core.errors import BalancesNotZero, NotAnInteger

SPELT_MAX: Final = 10**30  # a greater excess is not spelt out


def refuse_bad_balances(balances: object) -> None:
    """Raises NotAnInteger, BalancesNotZero."""
    if not isinstance(balances, Mapping):
        raise NotAnInteger("Balances are integers of minor units by member.", field="/balances")
    excess = 0
    for member, balance in balances.items():
        if type(balance) is not int:
            raise NotAnInteger(
                f"The balance of {member} must be an integer of minor units, "
                f"not {'None' if balance is None else type(balance).__name__}.",
                field="/balances",
            )
        excess += balance
    if excess:
        raise BalancesNotZero(f"Balances sum to {_spelt(excess)}, not to zero", field="/balances")


def _spelt(excess: int) -> str:
    """Python refuses to spell out numbers of more than 4,300 digits, and nobody would read them."""
    if abs(excess) <= SPELT_MAX:
        return str(excess)
    power = (abs(excess).bit_length() - 1) * 30103 // 100000  # log 2 is a little less than 0.30103
    return f"{'less than -' if excess < 0 else 'more than '}10^{power - 1}"
