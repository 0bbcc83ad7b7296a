"""Settlements on the wire."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, ClassVar, Self, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.records import (
    CurrencyPlan,
    PaymentId,
    PlannedTransfer,
    SettlementId,
    SettlementNow,
    Strategy,
    TransferId,
    TransferState,
)
from clearsplit_core.settlements import (
    PayTransfer,
    RecordSettlement,
    Solution,
    Solutions,
    VoidSettlement,
)
from clearsplit_http.preconditions import Tag
from clearsplit_http.wire.payments import Note
from clearsplit_http.wire.resources import (
    Body,
    ChosenId,
    Extras,
    Journal,
    Resource,
    new_id,
    new_text,
    new_text_or_none,
    words_or_none,
)

Day: TypeAlias = date


# ── What is asked ────────────────────────────────────────────────────────────────────────────────


class NewSettlement(Extras, frozen=True, kw_only=True):
    """How to settle; without a strategy as the group does."""

    id: ChosenId | None = None
    strategy: Strategy | None = None

    def record(
        self, group_id: GroupId, strategy: Strategy | None, solutions: Solutions
    ) -> RecordSettlement:
        """The command to record what was solved by that strategy. Raises BadId."""
        return RecordSettlement(
            group_id=group_id,
            settlement_id=SettlementId(new_id(self.id)),
            strategy=strategy or self.strategy,
            solutions=solutions,
        )


class TransferPayment(Extras, frozen=True, kw_only=True):
    """How a transfer was paid; without a date today, as it is in UTC."""

    id: ChosenId | None = None
    date: Day | None = None
    memo: Note | None = None

    def pay(
        self, group_id: GroupId, settlement_id: SettlementId, transfer_id: TransferId
    ) -> PayTransfer:
        """The command to pay it. Raises BadId, BadText."""
        return PayTransfer(
            group_id=group_id,
            settlement_id=settlement_id,
            transfer_id=transfer_id,
            payment_id=PaymentId(new_id(self.id)),
            date=self.date,
            memo=new_text_or_none(self.memo),
        )


class SettlementVoiding(Body, frozen=True, kw_only=True):
    """Why nothing more is paid of it."""

    reason: Note

    def void(self, group_id: GroupId, settlement_id: SettlementId, seen: Tag) -> VoidSettlement:
        """The command to void it. Raises BadText."""
        return VoidSettlement(
            group_id=group_id,
            settlement_id=settlement_id,
            expected_version=seen.version,
            expected_revision=seen.revision,
            reason=new_text(self.reason),
        )


# ── What is answered ─────────────────────────────────────────────────────────────────────────────


class TransferAnswer(Struct, frozen=True, kw_only=True):
    """What one member should pay another. In a settlement it has an id and a status, and the
    payment that pays it.
    """

    id: UUID | UnsetType = UNSET
    from_member_id: UUID
    to_member_id: UUID
    amount_minor: int
    currency: str
    status: TransferState | UnsetType = UNSET
    payment_id: UUID | UnsetType | None = UNSET

    @classmethod
    def of(cls, planned: PlannedTransfer) -> Self:
        return cls(
            id=planned.id,
            from_member_id=planned.from_member_id,
            to_member_id=planned.to_member_id,
            amount_minor=planned.amount_minor,
            currency=planned.currency,
            status=planned.state,
            payment_id=planned.payment_id,
        )


class CurrencyPlanAnswer(Struct, frozen=True, kw_only=True):
    """The transfers of one currency. `optimal`: it is proven that no plan has fewer, null where
    that was not the aim; `lower_bound`: no plan has fewer than this; `proof`: what confirms that,
    null where it can be seen without.
    """

    transfers: tuple[TransferAnswer, ...]
    optimal: bool | None
    lower_bound: int
    proof: Annotated[Raw, Meta(description="See docs/settlement.md.")]

    @classmethod
    def of(cls, plan: CurrencyPlan, transfers: Sequence[TransferAnswer]) -> Self:
        return cls(
            transfers=tuple(each for each in transfers if each.currency == plan.currency),
            optimal=plan.optimal,
            lower_bound=plan.lower_bound,
            proof=Raw((plan.proof or "null").encode()),
        )


class PreviewAnswer(Struct, frozen=True, kw_only=True):
    """The transfers that would settle the group now, over all currencies and for each."""

    strategy: Strategy
    journal: Journal
    transfers: tuple[TransferAnswer, ...]
    optimal: bool | None
    lower_bound: int
    by_currency: dict[str, CurrencyPlanAnswer]

    @classmethod
    def of(cls, group: Group, strategy: Strategy, solutions: Solutions) -> Self:
        transfers = [each for solution in solutions for each in _transfers(solution)]
        plans = [solution.plan for solution in solutions]
        return cls(
            strategy=strategy,
            journal=Journal.of(group.head),
            transfers=tuple(transfers),
            optimal=_optimal(strategy, plans),
            lower_bound=sum(plan.lower_bound for plan in plans),
            by_currency=_by_currency(plans, transfers),
        )


class SettlementAnswer(Resource, frozen=True, kw_only=True):
    """A plan as it was computed at entry `seq`, and what was paid of it. `stale`: the balances
    moved since by something else; `superseded`: a newer one took its place. The ETag says version
    and revision.
    """

    revalidated: ClassVar[bool] = False

    revision: int
    seq: int
    strategy: Strategy
    transfers: tuple[TransferAnswer, ...]
    optimal: bool | None
    lower_bound: int
    by_currency: dict[str, CurrencyPlanAnswer]
    stale: bool
    superseded: bool
    voided: bool
    void_reason: str | None
    computed_by: UUID
    computed_at: datetime

    @property
    def tag(self) -> Tag:
        return Tag(self.version, self.revision)

    @classmethod
    def of(cls, now: SettlementNow) -> Self:
        settlement = now.settlement
        transfers = tuple(map(TransferAnswer.of, settlement.transfers))
        return cls(
            id=settlement.id,
            version=settlement.version,
            revision=settlement.revision,
            seq=settlement.seq,
            strategy=settlement.strategy,
            transfers=transfers,
            optimal=_optimal(settlement.strategy, settlement.by_currency),
            lower_bound=sum(plan.lower_bound for plan in settlement.by_currency),
            by_currency=_by_currency(settlement.by_currency, transfers),
            stale=now.stale,
            superseded=settlement.superseded_seq is not None,
            voided=settlement.voided,
            void_reason=words_or_none(settlement.void_reason),
            computed_by=settlement.computed_by,
            computed_at=settlement.computed_at,
        )


def _transfers(solution: Solution) -> list[TransferAnswer]:
    return [
        TransferAnswer(
            from_member_id=each.debtor,
            to_member_id=each.creditor,
            amount_minor=each.amount_minor,
            currency=solution.plan.currency,
        )
        for each in solution.transfers
    ]


def _optimal(strategy: Strategy, plans: Sequence[CurrencyPlan]) -> bool | None:
    """Whether the whole is proven to be the fewest; direct plans do not aim at that."""
    return None if strategy is Strategy.DIRECT else all(plan.optimal for plan in plans)


def _by_currency(
    plans: Sequence[CurrencyPlan], transfers: Sequence[TransferAnswer]
) -> dict[str, CurrencyPlanAnswer]:
    by_code: Mapping[str, list[TransferAnswer]] = {plan.currency: [] for plan in plans}
    for each in transfers:
        by_code[each.currency].append(each)
    return {plan.currency: CurrencyPlanAnswer.of(plan, by_code[plan.currency]) for plan in plans}
