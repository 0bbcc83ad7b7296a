"""Connections to a database: opened only where money is safe, and never handed out dead.

The first connection asks the database what it is (checkup.py); a store that would lose what it
confirmed, or lacks a migration, is refused with what to mend. After that the pool outlives every
restart of Postgres: a connection that the server has closed is found before a request gets it, and
new ones are tried about once a second until they succeed. (psycopg's pool by itself doubles its
pauses to minutes; and when it has given up while its queue is full, it never tries again.)
"""

import asyncio
import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from clearsplit_core.ports import StoreOptions
from clearsplit_pg import checkup
from clearsplit_pg.connected import Connection, Pool
from clearsplit_pg.queueing import Queueing
from clearsplit_pg.urls import normalise

WAITING_MAX: Final = 200
"""Requests that may wait for a connection."""
RECONNECT_S: Final = 0.5
"""Seconds between two tries to reach the database again."""

_OURS: Final = {
    "application_name": "clearsplit",
    "client_encoding": "UTF8",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""With these, a database host that vanished without a word is noticed within half a minute."""
_LIMITS: Final = ("statement_timeout", "idle_in_transaction_session_timeout")
_ONE_PLAN: Final = " -c plan_cache_mode=force_generic_plan"
"""A prepared statement is planned once. All of ours find their rows by keys, whatever the values;
Postgres, left to choose, plans some of them anew each time, which takes longer than to run them.
"""
_PREPARE_AFTER: Final = 5
"""Times that a statement is sent before the connection prepares it (psycopg's own number)."""


def conninfo(url: str, options: StoreOptions) -> str:
    """The database at `url` with our settings, unless it has its own. Raises BadDatabaseUrl."""
    given = conninfo_to_dict(normalise(url))
    ours = _OURS | {"connect_timeout": str(options.connect_s)}
    said = {name: str(value) for name, value in given.items() if value is not None}
    if options.statement_s:
        limits = " ".join(f"-c {name}={options.statement_s}s" for name in _LIMITS)
        plans = _ONE_PLAN if options.prepare else ""
        said["options"] = f"{limits}{plans} {said.get('options', '')}".strip()
    return make_conninfo(**{**ours, **said})


@asynccontextmanager
async def open_pool(where: str, options: StoreOptions) -> AsyncGenerator[Pool]:
    """Connections to the database that a `conninfo` names, which is fit to keep a journal.

    Raises DatabaseUnreachable and DatabaseUnfit.
    """
    await _require_fit(where, options)
    watch = _Watch()
    pool = Queueing(
        where,
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "prepare_threshold": _PREPARE_AFTER if options.prepare else None,
        },
        configure=_read_json_fast,
        check=watch.require_open,
        min_size=options.connections_min,
        max_size=options.connections_max,
        max_waiting=WAITING_MAX,
        timeout=options.wait_s,
        reconnect_timeout=RECONNECT_S,
        reconnect_failed=watch.try_again,
        open=False,
    )
    async with pool:
        watch.pool = pool
        yield pool
        await watch.end()


async def _read_json_fast(connection: Connection) -> None:
    """msgspec reads in half the time what Postgres tells in JSON, most of every answer."""
    set_json_loads(msgspec.json.decode, connection)


async def _require_fit(where: str, options: StoreOptions) -> None:
    try:
        async with await AsyncConnection.connect(where, autocommit=True) as connection:
            await checkup.require_fit(connection, unsafe=options.unsafe)
    except psycopg.Error as error:
        raise checkup.unreachable(error) from error


class _Watch:
    """Looks at each connection before a request gets it, and does not give up on the database."""

    def __init__(self) -> None:
        self.pool: Pool | None = None
        self._sweep: asyncio.Task[None] | None = None

    async def require_open(self, connection: Connection) -> None:
        """There is nothing to read on it: mostly that would be the server's farewell.

        Looking costs no round trip. One that is dead is seldom alone. Raises psycopg.Error.
        """
        watch = select.poll()
        watch.register(connection.fileno(), select.POLLIN)
        if not watch.poll(0):
            return
        try:
            await connection.execute("")
        except psycopg.Error:
            self._sweep_after(0)
            raise

    async def try_again(self, _: object) -> None:
        """The pool has given a connection up."""
        self._sweep_after(RECONNECT_S)

    async def end(self) -> None:
        """Nothing is looked at any more."""
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)

    def _sweep_after(self, pause_s: float) -> None:
        """All idle connections are looked at, and one more is made, in a task of its own.

        Whoever cancels a request must not take connections with it.
        """
        if self._sweep is None or self._sweep.done():
            self._sweep = asyncio.create_task(self._look_at_all(pause_s))

    async def _look_at_all(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        if self.pool is not None:
            await self.pool.check()
