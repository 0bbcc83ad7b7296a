"""What a read costs, as the rows that Postgres has to look at: nothing here looks at a clock."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, TypeAlias

import msgspec
import psycopg
import pytest
from psycopg import sql

from clearsplit_core.questions import Expenses, Question, Statement, TheStanding
from clearsplit_pg import rows
from clearsplit_pg.readings import fields_of, reading_of
from clearsplit_pg.store import open_store
from tests.literals import NOON, TRIP, Clock, caller, expense, founding, guest, member
from tests.postgres import FORGETFUL

Database: TypeAlias = psycopg.Connection[tuple[object, ...]]

PAGE: Final = 50
TABLES: Final = ("entries", "expenses", "postings")
"""What grows with every expense."""
SHORT, LONG = 3_000, 12_000
"""Entries of a short journal and of a long one."""

# The last entry again and again, as if the same dinner were recorded every day.
MORE_ENTRIES: Final = """
insert into entries (group_id, seq, at, actor_id, event, leg_members, leg_currencies, leg_dates,
                     leg_amounts, previous, hash)
select group_id, number, at, actor_id,
       jsonb_set(event, '{expense_id}', to_jsonb(gen_random_uuid())), leg_members, leg_currencies,
       leg_dates, leg_amounts, previous, hash
  from entries
 cross join generate_series(%(first)s::int, %(last)s::int) as number
 where seq = 3
"""
MORE_EXPENSES: Final = """
insert into expenses (group_id, expense_id, recorded_seq, version, voided, body)
select group_id, gen_random_uuid(), number, version, voided, body
  from expenses
 cross join generate_series(%(first)s::int, %(last)s::int) as number
 where recorded_seq = 3
"""
MORE_POSTINGS: Final = """
insert into postings (group_id, member_id, currency, seq, effective_date, amount_minor,
                      balance_after_minor)
select group_id, member_id, currency, number, effective_date, amount_minor,
       balance_after_minor
  from postings
 cross join generate_series(%(first)s::int, %(last)s::int) as number
 where seq = 3
"""


class Node(msgspec.Struct, rename={"kind": "Node Type", "table": "Relation Name"}):
    """A step of a plan: what it read, how often, and what of it was of no use."""

    kind: str
    table: str = ""
    rows: float = msgspec.field(name="Actual Rows", default=0)
    loops: float = msgspec.field(name="Actual Loops", default=0)
    refused: float = msgspec.field(name="Rows Removed by Filter", default=0)
    parts: list["Node"] = msgspec.field(name="Plans", default_factory=list)

    def steps(self) -> Iterator["Node"]:
        yield self
        for part in self.parts:
            yield from part.steps()


class Plan(msgspec.Struct):
    root: Node = msgspec.field(name="Plan")


@pytest.fixture
async def journal_of(database_url: str) -> AsyncIterator[Callable[[int], Database]]:
    """Makes ann and bob's journal as long as it is told to."""
    async with open_store(database_url, Clock(), FORGETFUL) as store:
        for command in (founding("ann"), guest("bob"), expense("Dinner", among="ann bob")):
            await store.perform(command, caller=caller("ann"))
    with psycopg.connect(database_url, autocommit=True) as connection:

        def as_long_as(last: int) -> Database:
            row = connection.execute("select max(seq) + 1 from entries").fetchone()
            numbers = {"first": row and row[0], "last": last}
            connection.execute(MORE_ENTRIES.encode(), numbers)
            connection.execute(MORE_EXPENSES.encode(), numbers)
            connection.execute(MORE_POSTINGS.encode(), numbers)
            connection.execute("update groups set seq = %s", [last])
            connection.execute("analyze")
            return connection

        yield as_long_as


def looked_at(database: Database, question: Question[object]) -> dict[str, float]:
    """The rows of the journal that an answer looks at, by table; none of them in a whole scan."""
    params = rows.who(caller("ann"), NOON) | fields_of(question)
    row = _planned_once(database, reading_of(question).statement(question), params).fetchone()
    assert row is not None
    (plan,) = msgspec.convert(row[0], list[Plan])
    found: dict[str, float] = {}
    for step in plan.root.steps():
        if step.table in TABLES:
            assert "Seq Scan" not in step.kind or not step.loops, (step.table, step.kind)
            cost = (step.rows + step.refused) * step.loops
            found[step.table] = found.get(step.table, 0) + cost
    return found


def _planned_once(
    database: Database, statement: str, params: rows.Params
) -> psycopg.Cursor[tuple[object, ...]]:
    """What the statement does when it is prepared and planned for any values, as in a server."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    for number, name in enumerate(names, 1):
        statement = statement.replace(f"%({name})s", f"${number}")
    database.execute("set plan_cache_mode = force_generic_plan")
    database.execute("deallocate all")
    database.execute(f"prepare asked as {statement.replace('%%', '%')}".encode())
    values = sql.SQL(", ").join(sql.Literal(params[name]) for name in names)
    explain = sql.SQL("explain (analyze, timing off, format json) execute asked ({})")
    return database.execute(explain.format(values))


def statement(
    *, latest_first: bool = False, after_seq: int | None = None, currency: str | None = None
) -> Statement:
    return Statement(
        group_id=TRIP,
        member_id=member("bob"),
        latest_first=latest_first,
        after_seq=after_seq,
        after_currency="" if after_seq is None else "EUR",
        currency=currency,
        limit=PAGE,
    )


QUESTIONS: Final[dict[str, Question[object]]] = {
    "the first page": statement(),
    "a page in the middle": statement(after_seq=200),
    "the latest page": statement(latest_first=True),
    "a page in the middle, the other way": statement(latest_first=True, after_seq=200),
    "a page in one currency": statement(currency="EUR", after_seq=200),
    "the balances after an entry": TheStanding(TRIP, as_of_seq=200),
    "the latest expenses": Expenses(TRIP, limit=PAGE),
    "expenses in the middle": Expenses(TRIP, before_seq=200, limit=PAGE),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_costs_the_same_however_long_the_journal_is(
    journal_of: Callable[[int], Database], question: str
) -> None:
    short = looked_at(journal_of(SHORT), QUESTIONS[question])
    long = looked_at(journal_of(LONG), QUESTIONS[question])

    assert long == short
    assert 0 < sum(long.values()) <= 4 * PAGE
