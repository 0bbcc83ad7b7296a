"""The store on Postgres: the ledger and the accounts over one pool of connections."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from psycopg.errors import UndefinedTable

from clearsplit_core.errors import Unavailable
from clearsplit_core.ports import Clock, Occupancy, StoreOptions
from clearsplit_pg.accounts import PostgresAccounts
from clearsplit_pg.connected import Pool
from clearsplit_pg.ledger import PostgresLedger
from clearsplit_pg.limits import PostgresLimits
from clearsplit_pg.pool import conninfo, open_pool
from clearsplit_pg.schema import required
from clearsplit_pg.sql.health import SCHEMA

READY_S: Final = 1.0
"""Seconds within which a store that is ready can say so."""


class PostgresStore(PostgresLedger, PostgresAccounts, PostgresLimits):
    """`ports.AsyncStore` on Postgres. `clock` answers the time in UTC."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        super().__init__(pool, clock=clock)
        self._required = required()

    async def ready(self) -> bool:
        try:
            async with asyncio.timeout(READY_S):
                applied = {row["migration_id"] for row in await self._read_all(SCHEMA, {})}
        except (Unavailable, UndefinedTable, TimeoutError):
            return False
        return applied >= self._required

    def occupancy(self) -> Occupancy:
        stats = self._pool.get_stats()
        return Occupancy(
            connections=stats["pool_size"],
            idle=stats["pool_available"],
            connections_max=stats["pool_max"],
            waiting=stats["requests_waiting"],
        )


def open_store(
    url: str, clock: Clock, options: StoreOptions
) -> AbstractAsyncContextManager[PostgresStore]:
    """The store in the database at `url`, any spelling of a Postgres URL, while it is open.

    Raises BadDatabaseUrl at once; entering it, DatabaseUnreachable and DatabaseUnfit.
    """
    return _opened(conninfo(url, options), clock, options)


@asynccontextmanager
async def _opened(where: str, clock: Clock, options: StoreOptions) -> AsyncGenerator[PostgresStore]:
    async with open_pool(where, options) as pool:
        yield PostgresStore(pool, clock=clock)
