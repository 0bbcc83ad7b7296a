"""Settlements as they stand: an immutable plan of transfers, and which of them were paid."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import MemberId
from clearsplit_core.records.ids import PaymentId, SettlementId, TransferId
from clearsplit_core.records.payments import Payment, PaymentState
from clearsplit_core.text import Text


class Strategy(StrEnum):
    """In the fewest transfers, or along what members really owe each other."""

    FEWEST = "fewest"
    DIRECT = "direct"


class TransferState(StrEnum):
    """Pending while its payment waits to be confirmed."""

    OPEN = "open"
    PENDING = "pending"
    PAID = "paid"


_AFTER: Final = {
    PaymentState.PENDING: TransferState.PENDING,
    PaymentState.CONFIRMED: TransferState.PAID,
    PaymentState.VOIDED: TransferState.OPEN,
}
"""What a payment makes of the transfer that it pays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTransfer:
    """What one member should pay another; `payment_id` is there unless it is open."""

    id: TransferId
    from_member_id: MemberId
    to_member_id: MemberId
    amount_minor: int
    currency: str
    state: TransferState
    payment_id: PaymentId | None

    def with_payment(self, payment: Payment) -> "PlannedTransfer":
        voided = payment.state is PaymentState.VOIDED
        return replace(self, state=_AFTER[payment.state], payment_id=None if voided else payment.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyPlan:
    """What is known of the transfers in one currency: see `settlement.Plan`.

    `blocks` are members who clear among themselves; `proof` is what `settlement.check` needs to
    confirm the bound, as JSON text, where there is any.
    """

    currency: str
    optimal: bool | None
    lower_bound: int
    blocks: tuple[tuple[MemberId, ...], ...]
    proof: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A snapshot of transfers that cleared every balance at `seq`, the last entry it has seen.

    `version` counts a group's settlements 1, 2, 3 …; `revision` counts what happened to this one
    since. `superseded_seq` is the entry that put a newer one in its place.
    """

    id: SettlementId
    version: int
    revision: int
    seq: int
    strategy: Strategy
    transfers: tuple[PlannedTransfer, ...]
    by_currency: tuple[CurrencyPlan, ...]
    computed_by: MemberId
    computed_at: datetime
    recorded_seq: int
    superseded_seq: int | None
    voided: bool
    void_reason: Text | None

    def transfer(self, transfer_id: TransferId) -> PlannedTransfer:
        """Raises ThingNotFound."""
        for each in self.transfers:
            if each.id == transfer_id:
                return each
        raise ThingNotFound

    def is_stale(self, *, moved_seq: int, strayed_seq: int) -> bool:
        """Whether a balance changed since other than by paying its transfers.

        `moved_seq` and `strayed_seq` are the group's. Once it was superseded no more is paid of it,
        so after that every change counts.
        """
        superseded = self.superseded_seq
        return strayed_seq > self.seq or (superseded is not None and moved_seq > superseded)

    def with_payment(self, payment: Payment) -> "Settlement":
        """The settlement with one of its transfers as `payment` leaves it: paid, or open again."""
        assert payment.pays is not None, "it pays no transfer"
        changed = tuple(
            each.with_payment(payment) if each.id == payment.pays.transfer_id else each
            for each in self.transfers
        )
        return replace(self, transfers=changed, revision=self.revision + 1)


@dataclass(frozen=True, slots=True)
class SettlementNow:
    """A settlement, and whether it is stale by now."""

    settlement: Settlement
    stale: bool
