"""Payments on the wire."""

from datetime import date, datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from msgspec import Meta

from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.payments import ConfirmPayment, RecordPayment, VoidPayment
from clearsplit_core.records import AMOUNT_MINOR_MAX, Payment, PaymentId, PaymentState
from clearsplit_core.text import TEXT_MAX
from clearsplit_http.wire.resources import (
    Body,
    ChosenId,
    Currency,
    Extras,
    Resource,
    new_id,
    new_text_or_none,
    words_or_none,
)

Day: TypeAlias = date
Note = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": TEXT_MAX})]
Paid = Annotated[
    int,
    Meta(
        le=AMOUNT_MINOR_MAX,
        description="A whole number of the currency's minor units above zero: 1234 is 12.34 EUR.",
        extra_json_schema={"minimum": 1},
    ),
]


class NewPayment(Body, frozen=True, kw_only=True):
    """Money that went from one member to another. More than the payer owes is refused without
    `allow_overpay`.
    """

    id: ChosenId | None = None
    from_member_id: UUID
    to_member_id: UUID
    amount_minor: Paid
    currency: Currency
    date: Day
    memo: Note | None = None
    allow_overpay: bool = False

    def record(self, group_id: GroupId) -> RecordPayment:
        """The command to record it. Raises BadId and what RecordPayment raises."""
        return RecordPayment(
            group_id=group_id,
            payment_id=PaymentId(new_id(self.id)),
            from_member_id=MemberId(self.from_member_id),
            to_member_id=MemberId(self.to_member_id),
            amount_minor=self.amount_minor,
            currency=self.currency,
            date=self.date,
            memo=new_text_or_none(self.memo),
            allow_overpay=self.allow_overpay,
        )


class Confirmation(Extras, frozen=True, kw_only=True):
    """That the money came, and whether it may be more than the payer owes by now."""

    allow_overpay: bool = False

    def confirm(
        self, group_id: GroupId, payment_id: PaymentId, expected_version: int
    ) -> ConfirmPayment:
        return ConfirmPayment(
            group_id=group_id,
            payment_id=payment_id,
            expected_version=expected_version,
            allow_overpay=self.allow_overpay,
        )


class PaymentVoiding(Extras, frozen=True, kw_only=True):
    """Why the payment is taken back, if somebody should know."""

    reason: Note | None = None

    def void(self, group_id: GroupId, payment_id: PaymentId, expected_version: int) -> VoidPayment:
        """The command to void it. Raises BadText."""
        return VoidPayment(
            group_id=group_id,
            payment_id=payment_id,
            expected_version=expected_version,
            reason=new_text_or_none(self.reason),
        )


class PaymentAnswer(Resource, frozen=True, kw_only=True):
    """A payment. While it is pending it moves no balance. `settlement_id` and `transfer_id` say
    which transfer it pays, if any.
    """

    from_member_id: UUID
    to_member_id: UUID
    amount_minor: int
    currency: str
    date: Day
    memo: str | None
    status: PaymentState
    settlement_id: UUID | None
    transfer_id: UUID | None
    void_reason: str | None
    recorded_by: UUID
    recorded_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> Self:
        pays = payment.pays
        return cls(
            id=payment.id,
            version=payment.version,
            from_member_id=payment.from_member_id,
            to_member_id=payment.to_member_id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            date=payment.date,
            memo=words_or_none(payment.memo),
            status=payment.state,
            settlement_id=pays.settlement_id if pays else None,
            transfer_id=pays.transfer_id if pays else None,
            void_reason=words_or_none(payment.void_reason),
            recorded_by=payment.recorded_by,
            recorded_at=payment.recorded_at,
            changed_at=payment.changed_at,
        )
