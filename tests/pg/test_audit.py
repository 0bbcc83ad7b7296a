"""An audit finds whatever is changed in a database, and names the first entry that is wrong.

The database has lost every guard that it has: no constraint, no trigger, as if its owner had taken
them away to write what they like.
"""

import asyncio
import random
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, LiteralString, TypeAlias

import pytest
from psycopg import errors, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from clearsplit_core.cli import main
from clearsplit_pg.audit import Database, audited, connected, group_ids
from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.schema import migrate
from clearsplit_pg.sql import audit as audit_sql
from clearsplit_pg.store import open_store
from tests.contract.test_questions import STORY
from tests.drill.clusters import asked, flipped, ordered
from tests.literals import OFFICE, TRIP, Clock, caller, expense, founding, guest
from tests.mutations import with_a_change
from tests.postgres import FORGETFUL, Databases, restartable

ROUNDS: Final = 200
"""Mutations of the tables beside a journal, and of a journal where nothing else does as many."""
ROUNDS_OF_ENTRIES: Final = 40
"""Mutations of each kind of a journal's entries, of which its file has 200 (core/)."""
UNTOLD: Final = "erasures"
"""What no entry tells: it counts what was erased, for whoever waits while it is."""
LAST: Final = len(STORY)
"""The last entry."""

UNGUARD: Final = """
do $$
declare guard record;
begin
    for guard in select conrelid::regclass as owner, conname
                   from pg_constraint
                  where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f', 'c')
                  order by contype = 'f' desc
    loop
        execute format('alter table %s drop constraint if exists %I cascade',
                       guard.owner, guard.conname);
    end loop;
end
$$;
alter table entries disable trigger user;
drop index members_one_seat_an_account;
drop index payments_one_a_transfer;
"""
"""Nothing is left that could refuse a change."""


@pytest.fixture(scope="module")
def unguarded(_databases: Databases) -> Generator[str]:
    with _databases.fresh() as url:
        asyncio.run(tell(url))
        with Database.connect(url, row_factory=dict_row) as database:
            database.execute(UNGUARD.encode())
        yield url


async def tell(url: str) -> None:
    """Two groups: one in which a bit of everything happened, and another beside it."""
    async with open_store(url, Clock(), FORGETFUL) as store:
        for command in STORY:
            await store.perform(command, caller=caller("ann"))
        for command in (founding("ann", of=OFFICE), guest("dee", of=OFFICE)):
            await store.perform(command, caller=caller("ann"))
        await store.perform(expense("Cake", among="ann dee", of=OFFICE), caller=caller("ann"))


@pytest.fixture
def database(unguarded: str) -> Generator[Database]:
    with Database.connect(unguarded, row_factory=dict_row) as database:
        yield database
        database.rollback()


@pytest.fixture(params=range(2))
def luck(request: pytest.FixtureRequest) -> random.Random:
    """Other dice in each part of the rounds, which then can be shared among workers."""
    return random.Random(request.param)


@contextmanager
def taken_back(database: Database) -> Generator[None]:
    """What is done inside is undone afterwards."""
    database.execute("savepoint before")
    yield
    database.execute("rollback to savepoint before")


def run(database: Database, statement: str, *values: object) -> int:
    """How many rows the statement changed."""
    return database.execute(statement.encode(), values).rowcount


# ── As it was told ───────────────────────────────────────────────────────────────────────────────


def test_a_database_as_it_was_told_has_no_fault(database: Database) -> None:
    assert group_ids(database) == sorted([TRIP, OFFICE])
    found = audited(database, TRIP)
    assert (found.faults, found.head.seq) == ((), len(STORY))


def test_a_fault_in_one_group_is_none_of_another(database: Database) -> None:
    run(database, "delete from entries where group_id = %s", TRIP)
    assert audited(database, TRIP).faults
    assert audited(database, OFFICE).faults == ()


def test_an_audit_reads_and_never_writes(unguarded: str) -> None:
    with connected(unguarded) as database:
        assert audited(database, TRIP).faults == ()
        with pytest.raises(errors.ReadOnlySqlTransaction):
            database.execute("delete from groups")


# ── The journal is changed ───────────────────────────────────────────────────────────────────────

Mutation: TypeAlias = Callable[[Database, random.Random], int | None]
"""Changes something about some entry; the first that is wrong then, None: no entry."""


def another_amount(database: Database, luck: random.Random) -> int:
    """Another amount for two members, so that the sums stay as they are."""
    seq = luck.choice(with_legs(database))
    run(
        database,
        "update entries set leg_amounts[1] = leg_amounts[1] + %s,"
        " leg_amounts[2] = leg_amounts[2] - %s where group_id = %s and seq = %s",
        *(2 * [luck.choice([-1, 1, 100])]), TRIP, seq,
    )  # fmt: skip
    return seq


def an_amount_alone(database: Database, luck: random.Random) -> int:
    seq = luck.choice(with_legs(database))
    run(
        database,
        "update entries set leg_amounts[2] = leg_amounts[2] + 1 where group_id = %s and seq = %s",
        TRIP, seq,
    )  # fmt: skip
    return seq


def another_date(database: Database, luck: random.Random) -> int:
    """Another day for all legs, so that each day's sums stay as they are."""
    seq = luck.choice(with_legs(database))
    run(
        database,
        "update entries set leg_dates = array(select day + %s from unnest(leg_dates) as day)"
        " where group_id = %s and seq = %s",
        luck.choice([-365, -1, 1]), TRIP, seq,
    )  # fmt: skip
    return seq


def another_time(database: Database, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    run(
        database,
        "update entries set at = at + %s * interval '1 microsecond'"
        " where group_id = %s and seq = %s",
        luck.choice([-(10**9), -1, 1, 10**6]), TRIP, seq,
    )  # fmt: skip
    return seq


def another_actor(database: Database, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    others = "select member_id from members where group_id = %s and member_id <> actor_id"
    run(
        database,
        f"update entries set actor_id = ({others} order by member_id offset %s limit 1)"
        " where group_id = %s and seq = %s",
        TRIP, luck.randint(0, 4), TRIP, seq,
    )  # fmt: skip
    return seq


def another_event(database: Database, luck: random.Random) -> int:
    """One value somewhere in the event."""
    seq = luck.randint(1, LAST)
    row = database.execute(
        "select event from entries where group_id = %s and seq = %s", [TRIP, seq]
    ).fetchone()
    assert row is not None
    event = with_a_change(row["event"], luck)
    run(
        database, "update entries set event = %s where group_id = %s and seq = %s",
        Jsonb(event), TRIP, seq,
    )  # fmt: skip
    return seq


def another_text(database: Database, luck: random.Random) -> int:
    marks = [
        row["commitment"]
        for row in database.execute(
            "select commitment from texts where group_id = %s order by 1", [TRIP]
        )
    ]
    mark = luck.choice(marks)
    change = luck.choice(
        ["words = words || '.'", "words = ''", "salt = set_byte(salt, 7, 255 - get_byte(salt, 7))"]
    )
    run(database, f"update texts set {change} where group_id = %s and commitment = %s", TRIP, mark)
    return first_that_names(database, mark)


def a_text_for_another(database: Database, luck: random.Random) -> int | None:
    """A text that nobody wrote."""
    run(
        database,
        "insert into texts select group_id, md5(%s) || md5(%s), words, salt from texts"
        " where group_id = %s limit 1",
        *(2 * [str(luck.random())]), TRIP,
    )  # fmt: skip
    return None


def an_entry_less(database: Database, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    run(database, "delete from entries where group_id = %s and seq = %s", TRIP, seq)
    return seq


def an_entry_less_without_a_gap(database: Database, luck: random.Random) -> int:
    seq = an_entry_less(database, luck)
    run(database, "update entries set seq = seq - 1 where group_id = %s and seq > %s", TRIP, seq)
    run(database, "update groups set seq = seq - 1 where group_id = %s and seq = %s", TRIP, LAST)
    return min(seq, LAST - 1)  # without the last one, the one before it is not the head


def an_entry_more(database: Database, luck: random.Random) -> int:
    """A copy of one entry behind another."""
    after, copied = luck.randint(0, LAST), luck.randint(1, LAST)
    run(database, "update entries set seq = seq + 1 where group_id = %s and seq > %s", TRIP, after)
    columns = (
        "at, actor_id, event, leg_members, leg_currencies, leg_dates, leg_amounts, previous, hash"
    )
    run(
        database,
        f"insert into entries (group_id, seq, {columns}) select group_id, %s, {columns}"
        " from entries where group_id = %s and seq = %s",
        after + 1, TRIP, copied + (copied > after),
    )  # fmt: skip
    return after + 1 + (copied == after + 1)  # of two that are the same the second is wrong


def two_entries_in_each_others_place(database: Database, luck: random.Random) -> int:
    one, other = luck.sample(range(1, LAST + 1), 2)
    run(
        database,
        "update entries set seq = %s - seq where group_id = %s and seq in (%s, %s)",
        one + other, TRIP, one, other,
    )  # fmt: skip
    return min(one, other)


def a_journal_cut_short(database: Database, luck: random.Random) -> int:
    seq = luck.randint(1, LAST)
    run(database, "delete from entries where group_id = %s and seq >= %s", TRIP, seq)
    return seq


def a_journal_cut_short_with_its_head(database: Database, luck: random.Random) -> int | None:
    kept = luck.randint(1, LAST - 1)
    run(database, "delete from entries where group_id = %s and seq > %s", TRIP, kept)
    run(
        database,
        "update groups set seq = entries.seq, head = hash from entries"
        " where groups.group_id = %s and entries.group_id = %s and entries.seq = %s",
        TRIP, TRIP, kept,
    )  # fmt: skip
    return None


MUTATIONS: Final[Sequence[Mutation]] = (
    another_amount,
    an_amount_alone,
    another_date,
    another_time,
    another_actor,
    another_event,
    another_text,
    a_text_for_another,
    an_entry_less,
    an_entry_less_without_a_gap,
    an_entry_more,
    two_entries_in_each_others_place,
    a_journal_cut_short,
    a_journal_cut_short_with_its_head,
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_whatever_is_changed_in_a_journal_is_found_and_the_first_wrong_entry_named(
    database: Database, luck: random.Random, mutation: Mutation
) -> None:
    for _ in range(ROUNDS_OF_ENTRIES // 2):
        with taken_back(database):
            seq = mutation(database, luck)
            found = audited(database, TRIP)
            assert found.faults
            assert seq is None or found.faults[0].seq == seq


def with_legs(database: Database) -> list[int]:
    found = database.execute(
        "select seq from entries where group_id = %s and leg_members <> '{}' order by 1", [TRIP]
    )
    return [row["seq"] for row in found]


def first_that_names(database: Database, commitment: str) -> int:
    row = database.execute(
        "select min(seq) as seq from entries"
        " where group_id = %s and %s in (select strings_in(event))",
        [TRIP, commitment],
    ).fetchone()
    assert row is not None
    seq: int = row["seq"]
    return seq


# ── What stands beside it is changed ─────────────────────────────────────────────────────────────

TABLES: Final = (
    "groups",
    "members",
    "postings",
    "balances",
    "debts",
    "expenses",
    "comments",
    "payments",
    "settlements",
    "invites",
)


def a_value(database: Database, luck: random.Random, table: str, row: str) -> None:
    """Another value in some column."""
    columns = database.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_name = %s and column_name not in ('group_id', %s) order by 1",
        [table, UNTOLD],
    ).fetchall()
    column = luck.choice(columns)
    name, kind = column["column_name"], column["data_type"]
    if kind == "jsonb":
        whole = database.execute(f"select {name} from {table} where ctid = %s".encode(), [row])
        told = whole.fetchone()
        assert told is not None
        change: sql.Composable = sql.Literal(Jsonb(with_a_change(told[name], luck)))
    else:
        change = sql.SQL(CHANGES[kind]).format(sql.Identifier(name))
    update = sql.SQL("update {} set {} = {} where ctid = {}")
    database.execute(
        update.format(sql.Identifier(table), sql.Identifier(name), change, sql.Literal(row))
    )


CHANGES: Final[Mapping[str, LiteralString]] = {
    "bigint": "{} + 1",
    "boolean": "not {}",
    "bytea": "sha256(coalesce({}, ''))",
    "date": "{} + 1",
    "text": "coalesce({}, '') || '.'",
    "timestamp with time zone": "{} + interval '1 microsecond'",
    "uuid": "coalesce(md5({}::text)::uuid, gen_random_uuid())",
}
"""Another value of each type."""


def a_row_less(database: Database, _luck: random.Random, table: str, row: str) -> None:
    run(database, f"delete from {table} where ctid = %s", row)


def a_row_more(database: Database, _luck: random.Random, table: str, row: str) -> None:
    """The same row again, under another key."""
    run(database, f"insert into {table} select * from {table} where ctid = %s", row)
    key = {"groups": "group_id", "postings": "seq"}.get(table, f"{table[:-1]}_id")
    key = {"balances": "member_id", "debts": "creditor_id"}.get(table, key)
    change = "seq + 1000" if key == "seq" else "gen_random_uuid()"
    if table != "groups":
        run(database, f"update {table} set {key} = {change} where ctid = %s", row)


@pytest.mark.parametrize("table", TABLES)
def test_an_audit_looks_at_every_column(database: Database, table: str) -> None:
    columns = database.execute(
        "select column_name from information_schema.columns where table_name = %s", [table]
    )
    statement: str = getattr(audit_sql, {"groups": "GROUP"}.get(table, table.upper()))
    assert [
        row["column_name"]
        for row in columns
        if not re.search(rf"\b{row['column_name']}\b", statement) and row["column_name"] != UNTOLD
    ] == []


@pytest.mark.parametrize("change", [a_value, a_row_less, a_row_more])
@pytest.mark.parametrize("table", TABLES)
def test_whatever_is_changed_beside_a_journal_is_found(
    database: Database, luck: random.Random, table: str, change: Callable[..., None]
) -> None:
    those = [
        row["place"]
        for row in database.execute(
            f"select ctid::text as place from {table} where group_id = %s order by 1".encode(),
            [TRIP],
        )
    ]
    for _ in range(ROUNDS // len(TABLES) if those else 0):
        with taken_back(database):
            change(database, luck, table, luck.choice(those))
            assert audited(database, TRIP).faults, table


# ── clearsplit verify ────────────────────────────────────────────────────────────────────────────


def run_verify(url: str, *words: str) -> int:
    return main(["verify", "--database-url", url, *words])


def test_verify_says_that_everything_holds(
    unguarded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verify(unguarded) == 0
    assert capsys.readouterr().out == f"2 groups, {LAST + 3} entries: everything holds.\n"


def test_verify_of_one_group_says_nothing_of_the_others(
    unguarded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verify(unguarded, "--group", str(OFFICE)) == 0
    assert capsys.readouterr().out == "1 group, 3 entries: everything holds.\n"


def test_verify_names_the_group_and_the_first_wrong_entry(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(tell(database_url))
    with Database.connect(database_url) as database:
        database.execute("alter table entries disable trigger user")
        run(database, "update entries set actor_id = null where group_id = %s and seq = 5", TRIP)
        run(database, "update balances set balance_minor = 1 where group_id = %s", OFFICE)

    assert run_verify(database_url) == 1

    said = capsys.readouterr().out
    assert f"WRONG  group {TRIP}  entry 5  Entry 5 was changed after it was written.\n" in said
    assert f"WRONG  group {OFFICE}  beside the journal  balances: " in said
    assert said.endswith("2 groups, 7 entries: 2 groups with faults.\n")


def test_verify_names_the_groups_that_the_disk_does_not_give_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with restartable(tmp_path) as server:
        asyncio.run(tell(server.url))
        ordered(server.url, "checkpoint")
        table = asked(server.url, "select pg_relation_filepath('entries')")
        server.stop()
        (cluster,) = tmp_path.glob("postgres-*")
        flipped(cluster / table, 5_000)
        server.start()

        assert run_verify(server.url) == 1

        said = capsys.readouterr().out
        page = f'invalid page in block 0 of relation "{table}"'
        assert said.startswith(f"WRONG  {page}. Restore a backup; what can be read says:\n")
        assert f"WRONG  group {TRIP}  entry 1  Postgres cannot read on: {page}." in said
        assert f"group {OFFICE}" not in said
        assert said.endswith("2 groups, 3 entries: 1 group with faults.\n")


def test_verify_of_a_group_that_is_not_there_fails(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verify(database_url, "--group", str(TRIP)) == 1
    assert f"There is no group {TRIP}" in capsys.readouterr().err


def test_verify_of_an_old_schema_fails(
    bare_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verify(bare_database_url) == 1
    assert "run `clearsplit migrate`" in capsys.readouterr().err


def test_verify_of_the_private_postgres(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with EmbeddedPostgres(tmp_path / "data") as server:
        migrate(server.url)
        asyncio.run(tell(server.url))
    assert run_verify(f"embedded://{tmp_path}/data") == 0
    assert capsys.readouterr().out.endswith("everything holds.\n")
    assert run_verify(f"embedded://{tmp_path}/nothing") == 1
    assert "There is no database in" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists()
    (tmp_path / "empty").mkdir()
    assert run_verify(f"embedded://{tmp_path}/empty") == 1
    assert list((tmp_path / "empty").iterdir()) == []


def test_who_names_no_database_is_told_of_the_private_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["verify"]) == 2
    said = capsys.readouterr().err
    assert "Set DATABASE_URL or give --database-url." in said
    assert "is embedded: or, with --data-dir, embedded:///that/folder." in said


def test_a_group_is_named_by_its_id(unguarded: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run_verify(unguarded, "--group", "lisbon")
    assert left.value.code == 2
    assert "a group's id is a UUID" in capsys.readouterr().err
