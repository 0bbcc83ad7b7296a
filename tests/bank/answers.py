"""What servers answer, as far as the bank looks at it, and what can be seen in it at once."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import msgspec


class Journal(msgspec.Struct):
    seq: int
    head: str


class Balance(msgspec.Struct):
    member_id: UUID
    currency: str
    balance_minor: int


class Balances(msgspec.Struct):
    journal: Journal
    balances: list[Balance]

    def flaws(self) -> Iterator[str]:
        sums = Counter[str]()
        for each in self.balances:
            sums[each.currency] += each.balance_minor
        if any(sums.values()):
            yield f"the balances sum to {dict(sums)}"


class Changed(msgspec.Struct):
    """A thing that was changed: an expense, a payment or a settlement."""

    id: UUID
    version: int
    journal: Journal


class Payer(msgspec.Struct):
    amount_minor: int


class Share(msgspec.Struct):
    share_minor: int


class Expense(msgspec.Struct):
    id: UUID
    version: int
    amount_minor: int
    payers: list[Payer]
    shares: list[Share]

    def flaws(self) -> Iterator[str]:
        if sum(each.share_minor for each in self.shares) != self.amount_minor:
            yield f"the shares of expense {self.id} miss its amount"
        if sum(each.amount_minor for each in self.payers) != self.amount_minor:
            yield f"the payers of expense {self.id} miss its amount"


class Page(msgspec.Struct):
    """Expenses, the latest recorded first, without those that were voided."""

    items: list[Expense]
    next_cursor: str | None

    def flaws(self) -> Iterator[str]:
        for each in self.items:
            yield from each.flaws()


class Problem(msgspec.Struct):
    code: str
