"""Many people at one real server, all at once.

`clearsplit serve` with several workers on a real Postgres, and clients that do not wait for one
another. FIRE=1 (`make fire`) makes the crowd as large as the promises; without it the same tests
run small enough for every day.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, TypeVar
from uuid import UUID

import httpx
import msgspec

from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import AsyncStore, Caller
from clearsplit_core.records import AccountId, Member, Role
from tests.http.api import PASSWORD, Answer, Tree, in_list
from tests.http.world import Seats
from tests.literals import text

T = TypeVar("T")

_keys = count()
_RUN: Final = secrets.token_hex(4)


@dataclass(frozen=True)
class Sizes:
    """How large the crowd is."""

    workers: int
    tries_at_once: int
    expenses: int
    rounds: int
    rounds_of_owners: int
    big_group: int


FULL: Final = Sizes(4, 50, 500, 200, 500, 10_000)
SHORT: Final = Sizes(2, 20, 30, 10, 10, 300)
SIZES: Final = FULL if os.environ.get("FIRE") else SHORT


@dataclass(frozen=True)
class Somebody:
    """Somebody who sends requests to the server, signed in where there is a `token`."""

    http: httpx.AsyncClient
    account: str = ""
    token: str = ""

    async def send(
        self, method: str, path: str, body: object = None, *, key: str = "", tag: str = ""
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = key or f"{_RUN}-{next(_keys)}"
        if tag:
            headers["If-Match"] = tag
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if body is None else msgspec.json.encode(body)
        return Answer(await self.http.request(method, path, content=sent, headers=headers))

    async def get(self, path: str) -> Answer:
        answer = await self.send("GET", path)
        assert answer.status == 200, answer.body
        return answer

    async def signed_up(self, name: str) -> "Somebody":
        email = f"{name}-{secrets.token_hex(6)}@example.org"
        body = {"email": email, "password": PASSWORD, "name": name}
        answer = await self.send("POST", "/auth/signup", body)
        assert answer.status == 201, answer.body
        account = msgspec.convert(answer.tree["account"], Tree)
        return replace(self, account=str(account["id"]), token=answer["access_token"])


@dataclass(frozen=True)
class Table:
    """A group with its owner, and the seats of everybody by name."""

    owner: Somebody
    id: str
    seats: Mapping[str, str]

    @property
    def path(self) -> str:
        return f"/groups/{self.id}"

    def dinner(self, amount_minor: int = 6000) -> Tree:
        """A body: the owner paid for everybody at the table."""
        return {
            "title": "Dinner",
            "amount_minor": amount_minor,
            "currency": "EUR",
            "date": "2026-01-31",
            "paid_by": self.seats["owner"],
            "split": {"kind": "equal", "members": list(self.seats.values())},
        }

    async def journal(self) -> Sequence[Tree]:
        """Every entry, page by page."""
        entries: list[Tree] = []
        cursor: object = None
        while cursor or not entries:
            more = f"&cursor={cursor}" if cursor else ""
            page = await self.owner.get(f"{self.path}/journal?limit=100{more}")
            entries += page.items
            cursor = page.tree["next_cursor"]
            if not cursor:
                break
        return entries

    async def balances(self) -> Sequence[int]:
        answer = await self.owner.get(f"{self.path}/balances")
        return [int(str(one["balance_minor"])) for one in in_list(answer.tree["balances"])]


async def table(
    store: AsyncStore, owner: Somebody, others: Mapping[str, tuple[Somebody | None, Role]]
) -> Table:
    """A group of `owner`, with seats for others: somebody's, or a guest's."""
    group = await owner.send("POST", "/groups", {"name": "Table", "currency": "EUR"})
    assert group.status == 201, group.body
    seats = {"owner": str(in_list(group.tree["members"])[0]["id"])}
    made = tuple(
        Member(
            id=MemberId(UUID(int=secrets.randbits(128), version=4)),
            name=text(name),
            role=role,
            active=True,
            account=text(somebody.account) if somebody else None,
            version=1,
        )
        for name, (somebody, role) in others.items()
    )
    if made:
        command = Seats(group_id=GroupId(UUID(group["id"])), seats=made)
        await store.perform(command, caller=Caller(AccountId(UUID(owner.account))))
    seats |= {name: str(seat.id) for name, seat in zip(others, made, strict=True)}
    return Table(owner, group["id"], seats)


async def at_once(those: Iterable[Coroutine[None, None, T]]) -> Sequence[T]:
    return await asyncio.gather(*those)


async def by_workers(number: int, works: Iterable[Coroutine[None, None, T]]) -> Sequence[T]:
    """All of it done, by so many at a time."""
    free = asyncio.Semaphore(number)

    async def done(work: Coroutine[None, None, T]) -> T:
        async with free:
            return await work

    return await at_once(done(work) for work in works)


@asynccontextmanager
async def meanwhile(again: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Something that goes on until the end of the block; what it found wrong is raised then."""
    task = asyncio.ensure_future(again)
    try:
        yield
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
