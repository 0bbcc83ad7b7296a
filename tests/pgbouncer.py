"""PgBouncer as docs/deploy/pgbouncer.ini has it, before a Postgres of a test."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.drill.servers import free_port

SETTINGS: Final = Path(__file__).parents[1] / "docs" / "deploy" / "pgbouncer.ini"
START_S_MAX: Final = 20
NOBODY: Final = 65_534


@contextmanager
def bouncing(folder: Path, url: str, changes: Mapping[str, str] | None = None) -> Generator[str]:
    """The database at `url`, through the guide's PgBouncer; `changes` are of single settings.

    Raises FileNotFoundError where there is none.
    """
    program = shutil.which("pgbouncer")
    if program is None:
        raise FileNotFoundError("there is no pgbouncer here: tests/install.sh installs it")
    there = conninfo_to_dict(url)
    port = free_port()
    users = folder / "userlist.txt"
    config = SETTINGS.read_text()
    for written, here in {
        "clearsplit = host=db.example.org": f"{there['dbname']} = host={there['host']}",
        "listen_port = 6432": f"listen_port = {port}",
        "/etc/pgbouncer/userlist.txt": str(users),
        **(changes or {}),
    }.items():
        assert written in config, f"the guide's file no longer says {written!r}"
        config = config.replace(written, here)
    users.write_text(f'"{there["user"]}" "{there["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(config)
    with _running(program, folder / "pgbouncer.ini"):
        bounced = url.replace(f"@{there['host']}:5432/", f"@127.0.0.1:{port}/")
        _wait_for(bounced)
        yield bounced


@contextmanager
def _running(program: str, config: Path) -> Generator[None]:
    """Not as root, which it refuses to be."""
    words = [program, str(config)]
    if os.geteuid() == 0:
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
        for each in config.parents[:3]:
            each.chmod(each.stat().st_mode | 0o055)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=START_S_MAX)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PgBouncer does not answer"
            time.sleep(0.05)
        else:
            return
