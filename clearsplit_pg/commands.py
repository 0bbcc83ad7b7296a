"""What clearsplit_pg adds to the command line: `clearsplit migrate` and `clearsplit check-db`.

A command is a function that gives a parser its arguments and returns what runs them; the number
that this returns is the exit status: 0 fine, 1 refused or failed, 2 wrong usage.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from clearsplit_core.errors import BadSettings, Refusal
from clearsplit_pg import checkup, embedded, roles, schema
from clearsplit_pg.checkup import DatabaseUnfit, Facts, Schema
from clearsplit_pg.urls import normalise

CONNECT_S_MAX: Final = 10
"""Seconds that check-db waits for an answer, unless the URL says otherwise (connect_timeout)."""
PINGS: Final = 5

_NO_DATABASE: Final = (
    "Which database? Set DATABASE_URL or give --database-url. The private one of"
    " `clearsplit serve` is embedded: or, with --data-dir, embedded:///that/folder."
)
_OLD_SCHEMA: Final = "The schema is old: run `clearsplit migrate`."


# ── migrate ──────────────────────────────────────────────────────────────────────────────────────


def migrate(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Bring a database to the schema that this version needs."""
    add_database(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--app-role",
        metavar="ROLE",
        help="then give ROLE what the server needs and no more; it must exist already",
    )
    instead.add_argument(
        "--status", action="store_true", help="only list what is pending; exit 1 if anything is"
    )
    instead.add_argument(
        "--down",
        action="store_true",
        help="undo the last migration, with all that its tables hold (for development)",
    )
    return lambda arguments: reporting("migrate", _migrate, arguments)


def _migrate(arguments: argparse.Namespace) -> int:
    with database_named(arguments) as url:
        if arguments.status:
            return _show_pending(url)
        if arguments.down:
            return _step_down(url)
        done = [f"applied {migration}" for migration in schema.migrate(url)] or ["up to date"]
        if arguments.app_role:
            roles.grant(url, arguments.app_role)
            done.append(f"granted {arguments.app_role} what the server needs")
        print("\n".join(done))
        return 0


def _show_pending(url: str) -> int:
    missing = schema.pending(url)
    print("\n".join(f"pending {migration}" for migration in missing) or "up to date")
    return 1 if missing else 0


def _step_down(url: str) -> int:
    environment = os.environ.get("ENV", "").strip()
    if environment in ("production", "staging"):
        raise BadSettings(
            f"--down deletes data, and ENV is {environment}: restore a backup instead, or set"
            " ENV=local where the data may go."
        )
    undone = schema.step_down(url)
    print(f"undone {undone}" if undone else "there is nothing to undo")
    return 0


# ── check-db ─────────────────────────────────────────────────────────────────────────────────────


def check_db(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Say what the database is, how far away, and what to fix; exit 1 if anything must be."""
    add_database(parser)
    return lambda arguments: reporting("check-db", _check_db, arguments)


def _check_db(arguments: argparse.Namespace) -> int:
    with database_named(arguments) as url:
        return asyncio.run(_shown(normalise(url)))


async def _shown(url: str) -> int:
    started = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=_patience_s(url),
        client_encoding="UTF8",  # whatever the database's: text in SQL_ASCII would come as bytes
    ) as connection:
        connected_ms = 1000 * (time.perf_counter() - started)
        facts, migrated = await checkup.look(connection)
        latency_ms = await _latency_ms(connection)
        print(f"host        {connection.info.host} port {connection.info.port}")
    for name, value in _described(facts, migrated, latency_ms, connected_ms):
        print(f"{name:<12}{value}")
    wrong = [*checkup.faults(facts, migrated), *checkup.dangers(facts)]
    for sentence in wrong:
        print(f"FIX         {sentence}")
    for sentence in checkup.advice(facts):
        print(f"better      {sentence}")
    return 1 if wrong else 0


def _patience_s(url: str) -> int:
    return int(conninfo_to_dict(url).get("connect_timeout") or CONNECT_S_MAX)


async def _latency_ms(connection: checkup.Connection) -> float:
    """The median of a few empty round trips."""
    times = list[float]()
    for _ in range(PINGS):
        started = time.perf_counter()
        await connection.execute("select")
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def _described(
    facts: Facts, migrated: Schema, latency_ms: float, connected_ms: float
) -> Iterator[tuple[str, str]]:
    yield "database", f"{facts.database} as {facts.role}"
    yield "version", f"PostgreSQL {facts.version}"
    yield "latency", f"{latency_ms:.1f} ms, after {connected_ms:.0f} ms to connect"
    yield "encrypted", "yes" if facts.encrypted else "no"
    yield "encoding", facts.encoding
    yield "durable", f"fsync {facts.fsync}, synchronous_commit {facts.synchronous_commit}"
    yield "checksums", facts.data_checksums
    yield "schema", str(migrated)


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def add_database(parser: argparse.ArgumentParser) -> None:
    """The parser takes --database-url."""
    parser.add_argument("--database-url", metavar="URL", help="instead of DATABASE_URL")


@contextmanager
def database_named(arguments: argparse.Namespace) -> Generator[str]:
    """A Postgres URL of the database that was named, whatever its schema.

    `embedded:` and `embedded:///a/folder` name the private Postgres of `clearsplit serve`. Raises
    CannotStart, also where nothing was ever served from there.
    """
    given = database_url(arguments)
    with embedded.serving(given) if given.startswith("embedded:") else nullcontext(given) as url:
        yield url


@contextmanager
def database_at(arguments: argparse.Namespace) -> Generator[str]:
    """The same, with the schema of this version. Raises DatabaseUnfit and CannotStart."""
    with database_named(arguments) as url:
        if schema.pending(url):
            raise DatabaseUnfit(_OLD_SCHEMA)
        yield url


class _NoDatabase(Exception):
    """Nobody said which database."""


def database_url(arguments: argparse.Namespace) -> str:
    """From the flag, the environment, or the file that the environment names."""
    given: str = arguments.database_url or ""
    file = os.environ.get("DATABASE_URL_FILE", "")
    if not given:
        given = os.environ.get("DATABASE_URL", "").strip()
        if given and file:
            raise BadSettings("Both DATABASE_URL and DATABASE_URL_FILE are set; keep one.")
    if not given and file:
        given = _content(Path(file))
    if not given.strip():
        raise _NoDatabase
    return given.strip()


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings("DATABASE_URL_FILE names no file that can be read as text.") from error


def reporting(
    command: str, run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace
) -> int:
    """What `run` returns; for what a person can cause, a sentence and the status that fits."""
    try:
        return run(arguments)
    except _NoDatabase:
        return _fail(command, _NO_DATABASE, status=2)
    except Refusal as refusal:
        return _fail(command, refusal.message, status=1)
    except psycopg.Error as error:
        return _fail(command, checkup.unreachable(error).message, status=1)


def _fail(command: str, message: str, *, status: int) -> int:
    print(f"clearsplit {command}: {message}", file=sys.stderr)
    return status
