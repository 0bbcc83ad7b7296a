"""`clearsplit check-db` and `clearsplit migrate --down`: what they say, and that it is so."""

import argparse
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from clearsplit_pg import commands
from clearsplit_pg.checkup import Facts, Schema, advice, dangers, faults
from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.schema import MigrationFailed, migrate, migrations_dir, required, step_down
from tests.pg.test_schema import TWO, objects, rows, run_migrate, written
from tests.postgres import with_database

GOOD = Facts(
    database="clearsplit",
    role="app",
    version="18.6",
    version_num=180_006,
    encoding="UTF8",
    fsync="on",
    full_page_writes="on",
    synchronous_commit="on",
    synchronous_standby_names="",
    data_checksums="on",
    read_only=False,
    encrypted=True,
    local=False,
    may_change_journal=False,
)
WHOLE = Schema(required())
LAST = max(required())
PASSWORD = "hunter2"


def run_check_db(url: str) -> int:
    parser = argparse.ArgumentParser()
    run = commands.check_db(parser)
    return run(parser.parse_args(["--database-url", url]))


def test_the_private_postgres_is_migrated_and_checked_by_its_url(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"embedded://{tmp_path}/data"
    assert run_migrate("--database-url", url) == run_check_db(url) == 1
    assert capsys.readouterr().err.count("There is no database in") == 2
    with EmbeddedPostgres(tmp_path / "data"):
        pass
    assert run_check_db(url) == 1
    assert "run `clearsplit migrate`" in capsys.readouterr().out
    assert run_migrate("--database-url", url) == 0
    assert run_check_db(url) == 0


def name_of(url: str) -> sql.Identifier:
    return sql.Identifier(urlsplit(url).path.lstrip("/"))


# ── What is wrong with a database, from what it says of itself ───────────────────────────────────


def test_nothing_is_wrong_with_a_good_database() -> None:
    assert [*faults(GOOD, WHOLE), *dangers(GOOD), *advice(GOOD)] == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(GOOD, version_num=139_999, version="13.22"), "PostgreSQL 13.22 is too old"),
        (replace(GOOD, encoding="SQL_ASCII"), "encoding is SQL_ASCII"),
        (replace(GOOD, read_only=True), "read-only"),
    ],
)
def test_what_cannot_keep_a_journal_is_a_fault(facts: Facts, said: str) -> None:
    (fault,) = faults(facts, WHOLE)

    assert said in fault
    assert list(dangers(facts)) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(GOOD, fsync="off"), "fsync is off"),
        (replace(GOOD, synchronous_commit="off"), "synchronous_commit is off"),
    ],
)
def test_what_would_forget_a_confirmed_write_is_a_danger(facts: Facts, said: str) -> None:
    (danger,) = dangers(facts)

    assert said in danger
    assert list(faults(facts, WHOLE)) == []


@pytest.mark.parametrize(
    ("schema", "shown", "said"),
    [
        (Schema(frozenset()), "lacks 0001", "`clearsplit migrate`"),
        (
            Schema(required() - {max(required())}),
            f"lacks {max(required())}",
            "`clearsplit migrate`",
        ),
        (Schema(None), "unknown", "--app-role"),
    ],
)
def test_a_schema_that_is_not_the_right_one_is_a_fault(
    schema: Schema, shown: str, said: str
) -> None:
    (fault,) = faults(GOOD, schema)

    assert said in fault
    assert str(schema).startswith(shown)


def test_a_newer_schema_is_no_fault() -> None:
    newer = Schema(required() | {"9999.tomorrow"})

    assert list(faults(GOOD, newer)) == []
    assert str(newer) == "newer, with 9999.tomorrow"


@pytest.mark.parametrize(
    "facts",
    [
        replace(GOOD, version_num=140_000),
        replace(GOOD, synchronous_commit="local"),
        replace(GOOD, synchronous_commit="remote_apply"),
    ],
)
def test_what_is_just_good_enough_is_no_fault(facts: Facts) -> None:
    assert [*faults(facts, WHOLE), *dangers(facts)] == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(GOOD, may_change_journal=True), "--app-role"),
        (replace(GOOD, encrypted=False), "sslmode=verify-full"),
        (replace(GOOD, data_checksums="off"), "checksums are off"),
        (
            replace(GOOD, synchronous_standby_names="*", synchronous_commit="local"),
            "may lack writes that were confirmed",
        ),
        (replace(GOOD, full_page_writes="off"), "full_page_writes is off"),
    ],
)
def test_what_should_be_better_is_advice(facts: Facts, said: str) -> None:
    assert [*faults(facts, WHOLE), *dangers(facts)] == []
    (sentence,) = advice(facts)
    assert said in sentence


def test_a_connection_within_one_machine_needs_no_encryption() -> None:
    assert list(advice(replace(GOOD, encrypted=False, local=True))) == []


# ── clearsplit check-db ──────────────────────────────────────────────────────────────────────────


def test_check_db_says_what_the_database_says(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_check_db(database_url)

    said = capsys.readouterr().out
    with psycopg.connect(database_url) as connection:
        info = connection.info
        fsync = rows(database_url, "show fsync")[0][0]
        assert f"host        {info.host} port {info.port}\n" in said
        assert f"database    {info.dbname} as {info.user}\n" in said
        assert f"version     PostgreSQL {info.parameter_status('server_version')}\n" in said
    assert re.search(r"^latency     \d+\.\d ms, after \d+ ms to connect$", said, re.MULTILINE)
    assert f"durable     fsync {fsync}, " in said
    assert "encoding    UTF8\n" in said
    assert "schema      up to date\n" in said


def test_check_db_fails_for_a_fault_and_says_what_to_do(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        off = sql.SQL("alter database {} set synchronous_commit = off")
        connection.execute(off.format(name_of(database_url)))

    assert run_check_db(database_url) == 1

    said = capsys.readouterr().out
    assert ", synchronous_commit off\n" in said
    assert "FIX         synchronous_commit is off" in said


def test_check_db_passes_the_private_postgres_as_it_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        migrate(server.url)
        status = run_check_db(server.url)

    said = capsys.readouterr().out
    assert status == 0, said
    assert "durable     fsync on, synchronous_commit on\n" in said
    assert "FIX" not in said


def test_check_db_finds_a_wrong_encoding(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ascii_url = with_database(database_url, f"{urlsplit(database_url).path[1:]}_ascii")
    create = sql.SQL("create database {} template template0 encoding 'SQL_ASCII' locale 'C'")
    drop = sql.SQL("drop database {} with (force)")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(create.format(name_of(ascii_url)))
        try:
            assert run_check_db(ascii_url) == 1
        finally:
            connection.execute(drop.format(name_of(ascii_url)))

    assert "FIX         The database's encoding is SQL_ASCII" in capsys.readouterr().out


def test_check_db_asks_for_a_migration(
    bare_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check_db(bare_database_url) == 1

    said = capsys.readouterr().out
    assert f"schema      lacks {', '.join(sorted(required()))}\n" in said
    assert "FIX         The schema is old: run `clearsplit migrate`." in said


def test_check_db_does_not_mind_a_newer_schema(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(database_url, written(tmp_path, {"9999.tomorrow": "create table later ();"}))

    run_check_db(database_url)

    assert "schema      newer, with 9999.tomorrow\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("127.0.0.1:1/db", "Is Postgres running there"),
        ("no-such-host.invalid/db", "Is the host's name right?"),
        ("127.0.0.1:1,127.0.0.1:2/db", "Is Postgres running there"),
    ],
)
def test_check_db_says_why_it_cannot_connect_and_never_the_password(
    where: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check_db(f"postgresql+asyncpg://ana:{PASSWORD}@{where}") == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("clearsplit check-db: ")
    assert hint in said.err
    assert PASSWORD not in said.err


def test_check_db_names_a_database_that_does_not_exist(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check_db(with_database(database_url, "nowhere")) == 1

    said = capsys.readouterr().err
    assert 'database "nowhere" does not exist' in said
    assert "`create database …`" in said


def test_a_url_may_stand_in_a_file(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "url").write_text(f"{database_url}\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "url"))

    assert run_migrate("--status") == 0
    assert capsys.readouterr().out == "up to date\n"


def test_a_url_stands_in_one_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("DATABASE_URL_FILE", "/nowhere/url")

    assert run_migrate() == 1
    assert "Both DATABASE_URL and DATABASE_URL_FILE are set" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", "/nowhere/url")

    assert run_migrate() == 1
    assert "DATABASE_URL_FILE names no file" in capsys.readouterr().err


# ── clearsplit migrate --down ────────────────────────────────────────────────────────────────────


def test_down_undoes_one_migration_and_its_mark(bare_database_url: str, tmp_path: Path) -> None:
    back = {"0002.debts.rollback": "drop table debt;"}
    migrate(bare_database_url, written(tmp_path, {**TWO, **back}))

    assert step_down(bare_database_url, tmp_path) == "0002.debts"

    assert not any("debt.amount_minor" in str(each) for each in objects(bare_database_url))
    assert migrate(bare_database_url, tmp_path) == ["0002.debts"]


def test_a_step_down_that_fails_changes_nothing(bare_database_url: str, tmp_path: Path) -> None:
    back = {"0002.debts.rollback": "drop table debt; drop table nowhere;"}
    migrate(bare_database_url, written(tmp_path, {**TWO, **back}))
    before = objects(bare_database_url)

    with pytest.raises(MigrationFailed):
        step_down(bare_database_url, tmp_path)

    assert objects(bare_database_url) == before
    assert migrate(bare_database_url, tmp_path) == []


def test_the_command_goes_down_to_nothing_and_up_again(
    bare_database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENV", "local")
    words = ("--database-url", bare_database_url)
    run_migrate(*words)
    whole = objects(bare_database_url)
    capsys.readouterr()

    for migration in sorted(required(), reverse=True):
        assert run_migrate(*words, "--down") == 0
        assert capsys.readouterr().out == f"undone {migration}\n"
    assert run_migrate(*words, "--down") == 0
    assert capsys.readouterr().out == "there is nothing to undo\n"

    assert run_migrate(*words) == 0
    assert objects(bare_database_url) == whole


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_nobody_goes_down_in_production(
    environment: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ENV", environment)
    before = objects(database_url)

    assert run_migrate("--database-url", database_url, "--down") == 1

    assert f"ENV is {environment}" in capsys.readouterr().err
    assert objects(database_url) == before


def test_every_migration_has_a_way_back() -> None:
    backs = {each.name.replace(".rollback", "") for each in migrations_dir().glob("*.rollback.sql")}

    assert {f"{migration}.sql" for migration in required()} == backs
