"""Idempotency keys (the HTTP contract, §4), row by row."""

import asyncio
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.errors import KeyInProgress
from clearsplit_core.plain import Plain
from clearsplit_core.records import AccountId
from clearsplit_http.idempotency import fingerprint, group_id_for, read_key
from clearsplit_http.preconditions import Tag
from clearsplit_http.refusals import KeyInvalid
from tests.http.api import Answer, Api, trip

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)


def kept(answer: Answer) -> tuple[int, bytes, str | None, str | None]:
    """What a replay repeats."""
    headers = answer.headers
    return answer.status, answer.body, headers.get("etag"), headers.get("location")


async def test_a_change_without_a_key_is_refused(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    missing = await lisbon.owner.raw("DELETE", place, b"", ("if-match", '"1"'))
    assert missing.said == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    "keys",
    [("",), ('""',), ("x" * 256,), ("a\tb",), ("\x7f",), ("é",), ('"é"',), ("a", "b"), ("a", "a")],
)
async def test_a_key_is_one_line_of_printable_ascii(memory_api: Api, keys: tuple[str, ...]) -> None:
    lisbon = await trip(memory_api)
    lines = tuple(("idempotency-key", key) for key in keys)
    answer = await lisbon.owner.raw("POST", lisbon.expenses, b"", *lines)
    assert answer.said == (400, "idempotency-key-invalid")


@given(printable)
def test_a_key_is_the_same_quoted_and_bare(key: str) -> None:
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert read_key([quoted]) == key


@given(st.text().filter(lambda key: not (key.isascii() and key.isprintable() and key)))
def test_other_characters_make_no_key(key: str) -> None:
    with pytest.raises(KeyInvalid):
        read_key([key])


async def test_the_first_use_is_nothing_special(api: Api) -> None:
    lisbon = await trip(api)
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    assert answer.status == 201
    assert "idempotency-replayed" not in answer.headers


async def test_the_same_request_gets_the_same_answer_and_changes_nothing(api: Api) -> None:
    lisbon = await trip(api)
    first = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    again = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key='"k"')
    assert kept(again) == kept(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await lisbon.owner.get(lisbon.expenses)).items) == 1


async def test_spaces_and_the_order_of_fields_make_no_other_request(api: Api) -> None:
    ana = await api.signup("Ana")
    lines = (("content-type", "application/json"), ("idempotency-key", "k"))
    first = await ana.raw("POST", "/groups", b'{"name":"A","currency":"EUR"}', *lines)
    again = await ana.raw("POST", "/groups", b'{ "currency": "EUR", "name": "\\u0041" }', *lines)
    assert kept(again) == kept(first)


@pytest.mark.parametrize(
    "change", [{"title": "Supper"}, {"memo": "x"}, {"amount_minor": 1}, {"title": 5}, {"tip": 1}]
)
async def test_another_request_under_the_key_is_refused(
    api: Api, change: dict[str, str | int]
) -> None:
    lisbon = await trip(api)
    await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    other = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(**change), key="k")
    assert other.said == (422, "idempotency-key-reused")


async def test_another_address_method_or_version_is_another_request(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    owner = lisbon.owner.sending(if_match='"1"')
    await owner.delete(place, key="k")
    reused = (422, "idempotency-key-reused")
    assert (await owner.patch(place, {}, key="k")).said == reused
    assert (await owner.post(f"{place}/restore", key="k")).said == reused
    assert (await lisbon.owner.sending(if_match='"2"').delete(place, key="k")).said == reused
    other = (await lisbon.record()).headers["location"]
    assert (await owner.delete(other, key="k")).said == reused


async def test_a_key_belongs_to_one_person_and_one_group(api: Api) -> None:
    lisbon = await trip(api)
    bo = await api.signup("Bo")
    mine = await lisbon.owner.post("/groups", {"name": "A", "currency": "EUR"}, key="k")
    his = await bo.post("/groups", {"name": "A", "currency": "EUR"}, key="k")
    there = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    assert (mine.status, his.status, there.status) == (201, 201, 201)
    assert mine["id"] != his["id"]


async def test_a_first_try_that_failed_is_forgotten(api: Api) -> None:
    lisbon = await trip(api)
    wrong = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(amount_minor=0), key="k")
    right = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    assert (wrong.status, right.status) == (422, 201)
    assert "idempotency-replayed" not in right.headers


async def test_a_correction_is_replayed_although_its_version_is_gone(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    owner = lisbon.owner.sending(if_match='"1"')
    first = await owner.patch(place, {"title": "Supper"}, key="k")
    await lisbon.owner.sending(if_match='"2"').delete(place)
    again = await owner.patch(place, {"title": "Supper"}, key="k")
    assert kept(again) == kept(first)


async def test_a_request_whose_twin_is_running_is_told_so(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lisbon = await trip(memory_api)

    async def busy(*_: object, **__: object) -> None:
        raise KeyInProgress

    monkeypatch.setattr(memory_api.server.store, "perform_once", busy)
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    assert answer.said == (409, "idempotency-in-progress")
    assert answer.headers["retry-after"] == "1"


async def test_twenty_at_once_under_one_key_record_one_expense(api: Api) -> None:
    lisbon = await trip(api)
    dinner = lisbon.dinner()
    answers = await asyncio.gather(
        *(lisbon.owner.post(lisbon.expenses, dinner, key="k") for _ in range(20))
    )
    done = [answer for answer in answers if answer.status == 201]
    others = {answer.said for answer in answers if answer.status != 201}
    assert len({answer.body for answer in done}) == 1
    assert others <= {(409, "idempotency-in-progress")}
    assert len((await lisbon.owner.get(lisbon.expenses)).items) == 1


async def test_accounts_need_no_key(api: Api) -> None:
    ana = await api.signup("Ana")
    answer = await ana.raw("POST", "/auth/logout", b"")
    assert answer.status == 204


# ── Fingerprints ─────────────────────────────────────────────────────────────────────────────────


def test_everything_in_a_request_counts() -> None:
    one, other = uuid4(), uuid4()
    prints = {
        fingerprint("POST", "/a", [one], None, {}),
        fingerprint("PATCH", "/a", [one], None, {}),
        fingerprint("POST", "/b", [one], None, {}),
        fingerprint("POST", "/a", [other], None, {}),
        fingerprint("POST", "/a", [one], Tag(1), {}),
        fingerprint("POST", "/a", [one], Tag(1, 1), {}),
        fingerprint("POST", "/a", [one], None, {"a": 1}),
        fingerprint("POST", "/a", [one], None, {"a": "1"}),
    }
    assert len(prints) == 8


def test_a_request_has_today_the_fingerprint_that_it_had_on_the_first_day() -> None:
    """While servers are replaced, a request may be repeated to a newer one, or to an older."""
    body: Plain = {
        "title": "Gnocchi é",
        "amount_minor": -4200,
        "split": {"kind": "equal", "members": ["a", "b"]},
        "memo": None,
        "fx": {".": "1.5"},
    }
    where = "/groups/{group_id}/expenses/{expense_id}"
    told = fingerprint("PATCH", where, [UUID(int=1), UUID(int=2)], Tag(3), body)
    assert told.hex() == "a4708ef272ac3842dd7fb0f30925ffa4a11bb0d239558340b5fb890124aff8f5"


@given(st.uuids(), printable)
def test_a_new_group_has_one_id_for_one_person_and_key(person: UUID, key: str) -> None:
    made = group_id_for(b"k" * 32, AccountId(person), key)
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    assert made == group_id_for(b"k" * 32, AccountId(person), key)
    assert made != group_id_for(b"q" * 32, AccountId(person), key)
