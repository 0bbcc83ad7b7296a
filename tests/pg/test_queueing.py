"""The pool's queue: in order, bounded, and no place in it is ever lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum, auto

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout, TooManyRequests

from clearsplit_pg.queueing import HANDED_ON_MAX, Connection, Queueing


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


async def test_whoever_is_done_hands_the_connection_on(database_url: str) -> None:
    """Not by way of the pool, whose looks at a connection it would have to pass."""
    looks = list[Connection]()

    async def look(connection: Connection) -> None:
        looks.append(connection)

    async with opened(database_url, connections=1, waiting=100) as pool:
        held = await pool.getconn()
        asked = [asyncio.create_task(pool.getconn()) for _ in range(2 * (HANDED_ON_MAX + 1))]
        await waiting(pool, len(asked))
        pool._check = look
        through_the_pool = pool.get_stats()["requests_num"]
        for each in asked:
            await pool.putconn(held)
            assert await each is held
        await pool.putconn(held)
        assert pool.get_stats()["requests_num"] - through_the_pool == 2
        assert looks == [held] * len(asked)


async def test_a_connection_that_is_in_no_order_is_not_handed_on(database_url: str) -> None:
    async with opened(database_url, connections=1) as pool:
        held = await pool.getconn()
        next_one = asyncio.create_task(pool.getconn())
        await waiting(pool, 1)
        await held.execute("begin")
        await pool.putconn(held)
        given = await next_one
        assert given.info.transaction_status == TransactionStatus.IDLE
        another = asyncio.create_task(pool.getconn())
        await waiting(pool, 1)
        await given.close()
        await pool.putconn(given)
        fresh = await another
        assert not fresh.closed
        await pool.putconn(fresh)


async def test_a_connection_that_ended_on_the_way_is_replaced(database_url: str) -> None:
    async def look(connection: Connection) -> None:
        await connection.execute("")

    async with opened(database_url, connections=1) as pool:
        pool._check = look
        held = await pool.getconn()
        next_one = asyncio.create_task(pool.getconn())
        await waiting(pool, 1)
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", [held.info.backend_pid])
        await pool.putconn(held)
        given = await next_one
        assert given is not held
        assert not given.closed
        await pool.putconn(given)
        assert await backend(pool) == given.info.backend_pid


@pytest.mark.parametrize("in_time", [True, False])
async def test_what_was_meant_for_somebody_who_left_is_the_next_ones(
    database_url: str, *, in_time: bool
) -> None:
    async with opened(database_url, connections=1) as pool:
        held = await pool.getconn()
        gone = asyncio.create_task(pool.getconn())
        await waiting(pool, 1)
        stays = asyncio.create_task(pool.getconn())
        await waiting(pool, 2)
        if in_time:
            gone.cancel()
        await pool.putconn(held)
        gone.cancel()  # if not before, then handed the connection, and not able to take it
        await asyncio.gather(gone, return_exceptions=True)
        assert gone.cancelled()
        assert await stays is held
        await pool.putconn(held)
        assert await backend(pool) == held.info.backend_pid


@given(st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_place_and_no_connection_is_ever_lost(database_url: str, data: st.DataObject) -> None:
    """Whatever becomes of those who ask, and of what they were given."""
    fates = data.draw(st.lists(st.sampled_from(Fate), min_size=1, max_size=25))
    pauses = data.draw(st.lists(st.integers(0, 3), min_size=len(fates), max_size=len(fates)))
    cancelled = data.draw(st.lists(st.integers(0, len(fates) - 1), max_size=8))
    asyncio.run(_all_served_after(database_url, fates, pauses, cancelled))


class Fate(Enum):
    SERVED = auto()
    IMPATIENT = auto()
    BROKEN = auto()
    FAILED = auto()


async def _all_served_after(
    url: str, fates: list[Fate], pauses: list[int], cancelled: list[int]
) -> None:
    async def ask(fate: Fate, pause: int) -> None:
        connection = await pool.getconn(0.0001 if fate is Fate.IMPATIENT else 30)
        try:
            for _ in range(pause):
                await asyncio.sleep(0)
            if fate is Fate.BROKEN:
                await connection.close()
            elif fate is Fate.FAILED:
                await connection.execute("begin")
            else:
                await connection.execute("")
        finally:
            await pool.putconn(connection)

    async with opened(url, connections=2, waiting=30) as pool:
        asked = [asyncio.create_task(ask(*each)) for each in zip(fates, pauses, strict=True)]
        await asyncio.sleep(0)
        for number in cancelled:
            await asyncio.sleep(0)
            asked[number].cancel()
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for outcome in outcomes:
            assert outcome is None or isinstance(outcome, asyncio.CancelledError | PoolTimeout)
        assert not pool._line
        both = [await pool.getconn(), await pool.getconn()]
        assert len(set(both)) == 2
        with pytest.raises(PoolTimeout):
            await pool.getconn(timeout=0.001)
        for connection in both:
            await pool.putconn(connection)
