"""Roles that change while somebody acts on them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import psycopg
import pytest

from clearsplit_core.ports import AsyncStore
from clearsplit_core.records import Role
from tests.fire.crowd import SIZES, Somebody, Table, at_once, by_workers, table
from tests.http.api import Answer, in_list

PATIENCE, MOMENT = 6_000, 200
"""Hundredths of a second."""
WAITING = """
select count(*) from pg_stat_activity
 where datname = current_database() and wait_event_type = 'Lock'
"""


@pytest.fixture
async def ana(anybody: Somebody) -> Somebody:
    return await anybody.signed_up("ana")


@pytest.fixture
async def bea(anybody: Somebody) -> Somebody:
    return await anybody.signed_up("bea")


@pytest.fixture
async def both(store: AsyncStore, ana: Somebody, bea: Somebody) -> Table:
    """Ana's group, in which Bea is a member."""
    return await table(store, ana, {"bea": (bea, Role.MEMBER)})


def seat(group: Table, name: str) -> str:
    return f"{group.path}/members/{group.seats[name]}"


async def test_a_group_always_has_an_owner(store: AsyncStore, ana: Somebody, bea: Somebody) -> None:
    async def both_leave() -> tuple[list[tuple[int, str]], int]:
        """What the two are told, and how many owners are left."""
        group = await table(store, ana, {"bea": (bea, Role.OWNER)})
        told = await at_once(
            (
                ana.send("DELETE", seat(group, "owner"), tag='"1"'),
                bea.send("DELETE", seat(group, "bea"), tag='"1"'),
            )
        )
        stayed = ana if told[0].status >= 300 else bea
        seats = in_list((await stayed.get(group.path)).tree["members"])
        owners = [one for one in seats if one["role"] == "owner" and one["active"]]
        return sorted(answer.said for answer in told), len(owners)

    rounds = await by_workers(4, (both_leave() for _ in range(SIZES.rounds_of_owners)))
    assert all(told == [(200, ""), (409, "last-owner")] for told, _ in rounds)
    assert {owners for _, owners in rounds} == {1}


# ── A write that waits while its author loses the right to it ────────────────────────────────────


@asynccontextmanager
async def locked(url: str, group: Table) -> AsyncIterator[psycopg.AsyncConnection[tuple[int]]]:
    """Inside it, nobody can change the group; whoever wants to waits in a row."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(
            "select from groups where group_id = %s for no key update", [group.id]
        )
        yield connection


async def _waits(watching: psycopg.AsyncConnection[tuple[int]], many: int) -> None:
    """So many wait for the group, the first in the database. Whoever comes to the same worker as
    somebody before waits there for their turn, which nobody can see: a moment is enough for that.
    """
    waiting = 0
    for _ in range(PATIENCE if many == 1 else MOMENT):
        ((waiting,),) = await (await watching.execute(WAITING)).fetchall()
        if waiting == many:
            return
        await watching.execute("select pg_sleep(0.01)")
    assert waiting, "nobody waits for the group"


async def in_a_row(
    url: str, group: Table, *writes: Coroutine[None, None, Answer]
) -> list[tuple[int, str]]:
    """What is said to writes that have all waited for the group, one behind the other."""
    tasks: list[asyncio.Task[Answer]] = []
    async with (
        locked(url, group),
        await psycopg.AsyncConnection.connect(url, autocommit=True) as watching,
    ):
        for write in writes:
            tasks.append(asyncio.ensure_future(write))
            await _waits(watching, len(tasks))
    return [answer.said for answer in await asyncio.gather(*tasks)]


async def test_a_write_of_whoever_was_demoted_meanwhile_does_not_land(
    shared_database_url: str, both: Table, ana: Somebody, bea: Somebody
) -> None:
    said = await in_a_row(
        shared_database_url,
        both,
        ana.send("PATCH", seat(both, "bea"), {"role": "viewer"}, tag='"1"'),
        bea.send("POST", f"{both.path}/expenses", both.dinner()),
    )
    assert said == [(200, ""), (403, "insufficient-role")]
    assert await both.balances() == []


async def test_a_write_of_whoever_was_removed_meanwhile_does_not_land(
    shared_database_url: str, both: Table, ana: Somebody, bea: Somebody
) -> None:
    said = await in_a_row(
        shared_database_url,
        both,
        ana.send("DELETE", seat(both, "bea"), tag='"1"'),
        bea.send("POST", f"{both.path}/expenses", both.dinner()),
    )
    assert said == [(200, ""), (404, "not-found")]
    assert await both.balances() == []


# ── The answer to a change that took away the right to make it ───────────────────────────────────


async def twice(somebody: Somebody, method: str, path: str, body: object = None) -> None:
    """The same request under the same key gets the same answer again."""
    first, again = [
        await somebody.send(method, path, body, key=f"twice {method} {path}", tag='"1"')
        for _ in range(2)
    ]
    assert first.status == 200, first.body
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers.get("etag") == first.headers.get("etag")


async def test_leaving_a_group_is_answered_again(both: Table, bea: Somebody) -> None:
    await twice(bea, "DELETE", seat(both, "bea"))
    assert (await bea.send("GET", both.path)).said == (404, "not-found")


async def test_deleting_a_group_is_answered_again(store: AsyncStore, ana: Somebody) -> None:
    alone = await table(store, ana, {})
    await twice(ana, "DELETE", alone.path)


async def test_demoting_oneself_is_answered_again(
    store: AsyncStore, ana: Somebody, bea: Somebody
) -> None:
    group = await table(store, ana, {"bea": (bea, Role.OWNER)})
    await twice(bea, "PATCH", seat(group, "bea"), {"role": "viewer"})
    told = await bea.send("PATCH", seat(group, "bea"), {"role": "owner"}, tag='"2"')
    assert told.said == (403, "insufficient-role")
