"""Migrating: every spelling of a URL, once whoever races, and all of a migration or nothing."""

import argparse
import asyncio
import logging
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from clearsplit_pg import commands, schema
from clearsplit_pg.audit import audited, connected
from clearsplit_pg.schema import (
    MigrationFailed,
    migrate,
    migrations_dir,
    pending,
    required,
    step_down,
)
from clearsplit_pg.store import open_store
from clearsplit_pg.urls import BadDatabaseUrl, normalise
from tests.contract.test_questions import STORY
from tests.literals import TRIP, Clock, caller
from tests.postgres import FORGETFUL

TWO = {
    "0001.tables": "create table debtor (name text); create table creditor (name text);",
    "0002.debts": "create table debt (amount_minor bigint);",
}
MIGRATOR = """
import sys
from pathlib import Path
from clearsplit_pg.schema import migrate

migrate(sys.argv[1], Path(sys.argv[2]))
"""


def written(directory: Path, migrations: Mapping[str, str]) -> Path:
    directory.mkdir(exist_ok=True)
    for name, statements in migrations.items():
        (directory / f"{name}.sql").write_text(statements)
    return directory


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def objects(url: str) -> list[tuple[object, ...]]:
    """All that stands in the public schema, down to columns, constraints and the text of functions,
    but for yoyo's own."""
    return rows(
        url,
        """
        with here as (select oid from pg_namespace where nspname = 'public')
        select format('%s.%s %s', relname, attname, format_type(atttypid, atttypmod))
          from pg_class join pg_attribute on attrelid = pg_class.oid
         where relnamespace in (table here) and relname not like '%yoyo%' and not attisdropped
        union all
        select format('%s %s', conname, pg_get_constraintdef(oid))
          from pg_constraint
         where connamespace in (table here) and conrelid::regclass::text not like '%yoyo%'
        union all
        select format('%s %s', tgrelid::regclass, tgname) from pg_trigger where not tgisinternal
        union all
        select format('%s %s %s %s', oid::regprocedure, prolang, proconfig, md5(prosrc))
          from pg_proc
         where pronamespace in (table here)
        union all
        select typname from pg_type
         where typnamespace in (table here) and typtype in ('d', 'e')
         order by 1
        """,
    )


def run_migrate(*words: str) -> int:
    parser = argparse.ArgumentParser()
    run = commands.migrate(parser)
    return run(parser.parse_args(words))


# ── URLs ─────────────────────────────────────────────────────────────────────────────────────────

SCHEMES = ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgres+asyncpg"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_spelling_of_a_url_is_migrated(
    scheme: str, bare_database_url: str, tmp_path: Path
) -> None:
    url = bare_database_url.replace("postgresql", scheme, 1)

    assert migrate(url, written(tmp_path, TWO)) == ["0001.tables", "0002.debts"]
    assert pending(url, tmp_path) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "rest",
    [
        "ana:p%40%2F@host:6432/db?sslmode=require&application_name=a%20b",
        "one:5432,two:5433/db?target_session_attrs=read-write",
        "ana@/db?host=/run/pg",
        "[::1]:5432/db",
        "",
    ],
)
def test_only_the_scheme_of_a_url_changes(scheme: str, rest: str) -> None:
    assert normalise(f"{scheme}://{rest}") == f"postgresql://{rest}"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ana:hunter2@host/db",
        "ana:hunter2@host/db",
        "postgresql://ana:hunter2/x@host/db",
        "postgresql://ana:x@hunter2@host/db",
        "postgresql://ana:hunter2?x@host/db",
        "postgresql://ana:hunter2%zz@host/db",
        "postgresql://ana:hunter2@host/db?ssl=require",
        "host=localhost password=hunter2",
        "postgresql://ana:hunter2\udcff@host/db",  # a byte that is no UTF-8 (PEP 383)
        "",
    ],
)
def test_a_bad_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refusal:
        normalise(url)

    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


# ── Applying ─────────────────────────────────────────────────────────────────────────────────────


def test_migrating_twice_applies_once(bare_database_url: str, tmp_path: Path) -> None:
    written(tmp_path, TWO)

    assert migrate(bare_database_url, tmp_path) == ["0001.tables", "0002.debts"]
    assert migrate(bare_database_url, tmp_path) == []


def test_four_migrators_at_once_apply_once(bare_database_url: str, tmp_path: Path) -> None:
    slow = {"0003.slow": "do $$ begin perform pg_sleep(0.3); end $$; create table slow ();"}
    written(tmp_path, {**TWO, **slow})

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(migrate, bare_database_url, tmp_path) for _ in range(4)]

    applied = sorted(run.result() for run in runs)
    assert applied == [[], [], [], ["0001.tables", "0002.debts", "0003.slow"]]


def test_a_killed_migrator_leaves_nothing_stuck(bare_database_url: str, tmp_path: Path) -> None:
    slow = {"0003.slow": "create table slow (); do $$ begin perform pg_sleep(1); end $$;"}
    written(tmp_path, {**TWO, **slow})
    asleep = (
        "select 1 from pg_stat_activity"
        " where wait_event = 'PgSleep' and datname = current_database()"
    )

    with subprocess.Popen([sys.executable, "-c", MIGRATOR, bare_database_url, tmp_path]) as killed:
        while not rows(bare_database_url, asleep):
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
    assert rows(bare_database_url, "select count(*) from yoyo_lock") == [(1,)]

    assert migrate(bare_database_url, tmp_path) == ["0003.slow"]
    assert rows(bare_database_url, "select count(*) from yoyo_lock") == [(0,)]


def test_a_migration_that_fails_leaves_nothing_of_itself(
    bare_database_url: str, tmp_path: Path
) -> None:
    written(tmp_path, {**TWO, "0003.half": "create table half (); create table debt ();"})

    with pytest.raises(MigrationFailed, match=r'0003\.half was not applied: relation "debt"'):
        migrate(bare_database_url, tmp_path)

    assert pending(bare_database_url, tmp_path) == ["0003.half"]
    assert rows(bare_database_url, "select to_regclass('half'), to_regclass('debt')::text") == [
        (None, "debt")
    ]


def test_a_migration_stands_only_together_with_its_mark(
    bare_database_url: str, tmp_path: Path
) -> None:
    migrate(bare_database_url, written(tmp_path, {"0001.tables": TWO["0001.tables"]}))
    with psycopg.connect(bare_database_url) as connection:
        connection.execute("alter table _yoyo_migration add check (migration_id not like '0002%')")

    with pytest.raises(MigrationFailed):
        migrate(bare_database_url, written(tmp_path, TWO))

    assert rows(bare_database_url, "select to_regclass('debt')") == [(None,)]


def test_a_migration_may_do_without_a_transaction(bare_database_url: str, tmp_path: Path) -> None:
    index = (
        "-- transactional: false\ncreate index concurrently debt_by_amount on debt (amount_minor)"
    )
    written(tmp_path, {**TWO, "0003.index": index})

    assert "0003.index" in migrate(bare_database_url, tmp_path)
    assert pending(bare_database_url, tmp_path) == []


def test_looking_what_is_pending_writes_nothing(bare_database_url: str, tmp_path: Path) -> None:
    before = rows(bare_database_url, "select oid from pg_class order by oid")

    assert pending(bare_database_url, written(tmp_path, TWO)) == ["0001.tables", "0002.debts"]

    assert rows(bare_database_url, "select oid from pg_class order by oid") == before


def test_migrating_what_is_migrated_needs_no_right_to_write(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        name = sql.Identifier(connection.info.dbname)
        read_only = sql.SQL("alter database {} set default_transaction_read_only = on")
        connection.execute(read_only.format(name))

    assert migrate(database_url) == []


def test_nothing_is_said_when_there_is_nothing_to_do(
    database_url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        migrate(database_url)

    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


def test_a_folder_named_like_a_pattern_is_read(bare_database_url: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "[ab]*", TWO)

    assert migrate(bare_database_url, folder) == ["0001.tables", "0002.debts"]


# ── The project's own schema ─────────────────────────────────────────────────────────────────────


def test_what_this_version_requires_is_what_migrating_applies(bare_database_url: str) -> None:
    assert required() == set(migrate(bare_database_url)) != set()


def test_the_schema_goes_up_down_and_up_again(bare_database_url: str) -> None:
    nothing = objects(bare_database_url)

    applied = migrate(bare_database_url)
    whole = objects(bare_database_url)
    with schema._migrating(bare_database_url) as backend:
        backend.rollback_migrations(backend.to_rollback(schema._read(None)))
    assert objects(bare_database_url) == nothing

    assert migrate(bare_database_url) == applied
    assert objects(bare_database_url) == whole
    assert len(whole) > len(nothing)


def test_each_step_down_leaves_what_was_there_before_that_step(
    bare_database_url: str, tmp_path: Path
) -> None:
    before = [objects(bare_database_url)]
    for step in sorted(migrations_dir().glob("[0-9]*[a-z].sql")):
        if not step.name.endswith(".rollback.sql"):
            shutil.copy(step, tmp_path)
            migrate(bare_database_url, tmp_path)
            before.append(objects(bare_database_url))
    assert len(before) == len(required()) + 1

    while before:
        assert objects(bare_database_url) == before.pop()
        step_down(bare_database_url)


async def test_a_journal_goes_a_step_down_and_up_again(database_url: str) -> None:
    async with open_store(database_url, Clock(), FORGETFUL) as store:
        for command in STORY:
            await store.perform(command, caller=caller("ann"))

    last = await asyncio.to_thread(step_down, database_url)
    assert await asyncio.to_thread(migrate, database_url) == [last]

    with connected(database_url) as database:
        assert audited(database, TRIP).faults == ()


def test_servers_that_hold_a_table_and_want_another_go_on_while_it_is_migrated(
    database_url: str,
) -> None:
    """As they do between what they read under a lock and what they append."""
    last = step_down(database_url)
    trying = """
        select 1 from pg_locks
         where relation = 'members'::regclass and mode = 'AccessExclusiveLock' and not granted
    """
    with psycopg.connect(database_url) as server, ThreadPoolExecutor(1) as migrator:
        server.execute("select from members")
        migrated = migrator.submit(migrate, database_url)
        while not rows(database_url, trying):
            time.sleep(0.001)
        server.execute("lock table postings in row exclusive mode")
        server.rollback()
        assert migrated.result() == [last]


# ── clearsplit migrate ───────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_it_applied(
    bare_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_migrate("--database-url", bare_database_url, "--status") == 1
    assert capsys.readouterr().out.startswith("pending 0001.")

    assert run_migrate("--database-url", bare_database_url) == 0
    assert capsys.readouterr().out.startswith("applied 0001.")

    assert run_migrate("--database-url", bare_database_url) == 0
    assert capsys.readouterr().out == "up to date\n"

    assert run_migrate("--database-url", bare_database_url, "--status") == 0
    assert capsys.readouterr().out == "up to date\n"


def test_the_command_takes_its_database_from_the_environment(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)

    assert run_migrate() == 0
    assert capsys.readouterr().out == "up to date\n"


def test_the_command_without_a_database_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    assert run_migrate() == 2
    assert "Set DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("rest", ["ana:hunter2@127.0.0.1:1/db", "ana:hunter2/x@127.0.0.1:1/db"])
def test_the_command_never_shows_a_password(rest: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_migrate("--database-url", f"postgresql://{rest}") == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("clearsplit migrate: ")
    assert "hunter2" not in said.err
