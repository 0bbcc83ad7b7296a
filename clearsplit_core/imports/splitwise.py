"""Splitwise's group export: a CSV file with one column per member and what each line did to them.

    Date,Description,Category,Cost,Currency,Ana Lima,Bo Chen,Cy Dorn

    2026-01-05,Groceries,Groceries,100.00,EUR,66.66,-33.33,-33.33
    2026-01-07,Bo C. paid Ana L.,Payment,20.00,EUR,-20.00,20.00,0.00

    2026-01-31,Total balance, , ,EUR,46.66,-13.33,-33.33

A member's cell is a **net**, what they paid less what they owed; who paid how much cannot be had
back where several did. Words are in the language of whoever exported, so only positions count: five
columns, then members; a row with neither category nor cost is a currency's total.

What a person needs from a file that is not quite right, and so what we do:

- A row whose nets miss zero by a rounding: the largest net takes the difference, with a warning.
- A row that misses zero by more: refused, by row. Any balance we showed would be somebody's loss.
- Nets finer than a cent: balances are the exact sums, rounded once, with a warning.
- A total that is not the sum of its rows: a warning, since the rows are what people agreed on.
- No total for a currency: a warning, because a file that was cut short looks just so.
- A currency outside ISO 4217 (Splitwise takes any): refused, as nobody knows its smallest unit.
- Two members of one name: the second is "Ana (2)". The suffix of a removed member stays, since it
  is a word of their language, and says why somebody is there whom the group no longer shows.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count
from typing import Final

from clearsplit_core.currencies import DECIMALS
from clearsplit_core.errors import BadFile
from clearsplit_core.group import MEMBERS_MAX
from clearsplit_core.imports.amounts import Mark, grains_per_minor, habit_of, reading, written
from clearsplit_core.imports.decoding import require_text
from clearsplit_core.imports.imported import Imported, ImportedExpense
from clearsplit_core.imports.rounding import Rounding, is_rounding_drift, without_drift
from clearsplit_core.imports.table import Row, Table, letters, read_table
from clearsplit_core.records import AMOUNT_MINOR_MAX

NAME_CHARACTERS_MAX: Final = 200

_DATE, _DESCRIPTION, _CATEGORY, _COST, _CURRENCY, _FIRST_MEMBER = range(6)
_COLUMNS_MIN: Final = _FIRST_MEMBER + 1
_CODE: Final = re.compile("[A-Z]{3}")
_NOTHING: Final = re.compile("[0.,-]*")


def read(text: str) -> Imported | None:
    """The group in a Splitwise export; None if the text is not one.

    Raises BadFile, naming the row, the column and what was expected.
    """
    require_text(text)
    table = read_table(text, _COLUMNS_MIN)
    if table is None or not _is_ours(table):
        return None
    sheet = _Sheet(table)
    lines = [sheet.line(row) for row in table.rows if not _says_nothing(row)]
    expenses = [line for line in lines if not line.is_total]
    totals = [line for line in lines if line.is_total]
    return Imported(
        members=sheet.names,
        expenses=tuple(_whole(sheet, expenses)),
        warnings=(
            *_drift_warnings(expenses),
            *_precision_warnings(expenses),
            *_total_warnings(sheet, expenses, totals),
        ),
    )


def _is_ours(table: Table) -> bool:
    """Some row has a currency's code in the fifth column; or no row is there at all.

    Codes that we do not know count too, so that they are refused by name.
    """
    codes = [row.cells[_CURRENCY] for row in table.rows]
    return not codes or any(map(_CODE.fullmatch, codes))


# ── From cells to exact nets ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Line:
    """A row that has been read: its exact cost and nets in grains, in the members' order."""

    row: Row
    currency: str
    cost: int
    nets: tuple[int, ...]

    @property
    def is_total(self) -> bool:
        return _is_total(self.row)

    @property
    def unit(self) -> int:
        return grains_per_minor(self.currency)

    @property
    def is_one_to_one(self) -> bool:
        """One member is owed the whole cost, by one other."""
        return sorted(filter(None, self.nets)) == sorted((self.cost, -self.cost)) != [0, 0]


def _is_total(row: Row) -> bool:
    return not row.cells[_CATEGORY] and not row.cells[_COST]


def _says_nothing(row: Row) -> bool:
    """Commas, or zeros that belong to nothing."""
    return not any(row.cells[:_FIRST_MEMBER]) and all(map(_NOTHING.fullmatch, row.cells))


class _Sheet:
    """The table, whose net each column holds, and what only the file as a whole can tell."""

    def __init__(self, table: Table) -> None:
        named = _members(table)
        self.table = table
        self.columns = tuple(named)
        self.names = tuple(named.values())
        self._nameless = set(range(_FIRST_MEMBER, len(table.header.cells))).difference(named)

    @cached_property
    def _habit(self) -> Mark | None:
        rows = (row.cells for row in self.table.rows)
        return habit_of(cell for cells in rows for cell in (cells[_COST], *cells[_FIRST_MEMBER:]))

    @cached_property
    def _only_currency(self) -> str:
        """The one code in the file, for a total that names none; blank if there are several."""
        codes = {row.cells[_CURRENCY] for row in self.table.rows} - {""}
        return codes.pop() if len(codes) == 1 else ""

    def line(self, row: Row) -> _Line:
        """What `row` says. Raises BadFile for a cell that cannot be read, or has no owner."""
        currency = self._currency(row)
        for column in self._nameless:
            if self._amount(row, column, currency):
                raise self.table.bad_cell(row, column, "nothing, as the column names nobody")
        cost = self._amount(row, _COST, currency)
        nets = tuple(self._amount(row, column, currency) for column in self.columns)
        return _Line(row, currency, cost, nets)

    def _currency(self, row: Row) -> str:
        code = row.cells[_CURRENCY] or (self._only_currency if _is_total(row) else "")
        if code not in DECIMALS:
            raise self.table.bad_cell(row, _CURRENCY, "an ISO 4217 currency code such as EUR")
        return code

    def _amount(self, row: Row, column: int, currency: str) -> int:
        read = reading(row.cells[column])
        amount = read.amount(currency, self._habit if read.is_ambiguous else None)
        if amount is None:
            one_way = " that can be read in one way only," if read.is_ambiguous else ""
            raise self.table.bad_cell(row, column, f"an amount{one_way} such as 1234.50")
        if abs(amount) > AMOUNT_MINOR_MAX * grains_per_minor(currency):
            raise self.table.bad_cell(row, column, "an amount of at most 10^15 minor units")
        return amount


def _members(table: Table) -> dict[int, str]:
    """The members by the column of their nets; a column without a name is nobody's."""
    named: dict[int, str] = {}
    for column, cell in enumerate(table.header.cells[_FIRST_MEMBER:], _FIRST_MEMBER):
        if len(cell) > NAME_CHARACTERS_MAX:
            expected = f"a name of at most {NAME_CHARACTERS_MAX} characters"
            raise table.bad_cell(table.header, column, expected)
        if cell:
            named[column] = _unused(unicodedata.normalize("NFC", cell), set(named.values()))
    if not 0 < len(named) <= MEMBERS_MAX:
        raise BadFile(
            f"Row {table.header.line}: expected 1 to {MEMBERS_MAX} members' names in the columns "
            f"from F on, found {len(named)}."
        )
    return named


def _unused(name: str, taken: Container[str]) -> str:
    if name not in taken:
        return name
    return next(other for n in count(2) if (other := f"{name} ({n})") not in taken)


# ── From exact nets to minor units ───────────────────────────────────────────────────────────────


def _whole(sheet: _Sheet, lines: Sequence[_Line]) -> Iterator[ImportedExpense]:
    payments = _payment_categories(lines)
    roundings: dict[str, Rounding] = {}
    for line in lines:
        _require_zero_sum(sheet, line)
        rounding = roundings.setdefault(line.currency, Rounding.start(line.unit, sheet.names))
        nets = rounding.whole(without_drift(line.nets, sheet.names))
        cells = line.row.cells
        yield ImportedExpense(
            row=line.row.line,
            date=cells[_DATE],
            description=cells[_DESCRIPTION],
            category=cells[_CATEGORY],
            cost_minor=round(Fraction(line.cost, line.unit)),
            currency=line.currency,
            nets_minor={name: net for name, net in zip(sheet.names, nets, strict=True) if net},
            is_payment=cells[_CATEGORY] in payments,
        )


def _require_zero_sum(sheet: _Sheet, line: _Line) -> None:
    if not is_rounding_drift(line.nets, line.unit):
        first, last = letters(sheet.columns[0]), letters(sheet.columns[-1])
        raise BadFile(
            f"Row {line.row.line}, columns {first} to {last}: expected nets that sum to "
            f"{written(0, line.currency)}, found a sum of {written(sum(line.nets), line.currency)}."
        )


def _payment_categories(lines: Iterable[_Line]) -> set[str]:
    """The categories in which every line is one member's whole cost to one other.

    A payment's category has such lines only; its word is in any of a dozen languages.
    """
    categories = {line.row.cells[_CATEGORY] for line in lines}
    return categories - {line.row.cells[_CATEGORY] for line in lines if not line.is_one_to_one}


# ── What was not as written ──────────────────────────────────────────────────────────────────────


def _drift_warnings(expenses: Iterable[_Line]) -> Iterator[str]:
    for first, times in _by_currency(line for line in expenses if sum(line.nets)):
        yield (
            f"{first.currency}: in {_rows(first, times)} the nets miss zero by a rounding; "
            "the largest of them takes the difference."
        )


def _precision_warnings(expenses: Iterable[_Line]) -> Iterator[str]:
    fine = (line for line in expenses if any(net % line.unit for net in line.nets))
    for first, times in _by_currency(fine):
        yield (
            f"{first.currency}: in {_rows(first, times)} nets are finer than "
            f"{written(first.unit, first.currency)}; balances are the exact sums, rounded once."
        )


def _by_currency(lines: Iterable[_Line]) -> list[tuple[_Line, int]]:
    """The first of the lines in each currency, and how many there are."""
    firsts: dict[str, _Line] = {}
    times = Counter(firsts.setdefault(line.currency, line).currency for line in lines)
    return [(first, times[currency]) for currency, first in firsts.items()]


def _rows(first: _Line, times: int) -> str:
    row = first.row.line
    return f"row {row}" if times == 1 else f"{times} rows (the first is row {row})"


def _total_warnings(
    sheet: _Sheet, expenses: Sequence[_Line], totals: Sequence[_Line]
) -> Iterator[str]:
    _require_one_total_each(sheet, totals)
    sums = {line.currency: [0] * len(sheet.names) for line in (*totals, *expenses)}
    for line in expenses:
        sums[line.currency] = [a + b for a, b in zip(sums[line.currency], line.nets, strict=True)]
    for total in totals:
        yield from _mismatch(sheet, total, sums[total.currency])
    for currency in sorted(sums.keys() - {total.currency for total in totals}):
        yield f"{currency}: the file has no total to check against; it may have been cut short."


def _require_one_total_each(sheet: _Sheet, totals: Iterable[_Line]) -> None:
    first: dict[str, Row] = {}
    for total in totals:
        if first.setdefault(total.currency, total.row) is not total.row:
            raise BadFile(
                f"{sheet.table.place(total.row, _CURRENCY)}: expected one total for "
                f"{total.currency}, found a second after row {first[total.currency].line}."
            )


def _mismatch(sheet: _Sheet, total: _Line, sums: Sequence[int]) -> Iterator[str]:
    """Names the first member whose total is a minor unit or more off the sum of the rows."""
    differ = [i for i, net in enumerate(total.nets) if abs(net - sums[i]) >= total.unit]
    if differ:
        i = differ[0]
        more = f" ({len(differ) - 1} more differ)" if differ[1:] else ""
        yield (
            f"{sheet.table.place(total.row, sheet.columns[i])}: the total is "
            f"{written(total.nets[i], total.currency)}, the rows come to "
            f"{written(sums[i], total.currency)}{more}; the balances are those of the rows."
        )
