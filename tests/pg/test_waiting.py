"""A command that waits for its group: from what it decides then, and whom it keeps waiting."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import psycopg
import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    Overloaded,
    Refusal,
    SessionEnded,
    VersionMismatch,
)
from clearsplit_core.expenses import Changes
from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Command, Decision, Needs
from clearsplit_core.questions import TheGroup
from clearsplit_pg.sql import commands as sql
from clearsplit_pg.store import PostgresStore, open_store
from tests.contract.test_sessions import MONTH, opening, signing_in, signing_out
from tests.literals import (
    NOON,
    OFFICE,
    TRIP,
    Clock,
    caller,
    expense,
    founding,
    guest,
    member,
    receipt,
    revise,
    session,
    text,
    void,
)
from tests.postgres import FORGETFUL

PATIENCE_S: Final = 30
WAITING: Final = """
select count(*) from pg_stat_activity
 where datname = current_database() and wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class Slowly:
    """A command that decides when it is let go, holding its group until then."""

    command: Command[object]
    deciding: threading.Event
    let_go: threading.Event

    @property
    def group_id(self) -> GroupId:
        return self.command.group_id

    @property
    def needs(self) -> Needs:
        return self.command.needs

    def decide(self, group: Group) -> Decision[object]:
        self.deciding.set()
        assert self.let_go.wait(PATIENCE_S)
        return self.command.decide(group)


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[PostgresStore]:
    async with open_store(url, lambda: NOON, FORGETFUL) as store:
        yield store


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[PostgresStore]:
    """A trip of Ann's and Bob's with one expense."""
    async with opened(database_url) as store:
        for command in (founding(), guest("bob"), expense("Dinner", among="ann bob")):
            await store.perform(command, caller=caller("ann"))
        yield store


def until_one_waits(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with psycopg.connect(url, autocommit=True) as watch:
        while watch.execute(WAITING).fetchone() != (1,):
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        (expense("Taxi", among="ann bob"), expense("Taxi", among="ann bob"), AlreadyExists),
        (
            revise("Dinner", Changes(amount_minor=5_000)),
            revise("Dinner", Changes(amount_minor=4_000)),
            VersionMismatch,
        ),
        (void("Dinner"), revise("Dinner", Changes(amount_minor=4_000)), VersionMismatch),
    ],
    ids=["the same expense", "the same version", "voided meanwhile"],
)
async def test_the_second_is_refused_what_the_first_has_done(
    store: PostgresStore,
    database_url: str,
    first: Command[object],
    second: Command[object],
    refused: type[Refusal],
) -> None:
    slow = Slowly(first, threading.Event(), threading.Event())

    async def elsewhere() -> None:
        async with opened(database_url) as other:
            await other.perform(slow, caller=caller("ann"))

    held = asyncio.create_task(asyncio.to_thread(asyncio.run, elsewhere()))
    assert await asyncio.to_thread(slow.deciding.wait, PATIENCE_S)
    waiting = asyncio.create_task(
        store.perform_once(second, caller=caller("ann"), receipt=receipt("second"))
    )
    await asyncio.to_thread(until_one_waits, database_url)
    slow.let_go.set()
    await held

    with pytest.raises(refused):
        await waiting


@pytest.mark.parametrize("head", ["known", "unknown"])
async def test_a_session_that_ends_while_a_command_waits_changes_nothing(
    store: PostgresStore, database_url: str, head: str
) -> None:
    for opened_by in (opening("ann"), signing_in("ann")):
        await store.perform_on_account(opened_by)
    if head == "unknown":
        store._heads.take(TRIP)
    signed_in = replace(caller("ann"), session_id=session("phone"))
    with psycopg.connect(database_url) as busy:
        busy.execute(sql.LOCK_GROUP, {"group_id": TRIP})
        taxi = expense("Taxi", among="ann bob")
        waiting = asyncio.create_task(store.perform(taxi, caller=signed_in))
        await asyncio.to_thread(until_one_waits, database_url)
        await store.perform_on_account(signing_out("ann"))
        busy.rollback()

    with pytest.raises(SessionEnded):
        await waiting


async def test_a_session_that_expires_while_a_command_waits_changes_nothing(
    store: PostgresStore, database_url: str
) -> None:
    for opened_by in (opening("ann"), signing_in("ann")):
        await store.perform_on_account(opened_by)
    clock = Clock()
    signed_in = replace(caller("ann"), session_id=session("phone"))
    async with open_store(database_url, clock, FORGETFUL) as other:
        with psycopg.connect(database_url) as busy:
            busy.execute(sql.LOCK_GROUP, {"group_id": TRIP})
            taxi = expense("Taxi", among="ann bob")
            waiting = asyncio.create_task(other.perform(taxi, caller=signed_in))
            await asyncio.to_thread(until_one_waits, database_url)
            clock.stand(NOON + MONTH)
            busy.rollback()

        with pytest.raises(SessionEnded):
            await waiting


async def test_a_text_erased_while_a_correction_waited_is_not_written_again(
    store: PostgresStore, database_url: str
) -> None:
    with psycopg.connect(database_url) as eraser:
        eraser.execute(sql.LOCK_GROUP, {"group_id": TRIP})
        correction = revise("Dinner", Changes(amount_minor=4_000))
        waiting = asyncio.create_task(store.perform(correction, caller=caller("ann")))
        await asyncio.to_thread(until_one_waits, database_url)
        eraser.execute(sql.ERASE, {"group_id": TRIP, "seq": 3})

    corrected = await waiting

    with psycopg.connect(database_url) as reader:
        left = reader.execute("select words from texts where words = 'Dinner'").fetchall()
    assert left == []
    assert corrected.answer.terms.title == text("Dinner").erased(text("Dinner").commitment)


async def test_a_busy_group_leaves_connections_to_the_others(database_url: str) -> None:
    few = replace(FORGETFUL, connections_max=2)
    async with open_store(database_url, lambda: NOON, few) as store:
        for group in (TRIP, OFFICE):
            await store.perform(founding(of=group), caller=caller("ann"))
        with psycopg.connect(database_url) as busy:
            busy.execute(sql.LOCK_GROUP, {"group_id": TRIP})
            names = ("bob", "cem", "dee", "eve")
            waiting = [
                asyncio.create_task(store.perform(guest(name), caller=caller("ann")))
                for name in names
            ]
            await asyncio.to_thread(until_one_waits, database_url)
            seated = await store.perform(guest("fay", of=OFFICE), caller=caller("ann"))
        await asyncio.gather(*waiting)
        read = await store.read(TheGroup(TRIP), caller=caller("ann"))

    assert seated.answer.id == member("fay")
    assert read.members.keys() == {member(name) for name in ("ann", *names)}


async def test_nobody_waits_for_a_turn_for_ever(database_url: str) -> None:
    soon = replace(FORGETFUL, wait_s=1)
    async with open_store(database_url, lambda: NOON, soon) as store:
        await store.perform(founding(), caller=caller("ann"))
        with psycopg.connect(database_url) as busy:
            busy.execute(sql.LOCK_GROUP, {"group_id": TRIP})
            first = asyncio.create_task(store.perform(guest("bob"), caller=caller("ann")))
            await asyncio.to_thread(until_one_waits, database_url)
            with pytest.raises(Overloaded):
                await store.perform(guest("cem"), caller=caller("ann"))
        await first
        await store.perform(guest("cem"), caller=caller("ann"))
