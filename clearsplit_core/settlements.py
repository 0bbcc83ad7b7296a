"""Settlements: a plan of transfers, kept as it was computed, and paying what it says.

A plan is not found inside a decision: that may take seconds, and a decision holds the group's
lock. Whoever wants one asks for the `problems` of the group as it stands, has each solved (`solve`,
in a process of its own where others wait), and records the solutions. The command refuses those
that no longer clear the balances, and then one begins again.

A recorded plan never changes; what is paid of it does. A newer one takes its place: only the latest
is paid, and once the balances strayed from it only as long as nobody pays more than they owe. What
is left of a plan goes over into the next one as it is, where it still clears the balances.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final, TypeAlias
from uuid import uuid5

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    BalancesMoved,
    Overpayment,
    SettlementStale,
    SettlementSuperseded,
    SettlementTooLarge,
    TransferAlreadyPaid,
    VersionMismatch,
)
from clearsplit_core.group import Event, Group, Right
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.money import Money
from clearsplit_core.payments import PaymentRecorded, excess_minor, state_when_recorded
from clearsplit_core.plain import to_plain
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import (
    CurrencyPlan,
    OfPlan,
    Payment,
    PaymentId,
    PlannedTransfer,
    Settlement,
    SettlementId,
    SettlementNow,
    Strategy,
    TransferId,
    TransferState,
)
from clearsplit_core.settlement import Transfer, settle
from clearsplit_core.splits import Part
from clearsplit_core.text import Text, require_readable

TRANSFERS_MAX: Final = 10_000
"""Transfers of one settlement, and pairs of members whose debts it may start from."""


# ── Solving ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is to be settled in one currency.

    `balances` in signed minor units, none of them zero; `debts` only where the strategy is direct;
    `keep` is what is left of the latest settlement.
    """

    currency: str
    strategy: Strategy
    balances: tuple[Part[MemberId], ...]
    debts: tuple[Transfer[MemberId], ...]
    keep: tuple[Transfer[MemberId], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The transfers that settle one currency, and what is known of their number."""

    transfers: tuple[Transfer[MemberId], ...]
    plan: CurrencyPlan


Solutions: TypeAlias = tuple[Solution, ...]

NOTHING_TO_PAY: Final[Solutions] = ()
"""What settles a group in which nobody owes anything."""


def strategy_of(group: Group) -> Strategy:
    """The strategy that a group settles by unless somebody asks for another."""
    return Strategy.FEWEST if group.simplify else Strategy.DIRECT


def problems(group: Group, strategy: Strategy) -> Sequence[Problem]:
    """What is to be settled, currency by currency, in a group with its debts and latest settlement.

    Raises SettlementTooLarge.
    """
    if strategy is Strategy.DIRECT and sum(map(bool, group.debts.values())) > TRANSFERS_MAX:
        raise SettlementTooLarge
    return [
        Problem(
            currency=currency,
            strategy=strategy,
            balances=tuple(Part(member, minor) for member, minor in sorted(balances.items())),
            debts=_debts(group, currency) if strategy is Strategy.DIRECT else (),
            keep=_left(group, currency, strategy),
        )
        for currency, balances in sorted(_by_currency(group).items())
    ]


def solve(problem: Problem) -> Solution:
    """The problem's solution; the same problem always has the same. May take a second or more."""
    plan = settle(
        {part.member_id: part.amount_minor for part in problem.balances},
        strategy=problem.strategy,
        debts={(debt.debtor, debt.creditor): debt.amount_minor for debt in problem.debts},
        keep=problem.keep,
    )
    known = CurrencyPlan(
        currency=problem.currency,
        optimal=plan.optimal,
        lower_bound=plan.lower_bound,
        blocks=plan.blocks,
        proof=json.dumps(to_plain(plan.proof)) if plan.proof else None,
    )
    return Solution(transfers=plan.transfers, plan=known)


def _by_currency(group: Group) -> Mapping[str, Mapping[MemberId, int]]:
    """The balances that are not zero."""
    found: dict[str, dict[MemberId, int]] = {}
    for (member_id, currency), minor in group.balances.items():
        if minor:
            found.setdefault(currency, {})[member_id] = minor
    return found


def _debts(group: Group, currency: str) -> tuple[Transfer[MemberId], ...]:
    return tuple(
        Transfer(*((one, other) if minor > 0 else (other, one)), abs(minor))
        for (one, other, code), minor in sorted(group.debts.items())
        if minor and code == currency
    )


def _left(group: Group, currency: str, strategy: Strategy) -> tuple[Transfer[MemberId], ...]:
    """What is not paid yet of the latest settlement, if that went by the same strategy."""
    latest = group.latest_settlement
    if latest is None or latest.voided or latest.strategy is not strategy:
        return ()
    return tuple(
        Transfer(each.from_member_id, each.to_member_id, each.amount_minor)
        for each in latest.transfers
        if each.currency == currency and each.state is not TransferState.PAID
    )


# ── Recording ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettlement:
    """Keep a plan as the group's next settlement; from now on it is the one to pay.

    Without a `strategy` it is the group's. Raises InsufficientRole, AlreadyExists, BalancesMoved,
    SettlementTooLarge.
    """

    group_id: GroupId
    settlement_id: SettlementId
    strategy: Strategy | None
    solutions: Solutions

    @property
    def needs(self) -> Needs:
        return Needs(settlements=frozenset({self.settlement_id}), latest_settlement=True)

    def decide(self, group: Group) -> Decision[SettlementNow]:
        group.require(Right.RECORD)
        if self.settlement_id in group.settlements:
            raise AlreadyExists(field="/id")
        if _cleared_by(self.solutions) != _at_odds(group):
            raise BalancesMoved
        transfers = tuple(_planned(self.settlement_id, self.solutions))
        if len(transfers) > TRANSFERS_MAX:
            raise SettlementTooLarge
        event = SettlementComputed(
            settlement_id=self.settlement_id,
            strategy=self.strategy or strategy_of(group),
            transfers=transfers,
            by_currency=tuple(solution.plan for solution in self.solutions),
        )
        return Decision((event,), SettlementNow(event.settlement(group), stale=False))


@dataclass(frozen=True, kw_only=True)
class SettlementComputed(Event):
    kind: ClassVar[str] = "settlement-computed"
    settlement_id: SettlementId
    strategy: Strategy
    transfers: tuple[PlannedTransfer, ...]
    by_currency: tuple[CurrencyPlan, ...]

    def settlement(self, group: Group) -> Settlement:
        latest = group.latest_settlement
        return Settlement(
            id=self.settlement_id,
            version=latest.version + 1 if latest else 1,
            revision=1,
            seq=group.head.seq,
            strategy=self.strategy,
            transfers=self.transfers,
            by_currency=self.by_currency,
            computed_by=group.actor.id,
            computed_at=group.now,
            recorded_seq=group.head.seq + 1,
            superseded_seq=None,
            voided=False,
            void_reason=None,
        )

    def evolve(self, group: Group) -> Group:
        settlement, latest = self.settlement(group), group.latest_settlement
        if latest is not None:
            group = group.with_settlement(replace(latest, superseded_seq=settlement.recorded_seq))
        return replace(group.with_settlement(settlement), latest_settlement_id=self.settlement_id)


def _planned(settlement_id: SettlementId, solutions: Solutions) -> Iterable[PlannedTransfer]:
    """The transfers with ids that follow from the settlement's, so that a retry has the same."""
    found = ((each, one.plan.currency) for one in solutions for each in one.transfers)
    for number, (transfer, currency) in enumerate(found):
        yield PlannedTransfer(
            id=TransferId(uuid5(settlement_id, str(number))),
            from_member_id=transfer.debtor,
            to_member_id=transfer.creditor,
            amount_minor=transfer.amount_minor,
            currency=currency,
            state=TransferState.OPEN,
            payment_id=None,
        )


def _cleared_by(solutions: Solutions) -> Mapping[tuple[MemberId, str], int]:
    """The balances that are zero once all is paid."""
    sums: dict[tuple[MemberId, str], int] = {}
    for solution in solutions:
        for transfer in solution.transfers:
            payer = (transfer.debtor, solution.plan.currency)
            receiver = (transfer.creditor, solution.plan.currency)
            sums[payer] = sums.get(payer, 0) - transfer.amount_minor
            sums[receiver] = sums.get(receiver, 0) + transfer.amount_minor
    return {place: minor for place, minor in sums.items() if minor}


def _at_odds(group: Group) -> Mapping[tuple[MemberId, str], int]:
    return {place: minor for place, minor in group.balances.items() if minor}


# ── Paying a transfer ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class PayTransfer:
    """Record the payment of a transfer; it waits for its receiver where the group asks for that.

    Without a `date` it is the day of the entry, in UTC. Raises ThingNotFound, InsufficientRole,
    AlreadyExists, TransferAlreadyPaid, SettlementSuperseded, SettlementStale, TooManyPending,
    BadText, and Overpayment where the payer's payments that wait cover it already.
    """

    group_id: GroupId
    settlement_id: SettlementId
    transfer_id: TransferId
    payment_id: PaymentId
    date: date | None
    memo: Text | None

    def __post_init__(self) -> None:
        if self.memo is not None:
            require_readable(self.memo.words or "", field="/memo")

    @property
    def needs(self) -> Needs:
        return Needs(
            payments=frozenset({self.payment_id}),
            pending=True,
            settlements=frozenset({self.settlement_id}),
        )

    def decide(self, group: Group) -> Decision[Payment]:
        settlement = settlement_to_record_in(group, self.settlement_id)
        transfer = settlement.transfer(self.transfer_id)
        if self.payment_id in group.payments:
            raise AlreadyExists(field="/id")
        if transfer.state is not TransferState.OPEN:
            raise TransferAlreadyPaid
        if settlement.voided:
            raise SettlementSuperseded("This settlement was voided; compute a new one.")
        if not group.is_payable(settlement):
            raise SettlementSuperseded
        event = PaymentRecorded(
            payment_id=self.payment_id,
            from_member_id=transfer.from_member_id,
            to_member_id=transfer.to_member_id,
            amount_minor=transfer.amount_minor,
            currency=transfer.currency,
            date=self.date or group.now.date(),
            memo=self.memo,
            state=state_when_recorded(group),
            pays=OfPlan(settlement.id, transfer.id),
        )
        payment = event.payment(group)
        if group.is_stale(settlement) and excess_minor(group, payment):
            raise SettlementStale
        _require_not_waiting(group, settlement, transfer)
        return Decision((event,), payment)


def _require_not_waiting(group: Group, settlement: Settlement, transfer: PlannedTransfer) -> None:
    """No payment that waits to be confirmed covers the transfer already. Raises Overpayment.

    A plan knows nothing of payments that wait, since they have moved nothing yet. What its payer
    has under way besides the plan counts against what the plan asks of them.
    """
    asked = sum(
        each.amount_minor
        for each in settlement.transfers
        if each.state is TransferState.OPEN
        and (each.from_member_id, each.currency) == (transfer.from_member_id, transfer.currency)
    )
    waiting = sum(
        each.amount_minor
        for each in group.pending
        if (each.from_member_id, each.currency) == (transfer.from_member_id, transfer.currency)
        and (each.pays is None or each.pays.settlement_id != settlement.id)
    )
    excess = transfer.amount_minor - max(0, asked - waiting)
    if waiting and excess > 0:
        raise Overpayment(
            f"The payer has payments of {Money(waiting, transfer.currency)} that wait to be"
            f" confirmed, so this is {Money(excess, transfer.currency)} ({excess} in minor units)"
            " more than is left to pay; confirm or void those first."
        )


# ── Voiding ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidSettlement:
    """Nothing more is paid of a settlement. What was paid stays paid, and its history stays.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, AlreadyVoided, BadText.
    """

    group_id: GroupId
    settlement_id: SettlementId
    expected_version: int
    expected_revision: int
    reason: Text

    def __post_init__(self) -> None:
        require_readable(self.reason.words or "", field="/reason")

    @property
    def needs(self) -> Needs:
        return Needs(settlements=frozenset({self.settlement_id}))

    def decide(self, group: Group) -> Decision[SettlementNow]:
        settlement = settlement_to_record_in(group, self.settlement_id)
        present = (settlement.version, settlement.revision)
        if present != (self.expected_version, self.expected_revision):
            raise VersionMismatch(version=settlement.version, revision=settlement.revision)
        if settlement.voided:
            raise AlreadyVoided
        event = SettlementVoided(settlement_id=settlement.id, reason=self.reason)
        return Decision((event,), group.now_of(event.settlement(group)))


@dataclass(frozen=True, kw_only=True)
class SettlementVoided(Event):
    kind: ClassVar[str] = "settlement-voided"
    settlement_id: SettlementId
    reason: Text

    def settlement(self, group: Group) -> Settlement:
        old = group.settlement(self.settlement_id)
        return replace(old, voided=True, void_reason=self.reason, revision=old.revision + 1)

    def evolve(self, group: Group) -> Group:
        return group.with_settlement(self.settlement(group))


def settlement_to_record_in(group: Group, settlement_id: SettlementId) -> Settlement:
    """The settlement, if the caller may record what becomes of it.

    Raises ThingNotFound, InsufficientRole.
    """
    group.require(Right.RECORD)
    return group.settlement(settlement_id)
