"""A wire to Postgres that can be cut after any statement, before its answer arrives.

A proxy on a socket of its own. It follows what the server says just far enough to know when a
statement is done (ReadyForQuery, https://www.postgresql.org/docs/current/protocol-flow.html); the
one after which the wire is to be cut is done by the server, and nobody hears of it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict

_READY: Final = b"Z"
_HEAD_BYTES: Final = 5
_CHUNK_BYTES: Final = 65_536


@dataclass
class Wire:
    """`url` leads through the wire. It is whole until `cut_after` names a statement."""

    url: str
    _left: int | None = None
    was_cut: bool = field(default=False)
    round_trips: int = field(default=0)
    """Statements that were done so far, BEGIN and COMMIT among them."""

    def cut_after(self, statement: int) -> None:
        """Cut the wire once, after that many statements from now on."""
        self._left, self.was_cut = statement, False

    def mend(self) -> None:
        """No statement is waited for any more."""
        self._left = None

    def done(self) -> bool:
        """A statement is done; whether the wire is cut before anybody hears of it."""
        self.round_trips += 1
        if self._left is None:
            return False
        self._left -= 1
        if self._left:
            return False
        self._left, self.was_cut = None, True
        return True


@asynccontextmanager
async def wire_to(url: str) -> AsyncGenerator[Wire]:
    """A wire to the database at `url`."""
    told = conninfo_to_dict(url)
    folder = Path(tempfile.mkdtemp(prefix="wire-"))  # short: a socket's path has 108 bytes
    wire = Wire(f"postgresql://{told.get('user', '')}@/{told['dbname']}?host={folder}")

    async def carry(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await _connected(told)
        with closing(to_server), closing(to_client):
            await _first(_ask(client, to_server), _answer(server, to_client, wire))

    listener = await asyncio.start_unix_server(carry, folder / ".s.PGSQL.5432")
    try:
        yield wire
    finally:
        listener.close()
        shutil.rmtree(folder)
        await asyncio.sleep(0.05)  # for the ends of wires that were just let go


async def _first(*ways: Coroutine[None, None, None]) -> None:
    """Until the first of them ends; the others end with it."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _connected(
    told: "dict[str, str | int | None]",
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = str(told.get("host") or "/tmp"), told.get("port") or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, int(port))


async def _ask(client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
    while chunk := await client.read(_CHUNK_BYTES):
        to_server.write(chunk)
        await to_server.drain()


async def _answer(
    server: asyncio.StreamReader, to_client: asyncio.StreamWriter, wire: Wire
) -> None:
    """What the server says, message by message; the first ReadyForQuery ends the greeting."""
    greeted = False
    held = b""
    try:
        while True:
            head = await server.readexactly(_HEAD_BYTES)
            held += head + await server.readexactly(int.from_bytes(head[1:]) - 4)
            if head[:1] == _READY and greeted and wire.done():
                return
            greeted = greeted or head[:1] == _READY
            if head[:1] == _READY or not greeted:
                to_client.write(held)
                await to_client.drain()
                held = b""
    except asyncio.IncompleteReadError:
        return
