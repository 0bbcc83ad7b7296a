"""Money: whole minor units of one currency, read, written, allocated and converted exactly.

Nothing here is ever a float. An amount is an `int` of minor units (cents, yen, fils), of any size;
only text that a person wrote has a decimal point. What a division leaves over is handed out by the
largest remainder, so that parts always sum to the whole (Hamilton's method; see Balinski and Young,
*Fair Representation*, 1982).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeVar
from uuid import UUID

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import (
    BadRate,
    BadWeights,
    CurrencyMismatch,
    NotADecimal,
    NotAnInteger,
    TooPrecise,
)

K = TypeVar("K")

DECIMAL_DIGITS_MAX: Final = 40
"""Digits that one decimal number may have on each side of its point."""

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `amount_minor` minor units of `currency`; negative where money is owed.

    Raises NotAnInteger for a float or a bool, UnknownCurrency for a code outside ISO 4217.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        require_integer(self.amount_minor, field="/amount_minor")
        decimals(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """The amount that `text` says in major units: `Money.parse("12.34", "EUR")` is 1234 cents.

        Raises NotADecimal, TooPrecise ("100.104" EUR; KWD has three decimals), UnknownCurrency.
        """
        scaled = parse_decimal(text) * 10 ** decimals(currency)
        if scaled.denominator != 1:
            raise TooPrecise(f"{currency} has {decimals(currency)} decimals; this has more.")
        return cls(scaled.numerator, currency)

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"

    @property
    def major(self) -> str:
        """The amount in major units with all its decimals: "12.30", "-0.05", "7" for yen."""
        places = decimals(self.currency)
        digits = str(abs(self.amount_minor)).rjust(places + 1, "0")
        whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
        return "-" * (self.amount_minor < 0) + whole + "." * bool(part) + part

    def __add__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def _require_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added.")


def require_integer(value: object, *, field: str = "") -> None:
    """`value` is an int. Raises NotAnInteger for anything else, a bool or a float among them."""
    if type(value) is not int:
        raise NotAnInteger(field=field)


def parse_decimal(text: str) -> Fraction:
    """The exact value of a plain decimal such as "-12.34": ASCII digits, one point, no exponent.

    Raises NotADecimal, also for a number: 12.34 without its quotes is no longer exact.
    """
    match = _DECIMAL.fullmatch(text) if type(text) is str else None
    if match is None or max(map(len, match.groups(""))) > DECIMAL_DIGITS_MAX:
        raise NotADecimal
    sign, whole, part = match.groups("")
    return Fraction(int(f"{sign}{whole}{part}"), 10 ** len(part))


def allocate(amount_minor: int, weights: Mapping[K, int], *, spare_key: UUID | str) -> dict[K, int]:
    """`amount_minor` divided in proportion to `weights`: whole units that sum to it exactly.

    Each part is the exact one rounded down or up (towards or away from zero), by the largest
    remainder. Among equal remainders the spare units go round from a place that `spare_key` (an
    expense's id) decides, over the members in their own order: the order of the input does not
    matter, and in the long run nobody is favoured. A negative amount is allocated as its mirror.

    Raises BadWeights for a negative weight or a sum of zero, NotAnInteger.
    """
    require_integer(amount_minor, field="/amount_minor")
    total = _total(list(weights.values()))
    whole = abs(amount_minor)
    parts = {key: whole * weight // total for key, weight in weights.items()}
    if spare := whole - sum(parts.values()):
        remainders = {key: whole * weight % total for key, weight in weights.items()}
        for key in _spare_order(remainders, spare_key)[:spare]:
            parts[key] += 1
    return parts if amount_minor >= 0 else {key: -part for key, part in parts.items()}


def convert(amount_minor: int, currency: str, rate: str, into: str) -> int:
    """Minor units of `into` that `amount_minor` of `currency` are worth, rounded half to even.

    `rate` is a decimal text: major units of `into` for one major unit of `currency`.

    Raises BadRate for a rate that is not above zero, or a conversion that comes to nothing;
    NotAnInteger, UnknownCurrency.
    """
    require_integer(amount_minor, field="/amount_minor")
    from_one, to_one = 10 ** decimals(currency), 10 ** decimals(into, field="/fx/currency")
    converted = round(amount_minor * _rate(rate) * Fraction(to_one, from_one))
    if converted == 0:
        raise BadRate(f"At this rate the amount comes to no {into} at all.", field="/fx/rate")
    return converted


def _rate(text: str) -> Fraction:
    try:
        rate = parse_decimal(text)
    except NotADecimal as error:
        raise BadRate(field="/fx/rate") from error
    if rate <= 0:
        raise BadRate(field="/fx/rate")
    return rate


def _total(weights: Sequence[int]) -> int:
    for weight in weights:
        require_integer(weight)
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise BadWeights
    return total


def _spare_order(remainders: Mapping[K, int], spare_key: UUID | str) -> list[K]:
    """Everybody by falling remainder; within equal remainders, round from a place of the key's."""
    ties: dict[int, list[K]] = {}
    for key in sorted(remainders, key=_by_id):
        ties.setdefault(remainders[key], []).append(key)
    draw = int.from_bytes(hashlib.sha256(str(spare_key).encode()).digest())
    return [key for size in sorted(ties, reverse=True) for key in _rotated(ties[size], draw)]


def _rotated(keys: Sequence[K], draw: int) -> list[K]:
    start = draw % len(keys)
    return [*keys[start:], *keys[:start]]


def _by_id(key: object) -> tuple[str, str]:
    """An order for ids of any type that does not depend on how they were put in. UUIDs have it from
    their digits, with hyphens or without, and without they are told in a third of the time."""
    return type(key).__name__, key.hex if type(key) is UUID else str(key)
