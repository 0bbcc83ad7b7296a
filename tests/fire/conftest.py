"""A real server with several workers, for all fires of one process."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from clearsplit_core.ports import AsyncStore
from clearsplit_pg.store import open_store
from tests.fire.crowd import SIZES, Somebody
from tests.http.process import SECRET, address, environment, serving
from tests.postgres import FORGETFUL


@pytest.fixture(scope="session")
def served(shared_database_url: str) -> Iterator[str]:
    """Where the server is."""
    env = environment(
        DATABASE_URL=shared_database_url,
        JWT_SECRET=SECRET,
        ALLOW_UNSAFE_DATABASE="1",
        UVICORN_WORKERS=str(SIZES.workers),
        RATE_LIMIT_SIGNUP="0",
        DATABASE_WAIT_S="60",
        LOG_LEVEL="error",
    )
    with serving(env=env) as (process, said):
        yield address(said)
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
async def anybody(served: str) -> AsyncIterator[Somebody]:
    """Somebody at the server who is not signed in."""
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(base_url=served, limits=limits, timeout=120) as http:
        yield Somebody(http)


@pytest.fixture
async def store(shared_database_url: str) -> AsyncIterator[AsyncStore]:
    """The server's data, as another process has it."""
    opened = open_store(shared_database_url, lambda: datetime.now(UTC), FORGETFUL)
    async with opened as store:
        yield store
