"""What a process knows of a group, as of its head: good for one trip, and for refusing nothing."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import psycopg
import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    InsufficientRole,
    KeyInProgress,
    SessionEnded,
    ThingNotFound,
)
from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.questions import Entries, TheGroup
from clearsplit_core.records import Role, SessionId
from clearsplit_pg import heads, rows
from clearsplit_pg.heads import Heads
from clearsplit_pg.store import PostgresStore, open_store
from tests.literals import (
    NOON,
    TRIP,
    caller,
    expense,
    founding,
    group,
    guest,
    member,
    receipt,
    seat,
)
from tests.pg.severed import Wire, wire_to
from tests.postgres import FORGETFUL
from tests.saved import in_postgres

KNOWN: Final = 1
READ: Final = 4
"""Begin, lock and read, append, commit."""


@dataclass(frozen=True)
class Two:
    """Two processes on one database: `here` knows the trip, and each trip to it is counted."""

    here: PostgresStore
    there: PostgresStore
    wire: Wire

    async def trips(self, title: str, by: str = "ann") -> int:
        """How often recording an expense of that title goes to the database and back."""
        before = self.wire.round_trips
        await self.here.perform(expense(title, by=by, among="ann bob"), caller=caller(by))
        return self.wire.round_trips - before


@pytest.fixture
async def two(database_url: str) -> AsyncGenerator[Two]:
    options = replace(FORGETFUL, prepare=False)  # to prepare a statement is a trip of its own
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(wire_to(database_url))
        here = await stack.enter_async_context(open_store(wire.url, lambda: NOON, options))
        there = await stack.enter_async_context(open_store(database_url, lambda: NOON, options))
        for command in (founding(), seat("bob"), expense("Dinner", among="ann bob")):
            await here.perform(command, caller=caller("ann"))
        yield Two(here, there, wire)


# ── What it saves ────────────────────────────────────────────────────────────────────────────────


async def test_an_expense_in_a_known_group_is_one_trip(two: Two) -> None:
    assert [await two.trips("Taxi"), await two.trips("Train")] == [KNOWN, KNOWN]


async def test_somebody_elses_seat_is_read_once(two: Two) -> None:
    trips = [await two.trips(title, by) for title, by in (("Taxi", "bob"), ("Bus", "bob"))]
    assert trips == [READ, KNOWN]
    assert await two.trips("Train", "ann") == KNOWN


async def test_a_group_that_changed_elsewhere_is_read_again(two: Two) -> None:
    await two.there.perform(expense("Museum", among="ann bob"), caller=caller("ann"))
    assert [await two.trips("Taxi"), await two.trips("Train")] == [KNOWN + READ, KNOWN]


async def test_a_group_whose_members_changed_is_read_again(two: Two) -> None:
    await two.here.perform(guest("cem"), caller=caller("ann"))
    assert [await two.trips("Taxi"), await two.trips("Train")] == [READ, KNOWN]


async def test_a_large_group_is_read_each_time(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "SIZE_MAX", 3)
    await two.trips("Taxi")
    assert await two.trips("Train") == READ


# ── What it is never good for ────────────────────────────────────────────────────────────────────


async def test_whoever_came_elsewhere_can_share_an_expense(two: Two) -> None:
    await two.there.perform(guest("cem"), caller=caller("ann"))
    await two.here.perform(expense("Taxi", among="ann cem"), caller=caller("ann"))
    read = await two.there.read(TheGroup(TRIP), caller=caller("ann"))
    assert read.members.keys() == {member(name) for name in ("ann", "bob", "cem")}


async def test_whose_role_changed_elsewhere_has_the_new_one(two: Two) -> None:
    await two.here.perform(expense("Taxi", by="bob", among="ann bob"), caller=caller("bob"))
    await two.there.perform(seat("bob", Role.VIEWER), caller=caller("ann"))
    with pytest.raises(InsufficientRole):
        await two.here.perform(expense("Train", by="bob", among="ann bob"), caller=caller("bob"))


async def test_whoever_left_elsewhere_is_out(two: Two) -> None:
    await two.trips("Taxi", "bob")
    await two.there.perform(seat("bob", active=False), caller=caller("ann"))
    await two.here.perform(expense("Train", among="ann"), caller=caller("ann"))
    with pytest.raises(ThingNotFound):
        await two.here.perform(expense("Bus", by="ann", among="ann"), caller=caller("bob"))


async def test_a_journal_that_was_set_back_goes_on_from_where_it_is(
    two: Two, database_url: str
) -> None:
    before = in_postgres(database_url)
    await two.trips("Taxi")
    before.restore()
    assert await two.trips("Train") == KNOWN + READ
    read = await two.there.read(Entries(TRIP), caller=caller("ann"))
    assert [entry.seq for entry in read] == [1, 2, 3, 4]


async def test_an_expense_that_is_there_is_not_recorded_again(two: Two) -> None:
    with pytest.raises(AlreadyExists):
        await two.here.perform(expense("Dinner", among="ann bob"), caller=caller("ann"))


async def test_an_ended_session_changes_nothing(two: Two) -> None:
    ended = replace(caller("ann"), session_id=SessionId(TRIP))
    with pytest.raises(SessionEnded):
        await two.here.perform(expense("Taxi", among="ann bob"), caller=ended)


async def test_a_key_that_is_being_used_elsewhere_is_in_progress(
    two: Two, database_url: str
) -> None:
    command, once = expense("Taxi", among="ann bob"), receipt()
    number = rows.key_number(TRIP, caller("ann").account_id, once.key)
    with psycopg.connect(database_url) as other:
        other.execute("select pg_advisory_xact_lock(%s)", [number])
        with pytest.raises(KeyInProgress):
            await two.here.perform_once(command, caller=caller("ann"), receipt=once)


# ── What is kept of it ───────────────────────────────────────────────────────────────────────────


def numbered(number: int) -> Group:
    return replace(group().group, id=GroupId(UUID(int=number)))


def test_the_group_not_written_to_for_longest_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heads, "KNOWN_MAX", 2)
    known = Heads()
    groups = [numbered(number) for number in range(3)]
    for each in groups:
        known.keep(None, each, each)
    assert [known.take(each.id) is not None for each in groups] == [False, True, True]


def test_it_is_taken_by_one_alone() -> None:
    known, trip = Heads(), numbered(1)
    known.keep(None, trip, trip)
    assert [known.take(trip.id) is not None for _ in range(2)] == [True, False]
