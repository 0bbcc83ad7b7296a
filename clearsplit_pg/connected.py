"""Connected: what both halves of the store share: the pool, the clock, how to ask and to insist.

Reads are one statement each, in autocommit, with every check inside: they return one moment.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, LiteralString, TypeAlias, TypeVar

from psycopg.rows import DictRow

from clearsplit_core.errors import SessionEnded, ThingNotFound
from clearsplit_core.ports import Caller, Clock
from clearsplit_pg import queueing, rows
from clearsplit_pg.refusals import WORTH_ANOTHER_TRY, is_email_taken, refusals
from clearsplit_pg.rows import Params, Row

ATTEMPTS_MAX: Final = 5
"""Times that a command is tried when others are quicker, before the caller is asked to wait."""

T = TypeVar("T")
Connection: TypeAlias = queueing.Connection
Pool: TypeAlias = queueing.Queueing


class Connected:
    """A pool of connections and a clock that answers the time in UTC."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def _read(self, statement: LiteralString, caller: Caller, params: Params) -> Row:
        (row,) = await self._read_all(statement, rows.who(caller, self._clock()) | params)
        return row

    async def _read_all(self, statement: LiteralString, params: Params) -> list[DictRow]:
        with refusals():
            connection = await self._pool.getconn()  # nothing is begun here that would have to end
            try:
                return await (await connection.execute(statement, params)).fetchall()
            finally:
                await self._pool.putconn(connection)


async def persistently(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` comes to, tried again when somebody else was quicker. Raises Overloaded."""
    with refusals():
        for number in range(1, ATTEMPTS_MAX):
            try:
                return await attempt()
            except WORTH_ANOTHER_TRY as error:
                if is_email_taken(error):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**number))  # noqa: S311 - jitter
        return await attempt()


async def row_of(connection: Connection, statement: LiteralString, params: Params) -> Row:
    row = await (await connection.execute(statement, params)).fetchone()
    assert row is not None, "this statement always answers with one row"
    return row


def live(row: Row) -> Row:
    if not row["live"]:
        raise SessionEnded
    return row


def seated(row: Row) -> Row:
    if not live(row)["seated"]:
        raise ThingNotFound
    return row
