"""A live server to be hostile to: `clearsplit serve` in a process of its own, and a bare socket."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import jwt

SECRET: Final = "a secret for the hostile tests, long enough for HS512: sixty-four bytes"
PEPPER: Final = "a pepper for the hostile tests"
PASSWORD: Final = "correct horse battery staple"
ENVIRONMENT: Final = {
    "DATABASE_URL": "memory:",
    "JWT_SECRET": SECRET,
    "PASSWORD_PEPPER": PEPPER,
    "BCRYPT_COST": "4",
    "RATE_LIMIT_SIGNUP": "0",
    "RATE_LIMIT_LOGIN": "0",
    "RATE_LIMIT_REFRESH": "0",
}
WAIT_S: Final = 20

_keys = count()


@dataclass(frozen=True)
class Reply:
    """What came back on the socket, up to its end."""

    raw: bytes

    @property
    def status(self) -> int:
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", self.raw)
        assert found, f"no answer: {self.raw[:100]!r}"
        return int(found[1])

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").lower()

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True)
class Live:
    """A running server, and what stands for the placeholders of the catalogue."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    known: dict[str, str]

    def filled(self, request: bytes) -> bytes:
        """`request` with what this server knows, and its Content-Length made right again."""
        known = self.known | {"key": f"hostile-{next(_keys)}"}
        head, end, body = request.partition(b"\r\n\r\n")
        changed = _filled(body, known)
        stated = f"Content-Length: {len(body)}\r\n".encode()
        right = f"Content-Length: {len(changed)}\r\n".encode()
        return _filled((head + b"\r\n").replace(stated, right)[:-2], known) + end + changed

    def send(self, request: bytes, *, timeout_s: float = WAIT_S) -> Reply:
        """All that the server answers to these bytes until it closes or has said it all."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as line:
            line.sendall(request)
            return Reply(_whole(line))

    def resident_kb(self) -> int:
        """The memory of the server's process (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1])


def _filled(text: bytes, known: dict[str, str]) -> bytes:
    for name, value in known.items():
        text = text.replace(b"{%b}" % name.encode(), value.encode())
    return text


def _whole(line: socket.socket) -> bytes:
    """One answer: as long as its Content-Length says, or until the end."""
    said = b""
    while piece := line.recv(65_536):
        said += piece
        head, end, body = said.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
        if end and (not length or len(body) >= int(length[1])):
            break
    return said


@contextmanager
def serving(log: Path, **environment: str) -> Generator[Live]:
    """The server while it runs; what it says on stderr is in `log`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "clearsplit_http", "serve", "--port", "0"],
            env=kept | ENVIRONMENT | environment,
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        port = _port(process)
        yield Live(process, port, log, _people(f"http://127.0.0.1:{port}"))
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)


def _port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    found = re.search(rb":(\d+)\n", process.stdout.readline())
    assert found, "it did not start"
    return int(found[1])


def _people(base: str) -> dict[str, str]:
    """Ana with a group and an expense, and Eve, who has nothing to do with it."""
    with httpx.Client(base_url=base) as http:
        ana, eve = (_signed_up(http, name) for name in ("ana", "eve"))
        sent = {"Authorization": f"Bearer {ana['access_token']}", "Idempotency-Key": "hostile"}
        group = http.post(
            "/groups", json={"name": "Lisbon", "currency": "EUR"}, headers=sent
        ).json()
        member = group["members"][0]["id"]
        dinner = {
            "title": "Dinner",
            "amount_minor": 100,
            "currency": "EUR",
            "date": "2026-01-31",
            "paid_by": member,
            "split": {"kind": "equal", "members": [member]},
        }
        expense = http.post(
            f"/groups/{group['id']}/expenses",
            json=dinner,
            headers=sent | {"Idempotency-Key": "dinner"},
        ).json()
        token = {"name": "Backup", "scope": "read"}
        reader = http.post("/auth/tokens", json=token, headers=sent).json()
    plain = UUID(group["id"]).hex
    claims = jwt.decode(ana["access_token"], options={"verify_signature": False})
    return {
        "token": ana["access_token"],
        "bearer": f"Authorization: Bearer {ana['access_token']}",
        "refresh": ana["refresh_token"],
        "stranger": eve["access_token"],
        "reader": reader["token"],
        "session": claims["sid"],
        "email": "ana@hostile.example.org",
        "EMAIL": "ANA@hostile.example.ORG",
        "member": member,
        "group": group["id"],
        "plain": plain,
        "dashed": "-".join(plain[n : n + 4] for n in range(0, 32, 4)),
        "expense": expense["id"],
    }


def _signed_up(http: httpx.Client, name: str) -> dict[str, str]:
    body = {"email": f"{name}@hostile.example.org", "password": PASSWORD, "name": name.title()}
    answer = http.post("/auth/signup", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found
