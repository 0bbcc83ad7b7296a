"""What must hold when everybody does everything at once, several workers and one Postgres behind.

`make fire` runs these at full size; `make test` small.
"""

from collections import Counter

import pytest

from clearsplit_core.ports import AsyncStore
from clearsplit_core.records import Role
from tests.fire.crowd import SIZES, Somebody, Table, at_once, by_workers, meanwhile, table
from tests.http.api import Answer

WORKERS = 20
LOST_THE_RACE = {(412, "version-mismatch"), (409, "already-voided"), (409, "already-confirmed")}


@pytest.fixture
async def ana(anybody: Somebody) -> Somebody:
    return await anybody.signed_up("ana")


@pytest.fixture
async def bea(anybody: Somebody) -> Somebody:
    return await anybody.signed_up("bea")


@pytest.fixture
async def dinner(store: AsyncStore, ana: Somebody) -> Table:
    """Ana's group, with two guests."""
    return await table(store, ana, {"bo": (None, Role.MEMBER), "cy": (None, Role.MEMBER)})


# ── Lost answers ─────────────────────────────────────────────────────────────────────────────────


async def test_one_key_many_times_at_once_has_one_effect(dinner: Table, ana: Somebody) -> None:
    path, body = f"{dinner.path}/expenses", dinner.dinner()
    before = len(await dinner.journal())
    answers = await at_once(
        ana.send("POST", path, body, key="lost") for _ in range(SIZES.tries_at_once)
    )
    again = await ana.send("POST", path, body, key="lost")

    said = Counter(answer.said for answer in answers)
    assert set(said) <= {(201, ""), (409, "idempotency-in-progress")}
    done = [answer for answer in (*answers, again) if answer.status == 201]
    assert len({answer.body for answer in done}) == 1
    first = [answer for answer in done if "idempotency-replayed" not in answer.headers]
    assert len(first) == 1
    assert len(await dinner.journal()) == before + 1


async def test_equal_bodies_under_two_keys_are_two_entries(dinner: Table, ana: Somebody) -> None:
    before = len(await dinner.journal())
    answers = await at_once(
        ana.send("POST", f"{dinner.path}/expenses", dinner.dinner()) for _ in range(2)
    )
    assert {answer.status for answer in answers} == {201}
    assert answers[0]["id"] != answers[1]["id"]
    assert len(await dinner.journal()) == before + 2


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────


async def test_everything_voided_twice_at_once_comes_to_nothing(
    dinner: Table, ana: Somebody
) -> None:
    async def recorded() -> Answer:
        return await ana.send("POST", f"{dinner.path}/expenses", dinner.dinner(1001))

    async def voided_twice(expense: Answer) -> list[Answer]:
        path = f"{dinner.path}/expenses/{expense['id']}"
        return list(await at_once(ana.send("DELETE", path, tag='"1"') for _ in range(2)))

    async def sums() -> None:
        while True:
            assert sum(await dinner.balances()) == 0

    before = len(await dinner.journal())
    async with meanwhile(sums()):
        expenses = await by_workers(WORKERS, (recorded() for _ in range(SIZES.expenses)))
        assert {one.status for one in expenses} == {201}
        ended = await by_workers(WORKERS, (voided_twice(one) for one in expenses))

    said = Counter(answer.said for pair in ended for answer in pair)
    assert said.pop((200, "")) == SIZES.expenses
    assert sum(said.values()) == SIZES.expenses
    assert set(said) <= LOST_THE_RACE
    assert set(await dinner.balances()) == {0}
    entries = await dinner.journal()
    assert [entry["seq"] for entry in entries] == list(range(1, before + 2 * SIZES.expenses + 1))


async def test_of_confirming_and_voiding_at_once_one_wins(
    store: AsyncStore, ana: Somebody, bea: Somebody
) -> None:
    both = await table(store, ana, {"bea": (bea, Role.MEMBER)})
    tag = (await ana.get(both.path)).etag
    asking = await ana.send("PATCH", both.path, {"payments_need_confirmation": True}, tag=tag)
    assert asking.status == 200, asking.body
    cash = {
        "from_member_id": both.seats["owner"],
        "to_member_id": both.seats["bea"],
        "amount_minor": 100,
        "currency": "EUR",
        "date": "2026-01-31",
        "allow_overpay": True,
    }

    async def confirmed_and_voided() -> tuple[str, str]:
        """Who won, and what the payment is."""
        payment = await ana.send("POST", f"{both.path}/payments", cash)
        assert payment.status == 201, payment.body
        path = f"{both.path}/payments/{payment['id']}"
        confirming, voiding = await at_once(
            (
                bea.send("POST", f"{path}/confirm", {"allow_overpay": True}, tag='"1"'),
                ana.send("POST", f"{path}/void", tag='"1"'),
            )
        )
        assert sorted(each.status < 300 for each in (confirming, voiding)) == [False, True]
        assert {each.said for each in (confirming, voiding)} & LOST_THE_RACE
        return "confirmed" if confirming.status < 300 else "voided", (await ana.get(path))["status"]

    rounds = await by_workers(4, (confirmed_and_voided() for _ in range(SIZES.rounds)))
    assert all(winner == state for winner, state in rounds)
    won = Counter(winner for winner, _ in rounds)["confirmed"]
    assert sorted(await both.balances()) in ([-100 * won, 100 * won], [])
