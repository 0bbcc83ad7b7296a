"""What the drills must not be content with, or they would not be worth doing.

    python -m tests.drill.broken            # all of them
    python -m tests.drill.broken standby    # those of one drill

Each is a drill with a mistake that an operator can make, or without the accident that it is about.
Exit 0 if every one of them said which promise was broken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.drill import backup, corruption, outages, pgbouncer, recovery, restarts, standby
from tests.drill.__main__ import done
from tests.drill.clusters import flipped
from tests.drill.servers import Served
from tests.drill.told import Told
from tests.tools import asked, named, run


@dataclass(frozen=True)
class Broken:
    """A drill gone wrong, and the promises that it must say are broken."""

    name: str
    signs: tuple[str, ...]
    drill: Callable[[Told], None]

    @property
    def of(self) -> str:
        """The name of its drill."""
        return self.name.partition(":")[0]


def _change_a_file(folder: Path) -> None:
    """One of a database that nobody uses, so that everything else goes on."""
    flipped(folder / "base" / "1" / "1259", 9_000)


def _kill(server: Served) -> tuple[int, float]:
    """What an impatient supervisor does."""
    assert server.process is not None
    server.kill()
    return server.process.returncode, 0.0


MISTAKES: Final = (
    Broken(
        "restarts: DRAIN_S is 0",
        ("nobody notices",),
        partial(restarts.drill, settings={"DRAIN_S": "0"}),
    ),
    Broken(
        "restarts: kill -9 instead of SIGTERM",
        ("a server ends well, and in time", "nobody notices"),
        partial(restarts.drill, stop=_kill),
    ),
    Broken(
        "outages: synchronous_commit is off, and the server allows it",
        ("no acknowledged write is lost",),
        partial(outages.drill, durable=False),
    ),
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
    said = "\n".join(done(broken.of, broken.drill).broken)
    missed = [sign for sign in broken.signs if sign not in said]
    print("NOT CAUGHT: " + ", ".join(missed) if missed else "caught", end="\n\n", flush=True)
    return not missed


def main() -> int:
    parser = asked("tests.drill.broken", __doc__)
    drills = list(dict.fromkeys(broken.of for broken in MISTAKES))
    parser.add_argument("names", nargs="*", metavar="drill", help=", ".join(drills))
    names = named(parser, parser.parse_args().names, drills)
    chosen = [broken for broken in MISTAKES if broken.of in names]
    missed = [broken.name for broken in chosen if not caught(broken)]
    print(
        f"NOT CAUGHT: {'; '.join(missed)}"
        if missed
        else f"{len(chosen)} of {len(chosen)} mistakes were caught"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    run(main)
