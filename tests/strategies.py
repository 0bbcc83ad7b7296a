"""What every test may say: literals of the domain, and Hypothesis strategies for money and splits.

Nothing here looks at how the code works. `exact_shares` says with fractions what each rule means,
so that a law can hold the whole minor units against it.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from clearsplit_core.currencies import DECIMALS
from clearsplit_core.money import Money
from clearsplit_core.splits import (
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

T = TypeVar("T")

NAMES: Final = ("ann", "bob", "cem", "dee", "eve", "fay", "gus", "hal", "ida", "jon", "kim")
HUGE_MINOR: Final = 10**30
"""An amount far beyond every machine integer: nothing may depend on a word's size."""

LUNCH: Final = UUID("22222222-2222-4222-8222-222222222222")
"""An expense whose id gives the spare unit of two or three equals to the first of them by name."""
DINNER: Final = UUID("55555555-5555-4555-8555-555555555555")
"""An expense whose id gives the spare unit of two or three equals to the second of them by name."""

# ── Literals ─────────────────────────────────────────────────────────────────────────────────────


def m(text: str) -> Money:
    """`m("12.34 EUR")`."""
    amount, currency = text.split()
    return Money.parse(amount, currency)


def names(text: str) -> tuple[str, ...]:
    """`names("ann bob cem")`."""
    return tuple(text.split())


def item(amount_minor: int, members: str) -> Item[str]:
    """`item(1250, "ann bob")`: one line of a bill and who had it."""
    return Item(amount_minor, names(members))


# ── What the rules mean ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Bill:
    """An amount in minor units and a rule that can split it."""

    amount_minor: int
    split: Split[str]


def exact_shares(bill: Bill) -> dict[str, Fraction]:
    """Each member's share before any rounding, in minor units."""
    match bill.split:
        case Equal(members):
            return _in_proportion(bill.amount_minor, [(who, Fraction(1)) for who in members])
        case Exact(parts):
            return {part.member_id: Fraction(part.amount_minor) for part in parts}
        case Percentage(parts):
            percents = [(part.member_id, Fraction(part.percent)) for part in parts]
            return _in_proportion(bill.amount_minor, percents)
        case Shares(parts):
            counts = [(part.member_id, Fraction(part.shares)) for part in parts]
            return _in_proportion(bill.amount_minor, counts)
        case Adjustment(members, adjustments):
            extra = dict.fromkeys(members, 0) | {
                who.member_id: who.amount_minor for who in adjustments
            }
            each = Fraction(bill.amount_minor - sum(extra.values()), len(members))
            return {who: each + extra[who] for who in members}
        case Itemised(items):
            had = [
                (who, Fraction(i.amount_minor, len(i.members))) for i in items for who in i.members
            ]
            return _in_proportion(bill.amount_minor, had)


def _in_proportion(amount: int, weights: Sequence[tuple[str, Fraction]]) -> dict[str, Fraction]:
    total = sum(weight for _, weight in weights)
    exact: dict[str, Fraction] = {}
    for who, weight in weights:
        exact[who] = exact.get(who, Fraction(0)) + amount * weight / total
    return exact


def mirrored(bill: Bill) -> Bill:
    """The refund of `bill`: every amount in it the other way round."""
    return Bill(-bill.amount_minor, _mirrored_split(bill.split))


def _mirrored_split(split: Split[str]) -> Split[str]:
    match split:
        case Exact(parts):
            return Exact(_mirrored_parts(parts))
        case Adjustment(members, adjustments):
            return Adjustment(members, _mirrored_parts(adjustments))
        case Itemised(items, tax, tip, discount):
            back = tuple(replace(line, amount_minor=-line.amount_minor) for line in items)
            return Itemised(back, -tax, -tip, -discount)
        case _:
            return split


def _mirrored_parts(parts: Iterable[Part[str]]) -> tuple[Part[str], ...]:
    return tuple(replace(part, amount_minor=-part.amount_minor) for part in parts)


def shuffled(bill: Bill, luck: random.Random) -> Bill:
    """`bill` with every list in it written in another order."""
    return Bill(bill.amount_minor, _shuffled_split(bill.split, luck))


def _shuffled_split(split: Split[str], luck: random.Random) -> Split[str]:
    match split:
        case Equal(members):
            return Equal(_mixed(members, luck))
        case Exact(parts):
            return Exact(_mixed(parts, luck))
        case Percentage(parts):
            return Percentage(_mixed(parts, luck))
        case Shares(parts):
            return Shares(_mixed(parts, luck))
        case Adjustment(members, adjustments):
            return Adjustment(_mixed(members, luck), _mixed(adjustments, luck))
        case Itemised(items):
            lines = [replace(line, members=_mixed(line.members, luck)) for line in items]
            return replace(split, items=_mixed(lines, luck))


def _mixed(things: Sequence[T], luck: random.Random) -> tuple[T, ...]:
    return tuple(luck.sample(things, len(things)))


# ── Money ────────────────────────────────────────────────────────────────────────────────────────

currencies: Final = st.sampled_from(sorted(DECIMALS))
amounts_minor: Final = st.integers(-HUGE_MINOR, HUGE_MINOR)
expense_ids: Final = st.uuids()
not_integers: Final = st.one_of(
    st.floats(), st.booleans(), st.none(), st.text(), st.fractions(), st.decimals(allow_nan=False)
)
"""What looks like an amount and is not one."""


def decimal_text(units: int, places: int) -> str:
    """`decimal_text(1234, 2)` is "12.34"."""
    whole, part = divmod(units, 10**places)
    return f"{whole}.{part:0{places}}" if places else str(whole)


rates: Final = st.builds(decimal_text, st.integers(1, 10**15), st.integers(0, 15))
"""Exchange rates above zero, as text."""


@st.composite
def money(draw: st.DrawFn) -> Money:
    return Money(draw(amounts_minor), draw(currencies))


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    """Weights by member; at least one of them above zero."""
    counts = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9), max_size=6))
    return counts | {draw(st.sampled_from(NAMES)): draw(st.integers(1, 9))}


# ── Splits, each with an amount that it can split ────────────────────────────────────────────────

_members: Final = st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=7).map(tuple)
_sizes_minor: Final = st.one_of(st.integers(0, 1_000), st.integers(0, HUGE_MINOR))


@st.composite
def equal_bills(draw: st.DrawFn) -> Bill:
    return Bill(draw(amounts_minor), Equal(draw(_members)))


@st.composite
def exact_bills(draw: st.DrawFn) -> Bill:
    parts = tuple(Part(who, draw(_sizes_minor)) for who in draw(_members))
    return Bill(sum(part.amount_minor for part in parts), Exact(parts))


@st.composite
def percentage_bills(draw: st.DrawFn) -> Bill:
    members, places = draw(_members), draw(st.integers(0, 4))
    hundred = 100 * 10**places
    cuts = sorted(draw(st.integers(0, hundred)) for _ in members[1:])
    parts = tuple(
        PercentPart(who, decimal_text(end - start, places))
        for who, (start, end) in zip(members, pairwise([0, *cuts, hundred]), strict=True)
    )
    return Bill(draw(amounts_minor), Percentage(parts))


@st.composite
def shares_bills(draw: st.DrawFn) -> Bill:
    parts = tuple(SharesPart(who, count) for who, count in draw(weights()).items())
    return Bill(draw(amounts_minor), Shares(parts))


@st.composite
def adjustment_bills(draw: st.DrawFn) -> Bill:
    """Some pay more, some less, nobody less than nothing."""
    members, rest = draw(_members), draw(_sizes_minor)
    less_max = rest // len(members)
    adjustments = tuple(
        Part(who, draw(st.integers(-less_max, HUGE_MINOR)))
        for who in draw(st.lists(st.sampled_from(members), unique=True))
    )
    extra = sum(part.amount_minor for part in adjustments)
    return Bill(rest + extra, Adjustment(members, adjustments))


@st.composite
def itemised_bills(draw: st.DrawFn) -> Bill:
    """Some items, the last with a rebate on its own line; tax, tip and at most all of it off."""
    items = [
        Item(draw(st.integers(1, 10_000)), draw(_members)) for _ in range(draw(st.integers(1, 4)))
    ]
    rebate = Item(-draw(st.integers(0, items[-1].amount_minor - 1)), items[-1].members)
    tax, tip = draw(_sizes_minor), draw(_sizes_minor)
    full = sum(line.amount_minor for line in [*items, rebate]) + tax + tip
    discount = draw(st.integers(0, full))
    return Bill(full - discount, Itemised((*items, rebate), tax, tip, discount))


rounded_bills: Final = st.one_of(
    equal_bills(), percentage_bills(), shares_bills(), itemised_bills(), adjustment_bills()
)
"""Bills of the kinds that divide; about half of them cannot be divided without a remainder."""

_either_way: Final = st.sampled_from([lambda bill: bill, mirrored])
bills: Final = st.builds(
    lambda turned, bill: turned(bill), _either_way, st.one_of(rounded_bills, exact_bills())
)
"""Bills of every kind, of any size, expenses and refunds."""
