"""The schema: migrations are SQL files, applied once and in order, by yoyo.

A migration and the note that it was applied commit together, so a migrator that is killed leaves
either all of it or nothing. (`-- transactional: false` cannot have that: write such a migration so
that it may run twice.) Whoever migrates holds an advisory lock of the database, which ends with
its connection; yoyo's own lock is a row, and one that is found under ours was left by the dead.

Not through PgBouncer in transaction mode: the lock belongs to a session.
"""

import glob
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from yoyo import default_migration_table, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, MigrationList

from clearsplit_core.errors import Conflict
from clearsplit_pg.urls import normalise

APPLIED: Final[LiteralString] = "select migration_id from _yoyo_migration"
MIGRATION_LOCK = 0x636C656172  # "clear"
"""The advisory lock of whoever changes the schema or who may use it."""


class MigrationFailed(Conflict, code="migration-failed"):
    """A migration could not be applied, and changed nothing."""


def migrate(url: str, directory: Path | None = None) -> list[str]:
    """Every migration is applied; returns the ids of those that were not yet.

    Raises MigrationFailed, with those before it applied and kept.
    """
    if not pending(url, directory):
        return []
    with _migrating(url) as backend:
        todo = backend.to_apply(_read(directory))
        for migration in todo:
            _apply(backend, migration)
        return [migration.id for migration in todo]


def step_down(url: str, directory: Path | None = None) -> str | None:
    """The migration that was applied last is undone, data and all; returns its id, if any was.

    For development: what the migration's tables held is gone. Raises MigrationFailed.
    """
    with _migrating(url) as backend:
        last = next(iter(backend.to_rollback(_read(directory))), None)
        if last is None:
            return None
        _undo(backend, last)
        return last.id


def pending(url: str, directory: Path | None = None) -> list[str]:
    """The ids of the migrations that the database lacks, in order. It only reads."""
    with psycopg.connect(normalise(url)) as connection:
        found = applied(connection)
    return [migration.id for migration in _read(directory) if migration.id not in found]


def applied(connection: psycopg.Connection[TupleRow]) -> frozenset[str]:
    """The ids of the migrations that the database has, whoever applied them."""
    try:
        rows = connection.execute(APPLIED).fetchall()
    except psycopg.errors.UndefinedTable:
        return frozenset()
    return frozenset(migration_id for (migration_id,) in rows)


def required() -> frozenset[str]:
    """The ids of all migrations that this version of ClearSplit needs."""
    return frozenset(migration.id for migration in _read(None))


def migrations_dir() -> Path:
    """Inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def _read(directory: Path | None) -> MigrationList:
    return read_migrations(glob.escape(str(directory or migrations_dir())))


@contextmanager
def _migrating(url: str) -> Generator[PostgresqlPsycopgBackend]:
    """Nobody else migrates meanwhile, and nobody dead stands in the way."""
    with psycopg.connect(normalise(url), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        with _backend(url) as backend:
            backend.create_lock_table()
            backend.break_lock()
            backend.ensure_internal_schema_updated()
            with backend.lock():
                yield backend


def _backend(url: str) -> PostgresqlPsycopgBackend:
    """Through libpq's reading of the URL: yoyo's own knows neither host lists nor IPv6 zones."""
    options = conninfo_to_dict(normalise(url))
    database = options.pop("dbname", None)
    uri = DatabaseURI("postgresql+psycopg", None, None, None, None, database, options)
    return PostgresqlPsycopgBackend(uri, default_migration_table)


def _apply(backend: PostgresqlPsycopgBackend, migration: Migration) -> None:
    """Applied and marked in one transaction; yoyo's apply_one uses two, and looks up our name."""
    try:
        with backend.transaction():  # which yoyo ends at once for `-- transactional: false`
            migration.process_steps(backend, "apply")
            backend.mark_one(migration, log=False)
    except psycopg.Error as error:
        raise MigrationFailed(f"{migration.id} was not applied: {error}") from error


def _undo(backend: PostgresqlPsycopgBackend, migration: Migration) -> None:
    try:
        with backend.transaction():
            migration.process_steps(backend, "rollback")
            backend.unmark_one(migration, log=False)
    except psycopg.Error as error:
        raise MigrationFailed(f"{migration.id} was not undone: {error}") from error
