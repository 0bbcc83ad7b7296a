"""The pool: whom it refuses, what it tells the database, and that it outlives every restart."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from clearsplit_core.errors import Unavailable
from clearsplit_core.ports import StoreOptions
from clearsplit_pg.checkup import DatabaseUnfit, DatabaseUnreachable
from clearsplit_pg.connected import Pool
from clearsplit_pg.pool import WAITING_MAX, conninfo, open_pool
from clearsplit_pg.store import PostgresStore, open_store
from clearsplit_pg.urls import BadDatabaseUrl
from tests.literals import Clock
from tests.postgres import FORGETFUL, Restartable, restartable

OUTAGE_S = 3.5
RECOVERY_S_MAX = 2.5
"""A pool that doubles its pauses would try again only 3.5 s after this outage."""
IN_USE = 4
END_OTHERS = """
select pg_terminate_backend(pid)
  from pg_stat_activity
 where backend_type = 'client backend'
   and pid <> pg_backend_pid()
"""


# ── What it tells the database ───────────────────────────────────────────────────────────────────


async def setting(url: str, options: StoreOptions, name: str) -> str:
    async with open_pool(conninfo(url, options), options) as pool, pool.connection() as connection:
        row = await (
            await connection.execute("select current_setting(%s) as it", [name])
        ).fetchone()
    assert row is not None
    return str(row["it"])


@pytest.mark.parametrize("name", ["statement_timeout", "idle_in_transaction_session_timeout"])
async def test_a_statement_and_a_pause_are_bounded(database_url: str, name: str) -> None:
    bounded = StoreOptions(unsafe=True, statement_s=7)
    unbounded = StoreOptions(unsafe=True, statement_s=0)

    assert await setting(database_url, bounded, name) == "7s"
    assert await setting(database_url, unbounded, name) == "0"


async def test_a_prepared_statement_is_planned_once(database_url: str) -> None:
    unprepared = StoreOptions(unsafe=True, prepare=False)

    assert await setting(database_url, FORGETFUL, "plan_cache_mode") == "force_generic_plan"
    assert await setting(database_url, unprepared, "plan_cache_mode") == "auto"


async def test_what_the_url_says_itself_stays(database_url: str) -> None:
    mark = "&" if "?" in database_url else "?"
    own = quote("-c statement_timeout=3s -c work_mem=5MB")
    url = f"{database_url}{mark}options={own}&application_name=mine"

    assert await setting(url, FORGETFUL, "statement_timeout") == "3s"
    assert await setting(url, FORGETFUL, "work_mem") == "5MB"
    assert await setting(url, FORGETFUL, "application_name") == "mine"
    assert await setting(database_url, FORGETFUL, "application_name") == "clearsplit"


def test_how_long_to_connect_is_the_url_s_and_else_the_option_s() -> None:
    options = StoreOptions(connect_s=7)
    plain = conninfo_to_dict(conninfo("postgresql://h/d", options))
    own = conninfo_to_dict(conninfo("postgresql://h/d?connect_timeout=3", options))

    assert (plain["connect_timeout"], own["connect_timeout"]) == ("7", "3")


@pytest.mark.parametrize("prepare", [True, False])
async def test_statements_are_prepared_only_where_that_is_allowed(
    database_url: str, *, prepare: bool
) -> None:
    options = StoreOptions(unsafe=True, prepare=prepare)
    where = conninfo(database_url, options)
    async with open_pool(where, options) as pool, pool.connection() as connection:
        for _ in range(10):
            await connection.execute("select 1 as one")
        cursor = await connection.execute("select from pg_prepared_statements")
        assert bool(await cursor.fetchall()) == prepare


def test_a_url_that_cannot_be_read_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(BadDatabaseUrl):
        open_store("postgresql://u:p@ss@h/d", Clock(), FORGETFUL)


# ── Whom it refuses ──────────────────────────────────────────────────────────────────────────────


async def test_a_database_that_cannot_be_reached_is_refused_with_a_hint_and_no_password() -> None:
    with pytest.raises(DatabaseUnreachable, match="Is Postgres running there") as refused:
        async with open_store("postgresql://u:hunter2@127.0.0.1:1/d", Clock(), FORGETFUL):
            pass
    assert "hunter2" not in str(refused.value)


async def test_a_database_without_its_schema_is_refused(bare_database_url: str) -> None:
    with pytest.raises(DatabaseUnfit, match="run `clearsplit migrate`"):
        async with open_store(bare_database_url, Clock(), FORGETFUL):
            pass


# ── That it outlives a restart ───────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Generator[Restartable]:
    with restartable(tmp_path / "data") as started:
        yield started


@pytest.fixture
async def pool(server: Restartable) -> AsyncGenerator[Pool]:
    """A pool with several open connections, none in use."""
    async with open_pool(conninfo(server.url, FORGETFUL), FORGETFUL) as opened:
        barrier = asyncio.Barrier(IN_USE)

        async def use() -> None:
            async with opened.connection():
                await barrier.wait()

        await asyncio.gather(*(use() for _ in range(IN_USE)))
        yield opened


async def ask(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("select")


async def test_nobody_gets_a_connection_that_a_restart_has_closed(
    server: Restartable, pool: Pool
) -> None:
    server.stop()
    server.start()

    await asyncio.gather(*(ask(pool) for _ in range(2 * IN_USE)))


@pytest.mark.parametrize("asked_meanwhile", [0, 1, WAITING_MAX + 100])
async def test_it_is_ready_soon_after_an_outage(
    server: Restartable, pool: Pool, asked_meanwhile: int
) -> None:
    store = PostgresStore(pool, clock=Clock())
    server.stop()
    meanwhile = await asyncio.gather(*(store.ready() for _ in range(asked_meanwhile)))
    await asyncio.sleep(OUTAGE_S)
    server.start()

    assert not any(meanwhile)
    async with asyncio.timeout(RECOVERY_S_MAX):
        while not await store.ready():  # noqa: ASYNC110 (it looks as a load balancer does)
            await asyncio.sleep(0.05)
    await ask(pool)


async def test_a_session_that_an_operator_ends_disturbs_nobody(
    server: Restartable, pool: Pool
) -> None:
    with psycopg.connect(server.url, autocommit=True) as operator:
        while operator.execute(END_OTHERS).fetchall():
            time.sleep(0.01)  # noqa: ASYNC251 (nothing else runs)
    for _ in range(2 * IN_USE):
        await ask(pool)


async def test_a_store_without_its_database_refuses_and_recovers(server: Restartable) -> None:
    async with open_store(server.url, Clock(), FORGETFUL) as store:
        server.stop()
        assert not await store.ready()
        with pytest.raises(Unavailable):
            await store.account_by_email("ann@example.org")
        server.start()
        assert await store.account_by_email("ann@example.org") is None
