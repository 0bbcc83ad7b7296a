"""Turns: of one process's commands for one group, one at a time goes to the database.

The group's row is a lock that the others would wait for, each with a connection in its hand; a busy
group would hold all of them, and every other group would wait for none of its own doing. Across
processes the row alone decides.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeAlias
from weakref import WeakValueDictionary

from clearsplit_core.errors import Overloaded
from clearsplit_core.journal import GroupId
from clearsplit_core.records import AccountId

Key: TypeAlias = tuple[GroupId, AccountId, str]
"""An idempotency key, and whose it is in which group."""


class Turns:
    """Who is at it. Nobody waits longer than `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._groups: WeakValueDictionary[GroupId, asyncio.Lock] = WeakValueDictionary()
        self._keys: set[Key] = set()

    @asynccontextmanager
    async def of(self, group_id: GroupId, key: Key | None) -> AsyncGenerator[None]:
        """The group's turn. Whoever repeats a request that is still being done waits for nothing:
        the database is to say so at once. Raises Overloaded.
        """
        if key in self._keys:
            yield
            return
        turn = self._groups.setdefault(group_id, asyncio.Lock())
        if key is not None:
            self._keys.add(key)
        try:
            await self._take(turn)
            try:
                yield
            finally:
                turn.release()
        finally:
            if key is not None:
                self._keys.remove(key)

    async def _take(self, turn: asyncio.Lock) -> None:
        if not turn.locked():
            await turn.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_s):
                await turn.acquire()
        except TimeoutError as error:
            raise Overloaded from error
