"""The drill of PgBouncer: everything goes through four connections, and nothing is mixed up.

The guide's two roles, its pgbouncer.ini in transaction mode, and the bank's load through it;
half-way Postgres is killed. Kept if the bank's audit finds nothing wrong.
"""

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from tests.bank.audit import hold
from tests.bank.clients import SETTINGS, WORKERS, Bank, opened, run_beside
from tests.drill.clusters import asked, killed, make_roles, ordered
from tests.drill.servers import migrate, served
from tests.drill.told import Told
from tests.networked import Server
from tests.pgbouncer import bouncing
from tests.postgres import with_database

OPS: Final = 2_000
KILL_AT: Final = 0.5
CONNECTIONS: Final = 4
PASSWORDS: Final = {"MIGRATOR_PASSWORD": "migrates", "APP_PASSWORD": "serves"}
LIMITS: Final = (
    "alter role clearsplit_app set statement_timeout = '30s'",
    "alter role clearsplit_app set idle_in_transaction_session_timeout = '30s'",
)
OURS: Final = "select count(*) from pg_stat_activity where usename = 'clearsplit_app'"


def drill(told: Told, *, prepare: bool = False) -> None:
    """With prepared statements (`prepare`) Debian 12's PgBouncer mixes them up, and it goes red."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-pgbouncer-") as name:
        database, since = Server(Path(name) / "postgres"), time.monotonic()
        try:
            database.start()
            app_url = _prepared(database)
            few = {"default_pool_size = 20": f"default_pool_size = {CONNECTIONS}"}
            chosen = {"DATABASE_STATEMENT_S": "0", "DATABASE_PREPARE": str(int(prepare))}
            with (
                bouncing(Path(name), app_url, few) as url,
                served(url, WORKERS, {**SETTINGS, **chosen}) as server,
            ):
                told.step("two roles, migrated past PgBouncer, served through it", since)
                asyncio.run(_under_load(told, database, server.port))
            told.verify(_inside(database))
        finally:
            database.stop()


def _prepared(database: Server) -> str:
    """The ledger as the application's role has it, by address."""
    assert database.running is not None
    database.make_owner()
    ordered(database.running.url, "create database clearsplit")
    make_roles(database.running, "clearsplit", PASSWORDS)
    ordered(database.running.url, *LIMITS)
    at = f"{database.address}:5432/clearsplit"
    migrate(f"postgresql://clearsplit_migrator:migrates@{at}", app_role="clearsplit_app")
    return f"postgresql://clearsplit_app:serves@{at}"


def _inside(database: Server) -> str:
    assert database.running is not None
    return with_database(database.running.url, "clearsplit")


async def _under_load(told: Told, database: Server, port: int) -> None:
    bank, since = await opened(1, OPS, port), time.monotonic()
    await run_beside(bank, (KILL_AT, partial(_kill, told, database, bank)))
    connections = asked(_inside(database), OURS)
    told.step(f"{OPS} operations of 50 clients, over {connections} connections to Postgres", since)
    told.promise("few connections are enough", held=0 < int(connections) <= CONNECTIONS)
    await hold(told, bank, _inside(database))


def _kill(told: Told, database: Server, bank: Bank) -> None:
    since = time.monotonic()
    assert database.running is not None
    killed(database.running)
    database.stop()
    database.start()
    acknowledged = len(bank.acknowledged)
    while len(bank.acknowledged) == acknowledged:
        time.sleep(0.02)
    told.step(f"kill -9 of Postgres after {bank.done} operations, writing again", since)
