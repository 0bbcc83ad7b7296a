"""Listening: a connection that is heard all the time, and forgotten when it is closed."""

import asyncio
import select
from collections.abc import AsyncGenerator
from typing import Final, TypeAlias

import pytest
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row

from clearsplit_pg.listening import Listening

LARGE: Final = "x" * 10_000_000
"""More than a socket takes at once."""
PATIENCE_S: Final = 10
ASLEEP: Final = "select from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"

Operator: TypeAlias = AsyncConnection[DictRow]


@pytest.fixture
async def connection(database_url: str) -> AsyncGenerator[Listening]:
    opened = await Listening.connect(database_url, autocommit=True, row_factory=dict_row)
    async with opened:
        await one(opened)
        yield opened


@pytest.fixture
async def operator(database_url: str) -> AsyncGenerator[Operator]:
    opened = await AsyncConnection.connect(database_url, autocommit=True, row_factory=dict_row)
    async with opened:
        yield opened


async def one(connection: Listening) -> DictRow:
    (row,) = await (await connection.execute("select pg_backend_pid() as pid")).fetchall()
    return row


async def asleep(connection: Listening, operator: Operator) -> "asyncio.Task[object]":
    """A statement that takes forever and has begun."""
    asking = asyncio.create_task(connection.execute("select pg_sleep(3600)"))
    pid = [connection.info.backend_pid]
    while not await (await operator.execute(ASLEEP, pid)).fetchall():  # noqa: ASYNC110 (Postgres tells nobody)
        await asyncio.sleep(0.01)
    return asking


def forgotten(socket: int) -> bool:
    """Whether the loop did not watch that socket; it does not any more."""
    return not asyncio.get_running_loop().remove_reader(socket)


async def test_it_is_heard_between_two_statements_too(connection: Listening) -> None:
    assert not forgotten(connection.fileno())


async def test_what_nobody_asked_for_is_heard_once(
    connection: Listening, operator: Operator
) -> None:
    await connection.execute("listen news")
    await operator.execute("notify news")
    select.select([connection.fileno()], [], [], PATIENCE_S)
    for _ in range(3):
        await asyncio.sleep(0)

    assert forgotten(connection.fileno())
    assert await one(connection)
    assert not forgotten(connection.fileno())


async def test_a_cancelled_statement_ends_and_the_connection_goes_on(
    connection: Listening, operator: Operator
) -> None:
    asking = await asleep(connection, operator)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_S):
            await asking

    assert await one(connection) == {"pid": connection.info.backend_pid}


async def test_a_statement_that_no_socket_takes_at_once_is_sent_whole(
    connection: Listening,
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        cursor = await connection.execute("select length(%s) as characters", [LARGE])

    assert await cursor.fetchall() == [{"characters": len(LARGE)}]
    assert await one(connection)


async def test_a_loop_that_lost_sight_of_it_costs_a_moment(connection: Listening) -> None:
    asyncio.get_running_loop().remove_reader(connection.fileno())  # as uvloop does at a reset
    for _ in range(2):
        async with asyncio.timeout(PATIENCE_S):
            assert await one(connection)


async def test_a_connection_that_ends_during_a_statement_is_forgotten(
    connection: Listening, operator: Operator
) -> None:
    socket = connection.fileno()
    asking = await asleep(connection, operator)
    await operator.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
    with pytest.raises(OperationalError):
        await asking

    assert forgotten(socket)


async def test_a_connection_that_is_closed_is_forgotten(connection: Listening) -> None:
    socket = connection.fileno()
    await connection.close()

    assert forgotten(socket)
