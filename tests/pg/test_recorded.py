"""What the bench has pgbench send for a recorded expense is what the ledger sends."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from clearsplit_core.ports import Caller
from clearsplit_core.records import AccountId
from tests.bench.serving.load import CONNECTIONS
from tests.bench.serving.pgbench import ran
from tests.bench.serving.recorded import recorded
from tests.postgres import Connection

ANA = Caller(AccountId(UUID(int=1)))
EACH = 2


@pytest.fixture
def database(database_url: str) -> Iterator[Connection]:
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        yield connection


TABLES = ("entries", "postings", "expenses", "texts", "answers", "balances", "debts")


def _counts(database: Connection) -> Counter[str]:
    counts = Counter[str]()
    for table in TABLES:
        for (count,) in database.execute(f"select count(*) from {table}".encode()):
            counts[table] = count
    return counts


def test_each_transaction_records_an_expense(
    database: Connection, database_url: str, tmp_path: Path
) -> None:
    script = asyncio.run(recorded(database_url, ANA))
    before = _counts(database)
    run = ran(script, database_url, 0, tmp_path, each=EACH)
    assert run.transactions == CONNECTIONS * EACH
    one = {"entries": 1, "expenses": 1, "answers": 1, "texts": 1, "postings": 6}
    assert _counts(database) - before == {
        name: rows * run.transactions for name, rows in one.items()
    }
