"""Settlements on the wire."""

from collections.abc import Mapping
from typing import Self
from uuid import UUID

from msgspec import Struct

from clearsplit_core.questions import Standing
from clearsplit_http.solver import Solved
from clearsplit_http.wire.resources import Journal


class TransferAnswer(Struct, frozen=True, kw_only=True):
    """What one member should pay another."""

    from_member_id: UUID
    to_member_id: UUID
    amount_minor: int
    currency: str


class PlanAnswer(Struct, frozen=True, kw_only=True):
    """The transfers of one currency. `optimal`: it is proven that no plan has fewer;
    `lower_bound`: no plan has fewer than this.
    """

    transfers: tuple[TransferAnswer, ...]
    optimal: bool | None
    lower_bound: int

    @classmethod
    def of(cls, solved: Solved, currency: str) -> Self:
        transfers = tuple(
            TransferAnswer(
                from_member_id=debtor, to_member_id=creditor, amount_minor=minor, currency=currency
            )
            for debtor, creditor, minor in solved.transfers
        )
        return cls(transfers=transfers, optimal=solved.optimal, lower_bound=solved.lower_bound)


class PreviewAnswer(PlanAnswer, frozen=True, kw_only=True):
    """The transfers that would settle the group, over all currencies and for each."""

    strategy: str
    journal: Journal
    by_currency: dict[str, PlanAnswer]

    @classmethod
    def over(cls, standing: Standing, plans: Mapping[str, PlanAnswer]) -> Self:
        return cls(
            strategy="fewest",
            journal=Journal.of(standing.head),
            transfers=tuple(each for plan in plans.values() for each in plan.transfers),
            optimal=all(plan.optimal for plan in plans.values()),
            lower_bound=sum(plan.lower_bound for plan in plans.values()),
            by_currency=dict(plans),
        )


def balances_by_currency(standing: Standing) -> dict[str, dict[UUID, int]]:
    """What is not zero, minor units by member, in the order of the currencies."""
    by_currency: dict[str, dict[UUID, int]] = {}
    for (member_id, currency), minor in standing.balances.items():
        if minor:
            by_currency.setdefault(currency, {})[member_id] = minor
    return dict(sorted(by_currency.items()))
