"""The pool's queue: in order, bounded, and no place in it is ever lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from psycopg_pool import PoolTimeout, TooManyRequests

from clearsplit_pg.queueing import Connection, Queueing


@asynccontextmanager
async def opened(url: str, *, connections: int, waiting: int = 10) -> AsyncGenerator[Queueing]:
    pool = Queueing(
        url,
        kwargs={"autocommit": True},
        min_size=1,
        max_size=connections,
        max_waiting=waiting,
        timeout=30,
        open=False,
    )
    async with pool:
        yield pool


async def waiting(pool: Queueing, requests: int) -> None:
    async with asyncio.timeout(30):
        while True:
            if pool.get_stats()["requests_waiting"] == requests:
                return
            await asyncio.sleep(0.01)


async def backend(pool: Queueing) -> int:
    async with pool.connection() as connection:
        return connection.info.backend_pid


async def test_the_connection_that_was_used_last_is_used_next(database_url: str) -> None:
    async with opened(database_url, connections=3) as pool:
        several = [await pool.getconn() for _ in range(3)]
        for connection in several:
            await pool.putconn(connection)
        pids = {await backend(pool) for _ in range(5)}
        assert pids == {several[-1].info.backend_pid}


async def test_those_that_nobody_used_for_longest_are_closed_first(database_url: str) -> None:
    async with opened(database_url, connections=3) as pool:
        several = [await pool.getconn() for _ in range(3)]
        await pool._shrink_pool()  # all were needed until now, and from here on is counted anew
        for connection in several:
            await pool.putconn(connection)
        await pool._shrink_pool()
        open_still = list[list[bool]]()
        for _ in range(2):
            await backend(pool)
            await pool._shrink_pool()
            open_still.append([not connection.closed for connection in several])
        assert open_still == [[False, True, True], [False, False, True]]


async def test_requests_are_let_in_in_the_order_in_which_they_came(database_url: str) -> None:
    order = list[int]()

    async def ask(number: int) -> None:
        async with pool.connection():
            order.append(number)

    async with opened(database_url, connections=1) as pool:
        held = await pool.getconn()
        asked = list[asyncio.Task[None]]()
        for number in range(5):
            asked.append(asyncio.create_task(ask(number)))
            await waiting(pool, number + 1)
        await pool.putconn(held)
        await asyncio.gather(*asked)
    assert order == [0, 1, 2, 3, 4]


async def test_whoever_comes_to_a_full_queue_is_sent_away(database_url: str) -> None:
    async with opened(database_url, connections=1, waiting=1) as pool:
        held = await pool.getconn()
        first = asyncio.create_task(backend(pool))
        await waiting(pool, 1)
        with pytest.raises(TooManyRequests):
            await pool.getconn()
        await pool.putconn(held)
        assert await first == held.info.backend_pid


async def test_whoever_waited_in_vain_takes_no_place(database_url: str) -> None:
    async with opened(database_url, connections=1) as pool:
        held = await pool.getconn()
        with pytest.raises(PoolTimeout):
            await pool.getconn(timeout=0.01)
        given_up = asyncio.create_task(backend(pool))
        await waiting(pool, 1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        await waiting(pool, 0)
        await pool.putconn(held)
        assert [await backend(pool) for _ in range(3)] == [held.info.backend_pid] * 3


async def test_a_connection_that_cannot_be_had_takes_no_place(database_url: str) -> None:
    async def refuse(_: Connection) -> None:
        raise OSError("no")

    async with opened(database_url, connections=1) as pool:
        await backend(pool)
        pool._check = refuse
        with pytest.raises(PoolTimeout):
            await pool.getconn(timeout=0.1)
        pool._check = None
        assert await backend(pool)
