"""Framing: how bytes on a connection become requests, and which never do.

uvicorn reads HTTP/1.1 with httptools, whose parser refuses what two readers could read differently
(two lengths, a length and chunks, bare line feeds). Here stands what it leaves open: how long an
address and a head may be, how long a client may take over either and over a body, that trailers are
no headers (RFC 9110 §6.5.1), and that whoever is refused so early gets a problem as well.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import uuid_utils
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from clearsplit_core.errors import Refusal
from clearsplit_http import logs, metrics
from clearsplit_http.addresses import in_one_form
from clearsplit_http.answers import NO_PAGE, NO_STORE, SAFE
from clearsplit_http.problems import MEDIA_TYPE, problem
from clearsplit_http.refusals import AddressTooLong, BadRequest, HeadTooLarge, TooSlow

ADDRESS_BYTES_MAX: Final = 8_192
HEAD_BYTES_MAX: Final = 32_768
"""Bytes of a request before its body; one more packet may be read before that is noticed."""
HEADERS_MAX: Final = 100
CHUNKING_MAX: Final = 8
"""Bytes on the wire for one byte of a body: the smallest chunks take six."""
HEAD_S_MAX: Final = 10.0
"""Seconds from the first byte of a request to the end of its head."""
FIRST_S_MAX: Final = 60.0
"""Seconds from connecting to the first byte: clients open connections before they need them."""
BODY_S_MAX: Final = 30.0
"""Seconds from there to the end of its body."""
LINGER_S: Final = 2.0
"""Seconds for which the rest of a refused request is thrown away, so that its sender, who may still
be sending, comes to read why (RFC 9112 §9.6)."""
LINGER_BYTES_MAX: Final = 16_000_000
READER_S_MAX: Final = 60.0
"""Seconds that a client may leave an answer unread."""


class _Refused(Exception):
    """Thrown through the parser, which then stops; `Framing` knows why."""


class Framing(HttpToolsProtocol):
    """One connection."""

    _refusal: Refusal | None = None
    _patience: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None
    _latest: RequestResponseCycle | None = None
    """The last request whose head was read, and its answer."""
    _expected_s = 0.0
    """Seconds within which the rest of a request must come, where this packet leaves one open."""
    _deaf = False
    _in_head = False
    _began = False
    _taken = 0
    _body = 0

    # ── The connection ───────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow(FIRST_S_MAX, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._allow(0, None)
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader = self.loop.call_later(READER_S_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._taken += len(data)
            if self._taken > LINGER_BYTES_MAX:
                self.transport.abort()
            return
        self._began = False
        super().data_received(data)
        if not self._began:
            self._taken += len(data)
        if self._taken > HEAD_BYTES_MAX + CHUNKING_MAX * self._body:
            self._refuse(HeadTooLarge())
        if self._expected_s:
            self._allow(self._expected_s, lambda: self._refuse(TooSlow()))

    # ── A request, piece by piece ────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._began = self._in_head = True
        self._taken = self._body = 0
        self._expect(HEAD_S_MAX)

    def on_url(self, url: bytes) -> None:
        if len(self.url) + len(url) > ADDRESS_BYTES_MAX:
            self._refusal = AddressTooLong()
            raise _Refused
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer: whoever looks at headers has looked at them already
        super().on_header(name, value)
        self._taken += len(name) + len(value) if self._began else 0
        if len(self.headers) > HEADERS_MAX or self._taken > HEAD_BYTES_MAX:
            self._refusal = HeadTooLarge()
            raise _Refused

    def on_headers_complete(self) -> None:
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        if hosts != 1 and (hosts or not self._is_old):
            raise _Refused  # RFC 9112 §3.2
        if b"transfer-encoding" in names and not self._is_chunked:
            raise _Refused  # §6.1: we know no other coding, and HTTP/1.0 knew none
        self._in_head = False
        self._expect(BODY_S_MAX)
        super().on_headers_complete()
        self._latest = self.cycle
        self._latest.transport = _Whole(self.transport, self.loop)

    @property
    def _is_old(self) -> bool:
        return self.parser.get_http_version() == "1.0"

    @property
    def _is_chunked(self) -> bool:
        codings = {value.lower() for name, value in self.headers if name == b"transfer-encoding"}
        return codings == {b"chunked"} and not self._is_old

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._taken = self._body = 0
        self._expect(0)
        super().on_message_complete()

    # ── Refusing ─────────────────────────────────────────────────────────────────────────────────

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """What uvicorn calls when its parser gives up."""
        self._refuse(self._refusal or BadRequest())

    def _refuse(self, refusal: Refusal) -> None:
        """The client is told, if this is the answer that it waits for; the connection ends."""
        if self._deaf or self.transport.is_closing():
            return
        self._allow(0, None)
        # What such a head says of itself is not believed: the client is who holds the connection.
        client = in_one_form(self.client[0]) if self.client else ""
        request_id = str(uuid_utils.uuid7())
        logs.alarming("framing-refused", code=refusal.code, client=client, request_id=request_id)
        latest = self._latest
        if latest and not latest.response_complete and not latest.more_body:
            latest.keep_alive = False  # what came after a good request was bad: answer that first
            self.flow.pause_reading()
            return
        if latest is None or not latest.more_body or not latest.response_started:
            self.transport.write(_answer(refusal, request_id))
        self._hang_up()

    def _hang_up(self) -> None:
        self._deaf = True
        self._taken = 0
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._allow(LINGER_S, self.transport.close)

    def _expect(self, seconds: float) -> None:
        """More of the request must come within so many seconds, unless this packet has it: most
        requests are one packet, and need no timer at all."""
        self._allow(0, None)
        self._expected_s = seconds

    def _allow(self, seconds: float, then: Callable[[], None] | None) -> None:
        """From now on `then` happens after so many seconds, and nothing else does."""
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(seconds, then) if then else None
        self._expected_s = 0


class _Whole(asyncio.Transport):
    """Where one answer is written. Its head waits for what is written in the same breath, mostly
    the whole body, so that both leave in one packet and wake the client once.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._waiting = b""
        self._began = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._began:
            self._transport.write(self._waiting + data)
            self._waiting = b""
        else:
            self._began = True
            self._waiting = bytes(data)
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        """Nothing more came."""
        if self._waiting:
            self._transport.write(self._waiting)
            self._waiting = b""


def _answer(refusal: Refusal, request_id: str) -> bytes:
    metrics.refused(refusal.code)
    sealed = problem(refusal, request_id)
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(sealed.body)),
        "X-Request-Id": request_id,
        "Connection": "close",
        **dict((*SAFE, NO_PAGE, NO_STORE, *sealed.headers)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[sealed.status] + lines.encode() + b"\r\n" + sealed.body
