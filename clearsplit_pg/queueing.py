"""Queueing: a pool whose connections stay warm, and whose queue costs little.

psycopg's pool hands its connections round in turn. Postgres, though, runs a statement sooner on a
connection that has just run one (its plans and its catalogue are still in the processor's cache),
so here the one that was used last is used next, and those that nobody needs grow old and are
closed. Whoever has to wait there waits with a condition, a task and a timer, which takes longer
than a whole read; here requests queue in front of the pool, and it is asked when it has one.
"""

import asyncio
import time
from collections import deque
from typing import TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

Connection: TypeAlias = AsyncConnection[DictRow]


class Queueing(AsyncConnectionPool[Connection]):
    """At most `max_size` requests are let in, in the order in which they came."""

    _places: asyncio.Semaphore
    _queue = 0
    """Requests that wait for a place."""

    async def open(self, wait: bool = False, timeout: float = 30) -> None:  # noqa: ASYNC109, FBT001, FBT002 - as there
        self._pool = _LastUsedFirst()
        self._places = asyncio.Semaphore(self.max_size)
        await super().open(wait, timeout)

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109 - as there
        """Raises PoolTimeout, TooManyRequests."""
        patience_s = self.timeout if timeout is None else timeout
        if self._places.locked():
            patience_s = await self._wait(patience_s)
        else:
            await self._places.acquire()
        try:
            return await super().getconn(patience_s)
        except BaseException:
            self._places.release()
            raise

    async def putconn(self, conn: Connection) -> None:
        try:
            await super().putconn(conn)
        finally:
            self._places.release()

    def get_stats(self) -> dict[str, int]:
        stats = super().get_stats()
        stats["requests_waiting"] += self._queue
        return stats

    async def _shrink_pool(self) -> None:
        """Where there were too many, the one that was unused for longest is closed."""
        assert isinstance(self._pool, _LastUsedFirst), "made when the pool was opened"
        self._pool.shrinking = True
        try:
            await super()._shrink_pool()
        finally:
            self._pool.shrinking = False

    async def _wait(self, patience_s: float) -> float:
        """A place is taken; how many of those seconds are left."""
        if self._queue >= self.max_waiting:
            raise TooManyRequests(f"{self._queue} requests are waiting for a connection already")
        began = time.monotonic()
        self._queue += 1
        try:
            async with asyncio.timeout(patience_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise PoolTimeout(f"no connection was free within {patience_s} s") from error
        finally:
            self._queue -= 1
        return patience_s - (time.monotonic() - began)


class _LastUsedFirst(deque[Connection]):
    """psycopg takes from the left what it has put to the right, and closes from the left."""

    shrinking = False

    def append(self, connection: Connection, /) -> None:
        self.appendleft(connection)

    def popleft(self) -> Connection:
        return self.pop() if self.shrinking else super().popleft()
