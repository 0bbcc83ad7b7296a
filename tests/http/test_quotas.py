"""How often somebody may try (the HTTP contract, §7), and whose address counts."""

from collections.abc import AsyncGenerator
from ipaddress import ip_network

import msgspec
import pytest
from litestar.types import Scope

from clearsplit_core.limits import Quota
from clearsplit_http.addresses import came_by_tls, client_address, read_networks
from tests.http.api import PASSWORD, Api, Person, api_on, trip
from tests.literals import Clock

EXCEEDED = (429, "quota-exceeded")
WRONG = (401, "invalid-credentials")


@pytest.fixture
async def limited(database_url: str, clock: Clock) -> AsyncGenerator[Api]:
    async with api_on(
        database_url,
        clock,
        signup_quota=Quota("signup", 3, 3600),
        login_quota=Quota("login", 3, 300),
        refresh_quota=Quota("refresh", 3, 60),
        writes_quota=Quota("writes", 4, 60),
        trusted_proxies=(ip_network("127.0.0.1"),),
    ) as api:
        yield api


def asking(api: Api, address: str) -> Person:
    """Somebody whose requests come through our proxy from `address`."""
    return Person(api, more=(("x-forwarded-for", address),))


async def login(person: Person, name: str, password: str) -> tuple[int, str]:
    body = {"email": person.api.email(name), "password": password}
    return (await person.post("/auth/login", body)).said


async def test_an_address_signs_up_so_often(limited: Api, clock: Clock) -> None:
    bodies = [
        {"email": limited.email(f"n{number}"), "password": PASSWORD, "name": "Ana"}
        for number in range(6)
    ]
    here, there = asking(limited, "192.0.2.1"), asking(limited, "192.0.2.2")
    answers = [await here.post("/auth/signup", body) for body in bodies[:4]]
    assert [answer.status for answer in answers] == [201, 201, 201, 429]
    assert answers[0].headers["ratelimit-policy"] == '"signup";q=3;w=3600'
    assert answers[0].headers["ratelimit"] == '"signup";r=2;t=3600'
    assert answers[3].headers["ratelimit"] == '"signup";r=0;t=3600'
    assert answers[3].headers["retry-after"] == "3600"
    assert (await there.post("/auth/signup", bodies[4])).status == 201
    clock.turn(seconds=3600)
    assert (await here.post("/auth/signup", bodies[5])).status == 201


async def test_an_address_tries_passwords_so_often_whatever_they_are_for(limited: Api) -> None:
    await limited.signup("Ana")
    here = asking(limited, "192.0.2.1")
    said = [await login(here, name, "a wrong password") for name in ("Ana", "Bo", "Cy", "Dee")]
    assert said == [WRONG] * 3 + [EXCEEDED]
    assert await login(here, "Ana", PASSWORD) == EXCEEDED


async def test_an_account_is_tried_so_often_from_wherever(limited: Api, clock: Clock) -> None:
    await limited.signup("Ana")
    people = [asking(limited, f"192.0.2.{number}") for number in range(6)]
    said = [await login(person, "Ana", "a wrong password") for person in people[:4]]
    assert said == [WRONG] * 3 + [EXCEEDED]
    assert await login(people[4], "ana", PASSWORD) == EXCEEDED
    clock.turn(seconds=300)
    assert await login(people[5], "Ana", PASSWORD) == (200, "")


async def test_nobody_learns_from_a_limit_whether_there_is_an_account(limited: Api) -> None:
    await limited.signup("Ana")
    told: list[list[object]] = []
    for number, name in enumerate(("Ana", "Nobody")):
        body = {"email": limited.email(name), "password": "a wrong password"}
        answers = [
            await asking(limited, f"192.0.{number}.{host}")
            .sending(x_request_id="same")
            .post("/auth/login", body)
            for host in range(5)
        ]
        told.append([(one.status, one.body, one.headers["ratelimit"]) for one in answers])
    assert told[0] == told[1]


async def test_a_session_is_refreshed_so_often_from_one_address(limited: Api) -> None:
    bad = {"refresh_token": "x"}
    here = asking(limited, "192.0.2.1")
    said = [(await here.post("/auth/refresh", bad)).said for _ in range(4)]
    assert said == [(401, "invalid-token")] * 3 + [EXCEEDED]


async def test_guessing_the_password_of_an_open_session_is_limited_too(limited: Api) -> None:
    ana = await limited.signup("Ana")
    body = msgspec.json.encode({"current_password": "a guess", "new_password": PASSWORD + "!"})
    lines = ("content-type", "application/json")
    said = [(await ana.raw("PUT", "/auth/password", body, lines)).said for _ in range(4)]
    assert said == [WRONG] * 3 + [EXCEEDED]
    change = {"email": "new@example.org", "current_password": PASSWORD}
    assert (await ana.patch("/auth/me", change)).said == EXCEEDED


async def test_an_account_writes_so_often_and_reads_as_it_likes(limited: Api) -> None:
    lisbon = await trip(limited)  # a group and two guests
    answer = await lisbon.owner.post(lisbon.expenses, lisbon.dinner())
    assert answer.headers["ratelimit"] == '"writes";r=0;t=60'
    assert (await lisbon.owner.post(lisbon.expenses, lisbon.dinner())).said == EXCEEDED
    assert (await lisbon.owner.get(lisbon.expenses)).status == 200
    assert (await lisbon.owner.post("/auth/logout")).status == 204


async def test_a_limit_comes_before_the_body_is_read_and_after_who_asks(limited: Api) -> None:
    here = asking(limited, "192.0.2.1")
    said = [(await here.raw("POST", "/auth/login", b"{")).said for _ in range(4)]
    assert said == [(415, "unsupported-media-type")] * 3 + [EXCEEDED]
    lisbon = await trip(limited)
    await lisbon.record()
    outside = "/groups/01990a5e-7c00-7a11-8000-000000000001/expenses"
    assert (await Person(limited).post(outside, {})).status == 401
    assert (await lisbon.owner.post(outside, {})).said == EXCEEDED


# ── Whose address ────────────────────────────────────────────────────────────────────────────────


def scope(peer: str, *lines: str, proto: str = "") -> Scope:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    found: dict[str, object] = {"client": (peer, 1), "headers": headers, "scheme": "http"}
    return msgspec.convert(found, dict)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("peer", "lines", "counts"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),  # no proxy of ours says so
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.1", ("198.51.100.7:4711",), "198.51.100.7"),
        ("10.0.0.1", ("[2001:db8::7]:4711",), "2001:db8::/64"),
        ("10.0.0.1", ("2001:db8::7",), "2001:db8::/64"),
        ("10.0.0.1", ("2001:db8:0:0:9::1",), "2001:db8::/64"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7, _hidden",), "10.0.0.1"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", ("\xff",), "10.0.0.1"),
        ("10.0.0.1", (",".join(["10.0.0.9"] * 10_000),), "10.0.0.9"),
        ("", (), ""),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_counts(
    peer: str, lines: tuple[str, ...], counts: str
) -> None:
    trusted = read_networks("10.0.0.0/8, ::1")
    assert client_address(scope(peer, *lines), trusted) == counts


def test_encryption_is_believed_of_our_proxies_alone() -> None:
    trusted = read_networks("10.0.0.0/8")
    assert came_by_tls(scope("10.0.0.1", proto="https"), trusted)
    assert not came_by_tls(scope("10.0.0.1", proto="http"), trusted)
    assert not came_by_tls(scope("192.0.2.1", proto="https"), trusted)
    assert not came_by_tls(scope("10.0.0.1"), trusted)
