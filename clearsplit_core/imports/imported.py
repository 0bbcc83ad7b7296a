"""What an export file says, in our words: members, expenses as nets, balances, warnings.

Signs are those of a balance: a positive net means that the group owes the member for it. An
expense is one currency's, and its nets sum to zero in whole minor units, whatever the file had.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportedExpense:
    """One line of the file: who is owed for it and who owes, net of what they paid.

    `row` is the line as an editor counts it, from 1. `date` stands as the file has it, since nobody
    can tell which of 05/01 is the month. `nets_minor` leaves out those whom the line did not touch.
    `is_payment` is a guess: exports of nets do not tell a payment from a debt taken over whole.
    """

    row: int
    date: str
    description: str
    category: str
    cost_minor: int
    currency: str
    nets_minor: Mapping[str, int]
    is_payment: bool

    def __post_init__(self) -> None:
        assert sum(self.nets_minor.values()) == 0, "the nets of an expense sum to zero"


@dataclass(frozen=True, slots=True)
class Imported:
    """A group as a file describes it.

    `warnings`: sentences about what in the file does not add up, and what we made of it.
    """

    members: tuple[str, ...]
    expenses: tuple[ImportedExpense, ...]
    warnings: tuple[str, ...]

    @property
    def balances(self) -> dict[str, dict[str, int]]:
        """Every member's balance in minor units, by currency; each currency sums to zero."""
        currencies = sorted({expense.currency for expense in self.expenses})
        balances = {currency: dict.fromkeys(self.members, 0) for currency in currencies}
        for expense in self.expenses:
            of = balances[expense.currency]
            for member, net_minor in expense.nets_minor.items():
                of[member] += net_minor
        return balances
