"""HTTP/1.1 as far as a balancer needs it, and cheap: a drill leaves the servers the machine.

Connections are kept while the server allows it. One that the server has closed meanwhile is not
used; whatever fails once a request was begun is the request's failure, and is never repeated.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field
from typing import TypeAlias

Connection: TypeAlias = tuple[StreamReader, StreamWriter]


class Dropped(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    """One server, and the connections to it that nobody uses now."""

    port: int
    idle: list[Connection] = field(default_factory=list)

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """The status of the answer. Raises Dropped."""
        return (await self.answer(method, path, headers, body)).status

    async def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> "Answer":
        """The whole answer. Raises Dropped."""
        try:
            reader, writer = await self._connected()
            lines = [f"{method} {path} HTTP/1.1", "Host: drill", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            content = await reader.readexactly(_length(head.lower()))
        except (OSError, EOFError) as error:
            raise Dropped(type(error).__name__) from error
        if "\r\nconnection: close" in head.lower():
            writer.close()
        else:
            self.idle.append((reader, writer))
        fields = (line.partition(": ") for line in head.split("\r\n")[1:])
        told = {name.lower(): value for name, _, value in fields if name}
        return Answer(int(head.split()[1]), told, content)

    def close(self) -> None:
        while self.idle:
            self.idle.pop()[1].close()

    async def _connected(self) -> Connection:
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)


def _length(head: str) -> int:
    _, _, rest = head.partition("\r\ncontent-length:")
    return int(rest.partition("\r\n")[0] or 0)
