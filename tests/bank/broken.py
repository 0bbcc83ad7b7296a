"""Broken builds: what the bank must catch, or it would not be worth asking.

    python -m tests.bank.broken [NAME …]

Each is a copy of the code with one promise taken out, and must be caught by its own sign: what the
bank says of that promise, and not of something else that went wrong with it. No process is killed
here: what is broken shows without that. Exit 0 if the bank caught every one of them, and found
nothing wrong with the build that is not broken.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clearsplit_pg.ledger import PostgresLedger
from tests.bank import ledgers
from tests.bank.__main__ import bank
from tests.tools import asked, named, run

ROOT: Final = Path(__file__).parent.parent.parent
CODE: Final = ("clearsplit_core", "clearsplit_http", "clearsplit_pg", "migrations")
OPS: Final = 1_500
LINE_MAX: Final = 150
STORE: Final = "clearsplit_pg/store.py"
JOURNAL: Final = "migrations/0001.ledger.sql"
COMMANDS: Final = "clearsplit_pg/sql/commands.py"
OPEN: Final = {
    JOURNAL: (
        ("before update or delete or truncate on entries", "before truncate on entries"),
        ("foreign key (group_id, previous_seq) references entries (group_id, seq)", "check (true)"),
    )
}
"""How a journal is made that can be changed: by file, what became what."""
UNLOOKED_AT: Final = {
    COMMANDS: (("and key = %(new_key)s::text", "and key = %(new_key)s::text and false"),)
}
"""A retry that finds its group's head known is then done again."""


@dataclass(frozen=True)
class Broken:
    """A build without one promise: with that ledger in ours' place, and with those changes.

    `sign` is what the bank says of it.
    """

    name: str
    sign: str
    ledger: type[PostgresLedger] = PostgresLedger
    changes: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


BUILDS: Final = (
    Broken(
        "idempotency outside the transaction", "a retry was answered otherwise", ledgers.SealsLate
    ),
    Broken("a balance read in two statements", "told other balances", ledgers.ReadsTwice),
    Broken("a journal that can be updated", "the journal takes `update", changes=OPEN),
    Broken(
        "a journal that is updated",
        "was changed after it was written",
        ledgers.ChangesEntries,
        OPEN,
    ),
    Broken("a journal that is cut", "has a gap", ledgers.CutsEntries, OPEN),
    Broken("writes that are lost", "was acknowledged, and is not it", ledgers.LosesWrites),
    Broken("writes that are done twice", "nobody asked for entry", ledgers.WritesTwice),
    Broken("a key that no append looks at", "nobody asked for entry", changes=UNLOOKED_AT),
    Broken("other bytes for a retry", "with other bytes", ledgers.AnswersOtherwise),
    Broken("balances that do not sum to zero", "the balances sum to", ledgers.ReadsHalves),
    Broken("balances that are told again", "was acknowledged, entry", ledgers.ReadsStale),
    Broken("a version that is told again", "was acknowledged, version", ledgers.ReadsVersionBefore),
    Broken("a list without the latest", "and is not listed", ledgers.LeavesOutLatest),
    Broken("shares that miss the amount", "(expense): the shares of", ledgers.LosesCents),
    Broken("tables that drift", "debts: ", ledgers.LetsDebtsDrift),
)


@contextmanager
def built(broken: Broken) -> Iterator[Path]:
    """A folder with its code."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-broken-") as name:
        folder = Path(name)
        for package in CODE:
            shutil.copytree(ROOT / package, folder / package)
        shutil.copytree(ROOT / "tests" / "bank", folder / "tests" / "bank")
        for file, changes in {**broken.changes, STORE: _with(broken.ledger)}.items():
            _change(folder / file, changes)
        yield folder


def _with(ledger: type[PostgresLedger]) -> tuple[tuple[str, str], ...]:
    ours = f"from {PostgresLedger.__module__} import PostgresLedger\n"
    other = f"from {ledger.__module__} import {ledger.__name__} as PostgresLedger\n"
    return ((ours, other),)


def _change(file: Path, changes: tuple[tuple[str, str], ...]) -> None:
    code = file.read_text()
    for old, new in changes:
        assert old in code, f"{file.name} no longer says {old!r}"
        code = code.replace(old, new)
    file.write_text(code)


def caught(broken: Broken) -> bool:
    """Whether the bank saw it, by its own sign."""
    with built(broken) as folder:
        found = bank(seed=1, ops=OPS, code=folder, faults=False)
    signs = [said for said in found.wrong if broken.sign in said]
    print(f"{broken.name}: seen {len(signs)} times, and {len(found.wrong) - len(signs)} others")
    for said in (signs or found.wrong)[:2]:
        print(f"  {said.splitlines()[0][:LINE_MAX]}")
    return bool(signs)


def main() -> int:
    parser = asked("tests.bank.broken", __doc__)
    builds = {broken.name: broken for broken in BUILDS}
    parser.add_argument("names", nargs="*", metavar="build", help="; ".join(builds))
    chosen = [builds[name] for name in named(parser, parser.parse_args().names, builds)]
    found = bank(seed=1, ops=OPS, faults=False)
    if found.wrong:
        print(f"the build that is not broken breaks promises: {found.wrong[:5]}")
        return 1
    print(found.machine)
    missed = [broken.name for broken in chosen if not caught(broken)]
    print(
        f"NOT CAUGHT: {', '.join(missed)}"
        if missed
        else f"{len(chosen)} of {len(chosen)} broken builds were caught"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    run(main)
