"""Clients that take their time: the connection ends, and whoever can still read is told why."""

import asyncio
from typing import Final

import pytest

from clearsplit_http import framing
from tests.http.api import Api, served

HEAD: Final = b"GET /health HTTP/1.1\r\nHost: x\r\n"
LOGIN: Final = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"


async def all_said(port: int, *pieces: bytes) -> bytes:
    """What the server says until it closes, to pieces that come one after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.05)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([HEAD], b"request-timeout"),
        ([HEAD, *[b"A: b\r\n"] * 8], b"request-timeout"),
        ([HEAD + b"A: ", *[b"b"] * 8], b"request-timeout"),
        ([LOGIN + b"Content-Length: 200\r\n\r\n"], b"request-timeout"),
        ([LOGIN + b"Content-Length: 200\r\n\r\n", *[b"{"] * 8], b"request-timeout"),
        ([LOGIN + CHUNKED, *[b"1\r\n{\r\n"] * 8], b"request-timeout"),
        ([HEAD + b"\r\n", HEAD], b"request-timeout"),
        ([], b""),
        ([b"\r\n"], b""),
        ([HEAD + b"A: ", b"b" * 40_000], b"headers-too-large"),
        (
            [LOGIN + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"b" * 40_000],
            b"headers-too-large",
        ),
        ([HEAD + b"A: b\r\n" * 101], b"headers-too-large"),
        ([b"GET /" + b"a" * 9_000], b"uri-too-long"),
    ],
    ids=range(13),
)
async def test_a_client_that_never_ends_is_ended(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], code: bytes
) -> None:
    monkeypatch.setattr(framing, "FIRST_S_MAX", 0.3)
    monkeypatch.setattr(framing, "HEAD_S_MAX", 0.3)
    monkeypatch.setattr(framing, "BODY_S_MAX", 0.3)
    async with served(memory_api) as port:
        said = await asyncio.wait_for(all_said(port, *pieces), timeout=20)
    assert code in said
    assert bool(said) is bool(code)
    assert b"500" not in said.partition(b"\r\n")[0]


async def test_a_client_that_takes_its_time_and_comes_to_an_end_is_answered(
    memory_api: Api,
) -> None:
    async with served(memory_api) as port:
        said = await all_said(port, HEAD, b"A: b\r\n", b"Connection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 OK")


async def test_a_client_that_reads_nothing_is_let_go(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "READER_S_MAX", 0.3)
    wish = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    async with served(memory_api) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(wish * 20)
        for _ in range(200):
            await asyncio.sleep(0.05)
            writer.write(b"x")  # asyncio notices a reset when it writes
            if writer.is_closing():
                break
        assert writer.is_closing()


async def test_whoever_hangs_up_in_the_middle_is_no_fault_of_ours(
    memory_api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(memory_api) as port:
        for request in (HEAD, LOGIN + b"Content-Length: 200\r\n\r\n{", HEAD + b"\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()
        await asyncio.sleep(0.1)
    assert "failed" not in caplog.text
