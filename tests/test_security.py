"""docs/security.md: whatever it claims names a test, and every test that it names is there."""

import re
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
DOCUMENT: Final = (TESTS.parent / "docs" / "security.md").read_text()
NAMED: Final = sorted(set(re.findall(r"`([\w/]+\.py)(?:::(test_\w+))?`", DOCUMENT)))
ROWS: Final = re.findall(
    r"^\| (\d+(?:\.\d+\.\d+)?) \| [^|]+ \| (.+?) \| (.+) \|$", DOCUMENT, re.MULTILINE
)
LEVEL_1: Final = re.findall(
    r"\S+",
    """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2
    3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1
    6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3
    7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10 11.3.1 11.3.2
    11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
    """,
)
"""The rows of level 1; those of OAuth (10) as one."""
WITHOUT_A_TEST: Final = {"1.3.2", "2.2.2", "6.1.1", "6.4.2", "8.3.1", "9.1.2", "9.1.3", "15.1.1"}
"""Met by there being nothing, by a document, by a linter, or by the test of the row before."""


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\b", (TESTS / file).read_text(), re.MULTILINE)


def test_every_row_of_level_1_is_answered_in_its_order() -> None:
    assert [row for row, _, _ in ROWS] == LEVEL_1


def test_every_row_that_is_met_names_its_test() -> None:
    met = [(row, how) for row, met, how in ROWS if met == "yes"]
    assert {row for row, how in met if ".py" not in how} == WITHOUT_A_TEST


def test_every_threat_has_a_control_and_a_test() -> None:
    table = DOCUMENT.partition("(STRIDE)")[2].partition("## Signing in")[0]
    threats = re.findall(r"^\| (.+?) \| (.+?) \| (.+) \|$", table, re.MULTILINE)[2:]
    assert len(threats) > 20
    assert [threat for threat, _, test in threats if ".py" not in test] == []
