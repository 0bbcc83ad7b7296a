"""Payments: money that went from one member to another outside the system.

A payment moves the balances once it is confirmed. Where the group asks for confirmation it waits
until its receiver, or an owner, says that the money came. Nothing is taken back in silence either:
to void a payment is to append an entry that reverses it.

Nobody pays more than they owe by mistake. What a payer owes is their debt to the whole group in
that currency, less what of it waits to be confirmed already; more than that must be meant.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import (
    AlreadyConfirmed,
    AlreadyExists,
    AlreadyVoided,
    AmountNegative,
    InsufficientRole,
    Overpayment,
    PaysThemselves,
    TooManyPending,
    VersionMismatch,
)
from clearsplit_core.group import Event, Group, Moved, Right, difference
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.money import Money
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import (
    OfPlan,
    Payment,
    PaymentId,
    PaymentState,
    Role,
    SettlementId,
    require_amount,
)
from clearsplit_core.text import Text, require_readable

PENDING_MAX: Final = 1_000
"""Payments of one group that may wait to be confirmed: all of the largest group's settlement."""


# ── Recording ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """Put money that went from one member to another into the journal.

    Members who have left can still pay and be paid. Raises InsufficientRole, AlreadyExists,
    UnknownMember, PaysThemselves, AmountZero, AmountNegative, AmountOutOfRange, UnknownCurrency,
    BadText, TooManyPending, and Overpayment unless `allow_overpay`.
    """

    group_id: GroupId
    payment_id: PaymentId
    from_member_id: MemberId
    to_member_id: MemberId
    amount_minor: int
    currency: str
    date: date
    memo: Text | None
    allow_overpay: bool = False

    def __post_init__(self) -> None:
        require_amount(self.amount_minor)
        if self.amount_minor < 0:
            raise AmountNegative(field="/amount_minor")
        decimals(self.currency)
        if self.from_member_id == self.to_member_id:
            raise PaysThemselves(field="/to_member_id")
        if self.memo is not None:
            require_readable(self.memo.words or "", field="/memo")

    @property
    def needs(self) -> Needs:
        return Needs(payments=frozenset({self.payment_id}), pending=True)

    def decide(self, group: Group) -> Decision[Payment]:
        group.require(Right.RECORD)
        if self.payment_id in group.payments:
            raise AlreadyExists(field="/id")
        group.require_seats([self.from_member_id], field="/from_member_id")
        group.require_seats([self.to_member_id], field="/to_member_id")
        event = PaymentRecorded(
            payment_id=self.payment_id,
            from_member_id=self.from_member_id,
            to_member_id=self.to_member_id,
            amount_minor=self.amount_minor,
            currency=self.currency,
            date=self.date,
            memo=self.memo,
            state=state_when_recorded(group),
            pays=None,
        )
        payment = event.payment(group)
        if not self.allow_overpay:
            _require_owed(group, payment)
        return Decision((event,), payment)


@dataclass(frozen=True, kw_only=True)
class OfPayment(Event):
    """What happens to one payment, and to the transfer that it pays."""

    payment_id: PaymentId

    @abstractmethod
    def payment(self, group: Group) -> Payment:
        """The payment as it is afterwards, `group` being as it was before."""

    def evolve(self, group: Group) -> Group:
        payment = self.payment(group)
        after = group.with_payment(payment)
        if payment.pays is None:
            return after
        settlement = group.settlement(payment.pays.settlement_id)
        return after.with_settlement(settlement.with_payment(payment))

    def moves(self, before: Group, after: Group) -> Moved:
        old, new = before.payments.get(self.payment_id), after.payments[self.payment_id]
        return difference(old, new, by_plan=_plan_of(new))


@dataclass(frozen=True, kw_only=True)
class PaymentRecorded(OfPayment):
    kind: ClassVar[str] = "payment-recorded"
    from_member_id: MemberId
    to_member_id: MemberId
    amount_minor: int
    currency: str
    date: date
    memo: Text | None
    state: PaymentState
    pays: OfPlan | None

    def payment(self, group: Group) -> Payment:
        return Payment(
            id=self.payment_id,
            from_member_id=self.from_member_id,
            to_member_id=self.to_member_id,
            amount_minor=self.amount_minor,
            currency=self.currency,
            date=self.date,
            memo=self.memo,
            state=self.state,
            pays=self.pays,
            void_reason=None,
            version=1,
            recorded_by=group.actor.id,
            recorded_seq=group.head.seq + 1,
            recorded_at=group.now,
            changed_at=group.now,
        )


def state_when_recorded(group: Group) -> PaymentState:
    """Confirmed at once, unless the group asks for confirmation. Raises TooManyPending."""
    if not group.payments_need_confirmation:
        return PaymentState.CONFIRMED
    if len(group.pending) >= PENDING_MAX:
        raise TooManyPending
    return PaymentState.PENDING


# ── Confirming ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """Say that the money came: from now on it counts.

    For the receiver and for owners. Raises ThingNotFound, InsufficientRole, VersionMismatch,
    AlreadyVoided, AlreadyConfirmed, and Overpayment unless `allow_overpay` or it pays a transfer of
    a settlement that still fits the balances.
    """

    group_id: GroupId
    payment_id: PaymentId
    expected_version: int
    allow_overpay: bool = False

    @property
    def needs(self) -> Needs:
        return Needs(payments=frozenset({self.payment_id}), pending=True)

    def decide(self, group: Group) -> Decision[Payment]:
        payment = payment_to_confirm(group, self.payment_id)
        _require_seen(payment, self.expected_version)
        if payment.state is PaymentState.CONFIRMED:
            raise AlreadyConfirmed
        if not self.allow_overpay and not _is_planned(group, payment):
            _require_owed(group, payment)
        event = PaymentConfirmed(payment_id=payment.id)
        return Decision((event,), event.payment(group))


@dataclass(frozen=True, kw_only=True)
class PaymentConfirmed(OfPayment):
    kind: ClassVar[str] = "payment-confirmed"

    def payment(self, group: Group) -> Payment:
        return replace(_next(group.payment(self.payment_id), group), state=PaymentState.CONFIRMED)


def payment_to_confirm(group: Group, payment_id: PaymentId) -> Payment:
    """The payment, if the caller may confirm it. Raises ThingNotFound, InsufficientRole."""
    actor = group.require(Right.READ)
    payment = group.payment(payment_id)
    if actor.role is not Role.OWNER and actor.id != payment.to_member_id:
        raise InsufficientRole
    return payment


# ── Voiding ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidPayment:
    """Take a payment out of every balance; it stays in the history, and opens its transfer again.

    For owners, whoever recorded it, and its two parties. Raises ThingNotFound, InsufficientRole,
    VersionMismatch, AlreadyVoided, BadText.
    """

    group_id: GroupId
    payment_id: PaymentId
    expected_version: int
    reason: Text | None

    def __post_init__(self) -> None:
        if self.reason is not None:
            require_readable(self.reason.words or "", field="/reason")

    @property
    def needs(self) -> Needs:
        return Needs(payments=frozenset({self.payment_id}))

    def decide(self, group: Group) -> Decision[Payment]:
        payment = payment_to_void(group, self.payment_id)
        _require_seen(payment, self.expected_version)
        event = PaymentVoided(payment_id=payment.id, reason=self.reason)
        return Decision((event,), event.payment(group))


@dataclass(frozen=True, kw_only=True)
class PaymentVoided(OfPayment):
    kind: ClassVar[str] = "payment-voided"
    reason: Text | None

    def payment(self, group: Group) -> Payment:
        return replace(
            _next(group.payment(self.payment_id), group),
            state=PaymentState.VOIDED,
            void_reason=self.reason,
        )


def payment_to_void(group: Group, payment_id: PaymentId) -> Payment:
    """The payment, if the caller may void it. Raises ThingNotFound, InsufficientRole."""
    actor = group.require(Right.READ)
    payment = group.payment(payment_id)
    concerned = (payment.recorded_by, payment.from_member_id, payment.to_member_id)
    if actor.role is not Role.OWNER and actor.id not in concerned:
        raise InsufficientRole
    return payment


# ── What the payer owes ──────────────────────────────────────────────────────────────────────────


def excess_minor(group: Group, payment: Payment) -> int:
    """By how much a payment is more than what its payer owes and has not paid yet.

    Payments that have waited longer come first; those recorded after it take nothing from it.
    """
    balance = group.balances.get((payment.from_member_id, payment.currency), 0)
    waiting = sum(
        other.amount_minor
        for other in group.pending
        if other.from_member_id == payment.from_member_id
        and other.currency == payment.currency
        and other.recorded_seq < payment.recorded_seq
    )
    return payment.amount_minor - max(0, min(payment.amount_minor, -balance - waiting))


def _require_owed(group: Group, payment: Payment) -> None:
    """Raises Overpayment, which says by how much."""
    excess = excess_minor(group, payment)
    if excess:
        raise Overpayment(
            f"This is {Money(excess, payment.currency)} ({excess} in minor units) more than the"
            " payer owes, payments that wait to be confirmed counted; if that is meant, send"
            " allow_overpay.",
            field="/amount_minor",
        )


def _is_planned(group: Group, payment: Payment) -> bool:
    """Whether it pays a transfer of the settlement that is payable and fits the balances."""
    plan = _plan_of(payment)
    return plan is not None and group.is_fresh(group.settlement(plan))


def _plan_of(payment: Payment) -> SettlementId | None:
    return payment.pays.settlement_id if payment.pays else None


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def _next(payment: Payment, group: Group) -> Payment:
    return replace(payment, version=payment.version + 1, changed_at=group.now)


def _require_seen(payment: Payment, expected_version: int) -> None:
    """The caller has seen its latest version, and it is not voided.

    Raises VersionMismatch, AlreadyVoided.
    """
    if payment.version != expected_version:
        raise VersionMismatch(version=payment.version)
    if payment.state is PaymentState.VOIDED:
        raise AlreadyVoided
