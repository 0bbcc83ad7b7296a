"""The solver: settlements are computed in a process of their own, one at a time.

A hard plan may take a second of pure computing; on the event loop it would stop every other
request. The process is started when it is first needed and again after it died. Requests wait for
their turn in a short queue and are sent away when that is full.

What is to be solved is read when the turn has come, not before the queue: what was read there is
old by the time it is solved, and where everybody solves old balances nobody gets done.

The same problem always has the same solution, so the latest are remembered: a whole table that
looks at its bill has it solved once.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from clearsplit_core.errors import JournalBroken, Overloaded
from clearsplit_core.plain import from_plain, to_plain
from clearsplit_core.settlements import Problem, Solution

WAITING_MAX: Final = 16
"""Settlements that may wait for the process."""
SOLVE_S_MAX: Final = 20
"""Seconds until a plan is given up and the process replaced."""
LINE_BYTES_MAX: Final = 4_000_000
KNOWN_MAX: Final = 100
"""Solutions that are remembered; the longest unused is forgotten first."""
KNOWN_MEMBERS_MAX: Final = 100
"""Members of a problem whose solution is remembered: some ten kilobytes with it."""


class Solver:
    """Solves in a process. `close` when done."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._known: OrderedDict[Problem, Solution] = OrderedDict()

    def known(self, problem: Problem) -> Solution | None:
        """What was said of the problem before, if that is remembered."""
        if problem in self._known:
            self._known.move_to_end(problem)
        return self._known.get(problem)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Nobody else solves until the end of the block. Raises Overloaded."""
        if self._waiting >= 1 + WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def solve(self, problem: Problem) -> Solution:
        """What `settlements.solve` says of the problem, for whoever has the turn.

        Raises Overloaded.
        """
        question = json.dumps(to_plain(problem)).encode()
        try:
            async with asyncio.timeout(SOLVE_S_MAX):
                line = await self._asked(question)
            solution = from_plain(Solution, json.loads(line), {})
        except (OSError, TimeoutError, ValueError, JournalBroken) as died:
            await self.close()
            raise Overloaded from died
        except asyncio.CancelledError:
            await self.close()  # its answer would be taken for the next one's
            raise
        self._remember(problem, solution)
        return solution

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

    def _remember(self, problem: Problem, solution: Solution) -> None:
        if len(problem.balances) <= KNOWN_MEMBERS_MAX:
            self._known[problem] = solution
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

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
