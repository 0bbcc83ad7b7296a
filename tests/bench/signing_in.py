"""What signing in costs everybody else: p99 of a plain GET while 20 people a second sign in.

    make bench-signing-in

One worker on a private Postgres, at the default cost of a password. Both figures are of one run:
the ratio is what counts, the milliseconds are this machine's. More sign-ins come than the threads
can do, so some are told to come back (503); that is the point.
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import httpx

from tests.http.process import address, environment, serving
from tests.tools import asked, run

GETS_A_SECOND: Final = 50
LOGINS_A_SECOND: Final = 20
ROUND_S: Final = 15
ROUNDS: Final = 3
RATIO_MAX: Final = 3.0
PASSWORD: Final = "correct horse battery staple"


async def measured() -> int:
    unlimited = {"RATE_LIMIT_LOGIN": "0", "BCRYPT_COST": "12", "LOG_LEVEL": "error"}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "data")
        with serving("--data-dir", data, env=environment(**unlimited)) as (_, said):
            async with httpx.AsyncClient(base_url=address(said), timeout=60) as http:
                ratios = [await compared(http, number) for number in range(ROUNDS)]
    print(f"median ratio {statistics.median(ratios):.1f} (wanted: at most {RATIO_MAX:.0f})")
    return int(statistics.median(ratios) > RATIO_MAX)


async def compared(http: httpx.AsyncClient, number: int) -> float:
    """The p99 of a GET while others sign in, as a multiple of its idle value; a line says both."""
    ana = {"email": f"ana{number}@example.org", "password": PASSWORD}
    opened = await http.post("/auth/signup", json=ana | {"name": "Ana"})
    sent = {"Authorization": f"Bearer {opened.json()['access_token']}"}
    idle_ms = await p99_ms(http, sent)
    told: Counter[int] = Counter()
    signing_in = asyncio.create_task(sign_in_again_and_again(http, ana, told))
    busy_ms = await p99_ms(http, sent)
    signing_in.cancel()
    ratio = busy_ms / idle_ms
    print(f"p99 {idle_ms:.1f} ms idle, {busy_ms:.1f} ms busy, {ratio:.1f} x; sign-ins {dict(told)}")
    await asyncio.sleep(5)
    return ratio


async def p99_ms(http: httpx.AsyncClient, sent: dict[str, str]) -> float:
    """The 99th percentile of GET /groups, asked at a steady pace, whoever else is served."""
    times = await asyncio.gather(
        *(
            one_get_ms(http, sent, number / GETS_A_SECOND)
            for number in range(GETS_A_SECOND * ROUND_S)
        )
    )
    return statistics.quantiles(times, n=100)[98]


async def one_get_ms(http: httpx.AsyncClient, sent: dict[str, str], after_s: float) -> float:
    await asyncio.sleep(after_s)
    begun = time.perf_counter()
    answer = await http.get("/groups", headers=sent)
    assert answer.status_code == 200, answer.text
    return 1000 * (time.perf_counter() - begun)


async def sign_in_again_and_again(
    http: httpx.AsyncClient, who: dict[str, str], told: Counter[int]
) -> None:
    async def once() -> None:
        told[(await http.post("/auth/login", json=who)).status_code] += 1

    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(once())
            await asyncio.sleep(1 / LOGINS_A_SECOND)


def main() -> int:
    asked("tests.bench.signing_in", __doc__).parse_args()
    return asyncio.run(measured())


if __name__ == "__main__":
    run(main)
