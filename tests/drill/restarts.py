"""The drill of a release: servers are restarted one after another under load, and nobody notices.

Two servers, five restarts, 200 requests a second. Kept if no request got a 5xx or lost its
connection, every server ended well within ten seconds, and exactly the acknowledged writes are
there.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Final

from tests.drill.load import Load, load
from tests.drill.servers import DRAIN_S, Served, postgres, served
from tests.drill.told import Told

RESTARTS: Final = 5
STOP_S_MAX: Final = 10


def drill(
    told: Told,
    *,
    settings: Mapping[str, str] | None = None,
    stop: Callable[[Served], tuple[int, float]] = Served.stop,
) -> None:
    """Without mistakes, unless the servers have other `settings` or are ended otherwise."""
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        servers = [stack.enter_context(served(database.url, 1, settings)) for _ in range(2)]
        asyncio.run(_restarted(told, servers, stop))
        told.verify(database.url)


async def _restarted(
    told: Told, servers: list[Served], stop: Callable[[Served], tuple[int, float]]
) -> None:
    async with load(servers) as running:
        await asyncio.sleep(2)
        for number in range(RESTARTS):
            server, since = servers[number % len(servers)], time.monotonic()
            status, seconds = await asyncio.to_thread(stop, server)
            await asyncio.to_thread(server.start)
            told.step(f"a server ended with {status} after {seconds:.1f} s, and is back", since)
            told.promise(
                "a server ends well, and in time", held=status == 0 and seconds < STOP_S_MAX
            )
            await asyncio.sleep(2)
    recorded = await running.recorded()
    lost, unknown = running.acknowledged - recorded, recorded - running.acknowledged
    told.note(running.told())
    told.note(f"{len(recorded)} writes recorded, {len(lost)} lost, {len(unknown)} not acknowledged")
    told.promise("nobody notices", held=set(running.outcomes) <= {200, 201})
    told.promise("the acknowledged writes are there, and no others", held=not lost | unknown)
    if told.broken:
        _tell_of_the_machine(told, running)


def _tell_of_the_machine(told: Told, running: Load) -> None:
    """A machine that does something else meanwhile is late, and that looks the same."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    told.note(f"load {load:.1f} on {cores} cores: this drill wants a machine of its own")
    between_s = running.longest_between_looks_s
    late = "the balancer was late" if between_s >= DRAIN_S else "so the balancer was in time"
    told.note(f"{between_s:.2f} s at most between two looks, of {DRAIN_S} s to drain: {late}")
