"""The drill of a database restart: Postgres ends and comes back under a server that keeps running.

    python -m tests.drill.outages --workers 1

Six outages under 200 requests a second, half of them by kill -9.

Exit 0 if every answer was 200, 201 or 503, all was well within two seconds after Postgres was back,
and no acknowledged write was lost.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

import psycopg

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.drill.load import RATE, Load, load
from tests.drill.servers import Served, postgres, served

RECOVERY_S_MAX = 2.0
OUTAGES_S = (0.0, 3.0, 12.0)
"""How long Postgres stays away, by turns."""


async def drill(database: EmbeddedPostgres, server: Served, outages: int, rate: int) -> bool:
    """Whether it went well."""
    back = list[tuple[float, float]]()
    async with load([server], rate) as running:
        await asyncio.sleep(2)
        for number, away_s in enumerate(islice(cycle(OUTAGES_S), outages)):
            gone = time.monotonic()
            await asyncio.to_thread(_end, database, by_force=bool(number % 2))
            await asyncio.sleep(away_s)
            await asyncio.to_thread(_begin, database)
            back.append((gone, time.monotonic()))
            await asyncio.sleep(5)
    recoveries = list(_recoveries(running, back))
    for (gone, again), seconds in zip(back, recoveries, strict=True):
        print(f"away for {again - gone:.1f} s; the last request failed {seconds:.2f} s after it")
    print(running.told())
    recorded = await running.recorded()
    lost = running.acknowledged - recorded
    print(f"{len(running.acknowledged)} writes acknowledged, {len(lost)} of them lost")
    fine = set(running.outcomes) <= {200, 201, 503}
    return fine and not lost and max(recoveries) < RECOVERY_S_MAX


def _end(database: EmbeddedPostgres, *, by_force: bool) -> None:
    if by_force:
        (pid_file,) = database.data_dir.glob("postgres-*/postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    database.stop()


def _begin(database: EmbeddedPostgres) -> None:
    """It answers a first query."""
    database.start()
    psycopg.connect(database.url).close()


def _recoveries(running: Load, back: list[tuple[float, float]]) -> Iterator[float]:
    """How long after each return the last request failed, in seconds; 0 where none did."""
    for number, (_, again) in enumerate(back):
        until = back[number + 1][0] if number + 1 < len(back) else float("inf")
        failed = [
            each.at - again
            for each in running.answers
            if each.outcome not in (200, 201) and again <= each.at < until
        ]
        yield max(failed, default=0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=6)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=int, default=RATE, help="requests a second")
    chosen = parser.parse_args()
    with postgres() as database, served(database.url, chosen.workers) as server:
        good = asyncio.run(drill(database, server, chosen.outages, chosen.rate))
    print("recovered" if good else "NOT GOOD ENOUGH")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
