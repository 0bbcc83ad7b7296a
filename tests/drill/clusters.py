"""What an operator does to a Postgres: back it up, restore it, kill it, ask it.

The commands are those of docs/deployment.md; what differs is that Postgres' own programs come from
the package of the embedded one.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from clearsplit_pg.embedded import EmbeddedPostgres, _binary, _disguise

RECOVERY_S_MAX: Final = 60
ROLES: Final = Path(__file__).parents[2] / "docs" / "deploy" / "roles.sh"


def tool(name: str, *arguments: str) -> str:
    """What one of Postgres' programs says, run as a user that it puts up with. Raises
    CalledProcessError.
    """
    done = tried(name, *arguments)
    done.check_returncode()
    return done.stdout


def tried(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, whatever comes of it."""
    command = [*_disguise(), str(_binary(name)), *arguments]
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def asked(url: str, question: str) -> str:
    """The one value that a statement answers with, as the superuser."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def ordered(url: str, *statements: str) -> None:
    """Each of them is done, outside any transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def make_roles(server: EmbeddedPostgres, database: str, passwords: Mapping[str, str]) -> str:
    """The guide's two roles, and what its script says. Raises CalledProcessError."""
    where = str(conninfo_to_dict(server.url)["host"])
    given = {"PGHOST": where, "PGUSER": "clearsplit", "PGDATABASE": database, **passwords}
    done = subprocess.run(
        ["sh", str(ROLES)],
        env={**os.environ, **given, "PSQL": str(_binary("psql"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def folder_of(server: EmbeddedPostgres) -> Path:
    """What `postgres -D` is told."""
    return server._cluster


def cluster_in(data_dir: Path) -> Path:
    """The same, of a server that need not run."""
    return folder_of(EmbeddedPostgres(data_dir))


def socket_in(data_dir: Path) -> Path:
    """Where that server will listen."""
    return EmbeddedPostgres(data_dir)._socket_dir / ".s.PGSQL.5432"


def restored(
    backup: Path, data_dir: Path, settings: Mapping[str, str] | None = None
) -> EmbeddedPostgres:
    """A server, not started yet, on a copy of a base backup in a new data folder."""
    server = EmbeddedPostgres(data_dir, settings)
    data_dir.mkdir(mode=0o700)
    shutil.copytree(backup, folder_of(server))
    return server


def recovered(server: EmbeddedPostgres) -> None:
    """Recovery is over: the server takes writes. Raises psycopg.Error where it ended itself."""
    deadline = time.monotonic() + RECOVERY_S_MAX
    while asked(server.url, "select pg_is_in_recovery()") == "True":
        assert time.monotonic() < deadline, "recovery does not end"
        time.sleep(0.02)


def killed(server: EmbeddedPostgres) -> None:
    """kill -9 of all its processes at once, as when the power fails."""
    postmaster = postmaster_pid(server)
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in [postmaster, *map(int, children)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def postmaster_pid(server: EmbeddedPostgres) -> int:
    return int((folder_of(server) / "postmaster.pid").read_text().split()[0])


def flipped(file: Path, offset: int) -> None:
    """One bit of one byte is another."""
    with file.open("r+b") as opened:
        opened.seek(offset)
        (byte,) = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))
