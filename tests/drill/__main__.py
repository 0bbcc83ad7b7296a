"""The drills: what an operator will one day do, done here against a real load.

    python -m tests.drill            # all of them
    python -m tests.drill standby    # one

Each is a room of its own and ends in `clearsplit verify`. Exit 0 if every promise was kept.
"""

import subprocess
from collections.abc import Callable
from typing import Final

import httpx
import psycopg

from clearsplit_core.errors import Refusal
from tests.drill import backup, corruption, outages, pgbouncer, recovery, restarts, standby
from tests.drill.told import Told
from tests.machine import machine
from tests.tools import asked, named, run

DRILLS: Final[dict[str, Callable[[Told], None]]] = {
    "restarts": restarts.drill,
    "outages": outages.drill,
    "backup": backup.drill,
    "corruption": corruption.drill,
    "recovery": recovery.drill,
    "standby": standby.drill,
    "pgbouncer": pgbouncer.drill,
}
FAILURES: Final = (
    AssertionError,
    OSError,
    Refusal,
    httpx.HTTPError,
    psycopg.Error,
    subprocess.SubprocessError,
)
"""How a drill ends that cannot be finished."""


def done(name: str, drill: Callable[[Told], None]) -> Told:
    """The drill, from its beginning to its end or to where it could not go on."""
    told = Told(name)
    try:
        drill(told)
    except FAILURES as failure:
        said = failure.stderr if isinstance(failure, subprocess.CalledProcessError) else failure
        told.promise(f"it comes to its end: {type(failure).__name__} {said}".strip(), held=False)
    return told


def main() -> int:
    parser = asked("tests.drill", __doc__)
    parser.add_argument("names", nargs="*", metavar="drill", help=", ".join(DRILLS))
    names = named(parser, parser.parse_args().names, DRILLS)
    print(f"{machine(brought=True)}\n", flush=True)
    ended = [done(name, DRILLS[name]).ended() for name in names]
    print("\n".join(["", *(told.verdict for told in ended)]))
    return 1 if any(told.broken for told in ended) else 0


if __name__ == "__main__":
    run(main)
