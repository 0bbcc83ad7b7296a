"""Invites over HTTP: the token is told, kept nowhere, and good once."""

import asyncio
from uuid import UUID, uuid4

import pytest

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import GroupId
from clearsplit_core.records import InviteId
from clearsplit_http.tokens import InviteToken
from tests.http.api import Answer, Api, Person, Trip, in_list, trip
from tests.literals import Clock

KEY = b"k" * 32


async def accept(person: Person, token: str, *, key: str = "") -> Answer:
    """Under one request id, so that only the answer can differ."""
    same = Person(person.api, person.token, more=(("x-request-id", "same"),))
    return await same.post(f"/invites/{token}/accept", key=key)


async def member_of(trip: Trip, member_id: str) -> object:
    answer = await trip.owner.get(f"{trip.path}/members/{member_id}")
    return answer.tree["account_id"]


# ── Making one ───────────────────────────────────────────────────────────────────────────────────


async def test_an_invite_is_told_with_its_token_and_listed_without(api: Api) -> None:
    lisbon = await trip(api)
    made = await lisbon.invite(member_id=lisbon.bo, role="viewer", expires_in_days=2)
    assert (made.status, made["state"], made["made_by"]) == (201, "open", lisbon.ana)
    assert made["token"].startswith("csi_")
    assert "journal" in made.tree
    kept = {name: made.tree[name] for name in made.tree if name not in ("token", "journal")}
    assert (await lisbon.owner.get(f"{lisbon.path}/invites")).items == [kept]
    assert (await lisbon.owner.get(made.headers["location"])).tree == kept


async def test_a_lost_token_is_shown_again_to_the_same_request(api: Api) -> None:
    lisbon = await trip(api)
    place = f"{lisbon.path}/invites"
    first = await lisbon.owner.post(place, {"role": "member"}, key="k")
    again = await lisbon.owner.post(place, {"role": "member"}, key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotency-replayed"] == "true"


async def test_invites_are_read_by_everybody_in_the_group_and_made_by_owners(api: Api) -> None:
    lisbon = await trip(api)
    di = await lisbon.join("Di", "viewer")
    made = await lisbon.invite()
    assert len((await di.get(f"{lisbon.path}/invites")).items) == 2
    assert (await di.get(made.headers["location"])).status == 200
    low = (403, "insufficient-role")
    assert (await di.post(f"{lisbon.path}/invites", {"role": "member"})).said == low
    assert (await di.delete(made.headers["location"])).said == low


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"expires_in_days": 0}, "bad-lifetime", "/expires_in_days"),
        ({"expires_in_days": 31}, "bad-lifetime", "/expires_in_days"),
        ({"expires_in_days": 10**18}, "bad-lifetime", "/expires_in_days"),
        ({"expires_in_days": "7"}, "wrong-type", "/expires_in_days"),
        ({"role": "admin"}, "unknown-value", "/role"),
        ({"member_id": str(uuid4())}, "unknown-member", "/member_id"),
        ({"member_id": "me"}, "bad-format", "/member_id"),
        ({"token": "mine"}, "unknown-field", "/token"),
        ({"id": str(UUID(int=0))}, "bad-id", "/id"),
    ],
)
async def test_an_invite_that_is_wrong_says_where(
    memory_api: Api, change: dict[str, object], code: str, pointer: str
) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.post(f"{lisbon.path}/invites", {"role": "member"} | change)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_a_seat_that_has_an_account_is_offered_to_nobody(api: Api) -> None:
    lisbon = await trip(api)
    body = {"role": "member", "member_id": lisbon.ana}
    answer = await lisbon.owner.post(f"{lisbon.path}/invites", body)
    assert answer.said == (409, "member-linked")


# ── Accepting one ────────────────────────────────────────────────────────────────────────────────


async def test_who_is_invited_gets_a_seat_called_as_their_account(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite(role="viewer"))["token"]
    di = await api.signup("Di")
    answer = await accept(di, token)
    assert (answer.status, answer.etag, answer["group_id"]) == (200, '"1"', lisbon.id)
    assert (answer["name"], answer["role"]) == ("Di", "viewer")
    assert answer["account_id"] == (await di.get("/auth/me"))["id"]
    assert (await di.get(lisbon.path)).status == 200


async def test_who_claims_a_guests_seat_gets_its_history(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record(amount_minor=9000)
    bo = await api.signup("Robert")
    answer = await accept(bo, (await lisbon.invite(member_id=lisbon.bo))["token"])
    assert (answer["id"], answer["name"], answer.etag) == (lisbon.bo, "Bo", '"2"')
    (mine,) = (await bo.get("/balances")).items
    assert mine["balance_minor"] == -3000
    assert len((await bo.get(lisbon.expenses)).items) == 1


async def test_an_answer_that_was_lost_is_given_again(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite())["token"]
    di = await api.signup("Di")
    first = await accept(di, token, key="k")
    again = await accept(di, token, key="k")
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await accept(di, token)).said == (404, "not-found")


async def test_who_has_a_seat_is_told_so(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite())["token"]
    assert (await accept(lisbon.owner, token)).said == (409, "already-seated")


async def test_every_token_that_is_no_good_gets_the_same_answer(api: Api) -> None:
    lisbon = await trip(api)
    used, revoked = await lisbon.invite(), await lisbon.invite()
    await accept(await api.signup("Di"), used["token"])
    await lisbon.owner.delete(revoked.headers["location"])
    porto = (await lisbon.owner.post("/groups", {"name": "Porto", "currency": "EUR"}))["id"]
    deleted = await lisbon.owner.post(f"/groups/{porto}/invites", {"role": "member"})
    await lisbon.owner.sending(if_match='"1"').delete(f"/groups/{porto}")
    odd = await api.signup("Odd")
    never = InviteToken(GroupId(UUID(lisbon.id)), InviteId(uuid4()))
    nowhere = InviteToken(GroupId(uuid4()), InviteId(uuid4()))
    good = (await lisbon.invite())["token"]
    tokens = [
        used["token"],
        revoked["token"],
        deleted["token"],
        never.text(api.server.keys.invite),
        nowhere.text(api.server.keys.invite),
        never.text(KEY),
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.removeprefix("csi_"),
        "x",
        "csi_",
        f"{lisbon.id}",
    ]
    answers = [await accept(odd, token) for token in tokens]
    assert {answer.said for answer in answers} == {(404, "not-found")}
    assert len({answer.body for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1


async def test_an_invite_that_has_expired_is_one_of_them(api: Api, clock: Clock) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite(expires_in_days=1))["token"]
    clock.turn(days=1)
    assert (await accept(await api.signup("Di"), token)).said == (404, "not-found")


async def test_nobody_is_asked_who_they_are_first(api: Api) -> None:
    lisbon = await trip(api)
    for token in ((await lisbon.invite())["token"], "x"):
        assert (await accept(Person(api), token)).said == (401, "credentials-missing")


async def test_a_broken_request_is_told_to_who_is_invited_alone(api: Api) -> None:
    lisbon = await trip(api)
    di = await api.signup("Di")
    good = f"/invites/{(await lisbon.invite())['token']}/accept"
    bad = f"/invites/{InviteToken(GroupId(UUID(lisbon.id)), InviteId(uuid4())).text(KEY)}/accept"
    missing = (400, "idempotency-key-missing")
    assert (await di.raw("POST", good, b"")).said == missing
    assert (await di.raw("POST", bad, b"")).said == (404, "not-found")
    answer = await accept(di, good.split("/")[2])
    assert answer.status == 200
    assert (await di.raw("POST", good, b"")).said == (404, "not-found")


async def test_of_many_who_accept_at_once_one_gets_the_seat(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite(member_id=lisbon.bo))["token"]
    people = [await api.signup(f"Di{number}") for number in range(6)]
    answers = await asyncio.gather(*(accept(person, token) for person in people))
    assert sorted(answer.status for answer in answers) == [200, *[404] * 5]
    (won,) = [answer for answer in answers if answer.status == 200]
    assert await member_of(lisbon, lisbon.bo) == won["account_id"]


async def test_an_archived_group_lets_nobody_in(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite())["token"]
    await lisbon.owner.sending(if_match='"3"').patch(lisbon.path, {"archived": True})
    assert (await accept(await api.signup("Di"), token)).said == (409, "group-archived")


# ── Ending one ───────────────────────────────────────────────────────────────────────────────────


async def test_an_invite_is_taken_back_once(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.invite()).headers["location"]
    answer = await lisbon.owner.delete(place)
    assert (answer.status, answer["state"], answer.etag) == (200, "revoked", '"2"')
    assert (await lisbon.owner.delete(place)).said == (409, "invite-ended")


async def test_the_invites_of_who_is_no_owner_any_more_are_over(api: Api) -> None:
    lisbon = await trip(api)
    token = (await lisbon.invite())["token"]
    di = await lisbon.join("Di", "owner")
    place = f"{lisbon.path}/members/{lisbon.ana}"
    await di.sending(if_match='"1"').patch(place, {"role": "member"})
    assert (await accept(await api.signup("Odd"), token)).said == (404, "not-found")
    states = [each["state"] for each in in_list((await di.get(f"{lisbon.path}/invites")).items)]
    assert states == ["used", "revoked"]


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────


def test_a_token_is_the_same_each_time_and_another_for_all_else() -> None:
    token = InviteToken(GroupId(UUID(int=1)), InviteId(UUID(int=2)))
    assert InviteToken.read(token.text(KEY), KEY) == token
    others = {
        token.text(KEY),
        token.text(b"l" * 32),
        InviteToken(GroupId(UUID(int=2)), InviteId(UUID(int=1))).text(KEY),
        InviteToken(GroupId(UUID(int=1)), InviteId(UUID(int=3))).text(KEY),
    }
    assert len(others) == 4


@pytest.mark.parametrize("place", [0, 3, 4, 5, 20, 47, 60, 89])
def test_a_token_with_any_change_is_none(place: int) -> None:
    good = InviteToken(GroupId(UUID(int=1)), InviteId(UUID(int=2))).text(KEY)
    other = "B" if good[place] != "B" else "C"
    with pytest.raises(ThingNotFound):
        InviteToken.read(good[:place] + other + good[place + 1 :], KEY)
