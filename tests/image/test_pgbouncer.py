"""The guide's settings for PgBouncer in transaction mode, against a real one."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from clearsplit_core.ports import StoreOptions
from clearsplit_pg.checkup import DatabaseUnreachable
from clearsplit_pg.schema import migrate
from clearsplit_pg.store import open_store
from tests.image.server import Server, execute
from tests.literals import Clock, caller, expense, founding

BOUNCED = StoreOptions(statement_s=0, prepare=False)
START_S_MAX = 20
NOBODY = 65_534


@pytest.fixture
def bounced_url(server: Server, tmp_path: Path) -> Generator[str]:
    """A migrated database through a PgBouncer that keeps two connections to it."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("there is no pgbouncer here: tests/install.sh")
    name, port = f"ledger_{secrets.token_hex(4)}", free_port()
    execute(f"{server.url}/postgres", sql.SQL("create database {}").format(sql.Identifier(name)))
    migrate(f"{server.url}/{name}")
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={server.address} port=5432 user=owner"
        f" password='{server.password}'\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    words = [*(user if os.geteuid() == 0 else ()), program, str(tmp_path / "pgbouncer.ini")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"postgresql://owner@127.0.0.1:{port}/{quote(name)}"
    try:
        wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=START_S_MAX)


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PgBouncer does not answer"
            time.sleep(0.05)
        else:
            return


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
