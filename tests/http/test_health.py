"""What whoever watches over the server is told."""

import pytest

from tests.http.api import Api, Person


async def test_a_server_that_can_work_says_so(api: Api) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        answer = await Person(api).get(path)
        assert (answer.status, answer.tree) == (200, {"status": "ok"})


async def test_a_server_that_is_about_to_stop_lives_and_is_not_ready(api: Api) -> None:
    api.server.draining = True
    assert (await Person(api).get("/health/live")).status == 200
    answer = await Person(api).get("/health/ready")
    assert (answer.said, answer.headers["retry-after"]) == ((503, "not-ready"), "1")


async def test_only_a_server_that_is_about_to_stop_closes_connections(memory_api: Api) -> None:
    before = await Person(memory_api).get("/health")
    memory_api.server.draining = True
    after = await Person(memory_api).get("/health")
    assert ("connection" in before.headers, after.headers["connection"]) == (False, "close")


async def test_a_server_without_its_data_is_not_ready(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no() -> bool:
        return False

    monkeypatch.setattr(memory_api.server.store, "ready", no)
    assert (await Person(memory_api).get("/health/ready")).said == (503, "not-ready")
    assert (await Person(memory_api).get("/health")).status == 200


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", "/groups"])
async def test_head_is_get_without_a_body(memory_api: Api, path: str) -> None:
    ana = await memory_api.signup("Ana")
    head = await ana.raw("HEAD", path, b"")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/groups", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/auth/login", {"OPTIONS", "POST"}),
        ("/docs", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_an_address_says_which_methods_it_takes(
    memory_api: Api, path: str, allow: set[str]
) -> None:
    refused = await Person(memory_api).raw("PUT", path, b"")
    options = await Person(memory_api).raw("OPTIONS", path, b"")
    assert refused.said == (405, "method-not-allowed")
    assert set(refused.headers["allow"].split(", ")) == allow
    assert set(options.headers["allow"].split(", ")) == allow
