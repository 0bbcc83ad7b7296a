"""What holds for every statement that the store runs."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Final

import pytest

import clearsplit_pg.sql

REMEMBERED_BYTES_MAX: Final = 4_096
REMEMBERED_PARAMETERS_MAX: Final = 50
"""psycopg takes anything longer apart anew each time (psycopg/_queries.py)."""


def _statements() -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules(clearsplit_pg.sql.__path__):
        for name, value in vars(import_module(f"clearsplit_pg.sql.{module.name}")).items():
            if name.isupper() and isinstance(value, str):
                yield f"{module.name}.{name}", value


STATEMENTS: Final = dict(_statements())


@pytest.mark.parametrize("name", STATEMENTS)
def test_psycopg_remembers_how_a_statement_is_taken_apart(name: str) -> None:
    parameters = set(re.findall(r"%\((\w+)\)s", STATEMENTS[name]))
    assert len(STATEMENTS[name].encode()) <= REMEMBERED_BYTES_MAX
    assert len(parameters) <= REMEMBERED_PARAMETERS_MAX
