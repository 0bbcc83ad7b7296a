"""Broken builds: what the bank must catch, or it would not be worth asking.

    python -m tests.bank.broken

Each is a copy of the code with a promise taken out. No process is killed here: what is broken shows
without that. Exit 0 if the bank caught every one of them.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bank.__main__ import bank

ROOT: Final = Path(__file__).parent.parent.parent
CODE: Final = ("clearsplit_core", "clearsplit_http", "clearsplit_pg", "migrations")
OPS: Final = 1_500


@dataclass(frozen=True)
class Broken:
    """A promise, and how the code looks without it: in `file` every old text became the new one.

    `sign` is what the bank says of it.
    """

    name: str
    sign: str
    file: str
    changes: dict[str, str]


BUILDS: Final = (
    Broken(
        "idempotency outside the transaction",
        "already-exists",
        "clearsplit_pg/ledger.py",
        {
            "            return await _append(connection, group, decision, caller, receipt)\n": """\
            done = await _append(connection, group, decision, caller, receipt)
        if receipt is not None and isinstance(done, Sealed):
            late = {"group_id": group.id, "at": self._clock()}
            async with self._pool.connection() as connection:
                sealed = rows.answer_params(caller, receipt, done)
                await connection.execute(SEAL_LATE, late | sealed)
        return done
""",
            "last | rows.answer_params(caller, receipt, sealed)": "last | no_answer",
            "ANSWERS_KEPT: Final": '''\
SEAL_LATE: Final = """
insert into answers (group_id, account_id, key, fingerprint, status, headers, body, sealed_at)
values (%(group_id)s, %(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s, %(body)s,
        %(at)s)
"""
ANSWERS_KEPT: Final''',
        },
    ),
    Broken(
        "a balance read in two statements",
        "told other balances",
        "clearsplit_pg/ledger.py",
        {
            "        return reading.answer(question, seated(row))\n": """\
        if "balances" in row:
            again = await self._read(reading.statement(question), caller, fields_of(question))
            row = {**row, "balances": again["balances"]}
        return reading.answer(question, seated(row))
""",
        },
    ),
    Broken(
        "a journal that can be updated",
        "the journal takes",
        "migrations/0001.ledger.sql",
        {
            "before update or delete or truncate on entries": "before truncate on entries",
        },
    ),
)


@contextmanager
def built(broken: Broken) -> Iterator[Path]:
    """A folder with its code."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-broken-") as name:
        folder = Path(name)
        for package in CODE:
            shutil.copytree(ROOT / package, folder / package)
        file = folder / broken.file
        code = file.read_text()
        for old, new in broken.changes.items():
            assert old in code, f"{broken.file} no longer says {old!r}"
            code = code.replace(old, new)
        file.write_text(code)
        yield folder


def caught(broken: Broken) -> bool:
    """Whether the bank saw it."""
    with built(broken) as folder:
        found = bank(seed=1, ops=OPS, code=folder, faults=False)
    signs = [said for said in found.wrong if broken.sign in said]
    print(f"{broken.name}: seen {len(signs)} times")
    for said in signs[:2]:
        print(f"  {said}")
    return bool(signs)


def main() -> int:
    missed = [broken.name for broken in BUILDS if not caught(broken)]
    print(f"NOT CAUGHT: {', '.join(missed)}" if missed else "every broken build was caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
