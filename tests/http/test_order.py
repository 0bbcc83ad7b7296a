"""What is told when two things are wrong (the HTTP contract, §2): always the earlier one.

Each test sends a request with two faults that are neighbours in the order, or close to it.
"""

from uuid import uuid4

import pytest

from clearsplit_http.incoming import BODY_BYTES_MAX
from tests.http.api import Api, Person, Trip, trip

JSON = ("content-type", "application/json")
KEY = ("idempotency-key", "k")
FORGED = ("authorization", "Bearer forged")
TOO_LARGE = b"x" * (BODY_BYTES_MAX + 1)


@pytest.fixture
async def lisbon(api: Api) -> Trip:
    return await trip(api)


@pytest.fixture
async def outsider(lisbon: Trip) -> Person:
    return await lisbon.owner.api.signup("Odd")


async def said(
    person: Person, method: str, path: str, body: bytes, *lines: tuple[str, str]
) -> object:
    return (await person.raw(method, path, body, *lines)).said


async def test_an_unknown_address_before_a_body_that_is_too_large(lisbon: Trip) -> None:
    assert await said(lisbon.owner, "POST", "/nowhere", TOO_LARGE) == (404, "not-found")


async def test_an_unknown_method_before_who_is_asking(api: Api) -> None:
    assert await said(Person(api), "PUT", "/groups", b"") == (405, "method-not-allowed")


async def test_a_body_that_is_too_large_before_who_is_asking(api: Api) -> None:
    assert await said(Person(api), "POST", "/groups", TOO_LARGE) == (413, "body-too-large")
    assert await said(Person(api), "POST", "/auth/login", TOO_LARGE) == (413, "body-too-large")


async def test_who_is_asking_before_the_group(lisbon: Trip) -> None:
    nobody = Person(lisbon.owner.api)
    assert await said(nobody, "GET", "/groups/x", b"") == (401, "credentials-missing")
    assert await said(nobody, "GET", lisbon.path, b"", FORGED) == (401, "invalid-token")
    assert await said(nobody, "POST", lisbon.expenses, b"{", JSON) == (401, "credentials-missing")


async def test_an_ended_session_before_everything_in_the_request(lisbon: Trip) -> None:
    await lisbon.owner.post("/auth/logout")
    ended = (401, "invalid-token")
    assert await said(lisbon.owner, "GET", "/groups/x", b"") == ended
    assert await said(lisbon.owner, "GET", "/groups?limit=x", b"") == ended
    assert await said(lisbon.owner, "GET", f"{lisbon.expenses}?limit=x", b"") == ended
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{") == ended
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{}", JSON, KEY) == ended
    assert await said(lisbon.owner, "POST", "/groups", b"{") == ended
    assert await said(lisbon.owner, "POST", "/groups", b"{}", JSON, KEY) == ended


async def test_the_group_before_everything_in_the_request(lisbon: Trip, outsider: Person) -> None:
    hidden = (404, "not-found")
    assert await said(outsider, "GET", f"{lisbon.expenses}?limit=x", b"") == hidden
    assert await said(outsider, "POST", lisbon.expenses, b"<a/>") == hidden
    assert await said(outsider, "POST", lisbon.expenses, b"{}", JSON) == hidden
    assert await said(outsider, "POST", lisbon.expenses, b"{", JSON, KEY) == hidden
    assert await said(outsider, "POST", lisbon.expenses, b"{}", JSON, KEY) == hidden
    assert await said(outsider, "POST", f"{lisbon.path}/members", b"{}", JSON, KEY) == hidden


async def test_the_expense_before_everything_in_the_request(lisbon: Trip) -> None:
    place = f"{lisbon.expenses}/{uuid4()}"
    for body, lines in ((b"{", (JSON, KEY)), (b"{}", (JSON, KEY)), (b"", (KEY,)), (b"", ())):
        assert await said(lisbon.owner, "PATCH", place, body, *lines) == (404, "not-found")
        assert await said(lisbon.owner, "DELETE", place, body, *lines) == (404, "not-found")


async def test_the_media_type_before_the_headers(lisbon: Trip) -> None:
    wrong = (415, "unsupported-media-type")
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{") == wrong
    text = ("content-type", "text/plain")
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{", text) == wrong


async def test_the_headers_before_the_json(lisbon: Trip) -> None:
    missing = (400, "idempotency-key-missing")
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{", JSON) == missing
    place = (await lisbon.record()).headers["location"]
    any_version = ("if-match", "*")
    found = await said(lisbon.owner, "PATCH", place, b"{", JSON, KEY, any_version)
    assert found == (400, "invalid-header")


async def test_the_json_before_the_key(lisbon: Trip) -> None:
    await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    assert await said(lisbon.owner, "POST", lisbon.expenses, b"{", JSON, KEY) == (
        400,
        "invalid-json",
    )


async def test_the_key_before_the_fields(lisbon: Trip) -> None:
    await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    found = await said(lisbon.owner, "POST", lisbon.expenses, b"{}", JSON, KEY)
    assert found == (422, "idempotency-key-reused")


async def test_a_new_group_keeps_the_order_too(lisbon: Trip) -> None:
    await lisbon.owner.post("/groups", {"name": "Porto", "currency": "EUR"}, key="used")
    used = ("idempotency-key", "used")
    for line, code in ((used, "idempotency-key-reused"), (KEY, "missing-field")):
        assert await said(lisbon.owner, "POST", "/groups", b"{}", JSON, line) == (422, code)
    assert await said(lisbon.owner, "POST", "/groups", b"{", JSON) == (
        400,
        "idempotency-key-missing",
    )


async def test_the_key_before_the_version(lisbon: Trip) -> None:
    await lisbon.owner.post(lisbon.expenses, lisbon.dinner(), key="k")
    place = (await lisbon.record()).headers["location"]
    found = await said(lisbon.owner, "DELETE", place, b"", KEY)
    assert found == (422, "idempotency-key-reused")


async def test_the_fields_before_the_version(lisbon: Trip) -> None:
    place = (await lisbon.record()).headers["location"]
    wrong = b'{"tip": 1}'
    stale = ("if-match", '"7"')
    assert await said(lisbon.owner, "PATCH", place, wrong, JSON, KEY) == (422, "unknown-field")
    assert await said(lisbon.owner, "PATCH", place, wrong, JSON, KEY, stale) == (
        422,
        "unknown-field",
    )


async def test_the_version_before_the_rules(lisbon: Trip) -> None:
    place = (await lisbon.record()).headers["location"]
    stale = ("if-match", '"7"')
    for wrong in (b'{"amount_minor": 0}', b'{"split": {"kind": "equal", "members": []}}'):
        missing = await said(lisbon.owner, "PATCH", place, wrong, JSON, KEY)
        assert missing == (428, "precondition-required")
        found = await said(lisbon.owner, "PATCH", place, wrong, JSON, KEY, stale)
        assert found == (412, "version-mismatch")


async def test_a_malformed_id_is_not_found(lisbon: Trip) -> None:
    odd = lisbon.id.replace("-", "")
    for path in ("/groups/x", f"/groups/{odd}", f"/groups/{{{lisbon.id}}}", f"{lisbon.expenses}/1"):
        assert await said(lisbon.owner, "GET", path, b"") == (404, "not-found")
    assert await said(lisbon.owner, "GET", f"/groups/{lisbon.id.upper()}", b"") == (200, "")
