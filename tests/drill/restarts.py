"""The drill of a release: servers are restarted one after another under load, and nobody notices.

    python -m tests.drill.restarts --workers 1

Two servers, five restarts, 200 requests a second.

Exit 0 if no request got a 5xx or lost its connection, every server ended well within ten seconds,
and exactly the acknowledged writes are there.
"""

import argparse
import asyncio
import sys
from contextlib import ExitStack

from tests.drill.load import RATE, load
from tests.drill.servers import Served, postgres, served

STOP_S_MAX = 10


async def drill(servers: list[Served], restarts: int, rate: int) -> bool:
    """Whether it went well."""
    ended = list[tuple[int, float]]()
    async with load(servers, rate) as running:
        await asyncio.sleep(2)
        for number in range(restarts):
            server = servers[number % len(servers)]
            ended.append(await asyncio.to_thread(server.stop))
            await asyncio.to_thread(server.start)
            await asyncio.sleep(2)
    recorded = await running.recorded()
    for status, seconds in ended:
        print(f"ended with {status} after {seconds:.1f} s")
    print(running.told())
    lost, unknown = running.acknowledged - recorded, recorded - running.acknowledged
    print(f"{len(recorded)} writes recorded, {len(lost)} lost, {len(unknown)} not acknowledged")
    return (
        set(running.outcomes) <= {200, 201}
        and all(status == 0 and seconds < STOP_S_MAX for status, seconds in ended)
        and not lost
        and not unknown
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=int, default=RATE, help="requests a second")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        servers = [stack.enter_context(served(database.url, chosen.workers)) for _ in range(2)]
        good = asyncio.run(drill(servers, chosen.restarts, chosen.rate))
    print("nobody noticed" if good else "NOT GOOD ENOUGH")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
