"""Requests that mean harm: each gets its problem, nothing is repeated, nothing breaks."""

import gzip

import pytest

from tests.http.api import Api, Person, trip

JSON = "application/json"
BODY = b'{"name": "Lisbon", "currency": "EUR"}'


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 100_000, 400, "invalid-json"),
        (b'{"a":' * 100_000, 400, "invalid-json"),
        (b"\xff\xfe", 400, "invalid-json"),
        (b'{"name": "\xff", "currency": "EUR"}', 400, "invalid-json"),
        (b'{"name": "A", "name": "B", "currency": "EUR"}', 400, "invalid-json"),
        (b'{"name": "\\u0000", "currency": "EUR"}', 400, "invalid-json"),
        (b'{"name": "\\ud800", "currency": "EUR"}', 400, "invalid-json"),
        (b'{"name": NaN, "currency": "EUR"}', 400, "invalid-json"),
        (BODY.decode().encode("utf-16"), 400, "invalid-json"),
        (b"\xef\xbb\xbf" + BODY, 400, "invalid-json"),
        (BODY + BODY, 400, "invalid-json"),
        (gzip.compress(BODY, mtime=0), 400, "invalid-json"),
        (b"", 400, "invalid-json"),
        (b"null", 422, "wrong-type"),
        (b"[]", 422, "wrong-type"),
        (b'"x"', 422, "wrong-type"),
        (b"1" + b"0" * 400, 422, "wrong-type"),
        (b'{"name": {"$ne": 1}, "currency": "EUR"}', 422, "wrong-type"),
        (b'{"name": "\\u202eevil", "currency": "EUR"}', 422, "bad-text"),
        (b'{"name": "\\u200b\\u200b", "currency": "EUR"}', 422, "bad-text"),
        (b'{"__proto__": {}, "name": "A", "currency": "EUR"}', 422, "unknown-field"),
    ],
)
async def test_a_hostile_body_gets_its_problem(
    memory_api: Api, body: bytes, status: int, code: str
) -> None:
    ana = await memory_api.signup("Ana")
    answer = await ana.raw(
        "POST", "/groups", body, ("content-type", JSON), ("idempotency-key", "k")
    )
    assert answer.said == (status, code)
    assert b"evil" not in answer.body


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (("content-type", "text/json"),),
        (("content-type", "application/x-www-form-urlencoded"),),
        (("content-type", "application/problem+json"),),
        (("content-type", "application/json; charset=latin-1"),),
        (("content-type", "application/json, text/plain"),),
        (("content-type", JSON), ("content-type", JSON)),
        (("content-type", JSON), ("content-encoding", "gzip")),
        (("content-type", JSON), ("content-encoding", "identity")),
    ],
)
async def test_a_body_of_another_kind_is_refused(
    memory_api: Api, lines: tuple[tuple[str, str], ...]
) -> None:
    ana = await memory_api.signup("Ana")
    answer = await ana.raw("POST", "/groups", BODY, *lines, ("idempotency-key", "k"))
    assert answer.said == (415, "unsupported-media-type")


@pytest.mark.parametrize("kind", [JSON, "Application/JSON", 'application/json; charset="UTF-8"'])
async def test_json_may_be_named_in_every_way(memory_api: Api, kind: str) -> None:
    ana = await memory_api.signup("Ana")
    lines = (("content-type", kind), ("idempotency-key", "k"))
    assert (await ana.raw("POST", "/groups", BODY, *lines)).status == 201


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1.0",
        "limit=%D9%A1",
        "limit=+1",
        "limit=",
        "limit=1&limit=2",
        "limit=%ff",
        "limit=" + "9" * 5000,
        "offset=1",
        "limit=1%00",
        "&".join(f"a{n}=1" for n in range(1000)),
    ],
)
async def test_a_hostile_query_gets_its_problem(memory_api: Api, query: str) -> None:
    ana = await memory_api.signup("Ana")
    assert (await ana.get(f"/groups?{query}")).said == (400, "invalid-query")


@pytest.mark.parametrize(
    "path", ["/groups/%00", "/groups/..%2f..%2fetc", "/groups/%ff", "//", "/groups/;"]
)
async def test_a_hostile_path_is_not_found(memory_api: Api, path: str) -> None:
    ana = await memory_api.signup("Ana")
    assert (await ana.get(path)).said == (404, "not-found")


async def test_a_request_id_is_taken_over_only_if_it_can_stand_in_a_log(memory_api: Api) -> None:
    for given, kept in (("abc-123", True), ("a b", False), ("x" * 65, False), ("", False)):
        answer = await Person(memory_api, more=(("x-request-id", given),)).get("/nowhere")
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer["request_id"] == answer.headers["x-request-id"]


async def test_a_fault_of_ours_tells_nothing(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lisbon = await trip(memory_api)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(memory_api.server.store, "read", fail)
    answer = await lisbon.owner.get(f"{lisbon.path}/balances")
    assert answer.said == (500, "internal-error")
    assert b"secret" not in answer.body
    assert answer["request_id"] in caplog.text
    assert "the secret inside" in caplog.text
