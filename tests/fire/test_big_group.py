"""A group with very many expenses is read as cheaply as one with a few.

What a read costs is counted in the database's pages that it touches, never in seconds.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from clearsplit_core.expenses import RecordExpense
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import AsyncStore, Caller
from clearsplit_core.questions import (
    Entries,
    Expenses,
    Question,
    Statement,
    TheGroup,
    TheStanding,
)
from clearsplit_core.records import AccountId, ExpenseId, Role, Terms
from clearsplit_core.splits import Equal, Part
from clearsplit_http.pages import PAGE_BYTES_MAX
from clearsplit_pg import rows
from clearsplit_pg.readings import fields_of, reading_of
from tests.fire.crowd import SIZES, Somebody, Table, table
from tests.http.api import Tree, in_list
from tests.http.world import BY_NAME
from tests.literals import NOON, TODAY, Together, text

MEMBERS: Final = 30
FEW: Final = 10
AT_ONCE: Final = 100
"""Expenses in one transaction while a group is filled."""
DEEPER: Final = 30
"""Pages more for each item of a page: it names some ten things, each of which is looked up in an
index that is a level deeper over a thousand times as many rows."""


def dinner(group: Table, number: int) -> RecordExpense:
    """One of the thirty paid for all of them, each time another and on another day."""
    seats = [MemberId(UUID(seat)) for seat in group.seats.values()]
    return RecordExpense(
        group_id=GroupId(UUID(group.id)),
        expense_id=ExpenseId(uuid4()),
        terms=Terms(
            title=text(f"Dinner {number}"),
            amount_minor=10_000 + number,
            currency="EUR",
            date=TODAY - timedelta(days=number % 365),
            payers=(Part(seats[number % MEMBERS], 10_000 + number),),
            split=Equal(tuple(seats)),
            category=None,
            memo=None,
            fx=None,
        ),
    )


async def filled(store: AsyncStore, owner: Somebody, expenses: int) -> Table:
    """A group of thirty with so many expenses."""
    guests = {f"guest {number}": (None, Role.MEMBER) for number in range(MEMBERS - 1)}
    group = await table(store, owner, guests)
    for start in range(0, expenses, AT_ONCE):
        some = range(start, min(start + AT_ONCE, expenses))
        command = Together(
            group_id=GroupId(UUID(group.id)), expenses=tuple(dinner(group, n) for n in some)
        )
        await store.perform(command, caller=Caller(AccountId(UUID(owner.account))))
    return group


@pytest.fixture
async def ana(anybody: Somebody) -> Somebody:
    return await anybody.signed_up("ana")


def questions(group: Table) -> Sequence[Question[object]]:
    """What is asked again and again, on the first page and in the middle of the journal."""
    group_id, member_id = GroupId(UUID(group.id)), MemberId(UUID(group.seats["owner"]))
    return (
        TheGroup(group_id),
        TheStanding(group_id),
        TheStanding(group_id, as_of_seq=FEW),
        Entries(group_id, limit=FEW),
        Entries(group_id, after_seq=FEW, limit=FEW),
        Expenses(group_id, limit=FEW),
        Statement(group_id=group_id, member_id=member_id, limit=FEW),
    )


def pages_touched(
    connection: psycopg.Connection[tuple[list[Tree]]], owner: Somebody, question: Question[object]
) -> int:
    """The database's pages that the question's statement touches."""
    caller = Caller(AccountId(UUID(owner.account)))
    statement = reading_of(question).statement(question)
    params = rows.who(caller, NOON) | fields_of(question)
    explained = f"explain (analyze, buffers, format json) {statement}".encode()
    found = connection.execute(explained, params).fetchone()
    assert found is not None
    (plan,) = msgspec.convert([found[0][0]["Plan"]], list[dict[str, object]])
    return int(str(plan["Shared Hit Blocks"])) + int(str(plan["Shared Read Blocks"]))


async def test_reads_cost_the_same_however_much_was_spent(
    shared_database_url: str, store: AsyncStore, ana: Somebody
) -> None:
    few, many = await filled(store, ana, FEW), await filled(store, ana, SIZES.big_group)
    with psycopg.connect(shared_database_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        for question, same in zip(questions(many), questions(few), strict=True):
            more = pages_touched(connection, ana, question) - pages_touched(connection, ana, same)
            assert more <= (DEEPER * FEW if hasattr(question, "limit") else MEMBERS), question


async def test_no_page_of_a_list_is_too_large(store: AsyncStore, ana: Somebody) -> None:
    group = await filled(store, ana, 2 * AT_ONCE)
    ids = {"group_id": group.id, "member_id": group.seats["owner"]}
    lists = [
        each
        for each in BY_NAME.values()
        if each.paged and each.of_a_group and set(each.ids) <= set(ids)
    ]
    assert len(lists) >= 5
    for each in lists:
        page = await ana.get(f"{each.path(ids)}?limit=100")
        assert len(page.body) <= PAGE_BYTES_MAX, each.name
        assert len(in_list(page.tree["items"])) <= 100
