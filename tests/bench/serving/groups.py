"""Groups to ask about: founded over HTTP, filled by the store itself, many entries at once."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import msgspec

from clearsplit_core.expenses import ExpenseRecorded, RecordExpense
from clearsplit_core.group import Event, Group
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import (
    Caller,
    Decision,
    Needs,
    Receipt,
    Recorded,
    Sealed,
    StoreOptions,
)
from clearsplit_core.records import AccountId, Expense, ExpenseId, SessionId, Terms, outcome_of
from clearsplit_core.splits import Equal, Part
from clearsplit_http.wire.expenses import ExpenseAnswer, NewExpense
from clearsplit_http.wire.resources import Journal
from clearsplit_pg.store import PostgresStore, open_store
from tests.literals import TODAY, founding, guest, member, text

TWINS: Final = ("ann", "bob", "cem", "dan", "eve", "fay")
AT_ONCE: Final = 200
"""Expenses recorded in one transaction."""


@dataclass(frozen=True)
class Seeded:
    """A group as the bench asks about it."""

    id: GroupId
    members: Sequence[UUID]
    expenses: Sequence[UUID]


def to_record(group: Seeded) -> dict[str, object]:
    """The body of an expense of that group, split among all of its members."""
    return {
        "title": "Dinner",
        "amount_minor": 6_000,
        "currency": "EUR",
        "date": "2026-01-31",
        "paid_by": str(group.members[0]),
        "split": {"kind": "equal", "members": [str(each) for each in group.members]},
    }


def recording(
    group: Seeded, expense_id: ExpenseId, key: str
) -> tuple[RecordExpense, Receipt[Expense]]:
    """What the route makes of such a body: the command, and how its answer is sealed."""
    body = to_record(group) | {"id": str(expense_id)}

    def seal(recorded: Recorded[Expense]) -> Sealed:
        told = ExpenseAnswer.of(recorded.answer)
        answer = msgspec.structs.replace(told, journal=Journal.of(recorded.head))
        where = f"/groups/{group.id}/expenses/{expense_id}"
        headers = (("ETag", str(answer.tag)), ("Location", where))
        return Sealed(201, headers, msgspec.json.encode(answer))

    asked = hashlib.sha256(msgspec.json.encode(body)).digest()
    return msgspec.convert(body, NewExpense).record(group.id), Receipt(key, asked, seal)


async def twin(store: PostgresStore, caller: Caller, expenses: int = 0) -> Seeded:
    """A group like every other twin: six members, who have the same ids in all of them."""
    group_id = GroupId(uuid4())
    await store.perform(founding(TWINS[0], of=group_id), caller=caller)
    for name in TWINS[1:]:
        await store.perform(guest(name, of=group_id), caller=caller)
    ids = [ExpenseId(uuid4()) for _ in range(expenses)]
    for start in range(0, expenses, AT_ONCE):
        part = Fill(group_id=group_id, expenses=ids[start : start + AT_ONCE])
        await store.perform(part, caller=caller)
    return Seeded(group_id, [member(name) for name in TWINS], ids)


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
    def caller(self) -> Caller:
        """As a server sees who has that token."""
        _, claims, _ = self.authorization["Authorization"].split(".")
        told = json.loads(base64.urlsafe_b64decode(claims + "=="))
        return Caller(AccountId(self.account_id), SessionId(UUID(told["sid"])))

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


async def twins(founder: Founder, database_url: str, count: int) -> list[Seeded]:
    """So many groups of six, without an expense."""
    async with open_store(database_url, lambda: datetime.now(UTC), StoreOptions()) as store:
        return [await twin(store, founder.caller) for _ in range(count)]
