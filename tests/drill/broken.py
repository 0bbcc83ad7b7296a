"""What the drills must not be content with, or they would not be worth doing.

    python -m tests.drill.broken            # all of it
    python -m tests.drill.broken standby    # what begins so

Each is a drill with a mistake that an operator can make, or without the accident that it is about.
Exit 0 if every one of them said which promise was broken.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.drill import backup, corruption, pgbouncer, recovery, standby
from tests.drill.__main__ import done
from tests.drill.clusters import flipped
from tests.drill.told import Told


@dataclass(frozen=True)
class Broken:
    """A drill gone wrong, and the promises that it must say are broken."""

    name: str
    signs: tuple[str, ...]
    drill: Callable[[Told], None]


def _change_a_file(folder: Path) -> None:
    """One of a database that nobody uses, so that everything else goes on."""
    flipped(folder / "base" / "1" / "1259", 9_000)


MISTAKES: Final = (
    Broken(
        "backup: a byte of it changed on its way",
        ("pg_verifybackup finds every file as it was",),
        partial(backup.drill, spoil=_change_a_file),
    ),
    Broken(
        "backup: it is older than one thinks",
        ("what was acknowledged before the backup is in it",),
        partial(backup.drill, backup_at=0.1),
    ),
    Broken(
        "corruption: nobody flips a byte or writes a row",
        (
            "pg_verifybackup names the file",
            "pg_checksums names the file",
            "clearsplit verify names every group on the page, and the file",
            "clearsplit verify names the group and the entry",
            "clearsplit verify names the group, the member and the currency",
        ),
        partial(corruption.drill, flip=lambda *_: None, write=False),
    ),
    Broken(
        "recovery: the archive is empty",
        ("it comes to its end",),
        partial(recovery.drill, keep_wal=False),
    ),
    Broken(
        "standby: synchronous_commit is local",
        ("no acknowledged change is lost, none made twice",),
        partial(standby.drill, commit="local"),
    ),
    Broken(
        "pgbouncer: DATABASE_PREPARE is 1",
        ("it comes to its end",),
        partial(pgbouncer.drill, prepare=True),
    ),
)


def caught(broken: Broken) -> bool:
    """Whether the drill said what is wrong."""
    print(f"── {broken.name}")
    said = "\n".join(done(broken.name.partition(":")[0], broken.drill).broken)
    missed = [sign for sign in broken.signs if sign not in said]
    print("NOT CAUGHT: " + ", ".join(missed) if missed else "caught", end="\n\n", flush=True)
    return not missed


def main() -> int:
    (begins,) = sys.argv[1:] or [""]
    chosen = [broken for broken in MISTAKES if broken.name.startswith(begins)]
    missed = [broken.name for broken in chosen if not caught(broken)]
    print(f"NOT CAUGHT: {'; '.join(missed)}" if missed else "every mistake was caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
