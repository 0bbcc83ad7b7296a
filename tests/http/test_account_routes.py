"""Signing up, in, on and out (the HTTP contract, §7)."""

import pytest

from tests.http.api import PASSWORD, Api, Person
from tests.literals import Clock


async def test_whoever_signs_up_is_signed_in(api: Api) -> None:
    ana = await api.signup("Ana")
    me = await ana.get("/auth/me")
    assert (me["email"], me["name"], me.etag) == (api.email("Ana"), "Ana", '"1"')


async def test_the_answer_to_a_login_has_what_clients_rely_on(api: Api) -> None:
    await api.signup("Ana")
    answer = await Person(api).post(
        "/auth/login", {"email": api.email("Ana").upper(), "password": PASSWORD}
    )
    assert answer.status == 200
    assert answer.tree.keys() == {
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "account",
    }
    assert answer["token_type"] == "bearer"
    assert answer.tree["expires_in"] == 900


async def test_an_email_address_is_taken_once(api: Api) -> None:
    await api.signup("Ana")
    again = {"email": api.email("Ana").title(), "password": PASSWORD, "name": "Another"}
    assert (await Person(api).post("/auth/signup", again)).said == (409, "email-taken")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"email": "nobody"}, "bad-email", "/email"),
        ({"password": "fourteen chars"}, "bad-password", "/password"),
        ({"password": "x" * 1025}, "bad-password", "/password"),
        ({"name": " "}, "bad-text", "/name"),
        ({"name": 5}, "wrong-type", "/name"),
    ],
)
async def test_a_signup_that_is_wrong_says_where(
    memory_api: Api, change: dict[str, object], code: str, pointer: str
) -> None:
    body = {"email": memory_api.email("Ana"), "password": PASSWORD, "name": "Ana"} | change
    answer = await Person(memory_api).post("/auth/signup", body)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_a_password_of_fifteen_or_1024_characters_is_good(memory_api: Api) -> None:
    for name, password in (("short", "x" * 15), ("long", "é" * 1024)):
        body = {"email": f"{name}@example.org", "password": password, "name": name}
        assert (await Person(memory_api).post("/auth/signup", body)).status == 201
        assert (await Person(memory_api).post("/auth/login", body)).said[0] == 422  # name is extra
        del body["name"]
        assert (await Person(memory_api).post("/auth/login", body)).status == 200


async def test_a_password_is_the_same_however_its_letters_are_composed(memory_api: Api) -> None:
    composed, decomposed = "café au lait, bitte", "cafe\u0301 au lait, bitte"
    body = {"email": memory_api.email("Ana"), "password": composed, "name": "Ana"}
    await Person(memory_api).post("/auth/signup", body)
    login = {"email": memory_api.email("Ana"), "password": decomposed}
    assert (await Person(memory_api).post("/auth/login", login)).status == 200


async def test_nobody_learns_whether_an_address_has_an_account(api: Api) -> None:
    await api.signup("Ana")
    wrong = "a wrong password that is long enough"
    answers = [
        await Person(api, more=(("x-request-id", "same"),)).post("/auth/login", body)
        for body in (
            {"email": api.email("Ana"), "password": wrong},
            {"email": api.email("Bo"), "password": wrong},
            {"email": "no address", "password": wrong},
            {"email": api.email("Ana"), "password": "short"},
        )
    ]
    assert {answer.said for answer in answers} == {(401, "invalid-credentials")}
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"] == "Bearer"


# ── Refreshing ───────────────────────────────────────────────────────────────────────────────────


async def refresh(person: Person, token: str) -> tuple[int, str]:
    answer = await Person(person.api).post("/auth/refresh", {"refresh_token": token})
    return answer.status, answer["refresh_token" if answer.status == 200 else "code"]


async def test_a_refresh_token_is_exchanged_for_new_tokens(api: Api, clock: Clock) -> None:
    ana = await api.signup("Ana")
    clock.turn(seconds=16 * 60)
    assert (await ana.get("/auth/me")).said == (401, "invalid-token")
    answer = await Person(api).post("/auth/refresh", {"refresh_token": ana.refresh_token})
    assert (await Person(api, answer["access_token"]).get("/auth/me")).status == 200


async def test_a_lost_answer_is_given_again(api: Api, clock: Clock) -> None:
    ana = await api.signup("Ana")
    first = await refresh(ana, ana.refresh_token)
    clock.turn(seconds=9)
    assert await refresh(ana, ana.refresh_token) == first


async def test_a_token_shown_again_later_ends_the_session(api: Api, clock: Clock) -> None:
    ana = await api.signup("Ana")
    _, child = await refresh(ana, ana.refresh_token)
    clock.turn(seconds=11)
    assert await refresh(ana, ana.refresh_token) == (401, "invalid-token")
    assert await refresh(ana, child) == (401, "invalid-token")
    assert (await ana.get("/auth/me")).said == (401, "invalid-token")


async def test_a_grandparent_ends_the_session_at_once(api: Api) -> None:
    ana = await api.signup("Ana")
    _, child = await refresh(ana, ana.refresh_token)
    _, grandchild = await refresh(ana, child)
    assert await refresh(ana, ana.refresh_token) == (401, "invalid-token")
    assert await refresh(ana, grandchild) == (401, "invalid-token")


async def test_a_session_ends_when_it_is_not_used(api: Api, clock: Clock) -> None:
    ana = await api.signup("Ana")
    clock.turn(days=30)
    assert await refresh(ana, ana.refresh_token) == (401, "invalid-token")


@pytest.mark.parametrize("token", ["", "x", "A" * 86, "A" * 85 + "=", "ä" * 86, "A" * 5000])
async def test_what_is_no_refresh_token_is_refused(api: Api, token: str) -> None:
    assert await refresh(Person(api), token) == (401, "invalid-token")


async def test_a_changed_refresh_token_ends_the_session(api: Api) -> None:
    ana = await api.signup("Ana")
    forged = ana.refresh_token[:-2] + ("AA" if ana.refresh_token[-2:] != "AA" else "BA")
    assert await refresh(ana, forged) == (401, "invalid-token")
    assert await refresh(ana, ana.refresh_token) == (401, "invalid-token")


# ── Signing out ──────────────────────────────────────────────────────────────────────────────────


async def test_signing_out_ends_this_session_and_no_other(api: Api) -> None:
    ana = await api.signup("Ana")
    login = {"email": api.email("Ana"), "password": PASSWORD}
    phone = Person(api, (await Person(api).post("/auth/login", login))["access_token"])
    answer = await ana.post("/auth/logout")
    assert (answer.status, answer.body) == (204, b"")
    assert (await ana.get("/auth/me")).said == (401, "invalid-token")
    assert await refresh(ana, ana.refresh_token) == (401, "invalid-token")
    assert (await phone.get("/auth/me")).status == 200


async def test_an_ended_session_can_do_nothing_to_a_group(api: Api) -> None:
    ana = await api.signup("Ana")
    group = await ana.post("/groups", {"name": "Lisbon", "currency": "EUR"}, key="one")
    await ana.post("/auth/logout")
    again = await ana.post("/groups", {"name": "Lisbon", "currency": "EUR"}, key="one")
    assert again.said == (401, "invalid-token")
    assert (await ana.get(f"/groups/{group['id']}")).said == (401, "invalid-token")
