"""The catalogue against a live server: each case gets its problem, and nothing comes back."""

import json
import socket
from collections import Counter
from collections.abc import Generator
from typing import Final

import pytest

from tests.http.hostile.cases import CASES, MARK, Case
from tests.http.hostile.live import Live, Reply, serving

ROUNDS: Final = 3
GROWTH_KB_MAX: Final = 20_000
"""Kilobytes that a server may have grown by after all of it once more: it is not what was sent."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Generator[Live]:
    with serving(tmp_path_factory.mktemp("hostile") / "log") as found:
        yield found


def require(case: Case, reply: Reply) -> None:
    """The answer is the case's, in the one form that answers have, and repeats nothing."""
    assert (reply.status, _code(reply)) == (case.status, case.code)
    assert "x-request-id: " in reply.head
    assert "x-content-type-options: nosniff" in reply.head
    assert "referrer-policy: no-referrer" in reply.head
    assert "content-security-policy: default-src 'none'" in reply.head
    if case.code:
        assert "content-type: application/problem+json" in reply.head
        assert "cache-control: no-store" in reply.head
    assert MARK.encode() not in reply.raw


def _code(reply: Reply) -> object:
    return json.loads(reply.body)["code"] if reply.status >= 400 else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_request_gets_its_problem(live: Live, case: Case) -> None:
    require(case, live.send(live.filled(case.request)))


def test_every_case_has_a_name_of_its_own_and_there_are_many() -> None:
    assert [name for name, times in Counter(case.name for case in CASES).items() if times > 1] == []
    assert len(CASES) >= 90


def test_the_server_neither_grows_nor_breaks(live: Live) -> None:
    for case in CASES:
        live.send(live.filled(case.request))
    before = live.resident_kb()
    for _ in range(ROUNDS):
        for case in CASES:
            live.send(live.filled(case.request))
    assert live.resident_kb() - before < GROWTH_KB_MAX
    assert live.process.poll() is None
    assert b"Traceback" not in live.log.read_bytes()


def test_every_good_request_on_a_line_is_answered_and_noise_ends_it(
    live: Live,
) -> None:
    good = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert _everything(live, good + last).count(b"HTTP/1.1 200 OK") == 2
    noisy = _everything(live, good + b"NOISE\r\n\r\n")
    assert (noisy.count(b"HTTP/1.1 200 OK"), noisy.count(b"HTTP/1.1 ")) == (1, 1)


def _everything(live: Live, request: bytes) -> bytes:
    said = b""
    with socket.create_connection(("127.0.0.1", live.port), timeout=20) as line:
        line.sendall(request)
        while piece := line.recv(65_536):
            said += piece
    return said
