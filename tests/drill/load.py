"""A load like that of people: a steady number of requests a second, half of them writes.

It goes through a balancer like any proxy with health checks: a server that is not ready gets no new
request. Nothing is repeated, so that every answer that a person would have seen is counted.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from uuid import uuid4

import httpx

from tests.drill.servers import Served
from tests.drill.wire import Dropped, Upstream

RATE: Final = 200
"""Requests a second."""
GROUPS: Final = 20
LOOK_S: Final = 0.5
"""Seconds between two looks at whether a server is ready."""
READY, OK = "/health/ready", 200
PASSWORD: Final = "correct horse battery staple"


@dataclass(frozen=True)
class Answered:
    """What one request came to: a status, or the name of what went wrong."""

    at: float
    outcome: int | str
    seconds: float
    wrote: str | None
    """The id of the expense that it was to record."""


@dataclass
class Load:
    """Requests that are being sent, and what they came to."""

    servers: Sequence[Served]
    ready: set[int] = field(default_factory=set)
    """The ports of those that take requests."""
    answers: list[Answered] = field(default_factory=list)
    groups: list["Group"] = field(default_factory=list)
    token: str = ""
    longest_between_looks_s: float = 0.0
    """How long it took at worst until a server was looked at again."""

    @property
    def outcomes(self) -> Counter[int | str]:
        return Counter(each.outcome for each in self.answers)

    def told(self) -> str:
        """All of it in a line."""
        each = ", ".join(f"{number} of {outcome}" for outcome, number in self.outcomes.items())
        slowest_s = max(answer.seconds for answer in self.answers)
        seconds = max(answer.at for answer in self.answers) - min(a.at for a in self.answers)
        rate = len(self.answers) / seconds
        return f"{rate:.0f} requests a second: {each}; the slowest took {slowest_s:.2f} s"

    @property
    def acknowledged(self) -> set[str]:
        """The expenses that a server said it had recorded."""
        return {each.wrote for each in self.answers if each.wrote and each.outcome == 201}

    async def recorded(self) -> set[str]:
        """The expenses that there are."""
        found = set[str]()
        async with self._client() as client:
            for group in self.groups:
                found |= {item async for item in _expenses(client, group)}
        return found

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.servers[0].url,
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=20,
        )


@dataclass(frozen=True)
class Group:
    id: str
    member: str


async def _expenses(client: httpx.AsyncClient, group: Group) -> AsyncGenerator[str]:
    path = f"/groups/{group.id}/expenses"
    cursor: str | None = ""
    while cursor is not None:
        answer = await client.get(path, params={"cursor": cursor} if cursor else {})
        assert answer.status_code == OK, answer.text
        page = answer.json()
        for item in page["items"]:
            yield item["id"]
        cursor = page["next_cursor"]


@asynccontextmanager
async def load(servers: Sequence[Served]) -> AsyncGenerator[Load]:
    """RATE requests a second go to `servers` until the end of the block."""
    running = Load(servers, ready={server.port for server in servers})
    await _prepare(running)
    tasks = [asyncio.create_task(_look(running, server.port)) for server in servers]
    tasks.append(asyncio.create_task(_send(running)))
    try:
        yield running
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _prepare(running: Load) -> None:
    body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD, "name": "Ana"}
    async with running._client() as client:
        running.token = (await client.post("/auth/signup", json=body)).json()["access_token"]
    async with running._client() as client:
        for number in range(GROUPS):
            founded = await client.post(
                "/groups",
                json={"name": f"Trip {number}", "currency": "EUR"},
                headers={"Idempotency-Key": str(number)},
            )
            tree = founded.json()
            running.groups.append(Group(tree["id"], tree["members"][0]["id"]))


async def _look(running: Load, port: int) -> None:
    """Whether the server is ready, as a balancer sees it."""
    looked = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(2):
                fine = await Upstream(port).ask("GET", READY, {"Connection": "close"}) == OK
        except (Dropped, TimeoutError):
            fine = False
        (running.ready.add if fine else running.ready.discard)(port)
        between_s, looked = time.monotonic() - looked, time.monotonic()
        running.longest_between_looks_s = max(between_s, running.longest_between_looks_s)
        await asyncio.sleep(LOOK_S)


async def _send(running: Load) -> None:
    """A request every 1 / RATE seconds, however long the others take."""
    upstreams = {server.port: Upstream(server.port) for server in running.servers}
    open_requests = set[asyncio.Task[None]]()
    began = time.monotonic()
    try:
        for number in count():
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            # With nobody ready a balancer tries anyway.
            port = random.choice([*running.ready] or [*upstreams])
            task = asyncio.create_task(_ask(running, upstreams[port], number))
            open_requests.add(task)
            task.add_done_callback(open_requests.discard)
    finally:
        await asyncio.gather(*open_requests)
        for upstream in upstreams.values():
            upstream.close()


async def _ask(running: Load, upstream: Upstream, number: int) -> None:
    group = running.groups[number % len(running.groups)]
    expense_id = str(uuid4()) if number % 2 else None
    asked = time.monotonic()
    try:
        outcome: int | str = await _status(running, upstream, group, expense_id)
    except Dropped as dropped:
        outcome = f"dropped ({dropped})"
    now = time.monotonic()
    running.answers.append(Answered(now, outcome, now - asked, expense_id))


async def _status(running: Load, upstream: Upstream, group: Group, expense_id: str | None) -> int:
    path = f"/groups/{group.id}"
    headers = {"Authorization": f"Bearer {running.token}"}
    if expense_id is None:
        return await upstream.ask("GET", f"{path}/balances", headers)
    body = {
        "id": expense_id,
        "title": "Coffee",
        "amount_minor": 250,
        "currency": "EUR",
        "date": "2026-01-31",
        "paid_by": group.member,
        "split": {"kind": "equal", "members": [group.member]},
    }
    headers |= {"Idempotency-Key": expense_id, "Content-Type": "application/json"}
    return await upstream.ask("POST", f"{path}/expenses", headers, json.dumps(body).encode())
