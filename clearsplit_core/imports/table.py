"""A table of cells as a spreadsheet shows it, and how to point at one of its cells.

Rows are numbered as an editor numbers lines, from 1; a quoted cell may span several, and its row is
the one it began on. Columns are named by the header's word and the spreadsheet's letter.
Cells are data: one that begins with = or + or @ is text like any other. See RFC 4180.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Final

from clearsplit_core.errors import BadFile

CELL_CHARACTERS_MAX: Final = 10_000
ROWS_MAX: Final = 200_000

_DELIMITERS: Final = ",;\t"
_FOUND_CHARACTERS: Final = 40
"""As much of a cell as a message repeats."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's cells, without the blanks around them, and the line that it began on."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """A header and the rows under it that are not blank.

    Each row has the header's width: blank cells beyond it are dropped, others refused (BadFile).
    """

    header: Row
    rows: tuple[Row, ...]

    def bad_cell(self, row: Row, column: int, expected: str) -> BadFile:
        """A refusal that says where, what was expected and what stands there."""
        found = row.cells[column]
        shown = f"found {found[:_FOUND_CHARACTERS]!r}" if found else "found a blank cell"
        return BadFile(f"{self.place(row, column)}: expected {expected}, {shown}.")

    def place(self, row: Row, column: int) -> str:
        """Where a cell is: "Row 4, column F (Ana Lima)"."""
        name = self.header.cells[column][:_FOUND_CHARACTERS]
        return f"Row {row.line}, column {letters(column)} ({name or 'no name'})"


def read_table(text: str, columns_min: int) -> Table | None:
    """The table in `text`; None if no line has `columns_min` columns.

    What stands above the first such line, its header, is a note of the exporting product. Raises
    BadFile for a broken quote, a row of another width, or a table beyond our limits.
    """
    delimiter = _delimiter(text, columns_min)
    if delimiter is None:
        return None
    rows = _rows(text, delimiter)
    header = next((row for row in rows if len(row.cells) >= columns_min), None)
    if header is None:
        return None
    return Table(header, tuple(_fitted(row, header) for row in rows if not row.is_blank))


def _delimiter(text: str, columns_min: int) -> str | None:
    """Comma; or what a spreadsheet put in its place when somebody saved the export again."""
    for line in StringIO(text):
        often = max(_DELIMITERS, key=line.count)
        if line.count(often) >= columns_min - 1:
            return often
    return None


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for number, cells in enumerate(reader):
            if number >= ROWS_MAX:
                raise BadFile(f"Row {line}: expected at most {ROWS_MAX} rows, found more.")
            yield _row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(
            f"Row {line}: expected cells in which each quote is closed and none is longer than "
            f"{CELL_CHARACTERS_MAX} characters ({error})."
        ) from error


def _row(line: int, cells: list[str]) -> Row:
    if any(len(cell) > CELL_CHARACTERS_MAX for cell in cells):
        raise BadFile(
            f"Row {line}: expected cells of at most {CELL_CHARACTERS_MAX} characters, "
            "found a longer one; is a quote not closed?"
        )
    return Row(line, tuple(cell.strip() for cell in cells))


def _fitted(row: Row, header: Row) -> Row:
    width = len(header.cells)
    if len(row.cells) < width or any(row.cells[width:]):
        raise BadFile(
            f"Row {row.line}: expected {width} columns as in the header, found {len(row.cells)}; "
            "is the row cut short, or a comma not quoted?"
        )
    return Row(row.line, row.cells[:width])


def letters(column: int) -> str:
    """The spreadsheet's name of a column counted from 0: A, B … Z, AA."""
    higher, digit = divmod(column, 26)
    return (letters(higher - 1) if higher else "") + chr(ord("A") + digit)
