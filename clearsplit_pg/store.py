"""The store on Postgres: the ledger and the accounts over one pool of connections."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import UndefinedTable
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from clearsplit_core.errors import Unavailable
from clearsplit_core.ports import Clock
from clearsplit_pg.accounts import PostgresAccounts
from clearsplit_pg.connected import Pool
from clearsplit_pg.ledger import PostgresLedger
from clearsplit_pg.schema import required
from clearsplit_pg.sql.questions import SCHEMA
from clearsplit_pg.urls import normalise

CONNECTIONS_MAX: Final = 10
"""Connections that one store keeps open."""
WAITING_MAX: Final = 200
"""Requests that may wait for a connection."""
WAIT_S: Final = 5.0
"""Seconds that a request waits for a connection."""


class PostgresStore(PostgresLedger, PostgresAccounts):
    """`ports.AsyncStore` on Postgres. `clock` answers the time in UTC."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        super().__init__(pool, clock=clock)
        self._required = required()

    async def ready(self) -> bool:
        try:
            applied = {row["migration_id"] for row in await self._read_all(SCHEMA, {})}
        except (Unavailable, UndefinedTable):
            return False
        return applied >= self._required


@asynccontextmanager
async def open_store(url: str, clock: Clock) -> AsyncGenerator[PostgresStore]:
    """The store in the database at `url`, any spelling of a Postgres URL, while it is open."""
    pool: Pool = AsyncConnectionPool(
        normalise(url),
        connection_class=AsyncConnection[DictRow],
        kwargs={"autocommit": True, "row_factory": dict_row},
        min_size=1,
        max_size=CONNECTIONS_MAX,
        max_waiting=WAITING_MAX,
        timeout=WAIT_S,
        open=False,
    )
    async with pool:
        yield PostgresStore(pool, clock=clock)
