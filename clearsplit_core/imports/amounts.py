"""Amounts as people and spreadsheets write them, and what they come to exactly.

Whether "1,234" is a thousand or a bit more than one, the cell alone does not say; the rest of the
file usually does. So a cell has up to two readings, with a decimal point and with a decimal comma,
and only a cell that both can read, differently, needs the file's habit to decide.

An exact amount is an integer of **grains**, 10^-20 of a major unit: exports have more decimals than
the currency where a product keeps exact shares (923.595 EUR), and no float may touch them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Literal, TypeAlias

from clearsplit_core.currencies import decimals

DECIMALS_MAX: Final = 20
AMOUNT_CHARACTERS_MAX: Final = 60

Mark: TypeAlias = Literal[".", ","]
"""What stands between the whole and the part."""

_REPEATED_MAX: Final = 10_000
"""Cells whose reading is remembered: an export repeats 0.00 and round sums a thousand times."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one cell may mean, in grains; None where it cannot be read so."""

    with_point: int | None
    with_comma: int | None

    @property
    def is_ambiguous(self) -> bool:
        """With a point it is one amount, with a comma another."""
        return None not in (self.with_point, self.with_comma) and self.with_point != self.with_comma

    @property
    def only_mark(self) -> Mark | None:
        """The decimal mark that the cell must have been written with, if only one can be."""
        if (self.with_point is None) == (self.with_comma is None):
            return None
        return "," if self.with_point is None else "."

    def amount(self, currency: str, habit: Mark | None) -> int | None:
        """The amount in grains; None where there is none, or where it might be one of two.

        `habit` decides between two. Without one, the currency: nobody owes a thousandth of a yen,
        and a dinar has three decimals. With two decimals it may as well be an exact share.
        """
        if self.with_point is None or self.with_comma is None or self.with_point == self.with_comma:
            return self.with_comma if self.with_point is None else self.with_point
        if habit:
            return self.with_point if habit == "." else self.with_comma
        grouped, with_part = sorted((self.with_point, self.with_comma), key=abs, reverse=True)
        return {0: grouped, 3: with_part}.get(decimals(currency))


@lru_cache(_REPEATED_MAX)
def reading(cell: str) -> Reading:
    """What `cell` may mean: zero where it is blank; two minus signs, a known glitch, are one."""
    if len(cell) > AMOUNT_CHARACTERS_MAX:
        return Reading(None, None)
    written = cell.replace("\N{MINUS SIGN}", "-") or "0"
    return Reading(_grains(_WITH_POINT, written), _grains(_WITH_COMMA, written))


def habit_of(cells: Iterable[str]) -> Mark | None:
    """The decimal mark of a whole file: None if nothing tells, or if it uses both."""
    marks = {mark for mark in (reading(cell).only_mark for cell in cells) if mark}
    return marks.pop() if len(marks) == 1 else None


@cache
def grains_per_minor(currency: str) -> int:
    """How many grains one minor unit of `currency` has. Raises UnknownCurrency."""
    grains: int = 10 ** (DECIMALS_MAX - decimals(currency))
    return grains


def written(grains: int, currency: str) -> str:
    """The exact amount in major units, with the currency's decimals or as many as it needs."""
    whole, part = divmod(abs(grains), 10**DECIMALS_MAX)
    places = f"{part:0{DECIMALS_MAX}}".rstrip("0").ljust(decimals(currency), "0")
    return f"{'-' * (grains < 0)}{whole}{'.' * bool(places)}{places} {currency}"


def _number(mark: str, gaps: str) -> re.Pattern[str]:
    """Digits, perhaps in groups of three with the same gap between all of them, perhaps a part."""
    whole = rf"[0-9]{{1,3}}(?P<gap>[{gaps}])[0-9]{{3}}(?:(?P=gap)[0-9]{{3}})*|[0-9]+"
    return re.compile(rf"(-{{0,2}})({whole})(?:[{mark}]([0-9]{{1,{DECIMALS_MAX}}}))?")


_SPACES: Final = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'\N{RIGHT SINGLE QUOTATION MARK}"
_WITH_POINT: Final = _number(".", "," + _SPACES)
_WITH_COMMA: Final = _number(",", "." + _SPACES)


def _grains(number: re.Pattern[str], written: str) -> int | None:
    match = number.fullmatch(written)
    if match is None:
        return None
    minus, whole, gap, part = match.groups("")
    digits = (whole.replace(gap, "") if gap else whole) + part.ljust(DECIMALS_MAX, "0")
    return -int(digits) if minus else int(digits)
