"""The guide's settings for PgBouncer in transaction mode, against a real one."""

import asyncio
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from psycopg import sql

from clearsplit_core.ports import StoreOptions
from clearsplit_pg.checkup import DatabaseUnreachable
from clearsplit_pg.schema import migrate
from clearsplit_pg.store import open_store
from tests.literals import Clock, caller, expense, founding
from tests.networked import Server, execute
from tests.pgbouncer import bouncing

BOUNCED = StoreOptions(statement_s=0, prepare=False)


@pytest.fixture
def bounced_url(server: Server, tmp_path: Path) -> Generator[str]:
    """A migrated database through a PgBouncer that keeps two connections to it."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("there is no pgbouncer here: tests/install.sh")
    name = f"ledger_{secrets.token_hex(4)}"
    execute(f"{server.url}/postgres", sql.SQL("create database {}").format(sql.Identifier(name)))
    migrate(f"{server.url}/{name}")
    few = {"default_pool_size = 20": "default_pool_size = 2"}
    with bouncing(tmp_path, f"{server.url}/{name}", few) as url:
        yield url


async def test_many_requests_share_its_few_connections(bounced_url: str) -> None:
    async with open_store(bounced_url, Clock(), BOUNCED) as store:
        ann = caller("ann")
        await store.perform(founding("ann"), caller=ann)
        coffees = [expense(f"Coffee {number}", among="ann") for number in range(60)]
        recorded = await asyncio.gather(*(store.perform(each, caller=ann) for each in coffees))
        assert sorted(each.head.seq for each in recorded) == list(range(2, 62))
        assert await store.ready()


async def test_with_limits_of_ours_it_refuses_and_the_hint_says_what_to_set(
    bounced_url: str,
) -> None:
    with pytest.raises(DatabaseUnreachable, match="set DATABASE_STATEMENT_S=0"):
        async with open_store(bounced_url, Clock(), StoreOptions(prepare=False)):
            pass
