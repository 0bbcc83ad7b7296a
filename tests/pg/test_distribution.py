"""The tables can be spread over many servers by group_id (Citus), without a change of code.

Citus itself is not here. What it asks for is: that every key of a group's table has group_id in it,
and that a statement about a group names its group as a plain parameter wherever it reads or writes,
so that one server has all of it. The catalogue says the first, Postgres's own plans the second: in
a plan for any parameters (EXPLAIN GENERIC_PLAN, 16 and up) every look at a group's table has the
condition group_id = $n, with the number of that parameter.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.pg.test_statements import STATEMENTS
from tests.postgres import Connection

LOCAL: Final = {"accounts", "sessions", "personal_tokens", "attempts"}
"""Tables that stand whole on every server (reference tables) or on one (attempts)."""
SCALING: Final = Path(__file__).parents[2] / "docs" / "scaling.md"
CITUS: Final = SCALING.parent / "deploy" / "citus.sql"
BY_ACCOUNT: Final = {"balances.MY_BALANCES", "groups.GROUPS", "groups.LINKS"}
"""What an account has over all of its groups: every server is asked, and the answers are joined."""
OPERATORS_OWN: Final = ("audit.", "health.")
"""What an operator asks about everything."""

GROUP_TABLES: Final = """
select table_name from information_schema.columns
 where table_schema = 'public' and column_name = 'group_id'
   and table_name in (select table_name from information_schema.tables
                       where table_type = 'BASE TABLE')
"""
OTHER_TABLES: Final = """
select table_name from information_schema.tables
 where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like '%yoyo%'
"""
UNIQUE_KEYS: Final = """
select indexrelid::regclass::text, indrelid::regclass::text,
       array(select attname::text from pg_attribute
              where attrelid = indrelid and attnum = any(indkey))
  from pg_index
 where indisunique and indrelid in (select oid from pg_class
                                     where relnamespace = 'public'::regnamespace)
"""
FOREIGN_KEYS: Final = """
select conname::text, conrelid::regclass::text, confrelid::regclass::text,
       (select array_agg(a.attname::text order by place) from unnest(conkey)
          with ordinality as k (number, place)
          join pg_attribute as a on a.attrelid = conrelid and a.attnum = k.number),
       (select array_agg(a.attname::text order by place) from unnest(confkey)
          with ordinality as k (number, place)
          join pg_attribute as a on a.attrelid = confrelid and a.attnum = k.number)
  from pg_constraint
 where contype = 'f' and connamespace = 'public'::regnamespace
"""
FUNCTIONS_AND_VIEWS: Final = """
select proname::text from pg_proc where pronamespace = 'public'::regnamespace
 union all
select viewname::text from pg_views where schemaname = 'public'
"""
TRIGGERS: Final = """
select tgname::text, tgrelid::regclass::text
  from pg_trigger
 where not tgisinternal
"""


@pytest.fixture
def database(database_url: str) -> Iterator[Connection]:
    with closing(psycopg.connect(database_url)) as connection:
        yield connection


def _group_tables(database: Connection) -> set[str]:
    return {name for (name,) in database.execute(GROUP_TABLES)}


# ── The catalogue ────────────────────────────────────────────────────────────────────────────────


def test_every_table_is_a_groups_or_known_to_be_none(database: Connection) -> None:
    every = {name for (name,) in database.execute(OTHER_TABLES)}
    assert every - _group_tables(database) == LOCAL


def test_every_key_of_a_groups_table_has_the_group_in_it(database: Connection) -> None:
    ours = _group_tables(database)
    keys = [
        (name, columns) for name, table, columns in database.execute(UNIQUE_KEYS) if table in ours
    ]
    assert len(keys) >= len(ours)
    assert [name for name, columns in keys if "group_id" not in columns] == []


def test_every_reference_between_groups_tables_stays_within_the_group(database: Connection) -> None:
    ours = _group_tables(database)
    references = [row for row in database.execute(FOREIGN_KEYS) if row[1] in ours]
    assert references
    for name, _, referred, columns, others in references:
        assert referred in ours, name
        assert ("group_id", "group_id") in list(zip(columns, others, strict=True)), name


# ── The script for Citus ─────────────────────────────────────────────────────────────────────────


def _named(call: str) -> list[str]:
    return re.findall(rf"^select {call}\('(\w+)'", CITUS.read_text(), re.MULTILINE)


def test_the_script_names_each_table_once_and_in_its_class(database: Connection) -> None:
    assert sorted(_named("create_distributed_table")) == sorted(_group_tables(database))
    whole, kept = _named("create_reference_table"), _named("citus_add_local_table_to_metadata")
    assert sorted(whole + kept) == sorted(LOCAL)
    assert kept == ["attempts"]


def test_the_script_distributes_by_group_and_all_of_a_group_together() -> None:
    first, *others = re.findall(
        r"^select create_distributed_table\('(\w+)', +'group_id', colocate_with => '(\w+)'\);$",
        CITUS.read_text(),
        re.MULTILINE,
    )
    assert first == ("groups", "none")
    assert {beside for _, beside in others} == {"groups"}
    assert len(others) + 1 == len(_named("create_distributed_table"))


def test_the_script_takes_a_table_after_those_that_it_refers_to(database: Connection) -> None:
    order = re.findall(r"^select \w+\('(\w+)'", CITUS.read_text(), re.MULTILINE)
    references = database.execute(FOREIGN_KEYS).fetchall()
    assert references
    for name, table, referred, *_ in references:
        assert order.index(referred) <= order.index(table), name


def test_the_script_drops_every_trigger_of_a_groups_table(database: Connection) -> None:
    dropped = re.findall(r"^drop trigger (\w+) on (\w+);$", CITUS.read_text(), re.MULTILINE)
    assert sorted(dropped) == sorted(database.execute(TRIGGERS).fetchall())


def test_the_page_names_every_function_and_view_that_servers_need(database: Connection) -> None:
    needed = {name for (name,) in database.execute(FUNCTIONS_AND_VIEWS)}
    assert needed
    assert needed <= set(re.findall(r"`(\w+)`", SCALING.read_text()))


# ── The statements ───────────────────────────────────────────────────────────────────────────────


def _about_a_group() -> list[str]:
    named = (name for name, text in STATEMENTS.items() if "%(group_id)s" in text)
    return [name for name in named if not name.startswith(OPERATORS_OWN) and name not in BY_ACCOUNT]


@pytest.mark.parametrize("name", _about_a_group())
def test_a_statement_about_a_group_asks_one_server(database: Connection, name: str) -> None:
    if database.info.server_version < 160_000:
        pytest.skip("Postgres 16 and up show a plan for any parameters")
    numbered, numbers = _numbered(STATEMENTS[name])
    ours = _group_tables(database)
    database.execute("set enable_seqscan = off")
    (plan,) = database.execute(f"explain (generic_plan, format json) {numbered}".encode())
    for node in _nodes(plan[0][0]["Plan"]):
        if node.get("Relation Name") in ours and node["Node Type"] != "ModifyTable":
            assert _has_condition(node, numbers), json.dumps(node, indent=1)


@pytest.mark.parametrize("name", _about_a_group())
def test_whatever_is_inserted_is_of_the_group_that_is_named(name: str) -> None:
    inserted = re.findall(
        r"insert into (\w+) \((\w+).*?\)\s*"
        r"(?:values \(|select (?:distinct on \(.*?\) )?)([^,\s]+),",
        STATEMENTS[name],
        re.DOTALL,
    )
    assert len(inserted) == STATEMENTS[name].count("insert into")
    for table, column, value in inserted:
        assert (column, value.removesuffix("::uuid")) == ("group_id", "%(group_id)s"), table


def test_whatever_names_no_group_is_about_none(database: Connection) -> None:
    ours = _group_tables(database)
    about = re.compile(rf"\b(?:from|join|into|update)\s+(?:only\s+)?(?:{'|'.join(ours)})\b")
    silent = {name for name, text in STATEMENTS.items() if "%(group_id)s" not in text}
    found = {name for name in silent if about.search(STATEMENTS[name])}
    assert {name for name in found if not name.startswith(OPERATORS_OWN)} <= BY_ACCOUNT


def _numbered(statement: str) -> tuple[str, set[int]]:
    """The statement with $1, $2 … for its parameters, and which of them are the group.

    Each place has a number of its own, since the same parameter may be cast in one of them.
    """
    names = re.findall(r"%\((\w+)\)s", statement)
    numbers = count(1)
    numbered = re.sub(r"%\((\w+)\)s", lambda _: f"${next(numbers)}", statement)
    groups = {place for place, name in enumerate(names, 1) if name == "group_id"}
    return numbered.replace("%%", "%"), groups


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _has_condition(node: dict[str, Any], numbers: set[int]) -> bool:
    said = " ".join(str(node.get(name, "")) for name in ("Index Cond", "Recheck Cond", "Filter"))
    if node["Node Type"] == "Bitmap Heap Scan":
        said += " ".join(str(child.get("Index Cond", "")) for child in _nodes(node))
    named = re.findall(r"group_id = (?:\$(\d+)|\w+\.group_id\b)", said)
    return any(not number or int(number) in numbers for number in named)
