"""Listening: a connection that hears its server all the time.

psycopg tells the event loop of a socket anew for every answer and takes it back when the answer is
there: eight system calls. Here the loop is told once. What comes while somebody waits for an answer
is that answer; what comes at any other time is left for whoever uses the connection next. An answer
that takes longer than a moment is waited for as psycopg does it.
"""

import asyncio
import select
from collections.abc import Generator
from typing import Final, NoReturn

from psycopg import AsyncConnection
from psycopg.abc import RV, PQGen
from psycopg.rows import DictRow
from psycopg.waiting import Ready, Wait

_INTERVAL_S: Final = 0.1
"""How often psycopg looks up while it waits (its own number)."""


class Listening(AsyncConnection[DictRow]):
    """A connection whose socket the event loop watches for as long as it is open."""

    _loop: asyncio.AbstractEventLoop | None = None
    """The loop that watches the socket, if one does."""
    _socket = -1
    _answer: asyncio.Future[bool] | None = None
    """Whether there is something to read; None while nobody waits for it."""

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = _INTERVAL_S,
        timeout: float | None = None,  # noqa: ASYNC109 (psycopg's own signature)
    ) -> RV:
        """What `gen` comes to, which says at each step whether it wants to read or to write.

        Most read, soon. For everything else, and to end what was cancelled, psycopg knows how.
        """
        interruption: asyncio.CancelledError | None = None
        wanted = Wait.R
        try:
            wanted = next(gen)
            while wanted == Wait.R and timeout is None and await self._heard_soon():
                wanted = gen.send(Ready.R)
        except StopIteration as end:
            result: RV = end.value
            return result
        except asyncio.CancelledError as error:
            interruption = error
        finally:
            if self.closed:
                self._stop_listening()
        self._stop_listening()
        return await super().wait(_Rest(gen, wanted, interruption), interval, timeout)

    @property
    def has_spoken(self) -> bool:
        """There is something to read on it; where nobody asked, that is mostly the server's
        farewell. Looking costs no round trip.
        """
        watch = select.poll()
        watch.register(self.fileno(), select.POLLIN)
        return bool(watch.poll(0))

    async def close(self) -> None:
        self._stop_listening()
        await super().close()

    async def _heard_soon(self) -> bool:
        """Whether there is something to read within a moment. Of a socket that was reset uvloop
        tells once and never again, unless it is asked anew, as psycopg does.
        """
        if self._loop is None:
            self._listen()
        assert self._loop is not None
        self._answer = self._loop.create_future()
        moment = self._loop.call_later(_INTERVAL_S, self._unheard)
        try:
            return await self._answer
        finally:
            moment.cancel()
            self._answer = None

    def _listen(self) -> None:
        self._loop, self._socket = asyncio.get_running_loop(), self.pgconn.socket
        self._loop.add_reader(self._socket, self._heard)

    def _stop_listening(self) -> None:
        """At once when libpq closes the socket: its number may soon be another's."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop = None

    def _heard(self) -> None:
        if self._answer is None:
            if self.has_spoken:  # and would be heard again and again
                self._stop_listening()
        elif not self._answer.done():
            self._answer.set_result(True)

    def _unheard(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(False)


class _Rest(Generator[Wait, Ready | int, RV]):
    """What is left of a generator that waits for what it `wanted`; `first` is raised before that,
    as if it had come while psycopg itself was waiting.
    """

    def __init__(self, gen: PQGen[RV], wanted: Wait, first: asyncio.CancelledError | None) -> None:
        self._gen = gen
        self._wanted: Wait | None = wanted
        self._first = first

    def send(self, ready: Ready | int | None, /) -> Wait:
        if self._first is not None:
            first, self._first = self._first, None
            raise first
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            return wanted
        assert ready is not None, "the first step is past"
        return self._gen.send(ready)

    def throw(self, *_: object) -> NoReturn:
        raise AssertionError("psycopg throws nothing into what it waits for")
