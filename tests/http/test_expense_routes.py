"""Expenses over HTTP: every split, every correction, every refusal of the route."""

import re
from uuid import uuid4

import pytest

from clearsplit_core.plain import Plain
from tests.http.api import Answer, Api, Tree, in_list, trip

UNKNOWN = "01990a5e-7c00-7a11-8000-00000000dead"


def shares(answer: Answer) -> list[object]:
    return [each["share_minor"] for each in in_list(answer.tree["shares"])]


async def test_a_recorded_expense_is_answered_whole(api: Api) -> None:
    lisbon = await trip(api)
    sent = lisbon.dinner(category="food", memo="With wine.\nLots of it.")
    answer = await lisbon.owner.post(lisbon.expenses, sent)
    assert (answer.status, answer.etag) == (201, '"1"')
    assert answer.headers["location"] == f"{lisbon.expenses}/{answer['id']}"
    kept = ("title", "amount_minor", "currency", "date", "split", "category", "memo")
    assert {name: answer.tree[name] for name in kept} == {name: sent[name] for name in kept}
    assert answer.tree["payers"] == [{"member_id": lisbon.ana, "amount_minor": 10000}]
    assert sorted(map(str, shares(answer))) == ["3333", "3333", "3334"]
    assert (answer["recorded_by"], answer.tree["voided"]) == (lisbon.ana, False)


async def test_an_expense_is_read_as_it_was_recorded(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record()
    read = await lisbon.owner.get(recorded.headers["location"])
    assert read.tree == {k: v for k, v in recorded.tree.items() if k != "journal"}
    (listed,) = (await lisbon.owner.get(lisbon.expenses)).items
    assert listed == read.tree


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"kind": "equal", "members": ["BO", "CY"]}, [5000, 5000]),
        (
            {
                "kind": "exact",
                "parts": [
                    {"member_id": "BO", "amount_minor": 1},
                    {"member_id": "CY", "amount_minor": 9999},
                ],
            },
            [1, 9999],
        ),
        (
            {
                "kind": "percentage",
                "parts": [
                    {"member_id": "BO", "percent": "33.34"},
                    {"member_id": "CY", "percent": "66.66"},
                ],
            },
            [3334, 6666],
        ),
        (
            {
                "kind": "shares",
                "parts": [{"member_id": "BO", "shares": 3}, {"member_id": "CY", "shares": 1}],
            },
            [7500, 2500],
        ),
        (
            {
                "kind": "adjustment",
                "members": ["BO", "CY"],
                "adjustments": [{"member_id": "CY", "amount_minor": -500}],
            },
            [5250, 4750],
        ),
        (
            {
                "kind": "itemised",
                "items": [
                    {"title": "Soup", "amount_minor": 3000, "members": ["BO"]},
                    {"title": "Fish", "amount_minor": 6000, "members": ["BO", "CY"]},
                ],
                "tax_minor": 900,
                "tip_minor": 300,
                "discount_minor": 200,
            },
            [6667, 3333],
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
async def test_every_split_comes_back_as_it_was_sent_and_with_its_shares(
    api: Api, split: dict[str, Plain], expected: list[int]
) -> None:
    lisbon = await trip(api)
    named = _with_names(split, {"BO": lisbon.bo, "CY": lisbon.cy})
    answer = await lisbon.record(split=named)
    assert answer.tree["split"] == named
    assert shares(answer) == expected


def _with_names(tree: Plain, ids: dict[str, str]) -> Plain:
    if isinstance(tree, dict):
        return {name: _with_names(part, ids) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_with_names(part, ids) for part in tree]
    return ids.get(tree, tree) if isinstance(tree, str) else tree


async def test_several_may_pay_and_a_rate_converts(api: Api) -> None:
    lisbon = await trip(api)
    payers: Plain = [
        {"member_id": lisbon.ana, "amount_minor": 6000},
        {"member_id": lisbon.bo, "amount_minor": 4000},
    ]
    answer = await lisbon.record(
        currency="USD", paid_by=None, payers=payers, fx={"rate": "0.5", "currency": "EUR"}
    )
    posted = [each["posted_minor"] for each in in_list(answer.tree["shares"])]
    assert answer.tree["payers"] == payers
    assert sum(map(int, map(str, posted))) == 5000


async def test_a_refund_is_negative(api: Api) -> None:
    lisbon = await trip(api)
    assert sum(map(int, map(str, shares(await lisbon.record(amount_minor=-100))))) == -100


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"title": "\u200b"}, "bad-text", "/title"),
        ({"title": None}, "wrong-type", "/title"),
        ({"amount_minor": 0}, "amount-zero", "/amount_minor"),
        ({"amount_minor": 10**15 + 1}, "out-of-range", "/amount_minor"),
        ({"amount_minor": -(10**15) - 1}, "out-of-range", "/amount_minor"),
        ({"amount_minor": 2**63}, "out-of-range", "/amount_minor"),
        ({"amount_minor": "5"}, "wrong-type", "/amount_minor"),
        ({"amount_minor": True}, "wrong-type", "/amount_minor"),
        ({"amount_minor": None}, "wrong-type", "/amount_minor"),
        ({"currency": "XYZ"}, "unknown-currency", "/currency"),
        ({"date": "2026-02-30"}, "bad-format", "/date"),
        ({"date": "2026-02-01T00:00:00Z"}, "bad-format", "/date"),
        ({"paid_by": "ana"}, "bad-format", "/paid_by"),
        ({"paid_by": UNKNOWN}, "unknown-member", "/paid_by"),
        (
            {"paid_by": None, "payers": [{"member_id": UNKNOWN, "amount_minor": 10000}]},
            "unknown-member",
            "/payers/0/member_id",
        ),
        (
            {"split": {"kind": "equal", "members": [UNKNOWN]}},
            "unknown-member",
            "/split/members/0",
        ),
        (
            {"split": {"kind": "shares", "parts": [{"member_id": UNKNOWN, "shares": 1}]}},
            "unknown-member",
            "/split/parts/0/member_id",
        ),
        (
            {
                "split": {
                    "kind": "itemised",
                    "items": [{"amount_minor": 10000, "members": [UNKNOWN]}],
                }
            },
            "unknown-member",
            "/split/items/0/members/0",
        ),
        ({"paid_by": None}, "missing-field", "/paid_by"),
        ({"payers": []}, "payers-unclear", "/payers"),
        ({"split": {"kind": "even"}}, "unknown-value", "/split/kind"),
        ({"split": {}}, "missing-field", "/split/kind"),
        ({"split": {"kind": "equal", "members": []}}, "nobody-named", "/split/members"),
        ({"split": {"kind": "equal", "members": [5]}}, "wrong-type", "/split/members/0"),
        ({"split": {"kind": "shares", "parts": [{}]}}, "missing-field", "/split/parts/0/member_id"),
        ({"category": "x" * 51}, "bad-text", "/category"),
        ({"memo": "\x07"}, "bad-text", "/memo"),
        ({"fx": {"rate": "0.5", "currency": "EUR"}}, "currency-mismatch", "/fx"),
        ({"fx": {"rate": 0.5, "currency": "EUR"}}, "wrong-type", "/fx/rate"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "bad-id", "/id"),
        ({"tip": 1}, "unknown-field", "/tip"),
    ],
)
async def test_an_expense_that_is_wrong_says_where(
    memory_api: Api, change: dict[str, Plain], code: str, pointer: str
) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(**change))
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_an_unknown_kind_of_split_lists_those_that_there_are(memory_api: Api) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(split={"kind": "even"}))
    kinds = "equal, exact, percentage, shares, adjustment, itemised"
    assert answer["detail"] == f"This is one of {kinds}."


async def test_a_percentage_that_is_no_text_is_answered_with_one(memory_api: Api) -> None:
    lisbon = await trip(memory_api)
    parts: Plain = [{"member_id": lisbon.bo, "percent": 100}]
    split: Plain = {"kind": "percentage", "parts": parts}
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(split=split))
    assert answer["detail"] == 'This must be a text, such as "25".'


@pytest.mark.parametrize("number", ["5.0", "1e3", "10000.00", "-0.0", "1E400", "1" + "0" * 400])
async def test_an_amount_is_an_integer_as_it_is_written(memory_api: Api, number: str) -> None:
    lisbon = await trip(memory_api)
    body = _body(lisbon.dinner(), number)
    lines = (("content-type", "application/json"), ("idempotency-key", "k"))
    answer = await lisbon.owner.raw("POST", lisbon.expenses, body, *lines)
    assert (answer.status, answer.pointer) == (422, "/amount_minor")


def _body(tree: Tree | dict[str, Plain], number: str) -> bytes:
    text = str(tree).replace("'", '"').replace("10000", number)
    assert re.search(re.escape(number), text)
    return text.encode()


async def test_shares_that_miss_the_amount_say_by_how_much(memory_api: Api) -> None:
    lisbon = await trip(memory_api)
    split: Plain = {"kind": "exact", "parts": [{"member_id": lisbon.bo, "amount_minor": 9998}]}
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(split=split))
    assert (answer.said, answer.pointer) == ((422, "wrong-total"), "/split/parts")
    assert "2 too little" in answer["detail"]


async def test_an_expense_is_recorded_once_under_its_id(api: Api) -> None:
    lisbon = await trip(api)
    chosen = str(uuid4())
    await lisbon.record(id=chosen)
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(id=chosen))
    assert answer.said == (409, "already-exists")


# ── Correcting ───────────────────────────────────────────────────────────────────────────────────


async def test_a_new_title_leaves_every_share_as_it_was(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record()
    owner = lisbon.owner.sending(if_match=first.etag)
    second = await owner.patch(first.headers["location"], {"title": "Supper", "memo": None})
    assert (second.status, second.etag, second["title"]) == (200, '"2"', "Supper")
    assert second.tree["shares"] == first.tree["shares"]


async def test_an_only_payer_goes_on_paying_all_of_it(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record()
    owner = lisbon.owner.sending(if_match=first.etag)
    second = await owner.patch(first.headers["location"], {"amount_minor": 12000})
    assert second.tree["payers"] == [{"member_id": lisbon.ana, "amount_minor": 12000}]
    owner = lisbon.owner.sending(if_match=second.etag)
    third = await owner.patch(first.headers["location"], {"paid_by": lisbon.bo})
    assert third.tree["payers"] == [{"member_id": lisbon.bo, "amount_minor": 12000}]


async def test_what_may_be_missing_can_be_taken_away(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record(category="food", memo="wine")
    owner = lisbon.owner.sending(if_match=first.etag)
    second = await owner.patch(first.headers["location"], {"category": None})
    assert (second.tree["category"], second["memo"]) == (None, "wine")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_minor": 0}, "amount-zero"),
        ({"title": None}, "wrong-type"),
        ({"id": UNKNOWN}, "unknown-field"),
        ({"paid_by": UNKNOWN, "payers": []}, "payers-unclear"),
        ({"paid_by": UNKNOWN}, "unknown-member"),
        ({"split": {"kind": "exact", "parts": []}}, "nobody-named"),
    ],
)
async def test_a_correction_that_is_wrong_changes_nothing(
    api: Api, change: dict[str, Plain], code: str
) -> None:
    lisbon = await trip(api)
    first = await lisbon.record()
    owner = lisbon.owner.sending(if_match=first.etag)
    answer = await owner.patch(first.headers["location"], change)
    assert answer.said == (422, code)
    assert answer.pointer == ("/paid_by" if code == "unknown-member" else answer.pointer)
    assert (await lisbon.owner.get(first.headers["location"])).etag == first.etag


async def test_a_voided_expense_counts_for_nothing_until_it_is_restored(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.record()
    place = first.headers["location"]
    voided = await lisbon.owner.sending(if_match='"1"').delete(place)
    assert (voided.status, voided.tree["voided"], voided.etag) == (200, True, '"2"')
    assert (await lisbon.owner.get(lisbon.expenses)).items == []
    assert (await lisbon.owner.get(place)).tree["voided"] is True
    again = await lisbon.owner.sending(if_match='"2"').delete(place)
    assert again.said == (409, "already-voided")
    restored = await lisbon.owner.sending(if_match='"2"').post(f"{place}/restore")
    assert (restored.status, restored.tree["shares"]) == (200, first.tree["shares"])
    again = await lisbon.owner.sending(if_match='"3"').post(f"{place}/restore")
    assert again.said == (409, "not-voided")


async def test_a_voided_expense_is_not_corrected(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    await lisbon.owner.sending(if_match='"1"').delete(place)
    answer = await lisbon.owner.sending(if_match='"2"').patch(place, {"title": "Supper"})
    assert answer.said == (409, "already-voided")
    assert "restore it first" in str(answer["detail"])
