"""The statement and balances of another time over HTTP."""

from urllib.parse import quote
from uuid import UUID

import pytest

from clearsplit_core.journal import GroupId
from clearsplit_core.plain import Plain
from tests.http.api import Answer, Api, Trip, in_list, in_tree, trip
from tests.http.test_pages import pages

UNKNOWN = "01990a5e-7c00-7a11-8000-00000000dead"


def balances(answer: Answer) -> dict[object, object]:
    return {each["member_id"]: each["balance_minor"] for each in in_list(answer.tree["balances"])}


async def statement(lisbon: Trip, member: str, query: str = "") -> Answer:
    return await lisbon.owner.get(f"{lisbon.path}/members/{member}/statement{query}")


# ── Statement ────────────────────────────────────────────────────────────────────────────────────


async def test_a_statement_says_why_and_ends_in_the_balance(api: Api) -> None:
    lisbon = await trip(api)
    dinner = await lisbon.record(amount_minor=6000)
    taxi = await lisbon.record(title="Taxi", amount_minor=900, paid_by=lisbon.bo)
    await lisbon.owner.sending(if_match='"1"').delete(taxi.headers["location"])

    lines = (await statement(lisbon, lisbon.bo)).items

    assert [line["reason"] for line in lines] == [
        "Ana recorded Dinner (60.00 EUR, paid by Ana): share 20.00",
        "Ana recorded Taxi (9.00 EUR, paid by Bo): paid 9.00; share 3.00",
        "Ana voided Taxi (9.00 EUR, paid by Bo): paid 9.00 taken back; share 3.00 taken back",
    ]
    assert [line["amount_minor"] for line in lines] == [-2000, 600, -600]
    assert [line["balance_after_minor"] for line in lines] == [-2000, -1400, -2000]
    assert [line["expense_id"] for line in lines] == [dinner["id"], taxi["id"], taxi["id"]]
    assert {line["actor_id"] for line in lines} == {lisbon.ana}
    now = balances(await lisbon.owner.get(f"{lisbon.path}/balances"))
    assert lines[-1]["balance_after_minor"] == now[lisbon.bo]


@pytest.mark.parametrize("order", ["oldest", "latest"])
async def test_a_statement_comes_in_pages_while_others_write(api: Api, order: str) -> None:
    lisbon = await trip(api)
    for day in range(5):
        await lisbon.record(title=f"Day {day}")
    whole = (await statement(lisbon, lisbon.cy, f"?order={order}")).items
    seen = []
    async for page in pages(
        lisbon.owner, f"{lisbon.path}/members/{lisbon.cy}/statement?limit=2&order={order}"
    ):
        seen += page.items
        await lisbon.record(title="Meanwhile") if order == "latest" else None
    assert seen == whole
    assert len(whole) == 5


async def test_a_statement_in_one_currency(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record()
    await lisbon.record(currency="USD")
    lines = (await statement(lisbon, lisbon.bo, "?currency=USD")).items
    assert [line["currency"] for line in lines] == ["USD"]
    both = [line["currency"] for line in (await statement(lisbon, lisbon.bo)).items]
    assert both == ["EUR", "USD"]


async def test_a_cursor_goes_on_in_the_same_order_and_currency_alone(api: Api) -> None:
    lisbon = await trip(api)
    for _ in range(2):
        await lisbon.record()
    cursor = quote((await statement(lisbon, lisbon.bo, "?limit=1&order=latest"))["next_cursor"])
    assert (await statement(lisbon, lisbon.bo, f"?order=latest&cursor={cursor}")).status == 200
    for query in ("", "order=oldest&", "order=latest&currency=EUR&"):
        answer = await statement(lisbon, lisbon.bo, f"?{query}cursor={cursor}")
        assert answer.said == (400, "invalid-cursor")


@pytest.mark.parametrize(
    "query", ["order=newest", "order=", "currency=eur", "currency=XXX", "currency=", "limit=0"]
)
async def test_a_statement_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    lisbon = await trip(api)
    assert (await statement(lisbon, lisbon.bo, f"?{query}")).said == (400, "invalid-query")


async def test_only_a_member_has_a_statement(api: Api) -> None:
    lisbon = await trip(api)
    assert (await statement(lisbon, lisbon.bo)).items == []
    assert (await statement(lisbon, UNKNOWN)).said == (404, "not-found")


async def test_an_erased_title_leaves_a_line_that_can_be_read(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record(title="Clinic", amount_minor=9000)
    await api.server.store.erase(*entry_of(lisbon, recorded))
    (line,) = (await statement(lisbon, lisbon.bo)).items
    assert line["reason"] == "Ana recorded an expense (90.00 EUR, paid by Ana): share 30.00"


def entry_of(lisbon: Trip, recorded: Answer) -> tuple[GroupId, int]:
    return GroupId(UUID(lisbon.id)), int(str(in_tree(recorded.tree, "journal", "seq")))


# ── Balances of another time ─────────────────────────────────────────────────────────────────────


async def test_balances_after_any_entry(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record(amount_minor=300)
    await lisbon.record(amount_minor=600)
    seq = in_tree(first.tree, "journal", "seq")
    then = await lisbon.owner.get(f"{lisbon.path}/balances?as_of_seq={seq}")
    assert then.tree["journal"] == first.tree["journal"]
    assert balances(then) == {lisbon.ana: 200, lisbon.bo: -100, lisbon.cy: -100}
    nothing = await lisbon.owner.get(f"{lisbon.path}/balances?as_of_seq=0")
    assert nothing.tree["balances"] == []


async def test_an_entry_that_is_not_there_yet_is_not_found(api: Api) -> None:
    lisbon = await trip(api)
    answer = await lisbon.owner.get(f"{lisbon.path}/balances?as_of_seq=4")
    assert answer.said == (404, "not-found")


CORRECTIONS: dict[str, list[dict[str, Plain] | None]] = {
    "as it was recorded": [],
    "voided": [None],
    "revised": [{"amount_minor": 9000}, {"amount_minor": 300}],
    "moved to another day and back": [{"date": "2026-05-01"}, {"date": "2026-03-01"}],
}


@pytest.mark.parametrize("corrections", CORRECTIONS.values(), ids=CORRECTIONS.keys())
async def test_what_is_dated_in_the_future_counts_now_and_by_date_from_its_day(
    api: Api, corrections: list[dict[str, Plain] | None]
) -> None:
    lisbon = await trip(api)
    rent = await lisbon.record(title="Rent", amount_minor=300, date="2026-03-01")
    for version, change in enumerate(corrections, start=1):
        owner = lisbon.owner.sending(if_match=f'"{version}"')
        where = rent.headers["location"]
        assert (await (owner.patch(where, change) if change else owner.delete(where))).status == 200
    stands = 0 if corrections == [None] else 200

    async def of_ana(query: str) -> object:
        answer = await lisbon.owner.get(f"{lisbon.path}/balances{query}")
        return balances(answer)[lisbon.ana]

    assert await of_ana("") == stands
    assert await of_ana("?as_of_date=2026-02-28") == 0
    assert await of_ana("?as_of_date=2026-03-01") == stands
    assert await of_ana("?as_of_date=2026-06-01") == stands


@pytest.mark.parametrize(
    "query",
    [
        "as_of_seq=1&as_of_date=2026-01-31",
        "as_of_seq=",
        "as_of_seq=-1",
        "as_of_seq=1.0",
        "as_of_seq=1e3",
        "as_of_seq=9007199254740992",
        "as_of_seq=99999999999999999999",
        "as_of_date=",
        "as_of_date=yesterday",
        "as_of_date=2026-02-31",
        "as_of_date=2026-1-31",
        "as_of_date=20260131",
        "as_of_date=2026-W05-6",
        "as_of_date=2026-01-31T00:00:00Z",
        "as_of_date=0000-01-01",
        "as_of=1",
        "as_of_seq=1&as_of_seq=2",
    ],
)
async def test_another_time_that_cannot_be_read_is_refused(api: Api, query: str) -> None:
    lisbon = await trip(api)
    answer = await lisbon.owner.get(f"{lisbon.path}/balances?{query}")
    assert answer.said == (400, "invalid-query")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_every_day_of_the_calendar_is_a_day(api: Api, day: str) -> None:
    lisbon = await trip(api)
    assert (await lisbon.owner.get(f"{lisbon.path}/balances?as_of_date={day}")).status == 200
