"""A line between two machines: what is sent arrives a little later, or never, once it is cut.

On one machine a standby has everything a moment after it was written, so that even a careless
primary seldom loses anything when it is killed. Real machines stand apart: whatever was under way
when the first one died is gone.
"""

import asyncio
import threading
from asyncio import AbstractEventLoop, StreamReader, StreamWriter, Task
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from tests.drill.servers import free_port

DELAY_S: Final = 0.01
"""One way, as between two cities."""
AT_ONCE: Final = 65_536

UnderWay: TypeAlias = "asyncio.Queue[tuple[float, bytes]]"


@dataclass
class Line:
    """`port` on this machine, at the other end of which is the socket `to`."""

    to: Path
    port: int = field(default_factory=free_port)
    whole: bool = True
    ends: set[StreamWriter] = field(default_factory=set[StreamWriter])
    carrying: set["Task[None]"] = field(default_factory=set["Task[None]"])

    def cut(self) -> None:
        """From this moment nothing arrives any more, and nobody gets through. Any thread may."""
        self.whole = False

    def mend(self) -> None:
        """Whoever connects from now on has a line again."""
        self.whole = True

    def connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self.carrying.add(task)
        task.add_done_callback(self.carrying.discard)

    async def end(self) -> None:
        """Nobody is connected any more."""
        for end in self.ends:
            end.transport.abort()
        await asyncio.gather(*self.carrying)

    async def _carry(self, near_reader: StreamReader, near: StreamWriter) -> None:
        try:
            if not self.whole:
                raise ConnectionAbortedError
            far_reader, far = await asyncio.open_unix_connection(str(self.to))
        except OSError:
            near.transport.abort()
            return
        self.ends |= {near, far}
        await asyncio.gather(self._one_way(near_reader, far), self._one_way(far_reader, near))
        self.ends -= {near, far}

    async def _one_way(self, reader: StreamReader, writer: StreamWriter) -> None:
        under_way: UnderWay = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(under_way, writer))
        loop = asyncio.get_running_loop()
        content = b"begun"
        while content:
            try:
                content = await reader.read(AT_ONCE)
            except OSError:
                content = b""
            under_way.put_nowait((loop.time() + DELAY_S, content))
        await arriving

    async def _arrive(self, under_way: UnderWay, writer: StreamWriter) -> None:
        """Every byte in its turn; then, or when the line was cut, the writer is closed."""
        loop, content = asyncio.get_running_loop(), b"begun"
        while content and self.whole and not writer.is_closing():
            at, content = await under_way.get()
            await asyncio.sleep(max(0.0, at - loop.time()))
            if self.whole:
                writer.write(content)
        writer.transport.abort()


@contextmanager
def line(to: Path) -> Generator[Line]:
    """A line to that socket, on a thread of its own, until the end of the block."""
    laid = Line(to)
    ready, ended = threading.Event(), asyncio.Event()
    loops = list[AbstractEventLoop]()

    async def listen() -> None:
        server = await asyncio.start_server(laid.connected, "127.0.0.1", laid.port)
        loops.append(asyncio.get_running_loop())
        ready.set()
        await ended.wait()
        server.close()
        await laid.end()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    ready.wait()
    try:
        yield laid
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()
