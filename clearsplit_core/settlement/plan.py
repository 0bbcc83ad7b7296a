"""What settling answers: transfers, and what is known about their number.

Signs: a positive balance means that the group owes the member. A transfer runs from a debtor
(negative balance) to a creditor. Amounts are minor units, integers of any size.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from typing import Generic, Protocol, Self, TypeVar

from clearsplit_core.errors import BadTransfer
from clearsplit_core.settlement.proof import Proof


class MemberId(Protocol):
    """Whatever tells members apart: hashable, and ordered among its own kind."""

    def __lt__(self, other: "Self", /) -> bool: ...


M = TypeVar("M", bound=MemberId)


@dataclass(frozen=True, slots=True)
class Transfer(Generic[M]):
    """The debtor should pay the creditor this amount, above zero.

    Raises BadTransfer.
    """

    debtor: M
    creditor: M
    amount_minor: int

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or self.amount_minor <= 0:
            raise BadTransfer(f"{self.amount_minor!r} is not a whole amount above zero")
        if self.debtor == self.creditor:
            raise BadTransfer(f"{self.debtor} cannot pay themselves")


@dataclass(frozen=True, slots=True)
class Plan(Generic[M]):
    """These transfers clear the balances, and no plan has fewer than `lower_bound`.

    `optimal`: True, it is proven that no plan has fewer; False, it is not proven; None, the
    strategy does not aim at the fewest. `blocks`: groups of members that clear among themselves, so
    their balances sum to zero; the more blocks, the fewer transfers. `work`: units of effort spent.
    `proof`: what `check` needs to confirm the bound; None where it needs nothing, or where none is
    known.
    """

    transfers: tuple[Transfer[M], ...]
    optimal: bool | None
    lower_bound: int
    blocks: tuple[tuple[M, ...], ...]
    work: int
    proof: Proof | None = None


def nets(transfers: Iterable[Transfer[M]]) -> dict[M, int]:
    """The balances that these transfers clear; members left at zero are not named."""
    balance_minor: dict[M, int] = {}
    for t in transfers:
        balance_minor[t.debtor] = balance_minor.get(t.debtor, 0) - t.amount_minor
        balance_minor[t.creditor] = balance_minor.get(t.creditor, 0) + t.amount_minor
    return {member: net for member, net in balance_minor.items() if net}


def in_order(transfers: Iterable[Transfer[M]]) -> tuple[Transfer[M], ...]:
    return tuple(sorted(transfers, key=lambda t: (t.debtor, t.creditor, t.amount_minor)))


def pay_within(block: Iterable[M], balances: Mapping[M, int]) -> list[Transfer[M]]:
    """The members' balances, which sum to zero, are cleared.

    Always the largest debtor pays the largest creditor as much as both can bear. Each time at least
    one of them is done and the last time both, so there are fewer transfers than members.
    """
    debtors = [(balances[member], member) for member in block if balances[member] < 0]
    creditors = [(-balances[member], member) for member in block if balances[member] > 0]
    heapify(debtors)
    heapify(creditors)
    transfers = []
    while debtors:
        (owed, debtor), (due, creditor) = heappop(debtors), heappop(creditors)
        paid = -max(owed, due)
        transfers.append(Transfer(debtor, creditor, paid))
        if owed + paid:
            heappush(debtors, (owed + paid, debtor))
        if due + paid:
            heappush(creditors, (due + paid, creditor))
    return transfers


def transfers_within(balances: Iterable[int]) -> int:
    """How many transfers `pay_within` takes: whose the balances are does not matter to that.

    Often one less than members; now and then fewer, where payments fall apart by chance.
    """
    debtors: list[int] = []
    creditors: list[int] = []
    for balance in balances:
        (debtors if balance < 0 else creditors).append(-abs(balance))
    heapify(debtors)
    heapify(creditors)
    number = 0
    while debtors:
        number += 1
        unpaid = debtors[0] - creditors[0]
        if unpaid < 0:
            heapreplace(debtors, unpaid)
            heappop(creditors)
        elif unpaid > 0:
            heappop(debtors)
            heapreplace(creditors, -unpaid)
        else:
            heappop(debtors)
            heappop(creditors)
    return number


def blocks_of(transfers: Iterable[Transfer[M]]) -> tuple[tuple[M, ...], ...]:
    """The groups of members whom transfers connect, directly or through others."""
    block_of: dict[M, list[M]] = {}
    for t in transfers:
        payer = block_of.setdefault(t.debtor, [t.debtor])
        payee = block_of.setdefault(t.creditor, [t.creditor])
        if payer is not payee:
            smaller, larger = sorted((payer, payee), key=len)
            larger.extend(smaller)
            block_of.update((member, larger) for member in smaller)
    blocks = {id(members): members for members in block_of.values()}.values()
    return tuple(sorted(tuple(sorted(members)) for members in blocks))
