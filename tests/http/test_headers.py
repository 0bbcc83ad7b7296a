"""What every answer tells a browser, and what pages of other origins may do."""

from ipaddress import ip_network

import httpx
import pytest

from clearsplit_http.serving import application
from clearsplit_http.watching import HSTS
from tests.http.api import HOST, Api, Person, api_on
from tests.literals import Clock

PAGE = "https://app.example.org"


@pytest.mark.parametrize("path", ["/health", "/groups", "/nowhere", "/openapi.json", "/docs"])
async def test_every_answer_is_shown_in_no_other_page_and_as_nothing_else(
    memory_api: Api, path: str
) -> None:
    headers = (await Person(memory_api).get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/auth/me", "/groups", "/nowhere"])
async def test_what_may_be_somebodys_own_is_kept_by_no_cache(memory_api: Api, path: str) -> None:
    ana = await memory_api.signup("Ana")
    assert (await ana.get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("trusted", "proto", "told"),
    [("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("10.0.0.1", "https", False)],
)
async def test_browsers_are_bound_to_https_where_they_came_by_it(
    clock: Clock,
    trusted: str,
    proto: str,
    told: bool,  # noqa: FBT001
) -> None:
    async with api_on("memory:", clock, trusted_proxies=(ip_network(trusted),)) as api:
        transport = httpx.ASGITransport(application(api.server))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            answer = await http.get("/health", headers={"X-Forwarded-Proto": proto})
    assert answer.headers.get("strict-transport-security") == (HSTS if told else None)


async def asked(api: Api, origin: str, method: str = "GET") -> httpx.Headers:
    """The headers of an answer to a page of `origin`."""
    lines = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return (await api.http.request(method, f"{HOST}/groups", headers=lines)).headers


async def test_pages_of_other_origins_are_told_nothing_unless_they_are_named(
    memory_api: Api, clock: Clock
) -> None:
    for method in ("GET", "OPTIONS"):
        assert not _cors(await asked(memory_api, PAGE, method))
    async with api_on("memory:", clock, cors_origins=(PAGE,)) as api:
        for method in ("GET", "OPTIONS"):
            for origin in ("https://evil.example", f"{PAGE}.evil.example", "null"):
                assert "access-control-allow-origin" not in await asked(api, origin, method)
            assert _cors(await asked(api, PAGE, method))["access-control-allow-origin"] == PAGE


async def test_pages_that_are_named_may_send_a_token_and_see_a_version(clock: Clock) -> None:
    async with api_on("memory:", clock, cors_origins=(PAGE,)) as api:
        before = _cors(await asked(api, PAGE, "OPTIONS"))
        after = _cors(await asked(api, PAGE))
    assert "authorization" in before["access-control-allow-headers"].lower()
    assert "PATCH" in before["access-control-allow-methods"]
    assert "ETag" in after["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in {**before, **after}


def _cors(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control")}
