"""The guide has what the drills do, to the letter: an operator does just what was tried."""

from pathlib import Path

import pytest

from tests.drill import pgbouncer, recovery, standby
from tests.drill.__main__ import DRILLS

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "deployment.md").read_text()
BOUNCER = (ROOT / "docs" / "deploy" / "pgbouncer.ini").read_text()
COMMANDS = [
    *standby.KEEPING,
    *standby.CONFIRMED_BY_BOTH,
    *standby.CONFIRMED_BY_ONE,
    *standby.FROM_HERE_ON,
    standby.PROMOTE,
]
SETTINGS = {
    **recovery.archiving(Path("/backup/wal")),
    **recovery.recovering(Path("/backup/wal"), "1672"),
}


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_what_the_standbys_drill_says_to_postgres_is_in_the_guide(command: str) -> None:
    assert f'--command "{command}"' in GUIDE


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_what_the_recoverys_drill_sets_is_in_the_guide(name: str, value: str) -> None:
    lines = " ".join(GUIDE.split())
    assert any(
        each in lines for each in (f"{name} = {value}", f"{name} = '{value}'", f"{name}={value}")
    )


@pytest.mark.parametrize("limit", pgbouncer.LIMITS)
def test_the_limits_that_pgbouncer_does_not_pass_on_are_in_its_file(limit: str) -> None:
    assert f";   {limit};" in BOUNCER


@pytest.mark.parametrize("drill", DRILLS)
def test_the_guide_or_contributing_names_the_drill(drill: str) -> None:
    assert drill in (ROOT / "CONTRIBUTING.md").read_text()
