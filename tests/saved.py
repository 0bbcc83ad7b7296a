"""A state of a store that a test can go back to, as often as it likes.

Much cheaper than a new store for each try: what the tables held is kept in tables aside and put
back by deleting and inserting, past the triggers that keep everybody else from doing so.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

import psycopg
from psycopg import sql

from clearsplit_core.memory import MemoryStore
from clearsplit_core.ports import AsyncStore

Rows: TypeAlias = Mapping[str, Sequence[str]]
"""Every row of every table, as text."""


@dataclass(frozen=True)
class Saved:
    """`state` is every byte of a state, to which one can go back; `dump` is the present one."""

    state: object
    restore: Callable[[], None]
    dump: Callable[[], object]


def saved(store: AsyncStore, url: str) -> Saved:
    """The state as it is now, of the store behind `url`."""
    inner = getattr(store, "_store", None)
    return in_memory(inner) if isinstance(inner, MemoryStore) else in_postgres(url)


def in_memory(store: MemoryStore) -> Saved:
    """Books and accounts are values, so that holding them is enough."""
    books, accounts = dict(store._books), dict(store._accounts)

    def restore() -> None:
        store._books, store._accounts = dict(books), dict(accounts)

    def dump() -> str:
        return repr((store._books, store._accounts))

    return Saved(dump(), restore, dump)


def in_postgres(url: str) -> Saved:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        ours = {table: _columns_of(connection, table) for table in _tables(connection)}
        aside = ["drop schema if exists saved cascade", "create schema saved"]
        aside += [f'create table saved."{table}" as table public."{table}"' for table in ours]
        connection.execute("; ".join(aside).encode())

    back = [f'delete from public."{table}"' for table in ours]
    back += [
        f'insert into public."{table}" ({columns}) select {columns} from saved."{table}"'
        for table, columns in ours.items()
    ]
    restoring = "; ".join(["begin; set local session_replication_role = replica", *back, "commit"])

    def restore() -> None:
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(restoring.encode())

    return Saved(rows(url), restore, lambda: rows(url))


def rows(url: str) -> Rows:
    """Every row of every table of ours, as text."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return {table: _rows_of(connection, table) for table in _tables(connection)}


def _tables(connection: psycopg.Connection[tuple[str]]) -> Sequence[str]:
    found = connection.execute(
        "select tablename from pg_tables where schemaname = 'public' order by 1"
    )
    return [table for (table,) in found.fetchall()]


def _rows_of(connection: psycopg.Connection[tuple[str]], table: str) -> Sequence[str]:
    every_row = sql.SQL("select whole::text from public.{} as whole order by 1")
    found = connection.execute(every_row.format(sql.Identifier(table)))
    return [row for (row,) in found.fetchall()]


def _columns_of(connection: psycopg.Connection[tuple[str]], table: str) -> str:
    """The names of the columns that are written, in a row."""
    found = connection.execute(
        "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
        " where table_schema = 'public' and table_name = %s and is_generated = 'NEVER'",
        [table],
    ).fetchone()
    assert found is not None
    return found[0]
