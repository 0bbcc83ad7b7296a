"""Storage: what a group and an expense take on disk, and what recording one writes to the WAL.

    make bench-storage

Groups of six members are founded and expenses recorded among all six, one by one as the route does
it, on a Postgres of its own. Tables and indexes are measured after a vacuum, not rewritten, so that
the free space of a running database is counted. The WAL of an expense is least when its pages were
in the WAL before, and most right after a checkpoint, when each page that it touches is written
whole.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, LiteralString, TypeAlias
from uuid import uuid4

import psycopg
from psycopg.rows import TupleRow

from clearsplit_core.ports import Caller, StoreOptions
from clearsplit_core.records import AccountId, ExpenseId
from clearsplit_pg.store import PostgresStore, open_store
from tests.bench.serving.groups import Seeded, recording, twin
from tests.drill.servers import postgres
from tests.machine import machine
from tests.tools import asked, run

GROUPS: Final = 500
FILLED: Final = 10
"""So many of them get expenses."""
EXPENSES: Final = 1_000
"""So many in each."""
COLD: Final = 100
"""Expenses that are recorded right after a checkpoint each."""
RELATIONS: Final[LiteralString] = """
select relation.relname, index.relname, coalesce(pg_relation_size(index.oid), 0)
  from pg_class as relation
  left join pg_index on indrelid = relation.oid
  left join pg_class as index on index.oid = indexrelid
 where relation.relkind = 'r' and relation.relnamespace = 'public'::regnamespace
 union all
select relname, '', pg_table_size(oid)
  from pg_class
 where relkind = 'r' and relnamespace = 'public'::regnamespace
"""
WAL: Final[LiteralString] = """
select wal_records, wal_fpi, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') from pg_stat_wal
"""
GONE_S: Final = 0.5
"""Seconds in which a connection that was closed has told what it counted."""
SHOWN_MIN: Final = 1.0
"""Bytes below which a table or index is left out."""

Connection: TypeAlias = psycopg.Connection[TupleRow]
Sizes: TypeAlias = Mapping[tuple[str, str], int]
"""Bytes by table and index; without an index those of the table itself."""


@dataclass(frozen=True)
class Wal:
    """What was written to the WAL so far: records, images of whole pages, and bytes of both."""

    records: int
    images: int
    size: int


@dataclass(frozen=True)
class Stored:
    """Sizes with all groups empty and with some filled; the WAL of one expense, at least and most.

    Each is a sum over as many groups or expenses as the constants say.
    """

    empty: Sizes
    filled: Sizes
    least: Wal
    most: Wal


async def stored(url: str, connection: Connection) -> Stored:
    caller = Caller(AccountId(uuid4()))
    nothing = _sizes(connection)
    async with _opened(url) as store:
        groups = [await twin(store, caller) for _ in range(GROUPS)]
    empty, before = _sizes(connection), _wal(connection)
    async with _opened(url) as store:
        await asyncio.gather(*(_record(store, caller, each, EXPENSES) for each in groups[:FILLED]))
    least = _since(before, connection)
    filled, before = _sizes(connection), _wal(connection)
    async with _opened(url) as store:
        for group in groups[-COLD:]:
            connection.execute("checkpoint")
            await _record(store, caller, group, 1)
    return Stored(
        {name: size - nothing[name] for name, size in empty.items()},
        {name: size - empty[name] for name, size in filled.items()},
        least,
        _since(before, connection),
    )


def _opened(url: str) -> AbstractAsyncContextManager[PostgresStore]:
    return open_store(url, lambda: datetime.now(UTC), StoreOptions())


async def _record(store: PostgresStore, caller: Caller, group: Seeded, count: int) -> None:
    for _ in range(count):
        expense_id = ExpenseId(uuid4())
        command, receipt = recording(group, expense_id, str(expense_id))
        await store.perform_once(command, caller=caller, receipt=receipt)


def _sizes(connection: Connection) -> Sizes:
    connection.execute("vacuum analyze")
    return {(table, index or ""): size for table, index, size in connection.execute(RELATIONS)}


def _wal(connection: Connection) -> Wal:
    time.sleep(GONE_S)
    connection.execute("select pg_stat_clear_snapshot(), pg_stat_force_next_flush()")
    (row,) = connection.execute(WAL)
    return Wal(*map(int, row))


def _since(before: Wal, connection: Connection) -> Wal:
    now = _wal(connection)
    return Wal(now.records - before.records, now.images - before.images, now.size - before.size)


# ── Telling ──────────────────────────────────────────────────────────────────────────────────────


def tell(found: Stored) -> None:
    expenses = FILLED * EXPENSES
    print(f"{GROUPS} groups of six, {expenses:,} expenses split among all six; bytes of each one\n")
    print(f"{'':34}{'an empty group':>16}{'an expense':>16}")
    for table in sorted({table for table, _ in found.filled}):
        names = [name for name in found.filled if name[0] == table]
        _line(table, sum(found.empty[n] for n in names), sum(found.filled[n] for n in names))
        for one in sorted(names):
            _line(f"  {one[1] or '(rows)'}", found.empty[one], found.filled[one])
    _line("all together", sum(found.empty.values()), sum(found.filled.values()))
    print(f"\n{'WAL of one recorded expense':34}{'bytes':>16}{'records':>10}{'page images':>14}")
    for name, wal, count in (
        ("its pages already there", found.least, expenses),
        ("right after a checkpoint", found.most, COLD),
    ):
        print(
            f"{name:34}{wal.size / count:>16,.0f}{wal.records / count:>10.1f}"
            f"{wal.images / count:>14.1f}"
        )


def _line(name: str, empty: int, filled: int) -> None:
    group, expense = empty / GROUPS, filled / (FILLED * EXPENSES)
    if max(group, expense) >= SHOWN_MIN:
        print(f"{name:34}{group:>16,.0f}{expense:>16,.0f}")


def main() -> int:
    asked("tests.bench.storage", __doc__).parse_args()
    with postgres() as database, psycopg.connect(database.url, autocommit=True) as connection:
        print(machine(database.url))
        tell(asyncio.run(stored(database.url, connection)))
    return 0


if __name__ == "__main__":
    run(main)
