"""What a drill needs: a durable Postgres of its own and servers on it, as an operator runs them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.schema import migrate

START_S_MAX: Final = 60
DRAIN_S: Final = 2
"""Longer than the pause between two looks at a server's readiness (load.LOOK_S)."""


@contextmanager
def postgres() -> Generator[EmbeddedPostgres]:
    """A migrated Postgres that loses nothing, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-drill-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        server.start()
        migrate(server.url)
        try:
            yield server
        finally:
            server.stop()


@dataclass
class Served:
    """A server on a port of its own."""

    database_url: str
    workers: int
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """It is ready."""
        command = (sys.executable, "-m", "clearsplit_http", "serve", "--port", str(self.port))
        env = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.database_url,
            "JWT_SECRET": "known to everybody who reads the drill",
            "BCRYPT_COST": "4",
            "DRAIN_S": str(DRAIN_S),
            "UVICORN_WORKERS": str(self.workers),
        }
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S_MAX
        while not self._is_ready():
            assert time.monotonic() < deadline, "the server does not become ready"
            time.sleep(0.05)

    def stop(self) -> tuple[int, float]:
        """SIGTERM: the status with which it ended, and after how many seconds."""
        assert self.process is not None
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30), time.monotonic() - asked

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def served(database_url: str, workers: int) -> Generator[Served]:
    """A server that is ready, until the end of the block."""
    server = Served(database_url, workers)
    server.start()
    try:
        yield server
    finally:
        assert server.process is not None
        server.process.terminate()
        server.process.wait(timeout=30)


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
