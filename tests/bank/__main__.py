"""The bank: nothing is lost under fire, and nothing done twice.

    python -m tests.bank --ops 20000 --seed 1

Fifty clients do 20,000 operations over 20 groups, 10 % of them twice, 5 % with a stale If-Match.
Meanwhile the server is killed twice and asked to stop once, and Postgres is killed twice. Then
every acknowledged write is there exactly once, and nothing that nobody asked for (audit.py). The
same seed prints the same digest: the operations are the same, whatever the machine does meanwhile.
Exit 0 if every promise was kept.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

import psycopg

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.bank.audit import Findings, audit
from tests.bank.clients import SETTINGS, WORKERS, Bank, opened, run_beside
from tests.bank.stream import GROUPS
from tests.drill.clusters import postmaster_pid
from tests.drill.servers import Served, postgres, served
from tests.machine import machine
from tests.tools import Stopped, asked, at_least_one, run

Fault: TypeAlias = tuple[float, str, Callable[[], None]]


def bank(
    *,
    seed: int,
    ops: int,
    code: Path | None = None,
    faults: bool = True,
    said: IO[bytes] | None = None,
) -> Findings:
    """A run from beginning to end, by our code or that in `code`; the servers' log goes to `said`,
    if anywhere.
    """
    with (
        postgres(code) as database,
        served(database.url, WORKERS, SETTINGS, code, said) as server,
    ):
        on = machine(database.url)
        planned = _faults(database, server) if faults else ()
        return replace(asyncio.run(_bank(seed, ops, database, server, planned)), machine=on)


async def _bank(
    seed: int, ops: int, database: EmbeddedPostgres, server: Served, planned: Sequence[Fault]
) -> Findings:
    running = await opened(seed, ops, server.port)
    print(f"seed {seed}, operations {running.stream.digest}")
    began = time.monotonic()
    faults = [(part, partial(_fail, running, name, happens)) for part, name, happens in planned]
    await run_beside(running, *faults)
    seconds = time.monotonic() - began
    print(f"{ops} operations in {seconds:.0f} s, {ops / seconds:.0f} a second")
    each = ", ".join(f"{count} {what}" for what, count in sorted(running.counts.items()))
    print(f"of the requests that these took, repetitions included: {each}")
    return await asyncio.to_thread(audit, running, database.url, server.url)


# ── Faults ───────────────────────────────────────────────────────────────────────────────────────


def _faults(database: EmbeddedPostgres, server: Served) -> Sequence[Fault]:
    """When, as a part of the run, and what."""
    kill_server = partial(_kill_server, server)
    kill_postgres = partial(_kill_postgres, database)
    stop_server = partial(_stop_server, server)
    return (
        (0.15, "kill -9 of the server", kill_server),
        (0.30, "kill -9 of Postgres", kill_postgres),
        (0.50, "kill -9 of the server", kill_server),
        (0.65, "kill -9 of Postgres", kill_postgres),
        (0.80, "SIGTERM to the server", stop_server),
    )


def _fail(running: Bank, name: str, happens: Callable[[], None]) -> None:
    began = time.monotonic()
    happens()
    print(f"{name} after {running.done} operations, back {time.monotonic() - began:.1f} s later")


def _kill_server(server: Served) -> None:
    server.kill()
    server.start()


def _stop_server(server: Served) -> None:
    status, _ = server.stop()
    assert status == 0, f"the server ended with status {status}"
    server.start()


def _kill_postgres(database: EmbeddedPostgres) -> None:
    os.kill(postmaster_pid(database), signal.SIGKILL)
    database.stop()
    database.start()
    psycopg.connect(database.url).close()


# ── Telling ──────────────────────────────────────────────────────────────────────────────────────


def tell(found: Findings) -> None:
    print(found.machine)
    founding = f"{GROUPS} groups and their guests"
    rows = (
        ("acknowledged", found.acknowledged, "changes that a client was told are done"),
        ("unknown", found.unknown, "changes of which no client was told the end"),
        ("unknown but committed", found.unknown_but_committed, "those of them in the journals"),
        ("missing", found.missing, "acknowledged, and not in the journals"),
        ("extra", found.extra, "entries that nobody asked for"),
        ("entries in the journals", found.entries, f"all of these, and the founding of {founding}"),
        ("balances that were read", found.reads, "each as the journal has it at that moment"),
        ("promises that were broken", len(found.wrong), ""),
    )
    for name, count, meaning in rows:
        print(f"{name:28}{count:>10,}  {meaning}".rstrip())
    for said in found.wrong[:20]:
        print(f"  {said}")


def main() -> int:
    parser = asked("tests.bank", __doc__)
    parser.add_argument("--ops", type=at_least_one, default=20_000, help="how many operations")
    parser.add_argument("--seed", type=int, default=1, help="which operations")
    chosen = parser.parse_args()
    descriptor, name = tempfile.mkstemp(prefix="clearsplit-bank-", suffix=".log")
    log, fine = Path(name), False
    try:
        with os.fdopen(descriptor, "wb") as said:
            found = bank(seed=chosen.seed, ops=chosen.ops, said=said)
        tell(found)
        fine = not found.wrong
    except Stopped:
        fine = True
        raise
    finally:
        if fine:
            log.unlink()
        else:
            print(f"what the server said: {log}")
    return 0 if fine else 1


if __name__ == "__main__":
    run(main)
