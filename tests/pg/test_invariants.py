"""What no SQL can do: the invariants that Postgres itself keeps, whoever is connected.

Each refusal is shown with its SQLSTATE. The rows that are tried differ from good ones in one thing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import errors
from psycopg.types.json import Jsonb

from clearsplit_core.errors import Unbalanced
from clearsplit_core.expenses import ExpenseRecorded
from clearsplit_core.group import Group
from clearsplit_core.journal import Entry, GroupId, MemberId, Posting, net
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import ExpenseId, Terms, outcome_of
from clearsplit_core.splits import Equal, Part
from clearsplit_pg.store import open_store
from tests.literals import (
    OFFICE,
    TODAY,
    TOMORROW,
    TRIP,
    Clock,
    caller,
    expense,
    founding,
    member,
    members,
    text,
)
from tests.postgres import FORGETFUL

ANN, BOB, CEM = sorted(members("ann bob cem"))
STRANGER = UUID(int=1)

Database = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A group of three whose journal has one entry."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            """
            insert into groups
                   (group_id, name, currency, version, created_at, changed_at, seq, head)
            values (%(group)s, '', 'EUR', 1, now(), now(), 1, sha256('one'))
            """,
            {"group": TRIP},
        )
        for member in (ANN, BOB, CEM):
            connection.execute(
                """
                insert into members (group_id, member_id, joined_seq, name, role, active, version)
                values (%s, %s, 1, '', 'member', true, 1)
                """,
                (TRIP, member),
            )
        insert_entry(connection, 1, [(ANN, "EUR", TODAY, 100), (BOB, "EUR", TODAY, -100)])
        yield connection


Leg = tuple[UUID, str, date, int]


def insert_entry(database: Database, seq: int, legs: Sequence[Leg]) -> None:
    database.execute(
        """
        insert into entries (group_id, seq, at, event, leg_members, leg_currencies, leg_dates,
                             leg_amounts, previous, hash)
        values (%s, %s, %s, %s, %s, %s, %s, %s, sha256('before'), sha256('this'))
        """,
        (
            TRIP,
            seq,
            datetime(2026, 1, 31, tzinfo=UTC),
            Jsonb({"kind": "expense-recorded"}),
            [member for member, _, _, _ in legs],
            [currency for _, currency, _, _ in legs],
            [day for _, _, day, _ in legs],
            [amount for _, _, _, amount in legs],
        ),
    )


UNBALANCED: dict[str, list[Leg]] = {
    "one leg only": [(ANN, "EUR", TODAY, 100)],
    "a cent short": [(ANN, "EUR", TODAY, 100), (BOB, "EUR", TODAY, -99)],
    "a zero leg": [(ANN, "EUR", TODAY, 100), (BOB, "EUR", TODAY, -100), (CEM, "EUR", TODAY, 0)],
    "zero only over two currencies": [(ANN, "EUR", TODAY, 100), (BOB, "USD", TODAY, -100)],
    "zero only over two dates": [(ANN, "EUR", TODAY, 100), (BOB, "EUR", TOMORROW, -100)],
    "out of order": [(BOB, "EUR", TODAY, -100), (ANN, "EUR", TODAY, 100)],
    "a member twice": [
        (ANN, "EUR", TODAY, 50), (ANN, "EUR", TODAY, 50), (BOB, "EUR", TODAY, -100),
    ],
}  # fmt: skip


@pytest.mark.parametrize("legs", UNBALANCED.values(), ids=UNBALANCED.keys())
def test_an_entry_that_does_not_balance_is_refused(database: Database, legs: list[Leg]) -> None:
    with pytest.raises(errors.CheckViolation) as refused:
        insert_entry(database, 2, legs)
    assert refused.value.sqlstate == "23514"
    assert refused.value.diag.constraint_name == "entries_sum_to_zero"


POSTINGS = st.builds(
    Posting,
    st.sampled_from([MemberId(each) for each in (ANN, BOB, CEM)]),
    st.sampled_from(["EUR", "USD"]),
    st.sampled_from([TODAY, TOMORROW]),
    st.sampled_from([-100, -50, 0, 50, 100]),
)


@st.composite
def some_legs(draw: st.DrawFn) -> list[Posting]:
    """Any legs, few of which balance; or some that do, in order or the other way round."""
    legs = draw(st.lists(POSTINGS, max_size=6))
    back = [
        replace(each, member_id=MemberId(ANN), amount_minor=-each.amount_minor) for each in legs
    ]
    balanced = list(net([*legs, *back]))
    return draw(st.sampled_from([legs, balanced, balanced[::-1]]))


@given(some_legs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgres_takes_the_legs_that_the_core_takes(
    database: Database, taken: list[Posting]
) -> None:
    row = database.execute(
        "select legs_balance(%s::uuid[], %s::text[], %s::date[], %s::bigint[])",
        (
            [leg.member_id for leg in taken],
            [leg.currency for leg in taken],
            [leg.effective_date for leg in taken],
            [leg.amount_minor for leg in taken],
        ),
    ).fetchone()
    assert row == (_is_balanced(taken),)


def _is_balanced(legs: list[Posting]) -> bool:
    """Whether the core would build an entry of them."""
    try:
        Entry(
            group_id=TRIP,
            seq=1,
            at=datetime(2026, 1, 31, tzinfo=UTC),
            actor_id=None,
            event={},
            postings=tuple(legs),
            previous="",
        )
    except Unbalanced:
        return False
    return True


GOOD: Final[dict[str, list[object]]] = {
    "leg_members": [ANN, BOB],
    "leg_currencies": ["EUR", "EUR"],
    "leg_dates": [TODAY, TODAY],
    "leg_amounts": [100, -100],
}


@pytest.mark.parametrize("column", GOOD)
@pytest.mark.parametrize("hole", [(0,), (1,), (0, 1), None], ids=str)
def test_an_entry_whose_legs_have_holes_is_refused(
    database: Database, column: str, hole: tuple[int, ...] | None
) -> None:
    """Nothing where something must stand, or fewer of one column (None)."""
    told = GOOD[column]
    holed = told[:1] if hole is None else [None if at in hole else it for at, it in enumerate(told)]
    with pytest.raises(errors.CheckViolation) as refused:
        database.execute(
            """
            insert into entries (group_id, seq, at, event, leg_members, leg_currencies, leg_dates,
                                 leg_amounts, previous, hash)
            values (%(group)s, 2, now(), '{}', %(leg_members)s::uuid[], %(leg_currencies)s::text[],
                    %(leg_dates)s::date[], %(leg_amounts)s::bigint[], sha256('a'), sha256('b'))
            """,
            {"group": TRIP} | GOOD | {column: holed},
        )
    assert refused.value.diag.constraint_name == "entries_sum_to_zero"


IN_FRONT: Final = """
create schema in_front;
create function in_front.yes(uuid, uuid) returns boolean language sql as 'select true';
create function in_front.yes(text[], text[]) returns boolean language sql as 'select true';
create function in_front.yes(date[], date[]) returns boolean language sql as 'select true';
create function in_front.yes(numeric, integer) returns boolean language sql as 'select true';
create operator in_front.> (leftarg = uuid,    rightarg = uuid,    function = in_front.yes);
create operator in_front.= (leftarg = text[],  rightarg = text[],  function = in_front.yes);
create operator in_front.= (leftarg = date[],  rightarg = date[],  function = in_front.yes);
create operator in_front.= (leftarg = numeric, rightarg = integer, function = in_front.yes);
create function in_front.array_position(bigint[], integer) returns integer
    language sql as 'select null::integer';
set search_path = in_front, pg_catalog, public;
"""
"""Somebody's own functions and operators, which stand in front of those of Postgres."""


@pytest.mark.parametrize("legs", UNBALANCED.values(), ids=UNBALANCED.keys())
def test_nobody_can_put_another_operator_in_the_place_of_one_that_checks(
    database: Database, legs: list[Leg]
) -> None:
    database.execute(IN_FRONT.encode())
    with pytest.raises(errors.CheckViolation) as refused:
        insert_entry(database, 2, legs)
    assert refused.value.diag.constraint_name == "entries_sum_to_zero"


def test_an_entry_without_legs_is_fine(database: Database) -> None:
    insert_entry(database, 2, [])
    assert database.execute("select count(*) from entries").fetchone() == (2,)


def test_legs_are_ordered_as_the_core_orders_them(database: Database) -> None:
    legs = [
        (ANN, "EUR", TODAY, 7), (ANN, "EUR", TOMORROW, -3), (ANN, "USD", TODAY, 1),
        (BOB, "EUR", TODAY, -7), (BOB, "EUR", TOMORROW, 3), (BOB, "USD", TODAY, -1),
    ]  # fmt: skip
    insert_entry(database, 2, legs)
    assert database.execute("select max(seq) from entries").fetchone() == (2,)


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set actor_id = null",
        "update entries set actor_id = null where false",
        "delete from entries",
        "truncate entries",
        "truncate entries cascade",
    ],
)
def test_the_journal_is_append_only(database: Database, statement: str) -> None:
    before = database.execute("select * from entries").fetchall()
    with pytest.raises(errors.RestrictViolation) as refused:
        database.execute(statement.encode())
    assert refused.value.sqlstate == "23001"
    assert database.execute("select * from entries").fetchall() == before


def test_the_journal_has_no_gap(database: Database) -> None:
    with pytest.raises(errors.ForeignKeyViolation) as refused:
        insert_entry(database, 3, [])
    assert refused.value.sqlstate == "23503"
    assert refused.value.diag.constraint_name == "entries_have_no_gap"


def test_the_journal_has_each_number_once(database: Database) -> None:
    with pytest.raises(errors.UniqueViolation) as refused:
        insert_entry(database, 1, [])
    assert refused.value.sqlstate == "23505"


@pytest.mark.parametrize("seqs", [[0], [0, -1], [0, -1, -2]], ids=str)
def test_the_journal_begins_at_one(database: Database, seqs: list[int]) -> None:
    """However many are put before it in one statement: the first of them has none before it."""
    with pytest.raises(errors.ForeignKeyViolation) as refused:
        database.execute(
            """
            insert into entries (group_id, seq, at, event, leg_members, leg_currencies, leg_dates,
                                 leg_amounts, previous, hash)
            select group_id, number, at, event, leg_members, leg_currencies, leg_dates,
                   leg_amounts, previous, hash
              from entries, unnest(%s::bigint[]) as number
            """,
            [seqs],
        )
    assert refused.value.diag.constraint_name == "entries_have_no_gap"


def test_no_entry_stands_at_the_least_number_there_is(database: Database) -> None:
    with pytest.raises(errors.NumericValueOutOfRange):
        insert_entry(database, -(2**63), [])


@pytest.mark.parametrize("table", ["balances", "debts"])
def test_a_group_cannot_name_a_member_of_another(database: Database, table: str) -> None:
    columns = {
        "balances": "(%(group)s, %(one)s, 'EUR', 5)",
        "debts": "(%(group)s, %(one)s, %(other)s, 'EUR', 5)",
    }
    with pytest.raises(errors.ForeignKeyViolation) as refused:
        database.execute(
            f"insert into {table} values {columns[table]}".encode(),
            {"group": OFFICE, "one": ANN, "other": BOB},
        )
    assert refused.value.sqlstate == "23503"


@dataclass(frozen=True, slots=True, kw_only=True)
class Careless:
    """Ann paid for somebody, and no rule asks whether they are in the group."""

    group_id: GroupId
    stranger: MemberId

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, _group: Group) -> Decision[None]:
        expense_id = ExpenseId(UUID(int=7))
        terms = Terms(
            title=text("Dinner"),
            amount_minor=100,
            currency="EUR",
            date=TODAY,
            payers=(Part(member("ann"), 100),),
            split=Equal((self.stranger,)),
            category=None,
            memo=None,
            fx=None,
        )
        outcome = outcome_of(terms, expense_id)
        return Decision(
            (ExpenseRecorded(expense_id=expense_id, terms=terms, outcome=outcome),), None
        )


async def test_an_entry_that_moves_money_of_nobody_in_the_group_is_refused_whole(
    database_url: str,
) -> None:
    careless = Careless(group_id=TRIP, stranger=member("dee"))
    with psycopg.connect(database_url) as connection:
        connection.execute("alter table debts drop constraint debts_name_a_debtor")
        connection.execute("alter table debts drop constraint debts_name_a_creditor")
    async with open_store(database_url, Clock(), FORGETFUL) as store:
        for command in (founding("ann"), founding("dee", of=OFFICE), expense("Taxi", among="ann")):
            await store.perform(command, caller=caller("ann"))
        with pytest.raises(errors.ForeignKeyViolation) as refused:
            await store.perform(careless, caller=caller("ann"))
    assert refused.value.diag.constraint_name == "balances_name_a_member"
    with psycopg.connect(database_url) as connection:
        held = connection.execute(
            """
            select (select max(seq) from entries where group_id = %(group)s),
                   (select count(*) from postings)
            """,
            {"group": TRIP},
        ).fetchone()
    assert held == (2, 0)


def test_a_balance_stays_within_what_javascript_can_read(database: Database) -> None:
    with pytest.raises(errors.CheckViolation) as refused:
        database.execute("insert into balances values (%s, %s, 'EUR', %s)", (TRIP, ANN, 2**53))
    assert refused.value.diag.constraint_name == "balances_are_readable"


def test_every_key_of_group_data_begins_with_the_group(database: Database) -> None:
    keys = database.execute(
        """
        select conrelid::regclass::text, conname,
               (select attname from pg_attribute
                 where attrelid = conrelid and attnum = conkey[1])
          from pg_constraint
         where connamespace = 'public'::regnamespace
           and contype in ('p', 'u', 'f')
           and conrelid in (select attrelid from pg_attribute where attname = 'group_id')
        """
    ).fetchall()
    assert len(keys) >= 10
    assert [(table, key) for table, key, first in keys if first != "group_id"] == []


# ── Payments of a settlement ─────────────────────────────────────────────────────────────────────

PLAN, TRANSFER = UUID(int=2), UUID(int=3)


def insert_payment(database: Database, number: int, **pays: object) -> None:
    """A confirmed payment of PLAN's only transfer, unless something else is said."""
    said = {"state": "confirmed", "settlement_id": PLAN, "transfer_id": TRANSFER} | pays
    database.execute(
        """
        insert into payments (group_id, payment_id, recorded_seq, version, state, settlement_id,
                              transfer_id, body)
        values (%(group_id)s, %(payment_id)s, 1, 1, %(state)s, %(settlement_id)s, %(transfer_id)s,
                '{}')
        """,
        {"group_id": TRIP, "payment_id": UUID(int=number)} | said,
    )


@pytest.fixture
def planned(database: Database) -> Database:
    """The same with a settlement."""
    database.execute(
        """
        insert into settlements (group_id, settlement_id, version, revision, voided, body)
        values (%s, %s, 1, 1, false, '{}')
        """,
        (TRIP, PLAN),
    )
    return database


def test_a_transfer_has_one_payment_that_is_not_voided(planned: Database) -> None:
    insert_payment(planned, 1, state="voided")
    insert_payment(planned, 2, state="pending")
    with pytest.raises(errors.UniqueViolation, match="payments_one_a_transfer"):  # 23505
        insert_payment(planned, 3)


def test_a_payment_pays_a_transfer_of_a_settlement_that_is_there_or_none(
    planned: Database,
) -> None:
    with pytest.raises(errors.ForeignKeyViolation, match="payments_pay_a_settlement"):  # 23503
        insert_payment(planned, 1, settlement_id=STRANGER)
    with pytest.raises(errors.CheckViolation, match="payments_name_their_transfer"):  # 23514
        insert_payment(planned, 1, transfer_id=None)
    insert_payment(planned, 1, settlement_id=None, transfer_id=None)


def test_settlements_of_a_group_are_counted(planned: Database) -> None:
    with pytest.raises(errors.UniqueViolation, match="settlements_one_a_version"):  # 23505
        planned.execute(
            """
            insert into settlements (group_id, settlement_id, version, revision, voided, body)
            values (%s, %s, 1, 1, false, '{}')
            """,
            (TRIP, STRANGER),
        )
