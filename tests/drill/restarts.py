"""The drill of a release: servers are restarted one after another under load, and nobody notices.

Two servers, five restarts, 200 requests a second. Kept if no request got a 5xx or lost its
connection, every server ended well within ten seconds, and exactly the acknowledged writes are
there.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Final

from tests.drill.load import load
from tests.drill.servers import Served, postgres, served
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
