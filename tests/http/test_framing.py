"""Framing: how an answer leaves. What it takes in is in hostile/."""

import asyncio
import socket
import struct
import sys
from typing import Final

import pytest

from tests.http.api import Api, served

DATA_SEGS_IN: Final = 152
"""Where `struct tcp_info` of <linux/tcp.h> counts the packets with data that came in."""
HEALTH: Final = b" /health HTTP/1.1\r\nHost: x\r\n\r\n"


def packets(line: socket.socket) -> int:
    """Those with data that came in so far."""
    told = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGS_IN + 4)
    (number,) = struct.unpack_from("I", told, DATA_SEGS_IN)
    assert isinstance(number, int)
    return number


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts packets for us")
async def test_an_answer_leaves_in_one_packet(memory_api: Api) -> None:
    async with served(memory_api) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        line = writer.get_extra_info("socket")
        for number in range(1, 4):
            writer.write(b"GET" + HEALTH)
            await reader.readuntil(b"}")
            assert packets(line) == number
        writer.close()


@pytest.mark.parametrize("method", [b"HEAD", b"OPTIONS"])
async def test_an_answer_without_a_body_leaves_too(memory_api: Api, method: bytes) -> None:
    async with served(memory_api) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(method + HEALTH)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 20")
        writer.close()


async def test_the_last_answer_of_a_connection_leaves_before_it_closes(memory_api: Api) -> None:
    closing = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with served(memory_api) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HEAD" + closing)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_requests_that_come_together_are_answered_in_their_order(memory_api: Api) -> None:
    async with served(memory_api) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET" + HEALTH + b"GET" + HEALTH.replace(b"/health", b"/nowhere"))
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 404")
        writer.close()
