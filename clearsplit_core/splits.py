"""Splits: the rules by which an expense becomes shares.

One class per kind. Each keeps its inputs as they were given, since an expense that is shown or
changed later must show 25 / 25 / 50 % and not what came of it, and each turns an amount into
shares: signed minor units per member, in the order given, that sum to the amount exactly.

An amount may be negative (income, a refund); shares then are negative too. A share never points the
other way than its amount: what would need that is a second expense. Who got the spare cent depends
on the expense's id alone (`money.allocate`). Members are ids of any hashable type.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import ClassVar, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from clearsplit_core.errors import (
    BadWeights,
    NamedTwice,
    NobodyNamed,
    NotADecimal,
    NotInSplit,
    TooMany,
    WrongSign,
    WrongTotal,
)
from clearsplit_core.money import DECIMAL_DIGITS_MAX, allocate, parse_decimal, require_integer
from clearsplit_core.text import Text

M = TypeVar("M", bound=Hashable)

ITEMS_MAX: Final = 200
"""Items that one itemised split may have."""
SHARES_MAX: Final = 1_000_000
"""The largest weight that one member may have in a split by shares."""
_HUNDRED: Final = Fraction(100)


@dataclass(frozen=True, slots=True)
class Equal(Generic[M]):
    """Everybody pays the same, to within one minor unit."""

    kind: ClassVar[str] = "equal"
    members: tuple[M, ...]

    def __post_init__(self) -> None:
        require_members(self.members, field="/split/members")

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:
        return allocate(amount_minor, dict.fromkeys(self.members, 1), spare_key=expense_id)


@dataclass(frozen=True, slots=True)
class Part(Generic[M]):
    """One member and a signed amount in minor units."""

    member_id: M
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Exact(Generic[M]):
    """Everybody pays the amount written beside their name."""

    kind: ClassVar[str] = "exact"
    parts: tuple[Part[M], ...]

    def __post_init__(self) -> None:
        require_members(self.members, field="/split/parts")
        for index, part in enumerate(self.parts):
            require_integer(part.amount_minor, field=f"/split/parts/{index}/amount_minor")

    @classmethod
    def of(cls, parts: Mapping[M, int]) -> "Exact[M]":
        """`Exact.of({"ana": 6000, "bo": 4000})`: minor units by member."""
        return cls(tuple(Part(member, amount) for member, amount in parts.items()))

    @property
    def members(self) -> tuple[M, ...]:
        return tuple(part.member_id for part in self.parts)

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:  # noqa: ARG002
        """Raises WrongTotal, saying by how much, and WrongSign."""
        shares = {part.member_id: part.amount_minor for part in self.parts}
        require_total(amount_minor, sum(shares.values()), field="/split/parts")
        require_one_sign(amount_minor, shares.values(), field="/split/parts")
        return shares


@dataclass(frozen=True, slots=True)
class PercentPart(Generic[M]):
    """One member and a percentage as decimal text, such as "33.34"."""

    member_id: M
    percent: str


@dataclass(frozen=True, slots=True)
class Percentage(Generic[M]):
    """Everybody pays their percentage; together exactly 100."""

    kind: ClassVar[str] = "percentage"
    parts: tuple[PercentPart[M], ...]

    def __post_init__(self) -> None:
        require_members(self.members, field="/split/parts")
        missing = _HUNDRED - sum(self._exact().values())
        if missing:
            raise WrongTotal(
                f"The percentages come to {_decimal(_HUNDRED - missing)}, not to 100: "
                f"{_decimal(abs(missing))} too {_little_or_much(missing)}.",
                field="/split/parts",
            )

    @classmethod
    def of(cls, percents: Mapping[M, str]) -> "Percentage[M]":
        """`Percentage.of({"ana": "33.34", "bo": "66.66"})`."""
        return cls(tuple(PercentPart(member, text) for member, text in percents.items()))

    @property
    def members(self) -> tuple[M, ...]:
        return tuple(part.member_id for part in self.parts)

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:
        return allocate(amount_minor, _whole_weights(self._exact()), spare_key=expense_id)

    def _exact(self) -> dict[M, Fraction]:
        return {
            part.member_id: _percent(part.percent, field=f"/split/parts/{index}/percent")
            for index, part in enumerate(self.parts)
        }


@dataclass(frozen=True, slots=True)
class SharesPart(Generic[M]):
    """One member and how many shares they take: a whole number, zero for none."""

    member_id: M
    shares: int


@dataclass(frozen=True, slots=True)
class Shares(Generic[M]):
    """Everybody pays in proportion to their number of shares: two nights, one night."""

    kind: ClassVar[str] = "shares"
    parts: tuple[SharesPart[M], ...]

    def __post_init__(self) -> None:
        require_members(self.members, field="/split/parts")
        for index, part in enumerate(self.parts):
            _require_weight(part.shares, field=f"/split/parts/{index}/shares")
        if not any(part.shares for part in self.parts):
            raise BadWeights("Nobody takes a share; give somebody one.", field="/split/parts")

    @classmethod
    def of(cls, shares: Mapping[M, int]) -> "Shares[M]":
        """`Shares.of({"ana": 2, "bo": 1})`."""
        return cls(tuple(SharesPart(member, count) for member, count in shares.items()))

    @property
    def members(self) -> tuple[M, ...]:
        return tuple(part.member_id for part in self.parts)

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:
        weights = {part.member_id: part.shares for part in self.parts}
        return allocate(amount_minor, weights, spare_key=expense_id)


@dataclass(frozen=True, slots=True)
class Adjustment(Generic[M]):
    """Everybody pays the same, after some pay a stated amount more (or, negative, less)."""

    kind: ClassVar[str] = "adjustment"
    members: tuple[M, ...]
    adjustments: tuple[Part[M], ...]

    def __post_init__(self) -> None:
        require_members(self.members, field="/split/members")
        _require_once([part.member_id for part in self.adjustments], field="/split/adjustments")
        takes_part = frozenset(self.members)
        for index, part in enumerate(self.adjustments):
            require_integer(part.amount_minor, field=f"/split/adjustments/{index}/amount_minor")
            if part.member_id not in takes_part:
                raise NotInSplit(field=f"/split/adjustments/{index}/member_id")

    @classmethod
    def of(cls, members: Iterable[M], adjustments: Mapping[M, int]) -> "Adjustment[M]":
        """`Adjustment.of(["ana", "bo"], {"bo": 500})`: bo pays 5.00 more than ana."""
        return cls(tuple(members), tuple(Part(who, extra) for who, extra in adjustments.items()))

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:
        """Raises WrongSign where the adjustments leave somebody less than nothing."""
        require_integer(amount_minor, field="/amount_minor")
        extra = {part.member_id: part.amount_minor for part in self.adjustments}
        rest = amount_minor - sum(extra.values())
        if rest * amount_minor < 0:
            raise WrongSign(
                "The adjustments come to more than the amount.", field="/split/adjustments"
            )
        base = allocate(rest, dict.fromkeys(self.members, 1), spare_key=expense_id)
        shares = {member: base[member] + extra.get(member, 0) for member in self.members}
        require_one_sign(amount_minor, shares.values(), field="/split/adjustments")
        return shares


@dataclass(frozen=True, slots=True)
class Item(Generic[M]):
    """One line of a bill, shared equally by the members who had it."""

    amount_minor: int
    members: tuple[M, ...]
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class Itemised(Generic[M]):
    """Everybody pays what they had; tax, tip and discount follow in proportion to that.

    The amount is the items plus tax plus tip less the discount, all in minor units (negative on a
    refund). Each member's share is the amount in proportion to their items, rounded once.
    """

    kind: ClassVar[str] = "itemised"
    items: tuple[Item[M], ...]
    tax_minor: int = 0
    tip_minor: int = 0
    discount_minor: int = 0

    def __post_init__(self) -> None:
        if len(self.items) > ITEMS_MAX:
            raise TooMany(f"A bill has at most {ITEMS_MAX} items.", field="/split/items")
        for name in ("tax_minor", "tip_minor", "discount_minor"):
            require_integer(getattr(self, name), field=f"/split/{name}")
        for index, item in enumerate(self.items):
            require_integer(item.amount_minor, field=f"/split/items/{index}/amount_minor")
            require_members(item.members, field=f"/split/items/{index}/members")
        if not self.items:
            raise NobodyNamed("An itemised split needs an item.", field="/split/items")

    @property
    def members(self) -> tuple[M, ...]:
        return tuple(dict.fromkeys(member for item in self.items for member in item.members))

    def shares(self, amount_minor: int, expense_id: UUID | str) -> dict[M, int]:
        """Raises WrongTotal, saying by how much, and WrongSign."""
        self._require_discount_below_the_rest()
        require_total(amount_minor, self._total_minor(), field="/split/items")
        had = self._had()
        require_one_sign(amount_minor, had.values(), field="/split/items")
        weights = _whole_weights({member: abs(value) for member, value in had.items()})
        if not any(weights.values()):
            raise BadWeights(
                "The items come to nothing, so nobody can share.", field="/split/items"
            )
        return allocate(amount_minor, weights, spare_key=expense_id)

    def _total_minor(self) -> int:
        items_minor = sum(item.amount_minor for item in self.items)
        return items_minor + self.tax_minor + self.tip_minor - self.discount_minor

    def _require_discount_below_the_rest(self) -> None:
        """Raises WrongSign where the discount alone turns the bill into its opposite."""
        total_minor, discount_minor = self._total_minor(), self.discount_minor
        before_minor = total_minor + discount_minor
        if total_minor * discount_minor < 0 < before_minor * discount_minor:
            raise WrongSign(
                "The discount is more than the items, tax and tip together.",
                field="/split/discount_minor",
            )

    def _had(self) -> dict[M, Fraction]:
        had = dict.fromkeys(self.members, Fraction(0))
        for item in self.items:
            for member in item.members:
                had[member] += Fraction(item.amount_minor, len(item.members))
        return had


Split: TypeAlias = Equal[M] | Exact[M] | Percentage[M] | Shares[M] | Adjustment[M] | Itemised[M]


def amounts_in(split: Split[M]) -> tuple[int, ...]:
    """Every amount that the rule itself names, in minor units."""
    if isinstance(split, Exact):
        return tuple(part.amount_minor for part in split.parts)
    if isinstance(split, Adjustment):
        return tuple(part.amount_minor for part in split.adjustments)
    if isinstance(split, Itemised):
        items = (item.amount_minor for item in split.items)
        return (*items, split.tax_minor, split.tip_minor, split.discount_minor)
    return ()


def places(split: Split[M]) -> Iterator[tuple[M, str]]:
    """Everybody who is named to share, and a JSON pointer to where."""
    if isinstance(split, Itemised):
        for index, item in enumerate(split.items):
            for place, member in enumerate(item.members):
                yield member, f"/split/items/{index}/members/{place}"
        return
    named = isinstance(split, Equal | Adjustment)
    for index, member in enumerate(split.members):
        yield member, f"/split/members/{index}" if named else f"/split/parts/{index}/member_id"


def require_total(amount_minor: int, total_minor: int, *, field: str) -> None:
    """The parts come to the amount. Raises WrongTotal, saying by how many minor units they miss."""
    require_integer(amount_minor, field="/amount_minor")
    missing = amount_minor - total_minor
    if missing:
        raise WrongTotal(
            f"The parts come to {total_minor}, the amount is {amount_minor}: "
            f"{abs(missing)} too {_little_or_much(missing)} (in minor units).",
            field=field,
        )


def require_one_sign(amount_minor: int, parts: Iterable[int | Fraction], *, field: str) -> None:
    """No part points the other way than the amount or another part. Raises WrongSign."""
    signed = [amount_minor, *parts]
    if min(signed) < 0 < max(signed):
        raise WrongSign(field=field)


def require_members(members: tuple[M, ...], *, field: str) -> None:
    if not members:
        raise NobodyNamed(field=field)
    _require_once(members, field=field)


def _require_once(members: Collection[M], *, field: str) -> None:
    if len(set(members)) == len(members):
        return
    seen: set[M] = set()
    for index, member in enumerate(members):
        if member in seen:
            raise NamedTwice(field=f"{field}/{index}")
        seen.add(member)


def _require_weight(weight: int, *, field: str) -> None:
    require_integer(weight, field=field)
    if not 0 <= weight <= SHARES_MAX:
        raise BadWeights(f"Shares are a whole number from 0 to {SHARES_MAX}.", field=field)


def _percent(text: str, *, field: str) -> Fraction:
    try:
        percent = parse_decimal(text)
    except NotADecimal as error:
        raise NotADecimal(field=field) from error
    if percent < 0:
        raise BadWeights("A percentage is not negative.", field=field)
    return percent


def _whole_weights(exact: Mapping[M, Fraction]) -> dict[M, int]:
    scale = lcm(*(weight.denominator for weight in exact.values()))
    return {member: int(weight * scale) for member, weight in exact.items()}


def _little_or_much(missing: int | Fraction) -> str:
    return "little" if missing > 0 else "much"


def _decimal(value: Fraction) -> str:
    """A sum of decimals written out in full: 99.99, not 99.990 and never rounded."""
    one = 10**DECIMAL_DIGITS_MAX
    whole, part = divmod(int(value * one), one)
    return f"{whole}.{part:0{DECIMAL_DIGITS_MAX}}".rstrip("0").rstrip(".")
