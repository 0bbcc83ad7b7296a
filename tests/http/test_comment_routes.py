"""Comments, the history of an expense, categories and the feed over HTTP."""

import asyncio

import pytest

from clearsplit_core.plain import Plain
from clearsplit_http.examples import COMMENT
from tests.http.api import Api, Tree, in_list, in_tree, trip
from tests.http.test_pages import pages
from tests.http.test_statement_routes import entry_of

UNKNOWN = "01990a5e-7c00-7a11-8000-00000000dead"


def changes(version: Tree) -> dict[object, tuple[object, object]]:
    """What a version changed: old and new by field."""
    told = in_list(version["changes"])
    return {change["field"]: (change["old"], change["new"]) for change in told}


# ── Comments ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_comment_is_answered_and_read_as_it_was_said(api: Api) -> None:
    lisbon = await trip(api)
    dinner = (await lisbon.record()).headers["location"]
    answer = await lisbon.owner.post(f"{dinner}/comments", {"id": COMMENT, "text": "With wine?"})
    assert (answer.status, answer.etag) == (201, '"1"')
    assert (answer["id"], answer["text"], answer["recorded_by"]) == (
        COMMENT, "With wine?", lisbon.ana,
    )  # fmt: skip
    read = await lisbon.owner.get(answer.headers["location"])
    assert read.tree == {k: v for k, v in answer.tree.items() if k != "journal"}
    assert (await lisbon.owner.get(f"{dinner}/comments")).items == [read.tree]
    again = await lisbon.owner.post(f"{dinner}/comments", {"id": COMMENT, "text": "Again?"})
    assert again.said == (409, "already-exists")


async def test_comments_come_in_pages_as_they_were_said(api: Api) -> None:
    lisbon = await trip(api)
    place = f"{(await lisbon.record()).headers['location']}/comments"
    said = [f"Number {number}" for number in range(5)]
    for words in said:
        await lisbon.owner.post(place, {"text": words})
    found = [
        each["text"]
        async for page in pages(lisbon.owner, f"{place}?limit=2")
        for each in page.items
    ]
    assert found == said


async def test_a_voided_expense_can_be_talked_about_and_an_unknown_one_cannot(api: Api) -> None:
    lisbon = await trip(api)
    dinner = (await lisbon.record()).headers["location"]
    await lisbon.owner.sending(if_match='"1"').delete(dinner)
    assert (await lisbon.owner.post(f"{dinner}/comments", {"text": "Why?"})).status == 201
    nowhere = f"{lisbon.expenses}/{UNKNOWN}/comments"
    assert (await lisbon.owner.post(nowhere, {"text": "Why?"})).said == (404, "not-found")
    assert (await lisbon.owner.post(nowhere, {"text": 1})).said == (404, "not-found")
    assert (await lisbon.owner.get(nowhere)).said == (404, "not-found")
    assert (await lisbon.owner.get(f"{nowhere}?limit=0")).said == (404, "not-found")
    assert (await lisbon.owner.get(f"{dinner}/comments/{UNKNOWN}")).said == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing-field"),
        ({"text": None}, "wrong-type"),
        ({"text": ""}, "bad-text"),
        ({"text": "x" * 2001}, "bad-text"),
        ({"text": "x", "id": "00000000-0000-1000-8000-000000000000"}, "bad-id"),
        ({"text": "x", "author": "me"}, "unknown-field"),
    ],
)
async def test_a_comment_that_cannot_be_made_is_refused(
    api: Api, body: dict[str, Plain], code: str
) -> None:
    lisbon = await trip(api)
    place = f"{(await lisbon.record()).headers['location']}/comments"
    assert (await lisbon.owner.post(place, body)).said == (422, code)
    assert (await lisbon.owner.get(place)).items == []


# ── History ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_history_says_what_each_version_changed(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record(amount_minor=9000)
    place = first.headers["location"]
    everybody: list[Plain] = [lisbon.ana, lisbon.bo]
    corrections: list[Plain] = [
        {"title": "Supper"},
        {"split": {"kind": "equal", "members": everybody}},
    ]
    for version, change in enumerate(corrections, start=1):
        await lisbon.owner.sending(if_match=f'"{version}"').patch(place, change)
    await lisbon.owner.sending(if_match='"3"').delete(place)

    recorded, titled, split, voided = (await lisbon.owner.get(f"{place}/history")).items

    assert changes(recorded)["title"] == (None, "Dinner")
    assert changes(recorded)["shares"] == (None, first.tree["shares"])
    assert "memo" not in changes(recorded)
    assert changes(titled) == {"title": ("Dinner", "Supper")}
    assert changes(split).keys() == {"split", "shares"}
    assert changes(split)["split"][1] == {"kind": "equal", "members": everybody}
    assert changes(voided) == {"voided": (False, True)}
    assert [each["version"] for each in (recorded, titled, split, voided)] == [1, 2, 3, 4]
    assert recorded["seq"] == in_tree(first.tree, "journal", "seq")
    assert {each["actor_id"] for each in (recorded, titled, split, voided)} == {lisbon.ana}


async def test_the_history_comes_in_pages(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    for version in range(1, 6):
        owner = lisbon.owner.sending(if_match=f'"{version}"')
        await (owner.delete(place) if version % 2 else owner.post(f"{place}/restore"))
    whole = (await lisbon.owner.get(f"{place}/history")).items
    found = [
        each
        async for page in pages(lisbon.owner, f"{place}/history?limit=2")
        for each in page.items
    ]
    assert found == whole
    assert [each["version"] for each in whole] == [1, 2, 3, 4, 5, 6]


async def test_an_erased_title_is_null_in_the_history(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record(title="Clinic")
    place = first.headers["location"]
    await lisbon.owner.sending(if_match=first.etag).patch(place, {"title": "Lunch"})
    await api.server.store.erase(*entry_of(lisbon, first))
    recorded, titled = (await lisbon.owner.get(f"{place}/history")).items
    assert changes(recorded)["title"] == (None, None)
    assert changes(titled)["title"] == (None, "Lunch")


async def test_a_split_in_percent_that_is_saved_again_stays_as_it_is(api: Api) -> None:
    lisbon = await trip(api)
    parts = [(lisbon.ana, "25"), (lisbon.bo, "25"), (lisbon.cy, "50")]
    split: Plain = {
        "kind": "percentage",
        "parts": [{"member_id": who, "percent": percent} for who, percent in parts],
    }
    first = await lisbon.record(amount_minor=6001, split=split)
    owner = lisbon.owner.sending(if_match=first.etag)
    second = await owner.patch(first.headers["location"], {"split": split, "title": "Supper"})
    assert second.tree["split"] == first.tree["split"] == split
    assert second.tree["shares"] == first.tree["shares"]
    history = (await lisbon.owner.get(f"{first.headers['location']}/history")).items
    assert changes(history[1]) == {"title": ("Dinner", "Supper")}


# ── Categories ───────────────────────────────────────────────────────────────────────────────────


async def test_the_categories_that_a_group_uses_come_first(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record(category="tram")
    for _ in range(2):
        await lisbon.record(category="rent")
    voided = await lisbon.record(category="mistakes")
    await lisbon.owner.sending(if_match='"1"').delete(voided.headers["location"])
    items = (await lisbon.owner.get(f"{lisbon.path}/categories")).items
    assert items[:2] == [
        {"name": "rent", "uses": 2, "suggested": True},
        {"name": "tram", "uses": 1, "suggested": False},
    ]
    names = [each["name"] for each in items]
    assert "groceries" in names
    assert "mistakes" not in names
    assert len(names) == len(set(names))


# ── The feed ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_feed_has_the_words_of_what_happened(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record(memo="With wine.")
    *_, line = (await lisbon.owner.get(f"{lisbon.path}/journal")).items
    assert (line["kind"], line["actor_id"]) == ("expense-recorded", lisbon.ana)
    assert line["seq"] == in_tree(recorded.tree, "journal", "seq")
    assert line["hash"] == in_tree(recorded.tree, "journal", "head")
    title = in_tree(line, "event", "terms", "title")
    assert in_tree(line, "texts", str(title)) == "Dinner"
    assert len(in_list(line["postings"])) == 3


async def test_an_erased_text_is_gone_from_the_feed(api: Api) -> None:
    lisbon = await trip(api)
    await api.server.store.erase(*entry_of(lisbon, await lisbon.record()))
    *_, line = (await lisbon.owner.get(f"{lisbon.path}/journal")).items
    assert line["texts"] == {}


async def test_the_feed_neither_skips_nor_repeats_while_others_write(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record()
    seen: list[object] = []

    async def write(number: int) -> None:
        for day in range(10):
            await lisbon.record(title=f"{number} {day}")

    async def follow(last: int) -> None:
        while len(seen) < last:
            place = f"{lisbon.path}/journal?limit=7&after_seq={len(seen)}"
            seen.extend(line["seq"] for line in (await lisbon.owner.get(place)).items)
            await asyncio.sleep(0)  # the store in memory never waits

    await asyncio.gather(follow(44), *map(write, range(4)))
    assert seen == [*range(1, 45)]
