"""What an entry of many legs costs: `make bench-entry`.

Every entry goes through the CHECK that makes an unbalanced one impossible, and brings its postings
and balances along. For each number of legs the store's whole APPEND statement is timed against as
many plain rows put into a table without any constraint. Medians and spread of 15 runs, after 3 that
do not count, on a private Postgres with durable writes off: work is compared, not disks.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg

from clearsplit_core.expenses import RecordExpense
from clearsplit_core.group import Event, Group, append
from clearsplit_core.journal import MemberId
from clearsplit_core.members import MemberAdded
from clearsplit_core.records import ExpenseId, Member, Role, Terms
from clearsplit_core.splits import Equal, Part
from clearsplit_pg import rows
from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.schema import migrate
from clearsplit_pg.sql.commands import APPEND, FOUND, KEEP_MORE
from tests.literals import NOON, TODAY, TRIP, account, caller, founding, text
from tests.postgres import FAST
from tests.tools import asked, run

LEGS = (10, 100, 1_000)
RUNS, WARM_UP = 15, 3
NOBODY = rows.answer_params(caller("ann"), None, None) | rows.LOOKED_AT

Database = psycopg.Connection[tuple[object, ...]]


def main() -> int:
    asked("tests.bench.entry_legs", __doc__).parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder), settings=FAST) as postgres,
        psycopg.connect(postgres.url, autocommit=True) as database,
    ):
        migrate(postgres.url)
        database.execute("create table plain (seq int, member_id uuid, day date, amount bigint)")
        print("legs   entry ms (spread)      plain rows ms (spread)   ratio   ms a leg")
        group = founded(database, max(LEGS))
        for legs in LEGS:
            group = measure(database, group, legs)
    return 0


def founded(database: Database, members: int) -> Group:
    group = Group.unfounded(TRIP, NOON).seen_by(account("ann"), NOON)
    group = kept(database, group, founding().decide(group).events[0])
    for number in range(1, members):
        seat = Member(
            id=MemberId(UUID(int=number)),
            name=text(f"guest {number}"),
            role=Role.MEMBER,
            active=True,
            account=None,
            version=1,
        )
        group = kept(database, group, MemberAdded(member=seat))
    return group


def kept(database: Database, group: Group, event: Event) -> Group:
    after, entry = append(group, event)
    if not group.head.seq:
        database.execute(FOUND, rows.found_params(group, after))
    database.execute(APPEND, rows.append_params(group, after, event, entry) | NOBODY)
    if more := rows.more_params(group, after):
        database.execute(KEEP_MORE, more)
    return after


def measure(database: Database, group: Group, legs: int) -> Group:
    ours, plain = [], []
    for number in range(WARM_UP + RUNS):
        event = expense(group, legs, number)
        after, entry = append(group, event)
        params = rows.append_params(group, after, event, entry) | NOBODY
        ours.append(timed(partial(database.execute, APPEND, params)))
        plain.append(timed(partial(database.execute, PLAIN, params)))
        group = after
    report(legs, ours[WARM_UP:], plain[WARM_UP:])
    return group


PLAIN = """
insert into plain
select %(seq)s, * from unnest(%(leg_members)s::uuid[], %(leg_dates)s::date[],
                              %(leg_amounts)s::bigint[])
"""


def expense(group: Group, legs: int, run: int) -> Event:
    among = tuple(sorted(group.members)[:legs])
    command = RecordExpense(
        group_id=TRIP,
        expense_id=ExpenseId(UUID(int=legs * 1_000 + run)),
        terms=Terms(
            title=text("Party"),
            amount_minor=legs * 100,
            currency="EUR",
            date=TODAY + timedelta(days=run),
            payers=(Part(among[0], legs * 100),),
            split=Equal(among),
            category=None,
            memo=None,
            fx=None,
        ),
    )
    return command.decide(group.seen_by(account("ann"), NOON)).events[0]


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1_000


def report(legs: int, ours: list[float], plain: list[float]) -> None:
    mine, theirs = statistics.median(ours), statistics.median(plain)
    print(
        f"{legs:5}  {mine:8.2f} ({min(ours):.2f}-{max(ours):.2f})"
        f"    {theirs:8.2f} ({min(plain):.2f}-{max(plain):.2f})"
        f"    {mine / theirs:5.1f}   {mine / legs:.3f}"
    )


if __name__ == "__main__":
    run(main)
