"""The image under test, a Postgres that it can reach, and names for containers.

The tests of the running image take minutes, so only `make image-test` (IMAGE_TEST=1) runs them.
"""

import os
import secrets
from collections.abc import Generator

import pytest
from psycopg import sql

from tests.image.engine import Engine, ToolsMissing, engine
from tests.networked import Server, execute

SLOW = ["test_running.py", "test_pgbouncer.py"]
collect_ignore = [] if os.environ.get("IMAGE_TEST") else SLOW


@pytest.fixture(scope="session")
def image() -> Engine:
    """The image, built from this checkout, and the engine that runs it."""
    try:
        return engine()
    except ToolsMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    started = Server(tmp_path_factory.mktemp("postgres"))
    started.start()
    try:
        started.make_owner()
        yield started
    finally:
        started.stop()


@pytest.fixture
def database_url(server: Server) -> str:
    """A database without tables, as containers see it: by address, with a password."""
    name = f"ledger_{secrets.token_hex(4)}"
    execute(f"{server.url}/postgres", sql.SQL("create database {}").format(sql.Identifier(name)))
    return f"{server.url}/{name}"
