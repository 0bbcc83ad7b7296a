"""The tables beside the journal hold nothing that cannot be told from it again."""

from collections.abc import AsyncIterator
from typing import Final

import psycopg
import pytest

from clearsplit_core.expenses import Changes
from clearsplit_core.ports import Command
from clearsplit_core.records import Fx
from clearsplit_pg.store import open_store
from tests.literals import TOMORROW, Clock, caller, expense, founding, guest, revise, story, void
from tests.postgres import FORGETFUL

REBUILT_POSTINGS = """
select entries.group_id, member_id, currency, seq, effective_date, amount_minor,
       sum(amount_minor) over (partition by entries.group_id, member_id, currency order by seq)
  from entries,
       unnest(leg_members, leg_currencies, leg_dates, leg_amounts)
           as leg (member_id, currency, effective_date, amount_minor)
 order by 1, 2, 3, 4, 5
"""
REBUILT_BALANCES = """
select entries.group_id, member_id, currency, sum(amount_minor)
  from entries,
       unnest(leg_members, leg_currencies, leg_dates, leg_amounts)
           as leg (member_id, currency, effective_date, amount_minor)
 group by 1, 2, 3
 order by 1, 2, 3
"""

STORY: Final[tuple[Command[object], ...]] = (
    founding("ann"),
    guest("bob"),
    guest("cem"),
    expense("Dinner", "60.00 EUR"),
    expense("Taxi", "10.00 USD", by="bob", fx=Fx("EUR", "0.92")),
    expense("Museum", "21.00 CHF", by="cem"),
    revise("Dinner", Changes(date=TOMORROW)),
    void("Taxi"),
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[psycopg.Connection[tuple[object, ...]]]:
    """A group with expenses in two currencies, one of them moved to another day, one voided."""
    async with open_store(database_url, Clock(), FORGETFUL) as store:
        for command in STORY:
            await store.perform(command, caller=caller("ann"))
    with psycopg.connect(database_url) as connection:
        yield connection


async def test_postings_and_running_balances_are_those_of_the_journal(
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    kept = database.execute("select * from postings order by 1, 2, 3, 4, 5").fetchall()
    assert kept == database.execute(REBUILT_POSTINGS).fetchall()
    assert len(kept) == 18


async def test_balances_are_those_of_the_journal(
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    kept = database.execute("select * from balances order by 1, 2, 3").fetchall()
    assert kept == database.execute(REBUILT_BALANCES).fetchall()
    assert len(kept) == 6


async def test_debts_are_those_of_the_journal_told_again(
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    kept = database.execute(
        "select debtor_id, creditor_id, currency, debt_minor from debts"
    ).fetchall()
    told = story(*STORY).group.debts
    assert {(one, other, code): minor for one, other, code, minor in kept if minor} == {
        pair: minor for pair, minor in told.items() if minor
    }
