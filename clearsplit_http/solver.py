"""The solver: settlements are computed in a process of their own, one at a time.

A hard plan may take a second of pure computing; on the event loop it would stop every other
request. The process is started when it is first needed and again after it died. Requests wait in a
short queue and are sent away when that is full.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from uuid import UUID

import msgspec

from clearsplit_core.errors import Overloaded

WAITING_MAX: Final = 16
"""Settlements that may wait for the process."""
SOLVE_S_MAX: Final = 20
"""Seconds until a plan is given up and the process replaced."""
LINE_BYTES_MAX: Final = 4_000_000


class Solved(msgspec.Struct, frozen=True):
    """A plan as the process tells it: debtor, creditor and minor units of each transfer."""

    transfers: tuple[tuple[UUID, UUID, int], ...]
    optimal: bool | None
    lower_bound: int


class Solver:
    """Solves in a process. `close` when done."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def solve(self, balances: Mapping[UUID, int]) -> Solved:
        """The fewest transfers that clear `balances` (minor units by member). Raises Overloaded."""
        if self._waiting >= 1 + WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._turn:
                return await self._solve_now(balances)
        finally:
            self._waiting -= 1

    @property
    def waiting(self) -> int:
        """Settlements that are being solved or wait for it."""
        return self._waiting

    async def close(self) -> None:
        """No process is left."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _solve_now(self, balances: Mapping[UUID, int]) -> Solved:
        question = msgspec.json.encode({str(member): minor for member, minor in balances.items()})
        try:
            async with asyncio.timeout(SOLVE_S_MAX):
                line = await self._asked(question)
            return msgspec.json.decode(line, type=Solved)
        except (OSError, TimeoutError, msgspec.DecodeError) as died:
            await self.close()
            raise Overloaded from died
        except asyncio.CancelledError:
            await self.close()  # its answer would be taken for the next one's
            raise

    async def _asked(self, question: bytes) -> bytes:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question + b"\n")
        await process.stdin.drain()
        return await process.stdout.readline()

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            await self.close()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "clearsplit_http.solving"),
                stdin=PIPE,
                stdout=PIPE,
                limit=LINE_BYTES_MAX,
                start_new_session=True,  # Ctrl-C in the terminal is the server's alone
            )
        return self._process
