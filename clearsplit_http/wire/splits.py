"""Splits on the wire: one struct per kind, the same in a request and in an answer."""

from typing import Annotated, TypeAlias, assert_never
from uuid import UUID

from msgspec import Meta

from clearsplit_core.journal import MemberId
from clearsplit_core.splits import (
    SHARES_MAX,
    Adjustment,
    Equal,
    Exact,
    Item,
    Itemised,
    Part,
    Percentage,
    PercentPart,
    Shares,
    SharesPart,
    Split,
)
from clearsplit_http.wire.resources import Body, Minor, new_text_or_none, words_or_none

Percent = Annotated[str, Meta(description="A decimal number.", examples=["25", "33.34"])]


class AmountPart(Body, frozen=True, kw_only=True):
    """A member and an amount."""

    member_id: UUID
    amount_minor: Minor


class EqualSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="equal"):
    """Everybody pays the same."""

    members: tuple[UUID, ...]

    def to_core(self) -> Split[MemberId]:
        return Equal(_members(self.members))


class ExactSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="exact"):
    """Everybody pays the amount beside their name."""

    parts: tuple[AmountPart, ...]

    def to_core(self) -> Split[MemberId]:
        return Exact(to_parts(self.parts))


class PercentSplitPart(Body, frozen=True, kw_only=True):
    """A member and their percentage."""

    member_id: UUID
    percent: Percent


class PercentageSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="percentage"):
    """Everybody pays their percentage; together exactly 100."""

    parts: tuple[PercentSplitPart, ...]

    def to_core(self) -> Split[MemberId]:
        return Percentage(
            tuple(PercentPart(MemberId(part.member_id), part.percent) for part in self.parts)
        )


class SharesSplitPart(Body, frozen=True, kw_only=True):
    """A member and how many shares they take."""

    member_id: UUID
    shares: Annotated[int, Meta(ge=0, le=SHARES_MAX)]


class SharesSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="shares"):
    """Everybody pays in proportion to their number of shares."""

    parts: tuple[SharesSplitPart, ...]

    def to_core(self) -> Split[MemberId]:
        return Shares(
            tuple(SharesPart(MemberId(part.member_id), part.shares) for part in self.parts)
        )


class AdjustmentSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="adjustment"):
    """Everybody pays the same, after some pay a stated amount more or, negative, less."""

    members: tuple[UUID, ...]
    adjustments: tuple[AmountPart, ...]

    def to_core(self) -> Split[MemberId]:
        return Adjustment(_members(self.members), to_parts(self.adjustments))


class ItemBody(Body, frozen=True, kw_only=True):
    """One line of a bill and who had it."""

    title: str | None = None
    amount_minor: Minor
    members: tuple[UUID, ...]


class ItemisedSplit(Body, frozen=True, kw_only=True, tag_field="kind", tag="itemised"):
    """Everybody pays what they had; tax, tip and discount follow in proportion."""

    items: tuple[ItemBody, ...]
    tax_minor: Minor = 0
    tip_minor: Minor = 0
    discount_minor: Minor = 0

    def to_core(self) -> Split[MemberId]:
        return Itemised(
            items=tuple(
                Item(each.amount_minor, _members(each.members), new_text_or_none(each.title))
                for each in self.items
            ),
            tax_minor=self.tax_minor,
            tip_minor=self.tip_minor,
            discount_minor=self.discount_minor,
        )


SplitBody: TypeAlias = (
    EqualSplit | ExactSplit | PercentageSplit | SharesSplit | AdjustmentSplit | ItemisedSplit
)


def split_of(split: Split[MemberId]) -> SplitBody:
    """A split as it was sent."""
    match split:
        case Equal(members=members):
            return EqualSplit(members=members)
        case Exact(parts=parts):
            return ExactSplit(parts=parts_of(parts))
        case Percentage():
            return PercentageSplit(
                parts=tuple(
                    PercentSplitPart(member_id=part.member_id, percent=part.percent)
                    for part in split.parts
                )
            )
        case Shares():
            return SharesSplit(
                parts=tuple(
                    SharesSplitPart(member_id=part.member_id, shares=part.shares)
                    for part in split.parts
                )
            )
        case Adjustment(members=members, adjustments=adjustments):
            return AdjustmentSplit(members=members, adjustments=parts_of(adjustments))
        case Itemised():
            return _itemised_of(split)
        case _:
            assert_never(split)


def _itemised_of(split: Itemised[MemberId]) -> ItemisedSplit:
    return ItemisedSplit(
        items=tuple(
            ItemBody(
                title=words_or_none(item.title),
                amount_minor=item.amount_minor,
                members=item.members,
            )
            for item in split.items
        ),
        tax_minor=split.tax_minor,
        tip_minor=split.tip_minor,
        discount_minor=split.discount_minor,
    )


def to_parts(parts: tuple[AmountPart, ...]) -> tuple[Part[MemberId], ...]:
    return tuple(Part(MemberId(part.member_id), part.amount_minor) for part in parts)


def parts_of(parts: tuple[Part[MemberId], ...]) -> tuple[AmountPart, ...]:
    return tuple(AmountPart(member_id=p.member_id, amount_minor=p.amount_minor) for p in parts)


def _members(ids: tuple[UUID, ...]) -> tuple[MemberId, ...]:
    return tuple(map(MemberId, ids))
