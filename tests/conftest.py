"""Fixtures that many tests share: a database of one's own (tests/postgres.py says how)."""

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Databases, begin_run, databases, end_run

# No law is about how fast this machine is today.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    if begin_run():
        config.add_cleanup(end_run)


@pytest.fixture(scope="session")
def _databases() -> Generator[Databases]:
    with databases() as found:
        yield found


@pytest.fixture
def database_url(_databases: Databases) -> Generator[str]:
    """A migrated database without rows for this test alone."""
    with _databases.fresh() as url:
        yield url


@pytest.fixture
def bare_database_url(_databases: Databases) -> Generator[str]:
    """A database without any table for this test alone."""
    with _databases.bare() as url:
        yield url


@pytest.fixture(scope="session")
def shared_database_url(_databases: Databases) -> Generator[str]:
    """A migrated database that the tests of one worker share: leave others' rows in peace."""
    with _databases.fresh() as url:
        yield url
