"""Expenses on the wire."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import encode

from clearsplit_core.expenses import (
    CATEGORIES,
    CATEGORY_MAX,
    MEMO_MAX,
    TITLE_MAX,
    Changes,
    RecordExpense,
    ReviseExpense,
)
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.keep import KEEP, Change
from clearsplit_core.plain import Plain
from clearsplit_core.questions import Category, ExpenseVersion
from clearsplit_core.records import Expense, ExpenseId, Fx, Outcome, Terms
from clearsplit_core.splits import Part
from clearsplit_core.text import Text
from clearsplit_http.refusals import MissingField, PayersUnclear
from clearsplit_http.wire.resources import (
    Body,
    ChosenId,
    Currency,
    Minor,
    Resource,
    new_id,
    new_text,
    new_text_or_none,
    words_or_none,
)
from clearsplit_http.wire.splits import AmountPart, SplitBody, parts_of, split_of, to_parts

Day: TypeAlias = date
Title = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": TITLE_MAX})]
CategoryName = Annotated[
    str,
    Meta(
        description="Any name; GET /groups/{group_id}/categories suggests some.",
        extra_json_schema={
            "minLength": 1,
            "maxLength": CATEGORY_MAX,
            "examples": list(CATEGORIES),
        },
    ),
]
Memo = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": MEMO_MAX})]


class FxBody(Body, frozen=True, kw_only=True):
    """An exchange rate: major units of `currency`, the group's, for one of the expense's."""

    rate: Annotated[str, Meta(description="A decimal number above zero.", examples=["1.0837"])]
    currency: Currency

    def to_core(self) -> Fx:
        return Fx(self.currency, self.rate)

    @classmethod
    def of(cls, fx: Fx) -> Self:
        return cls(rate=fx.rate, currency=fx.currency)


class _Paid(Body, frozen=True, kw_only=True):
    """A body that may name the only payer in `paid_by`."""

    @classmethod
    def pointer(cls, field: str, sent: Plain) -> str:
        only = isinstance(sent, dict) and "paid_by" in sent and sent.get("payers") is None
        return "/paid_by" if only and field == "/payers/0/member_id" else field


class NewExpense(_Paid, frozen=True, kw_only=True):
    """What somebody paid for others. Give either `paid_by` or `payers`; a negative amount is
    income or a refund.
    """

    id: ChosenId | None = None
    title: Title
    amount_minor: Minor
    currency: Currency
    date: Day
    paid_by: UUID | None = None
    payers: tuple[AmountPart, ...] | None = None
    split: SplitBody
    category: CategoryName | None = None
    memo: Memo | None = None
    fx: FxBody | None = None

    def record(self, group_id: GroupId) -> RecordExpense:
        """The command to record it. Raises BadId and what the expense's terms raise."""
        return RecordExpense(
            group_id=group_id, expense_id=ExpenseId(new_id(self.id)), terms=self._terms()
        )

    def _terms(self) -> Terms:
        return Terms(
            title=new_text(self.title),
            amount_minor=self.amount_minor,
            currency=self.currency,
            date=self.date,
            payers=self._payers(),
            split=self.split.to_core(),
            category=new_text_or_none(self.category),
            memo=new_text_or_none(self.memo),
            fx=self.fx.to_core() if self.fx else None,
        )

    def _payers(self) -> tuple[Part[MemberId], ...]:
        if self.paid_by is not None and self.payers is not None:
            raise PayersUnclear(field="/payers")
        if self.paid_by is not None:
            return (Part(MemberId(self.paid_by), self.amount_minor),)
        if self.payers is None:
            raise MissingField("Say who paid: paid_by or payers.", field="/paid_by")
        return to_parts(self.payers)


class ExpenseChanges(_Paid, frozen=True, kw_only=True):
    """What to change; what is left out stays as it is. An only payer goes on paying all of it."""

    title: Title | UnsetType = UNSET
    amount_minor: Minor | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    date: Day | UnsetType = UNSET
    paid_by: UUID | UnsetType = UNSET
    payers: tuple[AmountPart, ...] | UnsetType = UNSET
    split: SplitBody | UnsetType = UNSET
    category: CategoryName | UnsetType | None = UNSET
    memo: Memo | UnsetType | None = UNSET
    fx: FxBody | UnsetType | None = UNSET

    def revise(
        self, group_id: GroupId, expense_id: ExpenseId, expected_version: int
    ) -> ReviseExpense:
        """The command to revise it. Raises what the changed terms raise."""
        return ReviseExpense(
            group_id=group_id,
            expense_id=expense_id,
            expected_version=expected_version,
            changes=self._changes(),
        )

    def _changes(self) -> Changes:
        if self.paid_by is not UNSET and self.payers is not UNSET:
            raise PayersUnclear(field="/payers")
        return Changes(
            title=KEEP if self.title is UNSET else new_text(self.title),
            amount_minor=KEEP if self.amount_minor is UNSET else self.amount_minor,
            currency=KEEP if self.currency is UNSET else self.currency,
            date=KEEP if self.date is UNSET else self.date,
            paid_by=KEEP if self.paid_by is UNSET else MemberId(self.paid_by),
            payers=KEEP if self.payers is UNSET else to_parts(self.payers),
            split=KEEP if self.split is UNSET else self.split.to_core(),
            category=_changed_text(self.category),
            memo=_changed_text(self.memo),
            fx=self._changed_fx(),
        )

    def _changed_fx(self) -> Change[Fx | None]:
        if self.fx is UNSET:
            return KEEP
        return self.fx.to_core() if self.fx else None


def _changed_text(words: str | UnsetType | None) -> Change[Text | None]:
    return KEEP if words is UNSET else new_text_or_none(words)


class ShareAnswer(Struct, frozen=True, kw_only=True):
    """A member's share in the expense's currency; with a rate, `posted_minor` in the group's."""

    member_id: UUID
    share_minor: int
    posted_minor: int | UnsetType = UNSET


class ExpenseAnswer(Resource, frozen=True, kw_only=True):
    """An expense in its present form: what was said, and the shares that it came to."""

    title: str | None
    amount_minor: int
    currency: str
    date: Day
    payers: tuple[AmountPart, ...]
    split: SplitBody
    shares: tuple[ShareAnswer, ...]
    category: str | None
    memo: str | None
    fx: FxBody | None
    voided: bool
    recorded_by: UUID
    recorded_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, expense: Expense) -> Self:
        terms = expense.terms
        return cls(
            id=expense.id,
            version=expense.version,
            title=terms.title.words,
            amount_minor=terms.amount_minor,
            currency=terms.currency,
            date=terms.date,
            payers=parts_of(terms.payers),
            split=split_of(terms.split),
            shares=_shares(expense.outcome),
            category=words_or_none(terms.category),
            memo=words_or_none(terms.memo),
            fx=FxBody.of(terms.fx) if terms.fx else None,
            voided=expense.voided,
            recorded_by=expense.recorded_by,
            recorded_at=expense.recorded_at,
            changed_at=expense.changed_at,
        )


def _shares(outcome: Outcome) -> tuple[ShareAnswer, ...]:
    posted = (
        {part.member_id: part.amount_minor for part in outcome.posted.shares}
        if outcome.posted
        else {}
    )
    return tuple(
        ShareAnswer(
            member_id=part.member_id,
            share_minor=part.amount_minor,
            posted_minor=posted.get(part.member_id, UNSET),
        )
        for part in outcome.shares
    )


class ChangeAnswer(Struct, frozen=True, kw_only=True):
    """A field that a version changed, as it was and as it is; a text that was erased is null."""

    field: str
    old: Raw
    new: Raw


class ExpenseVersionAnswer(Struct, frozen=True, kw_only=True):
    """A version of an expense: who made it, when, and what it changed; the first one has every
    field that was said, with nothing before it.
    """

    version: int
    seq: int
    at: datetime
    actor_id: UUID
    kind: str
    changes: tuple[ChangeAnswer, ...]

    @classmethod
    def of(cls, version: ExpenseVersion) -> Self:
        old = ExpenseAnswer.of(version.before) if version.before else None
        new = ExpenseAnswer.of(version.after)
        return cls(
            version=version.after.version,
            seq=version.seq,
            at=version.at,
            actor_id=version.actor_id,
            kind=version.kind,
            changes=tuple(
                ChangeAnswer(
                    field=name, old=_json(getattr(old, name, None)), new=_json(getattr(new, name))
                )
                for name in version.changed
            ),
        )


def _json(value: object) -> Raw:
    return Raw(encode(value))


class CategoryAnswer(Struct, frozen=True, kw_only=True):
    """A category, how many of the group's latest expenses are in it, and whether it is one that we
    suggest to everybody.
    """

    name: str
    uses: int
    suggested: bool


class CategoriesAnswer(Struct, frozen=True, kw_only=True):
    """Categories to choose from: those that the group uses, the most used first, then others."""

    items: tuple[CategoryAnswer, ...]

    @classmethod
    def of(cls, used: Sequence[Category]) -> Self:
        uses = {category.name: category.uses for category in used}
        return cls(
            items=tuple(
                CategoryAnswer(name=name, uses=uses.get(name, 0), suggested=name in CATEGORIES)
                for name in dict.fromkeys((*uses, *CATEGORIES))
            )
        )
