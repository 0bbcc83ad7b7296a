"""Queueing: a pool whose connections stay warm, and whose queue costs little.

psycopg's pool hands its connections round in turn. Postgres, though, runs a statement sooner on a
connection that has just run one (its plans and its catalogue are still in the processor's cache),
so here the one that was used last is used next, and those that nobody needs grow old and are
closed. Whoever has to wait there waits with a condition, a task and a timer, a fifth of the CPU of
a bare request; here requests stand in a line in front of the pool, and whoever is done with a
connection hands it to the first of them.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Final, TypeAlias

from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

Connection: TypeAlias = AsyncConnection[DictRow]
_Turn: TypeAlias = asyncio.Future[Connection | None]
"""What somebody in the line waits for: a place, and mostly a connection with it."""

HANDED_ON_MAX: Final = 20
"""Connections that are handed on one after another; the next goes back to the pool, which closes
those that have become too old."""


class Queueing(AsyncConnectionPool[Connection]):
    """At most `max_size` requests are let in, in the order in which they came."""

    _places: int
    """How many more may come in."""
    _line: deque[_Turn]
    _handed_on = 0

    async def open(self, wait: bool = False, timeout: float = 30) -> None:  # noqa: ASYNC109, FBT001, FBT002 - as there
        self._pool = _LastUsedFirst()
        self._places = self.max_size
        self._line = deque()
        await super().open(wait, timeout)

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109 - as there
        """Raises PoolTimeout, TooManyRequests."""
        patience_s = self.timeout if timeout is None else timeout
        if self._places:
            self._places -= 1
            return await self._from_pool(patience_s)
        began = time.monotonic()
        handed = await self._stand_in_line(patience_s)
        if handed is not None and await self._is_fit(handed):
            return handed
        return await self._from_pool(patience_s - (time.monotonic() - began))

    async def putconn(self, conn: Connection) -> None:
        if self._can_go_on(conn) and (turn := self._next_turn()):
            self._handed_on += 1
            turn.set_result(conn)
            return
        self._handed_on = 0
        try:
            await super().putconn(conn)
        finally:
            self._leave()

    def get_stats(self) -> dict[str, int]:
        stats = super().get_stats()
        stats["requests_waiting"] += len(self._line)
        return stats

    async def _shrink_pool(self) -> None:
        """Where there were too many, the one that was unused for longest is closed."""
        assert isinstance(self._pool, _LastUsedFirst), "made when the pool was opened"
        self._pool.shrinking = True
        try:
            await super()._shrink_pool()
        finally:
            self._pool.shrinking = False

    # ── Places, and the line of those who wait for one ───────────────────────────────────────────

    async def _from_pool(self, patience_s: float) -> Connection:
        """For somebody who has a place, and keeps it if there is a connection."""
        try:
            return await super().getconn(patience_s)
        except BaseException:
            self._leave()
            raise

    async def _is_fit(self, handed: Connection) -> bool:
        """Whether it is as good as one from the pool; if not, the pool has it back."""
        try:
            await self._check_connection(handed)
        except Exception:  # noqa: BLE001 - whatever a check raises, as there
            await super().putconn(handed)
            return False
        except BaseException:
            await self.putconn(handed)
            raise
        return True

    def _can_go_on(self, conn: Connection) -> bool:
        return (
            self._handed_on < HANDED_ON_MAX
            and not self.closed
            and conn.pgconn.transaction_status == TransactionStatus.IDLE
        )

    async def _stand_in_line(self, patience_s: float) -> Connection | None:
        """A place, and with it a connection if somebody handed one on."""
        if len(self._line) >= self.max_waiting:
            raise TooManyRequests(
                f"{len(self._line)} requests are waiting for a connection already"
            )
        loop = asyncio.get_running_loop()
        turn: _Turn = loop.create_future()
        self._line.append(turn)
        timer = loop.call_later(patience_s, self._give_up, turn, patience_s)
        try:
            return await turn
        except asyncio.CancelledError:
            await self._let_pass(turn)
            raise
        finally:
            timer.cancel()

    def _give_up(self, turn: _Turn, patience_s: float) -> None:
        if not turn.done():
            self._line.remove(turn)
            turn.set_exception(PoolTimeout(f"no connection was free within {patience_s} s"))

    async def _let_pass(self, turn: _Turn) -> None:
        """Whoever stood there is gone, and what was meant for them is the next one's."""
        if turn.cancelled():
            with suppress(ValueError):
                self._line.remove(turn)
        elif turn.exception() is None:
            handed = turn.result()
            if handed is None:
                self._leave()
            else:
                await self.putconn(handed)

    def _next_turn(self) -> _Turn | None:
        """Of whoever waits longest."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                return turn
        return None

    def _leave(self) -> None:
        """A place is free."""
        turn = self._next_turn()
        if turn is None:
            self._places += 1
        else:
            turn.set_result(None)


class _LastUsedFirst(deque[Connection]):
    """psycopg takes from the left what it has put to the right, and closes from the left."""

    shrinking = False

    def append(self, connection: Connection, /) -> None:
        self.appendleft(connection)

    def popleft(self) -> Connection:
        return self.pop() if self.shrinking else super().popleft()
