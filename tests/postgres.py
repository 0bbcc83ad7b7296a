"""A real Postgres for every test that wants one, and nothing left of it afterwards.

One server serves a whole run, also under pytest-xdist: the first worker that needs it starts it,
the others share it, the last one out stops it. With TEST_DATABASE_URL it is that server instead.
Either way each test has a database of its own, copied from a template that is migrated once; all
names begin with the run's, so that the run can sweep behind workers that died.
"""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from clearsplit_core.ports import StoreOptions
from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.schema import migrate
from clearsplit_pg.urls import normalise

RUN_FOLDER = "CLEARSPLIT_TEST_RUN"  # set by the run's first process, inherited by its workers
FORGETFUL = StoreOptions(unsafe=True)
"""How tests open a store: on a server that a crash may empty, for speed."""
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

Connection: TypeAlias = psycopg.Connection[TupleRow]

_TEMPLATE_LOCK = 0x74656D70  # "temp"


class Databases:
    """Fresh databases on one server, each a copy of the migrated template."""

    def __init__(self, server_url: str, prefix: str) -> None:
        self._server_url = server_url
        self._prefix = prefix
        self._template = f"{prefix}_template"
        self._make_template()

    def fresh(self) -> AbstractContextManager[str]:
        """The URL of a migrated database without rows that nobody else has."""
        return self._copy_of(self._template)

    def bare(self) -> AbstractContextManager[str]:
        """The URL of a database without any table that nobody else has."""
        return self._copy_of("template0")

    @contextmanager
    def _copy_of(self, template: str) -> Generator[str]:
        name = f"{self._prefix}_{secrets.token_hex(6)}"
        with self._connected() as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        try:
            yield with_database(self._server_url, name)
        finally:
            with self._connected() as connection:
                _drop(connection, name)

    def _make_template(self) -> None:
        """Made by whichever worker comes first; it gets its name when it is whole."""
        draft = f"{self._template}_draft"
        with self._connected() as connection:
            connection.execute("select pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
            if self._template in _names(connection, self._template):
                return
            _drop(connection, draft)
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(draft)))
            migrate(with_database(self._server_url, draft))
            connection.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(draft), sql.Identifier(self._template)
                )
            )

    def _connected(self) -> Connection:
        return psycopg.connect(self._server_url, autocommit=True)


def begin_run() -> bool:
    """Whether this process is the run's first, which makes its folder and has to call `end_run`."""
    if RUN_FOLDER in os.environ:
        return False
    os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="clearsplit-test-")
    return True


def end_run() -> None:
    """No database and no folder of the run is left."""
    run = Path(os.environ.pop(RUN_FOLDER))
    if given := os.environ.get("TEST_DATABASE_URL"):
        _sweep(normalise(given), _prefix(run))
    shutil.rmtree(run)


@contextmanager
def databases() -> Generator[Databases]:
    """The run's databases, on the server that the run shares."""
    run = Path(os.environ[RUN_FOLDER])
    with ExitStack() as stack:
        given = os.environ.get("TEST_DATABASE_URL")
        url = given or stack.enter_context(EmbeddedPostgres(run / "data", FAST)).url
        yield Databases(normalise(url), _prefix(run))


class Restartable:
    """A migrated Postgres of a test's own, which can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder, FAST)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def restartable(folder: Path) -> Generator[Restartable]:
    """It runs, and is gone afterwards."""
    server = Restartable(folder)
    server.start()
    try:
        migrate(server.url)
        yield server
    finally:
        server.stop()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return re.sub(r"^(postgresql://[^/?]*)(/[^?]*)?", rf"\1/{name}", url)


def _prefix(run: Path) -> str:
    return run.name.lower().replace("-", "_")


def _sweep(server_url: str, prefix: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        for name in _names(connection, prefix):
            _drop(connection, name)


def _names(connection: Connection, prefix: str) -> list[str]:
    found = connection.execute(
        "select datname from pg_database where starts_with(datname, %s)", [prefix]
    )
    return [name for (name,) in found]


def _drop(connection: Connection, name: str) -> None:
    connection.execute(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    )
