"""The API for the tests of http: the whole application, in this process, on each store."""

from collections.abc import AsyncGenerator
from importlib.util import find_spec

import pytest

from tests.http.api import Api, api_on
from tests.literals import Clock

STORES = ["memory", *(["postgresql"] if find_spec("clearsplit_pg.store") else [])]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def memory_api(clock: Clock) -> AsyncGenerator[Api]:
    """For what does not depend on the store."""
    async with api_on("memory:", clock) as api:
        yield api


@pytest.fixture(params=STORES)
async def api(request: pytest.FixtureRequest, clock: Clock) -> AsyncGenerator[Api]:
    """For everything else: once on each store. Tests of other people's groups share a database."""
    on_memory = request.param == "memory"
    url: str = "memory:" if on_memory else request.getfixturevalue("shared_database_url")
    async with api_on(url, clock) as api:
        yield api


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest) -> str:
    """A store of one's own, each kind in turn."""
    on_memory = request.param == "memory"
    url: str = "memory:" if on_memory else request.getfixturevalue("database_url")
    return url


@pytest.fixture
async def empty_api(store_url: str, clock: Clock) -> AsyncGenerator[Api]:
    """For what needs a store of its own."""
    async with api_on(store_url, clock) as api:
        yield api
