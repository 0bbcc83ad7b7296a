"""The drill of a database restart: Postgres ends and comes back under a server that keeps running.

Six outages under 200 requests a second, half of them by kill -9. Kept if every answer was 200, 201
or 503, all was well within two seconds after Postgres was back, and no acknowledged write was lost.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final

import psycopg

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.drill.clusters import postmaster_pid
from tests.drill.load import Load, load
from tests.drill.servers import Served, postgres, served
from tests.drill.told import Told

OUTAGES: Final = 6
RECOVERY_S_MAX: Final = 2.0
OUTAGES_S: Final = (0.0, 3.0, 12.0)
"""How long Postgres stays away, by turns."""
CARELESS: Final = {"synchronous_commit": "off"}
ALLOWED: Final = {"ALLOW_UNSAFE_DATABASE": "1"}


def drill(told: Told, *, durable: bool = True) -> None:
    """Without a mistake, unless it is not `durable`: a commit is confirmed before it is on disk,
    and the server, which would refuse that, is told not to mind.
    """
    with (
        postgres(settings={} if durable else CARELESS) as database,
        served(database.url, 1, {} if durable else ALLOWED) as server,
    ):
        asyncio.run(_away(told, database, server))
        told.verify(database.url)


async def _away(told: Told, database: EmbeddedPostgres, server: Served) -> None:
    back = list[tuple[float, float]]()
    async with load([server]) as running:
        await asyncio.sleep(2)
        for number, away_s in enumerate(islice(cycle(OUTAGES_S), OUTAGES)):
            gone, how = time.monotonic(), ("SIGINT", "kill -9")[number % 2]
            await asyncio.to_thread(_end, database, by_force=bool(number % 2))
            await asyncio.sleep(away_s)
            await asyncio.to_thread(_begin, database)
            told.step(f"Postgres was away, ended by {how}", gone)
            back.append((gone, time.monotonic()))
            await asyncio.sleep(5)
    slowest_s = max(_recoveries(running, back))
    lost = running.acknowledged - await running.recorded()
    told.note(f"the last request that failed did so {slowest_s:.2f} s after Postgres was back")
    told.note(running.told())
    told.note(f"{len(running.acknowledged)} writes acknowledged, {len(lost)} of them lost")
    told.promise("every answer is 200, 201 or 503", held=set(running.outcomes) <= {200, 201, 503})
    told.promise(f"all is well within {RECOVERY_S_MAX:.0f} s", held=slowest_s < RECOVERY_S_MAX)
    told.promise("no acknowledged write is lost", held=not lost)


def _end(database: EmbeddedPostgres, *, by_force: bool) -> None:
    if by_force:
        os.kill(postmaster_pid(database), signal.SIGKILL)
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
