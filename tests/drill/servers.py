"""What a drill needs: a durable Postgres of its own and servers on it, as an operator runs them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import httpx

from clearsplit_pg.embedded import EmbeddedPostgres

START_S_MAX: Final = 60
DRAIN_S: Final = 2
"""Longer than the pause between two looks at a server's readiness (load.LOOK_S)."""


@contextmanager
def postgres(
    code: Path | None = None, settings: Mapping[str, str] | None = None
) -> Generator[EmbeddedPostgres]:
    """A Postgres that loses nothing, migrated by our code or that in `code`, until the end of the
    block.
    """
    with tempfile.TemporaryDirectory(prefix="clearsplit-drill-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data", settings)
        server.start()
        try:
            migrate(server.url, code)
            yield server
        finally:
            server.stop()


def migrate(url: str, code: Path | None = None, app_role: str = "") -> None:
    """`clearsplit migrate`."""
    role = ("--app-role", app_role) if app_role else ()
    command = (sys.executable, "-m", "clearsplit_core", "migrate", "--database-url", url, *role)
    subprocess.run(command, cwd=code, stdout=subprocess.DEVNULL, check=True)


@dataclass
class Served:
    """A server on a port of its own. `folder` has the code to run, where that is not this one."""

    database_url: str
    workers: int
    settings: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None
    said: IO[bytes] | None = None
    """Where its log goes, if anywhere."""

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
            **self.settings,
        }
        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=self.said or subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S_MAX
        while not self._is_ready():
            assert self.runs, "the server ended before it was ready"
            assert time.monotonic() < deadline, "the server does not become ready"
            time.sleep(0.05)

    def stop(self) -> tuple[int, float]:
        """SIGTERM: the status with which it ended, and after how many seconds."""
        assert self.process is not None
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30), time.monotonic() - asked

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end(self) -> None:
        """SIGTERM, unless it has ended already; kill -9, if it does not end."""
        if self.runs:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def kill(self) -> None:
        """kill -9, workers and all."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def served(
    database_url: str,
    workers: int,
    settings: Mapping[str, str] | None = None,
    folder: Path | None = None,
    said: IO[bytes] | None = None,
) -> Generator[Served]:
    """A server that is ready, until the end of the block; what it left behind goes then as well,
    however it ended.
    """
    with tempfile.TemporaryDirectory(prefix="clearsplit-served-") as left:
        own = {"TMPDIR": left, **(settings or {})}
        server = Served(database_url, workers, own, folder, said=said)
        try:
            server.start()
            yield server
        finally:
            server.end()


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
