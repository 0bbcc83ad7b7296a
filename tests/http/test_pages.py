"""Pages: everything once, in order, whoever writes meanwhile (the HTTP contract, §6)."""

import re
from collections.abc import AsyncGenerator, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_http.pages import CURSOR_CHARACTERS_MAX, PAGE_BYTES_MAX, Cursors, fitting
from clearsplit_http.refusals import BadCursor
from clearsplit_http.wire.resources import Page
from tests.http.api import PASSWORD, SECRET, Answer, Api, Person, api_on, trip
from tests.literals import Clock

CURSORS = Cursors(b"k" * 32, "/groups")


async def pages(person: Person, path: str) -> AsyncGenerator[Answer]:
    """The pages of a list, each found by the link of the one before."""
    link: str | None = path
    while link:
        page = await person.get(link)
        yield page
        found = re.fullmatch(r'<(.+)>; rel="next"', page.headers.get("link", ""))
        link = found[1] if found else None
        assert (link is None) is (page.tree["next_cursor"] is None)


async def test_every_expense_comes_once_while_others_are_recorded(api: Api) -> None:
    lisbon = await trip(api)
    before = [(await lisbon.record(title=f"Day {day}"))["id"] for day in range(5)]
    seen = []
    async for page in pages(lisbon.owner, f"{lisbon.expenses}?limit=2"):
        seen += [each["id"] for each in page.items]
        await lisbon.record(title="Meanwhile")
    assert seen == before[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_every_list_is_the_same_in_pages_of_any_size(api: Api, limit: int) -> None:
    lisbon = await trip(api)
    for day in range(2):
        await lisbon.record(title=f"Day {day}")
        await lisbon.owner.post("/groups", {"name": f"Group {day}", "currency": "EUR"})
    for path in ("/groups", f"{lisbon.path}/members", lisbon.expenses, f"{lisbon.path}/journal"):
        whole = (await lisbon.owner.get(path)).items
        found = [
            each
            async for page in pages(lisbon.owner, f"{path}?limit={limit}")
            for each in page.items
        ]
        assert found == whole
        assert len(whole) >= 2


async def test_the_last_page_says_that_it_is_the_last(api: Api) -> None:
    lisbon = await trip(api)
    page = await lisbon.owner.get(f"{lisbon.path}/members?limit=3")
    assert (len(page.items), page.tree["next_cursor"]) == (3, None)


async def test_a_cursor_is_good_for_its_own_list_and_owner(api: Api) -> None:
    lisbon = await trip(api)
    cursor = (await lisbon.owner.get(f"{lisbon.path}/members?limit=1"))["next_cursor"]
    bad = (400, "invalid-cursor")
    assert (await lisbon.owner.get(f"{lisbon.expenses}?cursor={cursor}")).said == bad
    assert (await lisbon.owner.get(f"/groups?cursor={cursor}")).said == bad
    assert (await lisbon.owner.get(f"{lisbon.path}/members?cursor={cursor}x")).said == bad
    assert (await lisbon.owner.get(f"{lisbon.path}/members?cursor=")).said == bad


@given(st.text())
def test_nobody_can_make_a_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        CURSORS.read(cursor)


@given(st.text(), st.integers(min_value=0), st.integers(min_value=1, max_value=63))
def test_a_changed_cursor_is_refused(position: str, place: int, change: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cursor = CURSORS.make(position[:100])
    where = place % (len(cursor) - 1)  # of the last character not every bit counts
    other = alphabet[(alphabet.index(cursor[where]) + change) % 64]
    with pytest.raises(BadCursor):
        CURSORS.read(cursor[:where] + other + cursor[where + 1 :])


@given(st.text(max_size=20))
def test_a_cursor_leads_back(position: str) -> None:
    assert CURSORS.read(CURSORS.make(position)) == position


@given(st.lists(st.integers(min_value=1, max_value=150_000)), st.integers(1, 5))
def test_a_page_has_an_item_and_otherwise_its_limits(sizes: list[int], limit: int) -> None:
    items = [msgspec.json.encode("x" * size) for size in sizes]
    taken = fitting(items, limit)
    assert list(taken) == items[: len(taken)]
    assert len(taken) <= limit
    assert len(taken) >= min(1, len(items))
    assert len(taken) == 1 or len(page_of(taken)) <= PAGE_BYTES_MAX
    more = items[: len(taken) + 1]
    assert len(taken) in (limit, len(items)) or len(page_of(more)) > PAGE_BYTES_MAX - 100


def page_of(items: Sequence[bytes]) -> bytes:
    """The page as it is sent, with the longest cursor."""
    cursor = "x" * CURSOR_CHARACTERS_MAX
    return msgspec.json.encode(Page([msgspec.Raw(item) for item in items], cursor))


async def test_a_list_goes_on_when_the_secret_was_changed(database_url: str, clock: Clock) -> None:
    new: dict[str, object] = {"jwt_secret": SECRET[::-1].encode()}
    async with api_on(database_url, clock) as before:
        lisbon = await trip(before)
        for _ in range(2):
            await lisbon.record()
        cursor = (await lisbon.owner.get(f"{lisbon.expenses}?limit=1"))["next_cursor"]
    rest = f"{lisbon.expenses}?limit=1&cursor={cursor}"
    async with api_on(database_url, clock, **new, jwt_secret_previous=SECRET.encode()) as after:
        assert len((await Person(after, lisbon.owner.token).get(rest)).items) == 1
        login = {"email": before.email("Ana"), "password": PASSWORD}
        token = (await Person(after).post("/auth/login", login))["access_token"]
    async with api_on(database_url, clock, **new) as later:
        assert (await Person(later, lisbon.owner.token).get(rest)).said == (401, "invalid-token")
        assert (await Person(later, token).get(rest)).said == (400, "invalid-cursor")
