"""Other products' exports, read into values: bytes in, an `Imported` out.

    >>> read(export).balances["EUR"]
    {'Ana Lima': 3166, 'Bo Chen': 1667, 'Cy Dorn': -4833}

Each format is one file beside this one, with one function `read(text) -> Imported | None`; None
means "not mine, ask the next". A new format is that file and a line in FORMATS. Nothing here opens
a file or knows a store: what a person does with an `Imported` is up to them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from clearsplit_core.errors import BadFile
from clearsplit_core.imports.decoding import FILE_BYTES_MAX, decoded
from clearsplit_core.imports.imported import Imported, ImportedExpense
from clearsplit_core.imports.splitwise import read as read_splitwise

__all__ = ["read", "FORMATS", "FILE_BYTES_MAX", "Imported", "ImportedExpense"]

FORMATS: Final[Mapping[str, Callable[[str], Imported | None]]] = MappingProxyType(
    {"a Splitwise group export (CSV)": read_splitwise}
)
"""How to read each format, by its name; the first that knows the text as its own has it."""


def read(data: bytes) -> Imported:
    """The group that an export file holds, whichever known product wrote it.

    Raises BadFile, saying which formats are known, or which row and column is wrong.
    """
    text = decoded(data)
    for read_format in FORMATS.values():
        imported = read_format(text)
        if imported is not None:
            return imported
    raise BadFile(f"This is none of the files that we can read: {', '.join(FORMATS)}.")
