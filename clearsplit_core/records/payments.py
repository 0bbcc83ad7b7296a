"""Payments as they stand: money that went from one member to another outside the system."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from clearsplit_core.debts import Debts, owed
from clearsplit_core.journal import MemberId, Posting, Postings, net
from clearsplit_core.records.ids import PaymentId, SettlementId, TransferId
from clearsplit_core.text import Text


class PaymentState(StrEnum):
    """Pending until somebody who received it confirms; only a confirmed one moves balances."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class OfPlan:
    """The transfer of a settlement that a payment pays."""

    settlement_id: SettlementId
    transfer_id: TransferId


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money from one member to another: `amount_minor` is above zero.

    `void_reason` is there only where somebody gave one.
    """

    id: PaymentId
    from_member_id: MemberId
    to_member_id: MemberId
    amount_minor: int
    currency: str
    date: date
    memo: Text | None
    state: PaymentState
    pays: OfPlan | None
    void_reason: Text | None
    version: int
    recorded_by: MemberId
    recorded_seq: int
    recorded_at: datetime
    changed_at: datetime

    def legs(self) -> Postings:
        """What the payment puts in the journal: the payer is owed more, the receiver less."""
        if self.state is not PaymentState.CONFIRMED:
            return ()
        place = (self.currency, self.date)
        return net(
            (
                Posting(self.from_member_id, *place, self.amount_minor),
                Posting(self.to_member_id, *place, -self.amount_minor),
            )
        )

    def debts(self) -> Debts:
        """What the payment does to who owes whom: the payer owes the receiver so much less."""
        if self.state is not PaymentState.CONFIRMED:
            return {}
        return owed(self.to_member_id, self.from_member_id, self.currency, self.amount_minor)
