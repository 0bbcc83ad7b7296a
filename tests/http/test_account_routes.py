"""Signing up, in, on and out (the HTTP contract, §7)."""

import string
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest

from clearsplit_core.errors import Overloaded
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import AccountCommand, Caller, Command, Recorded
from clearsplit_core.records import AccountId, Role
from tests.http.api import PASSWORD, Api, Person, Trip, api_on, in_list, trip
from tests.literals import Clock, Seat, linked, text


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
        ({"password": "PasswordPassword"}, "common-password", "/password"),
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
    for name, password in (("short", "fifteen letters"[:15]), ("long", "é" * 1024)):
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


async def test_a_refresh_token_has_one_spelling(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    assert await refresh(ana, spelt_otherwise(ana.refresh_token)) == (401, "invalid-token")
    assert (await refresh(ana, ana.refresh_token))[0] == 200


@pytest.mark.parametrize("token", ["", "x", "A" * 86, "A" * 85 + "=", "ä" * 86, "A" * 5000])
async def test_what_is_no_refresh_token_is_refused(api: Api, token: str) -> None:
    assert await refresh(Person(api), token) == (401, "invalid-token")


async def test_a_changed_refresh_token_ends_the_session(api: Api) -> None:
    ana = await api.signup("Ana")
    forged = ana.refresh_token[:50] + ana.refresh_token[50:80].swapcase() + ana.refresh_token[80:]
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


# ── Everywhere, sessions and personal tokens ─────────────────────────────────────────────────────


async def signed_in_again(ana: Person) -> Person:
    """The same person on another device."""
    login = {"email": ana.api.email("Ana"), "password": PASSWORD}
    answer = await Person(ana.api).post("/auth/login", login)
    assert answer.status == 200, answer.body
    return Person(ana.api, answer["access_token"], answer["refresh_token"])


async def with_token(ana: Person, scope: str = "read", days: int = 30) -> tuple[Person, str]:
    """A program of hers, and the id of its token."""
    body = {"name": "Backup", "scope": scope, "expires_in_days": days}
    answer = await ana.post("/auth/tokens", body)
    assert answer.status == 201, answer.body
    return Person(ana.api, answer["token"]), answer["id"]


async def test_signing_out_everywhere_ends_every_session_and_token(api: Api) -> None:
    ana = await api.signup("Ana")
    phone = await signed_in_again(ana)
    program, _ = await with_token(ana)
    answer = await ana.post("/auth/logout-all")
    assert (answer.status, answer.body) == (204, b"")
    for person in (ana, phone, program):
        assert (await person.get("/groups")).said == (401, "invalid-token")
    assert await refresh(phone, phone.refresh_token) == (401, "invalid-token")


async def test_sessions_are_listed_and_one_can_be_ended(api: Api) -> None:
    ana = await api.signup("Ana")
    phone = await signed_in_again(ana)
    here, there = (await ana.get("/auth/sessions")).items
    assert (here["current"], there["current"]) == (True, False)
    assert here.keys() == {"id", "started_at", "refreshed_at", "expires_at", "current"}
    assert (await ana.delete(f"/auth/sessions/{there['id']}")).status == 204
    assert (await phone.get("/auth/me")).said == (401, "invalid-token")
    assert [one["id"] for one in (await ana.get("/auth/sessions")).items] == [here["id"]]
    assert (await ana.delete(f"/auth/sessions/{here['id']}")).status == 204
    assert (await ana.get("/auth/me")).said == (401, "invalid-token")


async def test_sessions_and_tokens_come_in_pages(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    await signed_in_again(ana)
    for _ in range(2):
        await with_token(ana)
    for noun in ("sessions", "tokens"):
        first = await ana.get(f"/auth/{noun}?limit=1")
        second = await ana.get(f"/auth/{noun}?limit=1&cursor={first['next_cursor']}")
        whole = await ana.get(f"/auth/{noun}")
        assert first.items + second.items == whole.items
        assert second.tree["next_cursor"] is None


async def test_nobody_sees_or_ends_what_is_anothers(api: Api) -> None:
    ana, bo = await api.signup("Ana"), await api.signup("Bo")
    (session,) = (await ana.get("/auth/sessions")).items
    _, token = await with_token(ana)
    for path in (f"/auth/sessions/{session['id']}", f"/auth/tokens/{token}"):
        assert (await bo.delete(path)).said == (404, "not-found")
    for path in ("/auth/sessions/x", "/auth/tokens/x", f"/auth/tokens/{session['id']}"):
        assert (await ana.delete(path)).said == (404, "not-found")
    assert (await bo.get("/auth/tokens")).items == []
    assert (await ana.get("/auth/me")).status == 200


async def test_a_token_is_told_once(api: Api) -> None:
    ana = await api.signup("Ana")
    issued = await ana.post("/auth/tokens", {"name": "Backup", "scope": "write"})
    assert issued["token"].startswith("csp_")
    (listed,) = (await ana.get("/auth/tokens")).items
    assert issued.tree == listed | {"token": issued["token"]}
    assert (listed["name"], listed["scope"]) == ("Backup", "write")


async def test_a_token_reaches_groups_and_never_the_account(api: Api) -> None:
    ana = await api.signup("Ana")
    lisbon = {"name": "Lisbon", "currency": "EUR"}
    group = await ana.post("/groups", lisbon)
    reader, _ = await with_token(ana, "read")
    writer, _ = await with_token(ana, "write")
    for program in (reader, writer):
        assert (await program.get(f"/groups/{group['id']}")).status == 200
        for path in ("/auth/me", "/auth/sessions", "/auth/tokens"):
            assert (await program.get(path)).said == (403, "insufficient-scope")
        for path in ("/auth/logout", "/auth/logout-all"):
            answer = await program.post(path)
            assert answer.said == (403, "insufficient-scope")
            assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
        token = {"name": "Another", "scope": "write"}
        assert (await program.post("/auth/tokens", token)).said == (403, "insufficient-scope")
    assert (await reader.post("/groups", lisbon)).said == (403, "insufficient-scope")
    assert (await writer.post("/groups", lisbon)).status == 201


async def test_a_token_is_good_until_it_expires_or_is_revoked(api: Api, clock: Clock) -> None:
    ana = await api.signup("Ana")
    short, _ = await with_token(ana, days=1)
    long, long_id = await with_token(ana, days=2)
    clock.turn(days=1)
    ana = await signed_in_again(ana)
    assert (await short.get("/groups")).said == (401, "invalid-token")
    assert (await short.post("/groups", {})).said == (401, "invalid-token")
    assert (await long.get("/groups")).status == 200
    assert len((await ana.get("/auth/tokens")).items) == 1
    assert (await ana.delete(f"/auth/tokens/{long_id}")).status == 204
    assert (await long.get("/groups")).said == (401, "invalid-token")


def spelt_otherwise(token: str) -> str:
    """Another text for the same bytes: the last character of our base64 has bits to spare."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


@pytest.mark.parametrize(
    "change",
    [
        spelt_otherwise,
        lambda text: text[:50] + text[50:80].swapcase() + text[80:],
        lambda text: text + "A",
        lambda text: text[4:],
        lambda text: text[:4],
        lambda text: "csp_" + text,
        lambda text: text[:4] + "A" * 86,
    ],
)
async def test_a_forged_token_is_refused(api: Api, change: Callable[[str], str]) -> None:
    program, _ = await with_token(await api.signup("Ana"))
    assert (await program.get("/groups")).status == 200
    forged = change(program.token)
    assert (await Person(api, forged).get("/groups")).said == (401, "invalid-token")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": ""}, "bad-text", "/name"),
        ({"scope": "admin"}, "unknown-value", "/scope"),
        ({"expires_in_days": 0}, "out-of-range", "/expires_in_days"),
        ({"expires_in_days": 366}, "out-of-range", "/expires_in_days"),
        ({"expires_in_days": None}, "wrong-type", "/expires_in_days"),
        ({"owner": "me"}, "unknown-field", "/owner"),
    ],
)
async def test_a_token_that_is_wrong_says_where(
    memory_api: Api, change: dict[str, object], code: str, pointer: str
) -> None:
    ana = await memory_api.signup("Ana")
    answer = await ana.post("/auth/tokens", {"name": "Backup", "scope": "read"} | change)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_an_account_has_fifty_tokens(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    for _ in range(50):
        await with_token(ana)
    one_more = await ana.post("/auth/tokens", {"name": "Backup", "scope": "read"})
    assert one_more.said == (409, "too-many-tokens")


# ── The account ──────────────────────────────────────────────────────────────────────────────────


async def test_a_name_is_changed(api: Api) -> None:
    ana = await api.signup("Ana")
    answer = await ana.patch("/auth/me", {"name": "Ana Lima"})
    assert (answer["name"], answer["email"], answer.etag) == ("Ana Lima", api.email("Ana"), '"2"')
    assert (await ana.get("/auth/me")).body == answer.body


async def test_an_address_is_changed_with_the_password(api: Api) -> None:
    ana = await api.signup("Ana")
    await api.signup("Bo")
    new = api.email("Anna")
    without = await ana.patch("/auth/me", {"email": new})
    assert (without.said, without.pointer) == ((422, "missing-field"), "/current_password")
    wrong = {"email": new, "current_password": "a wrong password"}
    assert (await ana.patch("/auth/me", wrong)).said == (401, "invalid-credentials")
    taken = {"email": api.email("Bo"), "current_password": PASSWORD}
    assert (await ana.patch("/auth/me", taken)).said == (409, "email-taken")
    assert (await ana.patch("/auth/me", {"email": "x", "current_password": PASSWORD})).said == (
        422,
        "bad-email",
    )
    assert (await ana.patch("/auth/me", taken | {"email": new})).status == 200
    login = {"email": new, "password": PASSWORD}
    assert (await Person(api).post("/auth/login", login)).status == 200


async def test_a_new_password_ends_all_access_at_once(api: Api) -> None:
    ana = await api.signup("Ana")
    phone = await signed_in_again(ana)
    program, _ = await with_token(ana, "write")
    new = "another long password"
    body = {"current_password": PASSWORD, "new_password": new}
    answer = await ana.raw(
        "PUT", "/auth/password", msgspec.json.encode(body), ("content-type", "application/json")
    )
    assert (answer.status, answer.body) == (204, b"")
    for person in (ana, phone, program):
        assert (await person.get("/groups")).said == (401, "invalid-token")
    for person in (ana, phone):
        assert await refresh(person, person.refresh_token) == (401, "invalid-token")
    for password, status in ((PASSWORD, 401), (new, 200)):
        login = {"email": api.email("Ana"), "password": password}
        assert (await Person(api).post("/auth/login", login)).status == status


@pytest.mark.parametrize(
    ("change", "said", "pointer"),
    [
        ({"current_password": "a wrong password"}, (401, "invalid-credentials"), ""),
        ({"new_password": "short"}, (422, "bad-password"), "/new_password"),
        ({"new_password": "passwordpassword"}, (422, "common-password"), "/new_password"),
        ({"new_password": None}, (422, "wrong-type"), "/new_password"),
    ],
)
async def test_a_password_that_is_not_changed_ends_nothing(
    api: Api, change: dict[str, object], said: tuple[int, str], pointer: str
) -> None:
    ana = await api.signup("Ana")
    body = {"current_password": PASSWORD, "new_password": "another long password"} | change
    answer = await ana.raw(
        "PUT", "/auth/password", msgspec.json.encode(body), ("content-type", "application/json")
    )
    assert answer.said == said
    assert not pointer or answer.pointer == pointer
    assert (await ana.get("/auth/me")).status == 200


async def test_whoever_signs_in_is_hashed_anew_when_the_pepper_was_changed(
    database_url: str, clock: Clock
) -> None:
    async with api_on(database_url, clock, password_pepper=b"before") as before:
        ana = await before.signup("Ana")
        login = {"email": before.email("Ana"), "password": PASSWORD}
        first = await before.server.store.account_by_email(before.email("Ana"))
    changed: dict[str, object] = {"password_pepper": b"new", "password_pepper_previous": b"before"}
    async with api_on(database_url, clock, **changed) as between:
        assert (await Person(between).post("/auth/login", login)).status == 200
        assert (await Person(between, ana.token).get("/auth/me")).etag == '"1"'
        second = await between.server.store.account_by_email(before.email("Ana"))
    async with api_on(database_url, clock, password_pepper=b"new") as after:
        assert (await Person(after).post("/auth/login", login)).status == 200
        third = await after.server.store.account_by_email(before.email("Ana"))
    hashes = [account.password_hash for account in (first, second, third) if account]
    assert len(hashes) == 3
    assert hashes[0] != hashes[1] == hashes[2]


# ── Deleting it ──────────────────────────────────────────────────────────────────────────────────


async def joined(lisbon: Trip, person: Person, role: Role = Role.MEMBER) -> None:
    """The person takes Bo's seat in the group."""
    me = await person.get("/auth/me")
    owner = await lisbon.owner.get("/auth/me")
    taken = replace(linked("bo", role), id=MemberId(UUID(lisbon.bo)), account=text(me["id"]))
    await lisbon.owner.api.server.store.perform(
        Seat(group_id=GroupId(UUID(lisbon.id)), members=(taken,)),
        caller=Caller(AccountId(UUID(owner["id"]))),
    )


async def test_a_deleted_account_is_gone_and_what_it_owed_stays(api: Api) -> None:
    lisbon, bo = await trip(api), await api.signup("Bo")
    await joined(lisbon, bo)
    await lisbon.record()
    before = (await lisbon.owner.get(f"{lisbon.path}/balances")).tree["balances"]
    program, _ = await with_token(bo)

    answer = await bo.delete("/auth/me")

    assert (answer.status, answer.body) == (204, b"")
    for person in (bo, program):
        assert (await person.get(lisbon.path)).said == (401, "invalid-token")
    assert await refresh(bo, bo.refresh_token) == (401, "invalid-token")
    login = {"email": api.email("Bo"), "password": PASSWORD}
    assert (await Person(api).post("/auth/login", login)).said == (401, "invalid-credentials")
    group = await lisbon.owner.get(lisbon.path)
    (seat,) = [one for one in in_list(group.tree["members"]) if one["id"] == lisbon.bo]
    assert (seat["name"], seat["account_id"], seat["role"]) == (None, None, "member")
    assert (await lisbon.owner.get(f"{lisbon.path}/balances")).tree["balances"] == before
    assert (await api.signup("Bo")).token  # the address is free again


async def test_the_last_owner_beside_others_is_told_which_groups_need_one(api: Api) -> None:
    lisbon, bo = await trip(api), await api.signup("Bo")
    await joined(lisbon, bo)
    alone = await lisbon.owner.post("/groups", {"name": "Alone", "currency": "EUR"})
    answer = await lisbon.owner.delete("/auth/me")
    assert answer.said == (409, "last-owner")
    assert lisbon.id in answer["detail"]
    assert "Lisbon" not in answer["detail"]
    assert alone["id"] not in answer["detail"]
    assert (await lisbon.owner.get(f"/groups/{alone['id']}")).status == 200

    await joined(lisbon, bo, Role.OWNER)

    assert (await lisbon.owner.delete("/auth/me")).status == 204
    assert (await bo.get(lisbon.path)).status == 200


async def test_deleting_an_account_can_be_done_in_two_goes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stops after a group, as a server does that is killed; the second does the rest."""
    ana = await api.signup("Ana")
    for name in ("Lisbon", "Porto"):
        await ana.post("/groups", {"name": name, "currency": "EUR"})
    store, done = api.server.store, list[object]()

    async def once(command: Command[object], *, caller: Caller) -> Recorded[object]:
        if done:
            raise Overloaded
        done.append(command)
        return await type(store).perform(store, command, caller=caller)

    with monkeypatch.context() as stopped:
        stopped.setattr(store, "perform", once)
        assert (await ana.delete("/auth/me")).said == (503, "temporarily-overloaded")
    assert len((await ana.get("/groups")).items) == 1
    assert (await ana.delete("/auth/me")).status == 204
    assert (await ana.get("/groups")).said == (401, "invalid-token")


async def test_a_group_founded_while_its_founder_is_deleted_keeps_no_link(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await api.signup("Ana")
    me = (await ana.get("/auth/me"))["id"]
    store = api.server.store

    async def meanwhile(command: AccountCommand[object]) -> object:
        await ana.post("/groups", {"name": "Late", "currency": "EUR"})
        return await type(store).perform_on_account(store, command)

    with monkeypatch.context() as late:
        late.setattr(store, "perform_on_account", meanwhile)
        assert (await ana.delete("/auth/me")).status == 204
    assert await store.links(caller=Caller(AccountId(UUID(me)))) == []
