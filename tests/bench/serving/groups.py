"""Groups to ask about: founded over HTTP, filled by the store itself, many entries at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from clearsplit_core.expenses import ExpenseRecorded
from clearsplit_core.group import Event, Group
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Caller, Decision, Needs, StoreOptions
from clearsplit_core.records import AccountId, ExpenseId, Terms, outcome_of
from clearsplit_core.splits import Equal, Part
from clearsplit_pg.store import PostgresStore, open_store
from tests.literals import TODAY, text

AT_ONCE = 200
"""Expenses recorded in one transaction."""


@dataclass(frozen=True)
class Seeded:
    """A group as the bench asks about it."""

    id: UUID
    members: Sequence[UUID]
    expenses: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Record many expenses at once."""

    group_id: GroupId
    expenses: Sequence[ExpenseId]

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, group: Group) -> Decision[None]:
        return Decision(tuple(_recorded(group, each) for each in self.expenses), None)


def _recorded(group: Group, expense_id: ExpenseId) -> Event:
    members = tuple(group.members)
    amount = 1_000 + expense_id.int % 9_000
    terms = Terms(
        title=text("Dinner"),
        amount_minor=amount,
        currency="EUR",
        date=TODAY,
        payers=(Part(members[expense_id.int % len(members)], amount),),
        split=Equal(members),
        category=None,
        memo=None,
        fx=None,
    )
    return ExpenseRecorded(
        expense_id=expense_id, terms=terms, outcome=outcome_of(terms, expense_id)
    )


@dataclass(frozen=True)
class Founder:
    """Whoever founds the groups, over HTTP."""

    http: httpx.Client
    account_id: UUID

    @classmethod
    def at(cls, url: str) -> "Founder":
        http = httpx.Client(base_url=url, timeout=60)
        body = {
            "email": f"{uuid4().hex}@example.org",
            "password": "correct horse battery staple",
            "name": "Ana",
        }
        told = http.post("/auth/signup", json=body).raise_for_status().json()
        http.headers["Authorization"] = f"Bearer {told['access_token']}"
        return cls(http, UUID(told["account"]["id"]))

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": str(self.http.headers["Authorization"])}

    async def found(self, store: PostgresStore, members: int, expenses: int) -> Seeded:
        """A group of that many members, among whom that many expenses were split."""
        group = self._post("/groups", {"name": f"{members} x {expenses}", "currency": "EUR"})
        seats = [group["members"][0]["id"]]
        for number in range(1, members):
            seat = self._post(f"/groups/{group['id']}/members", {"name": f"Guest {number}"})
            seats.append(seat["id"])
        ids = [ExpenseId(uuid4()) for _ in range(expenses)]
        caller = Caller(AccountId(self.account_id))
        group_id = GroupId(UUID(group["id"]))
        for start in range(0, expenses, AT_ONCE):
            part = Fill(group_id=group_id, expenses=ids[start : start + AT_ONCE])
            await store.perform(part, caller=caller)
        return Seeded(group_id, [UUID(seat) for seat in seats], ids)

    def _post(self, path: str, body: dict[str, str]) -> Any:
        headers = {"Idempotency-Key": uuid4().hex}
        return self.http.post(path, json=body, headers=headers).raise_for_status().json()


async def seed(
    founder: Founder, database_url: str, wanted: Mapping[str, tuple[int, int]]
) -> dict[str, Seeded]:
    """Groups by name, each of so many members and expenses."""
    async with open_store(database_url, lambda: datetime.now(UTC), StoreOptions()) as store:
        return {name: await founder.found(store, *size) for name, size in wanted.items()}
