"""Members over HTTP: names and roles, leaving and coming back."""

import pytest

from tests.http.api import Answer, Api, Person, Tree, Trip, in_list, trip


def seat(trip: Trip, member_id: str) -> str:
    return f"{trip.path}/members/{member_id}"


async def own_seat(person: Person, trip: Trip) -> str:
    """Where the person's seat is."""
    me = (await person.get("/auth/me"))["id"]
    members = in_list((await person.get(trip.path)).tree["members"])
    (mine,) = [str(each["id"]) for each in members if each["account_id"] == me]
    return seat(trip, mine)


async def change(person: Person, place: str, **body: object) -> Answer:
    """What the person is told who has seen the present version."""
    return await person.sending(if_match=(await person.get(place)).etag).patch(place, body)


async def leave(person: Person, place: str) -> Answer:
    return await person.sending(if_match=(await person.get(place)).etag).delete(place)


async def test_an_owner_renames_members_and_gives_them_roles(api: Api) -> None:
    lisbon = await trip(api)
    answer = await change(lisbon.owner, seat(lisbon, lisbon.bo), name="Bo Chen", role="viewer")
    assert (answer.status, answer.etag) == (200, '"2"')
    assert (answer["name"], answer["role"], answer["id"]) == ("Bo Chen", "viewer", lisbon.bo)
    assert "journal" in answer.tree
    assert (await lisbon.owner.get(lisbon.path)).etag == '"4"'


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"role": "owner"}, "guest-owner", "/role"),
        ({"role": "admin"}, "unknown-value", "/role"),
        ({"name": ""}, "bad-text", "/name"),
        ({"active": False}, "unknown-value", "/active"),
        ({"active": "yes"}, "wrong-type", "/active"),
        ({"account_id": None}, "unknown-field", "/account_id"),
    ],
)
async def test_a_change_of_a_member_that_is_wrong_says_where(
    memory_api: Api, body: Tree, code: str, pointer: str
) -> None:
    lisbon = await trip(memory_api)
    answer = await change(lisbon.owner, seat(lisbon, lisbon.bo), **body)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_a_member_is_changed_and_let_go_by_who_saw_their_version(api: Api) -> None:
    lisbon = await trip(api)
    place, owner = seat(lisbon, lisbon.bo), lisbon.owner
    required, stale = (428, "precondition-required"), (412, "version-mismatch")
    for asking, said in ((owner, required), (owner.sending(if_match='"7"'), stale)):
        assert (await asking.patch(place, {"name": "B"})).said == said
        assert (await asking.delete(place)).said == said


async def test_the_last_owner_stays_an_owner(api: Api) -> None:
    lisbon = await trip(api)
    place = seat(lisbon, lisbon.ana)
    assert (await change(lisbon.owner, place, role="member")).said == (409, "last-owner")
    assert (await leave(lisbon.owner, place)).said == (409, "last-owner")
    di = await lisbon.join("Di")
    await change(lisbon.owner, await own_seat(di, lisbon), role="owner")
    assert (await change(lisbon.owner, place, role="member")).status == 200
    assert (await change(lisbon.owner, place, role="owner")).said == (403, "insufficient-role")


@pytest.mark.parametrize("role", ["owner", "member", "viewer"])
async def test_whoever_leaves_sees_the_group_no_more(api: Api, role: str) -> None:
    lisbon = await trip(api)
    di = await lisbon.join("Di", role)
    place = await own_seat(di, lisbon)
    asking = di.sending(if_match='"1"')
    left = await asking.delete(place, key="k")
    assert (left.status, left.tree["active"], left["name"]) == (200, False, "Di")
    assert (await di.get(lisbon.path)).said == (404, "not-found")
    again = await asking.delete(place, key="k")
    assert (again.status, again.body) == (200, left.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await asking.delete(place)).said == (404, "not-found")
    assert [each["name"] for each in (await lisbon.owner.get(f"{lisbon.path}/members")).items] == [
        "Ana", "Bo", "Cy", "Di",
    ]  # fmt: skip


async def test_nobody_but_owners_lets_others_go(api: Api) -> None:
    lisbon = await trip(api)
    for role in ("member", "viewer"):
        di = await lisbon.join(f"Di{role}", role)
        for place in (seat(lisbon, lisbon.bo), seat(lisbon, lisbon.ana)):
            assert (await leave(di, place)).said == (403, "insufficient-role")
            assert (await change(di, place, name="X")).said == (403, "insufficient-role")
        assert (await change(di, await own_seat(di, lisbon), name="X")).said == (
            403,
            "insufficient-role",
        )


async def test_who_owes_stays_and_is_told_how_much(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record(amount_minor=9000)
    refused = await leave(lisbon.owner, seat(lisbon, lisbon.bo))
    assert refused.said == (409, "unsettled-balance")
    assert " -30.00 EUR " in refused["detail"]
    await lisbon.pay(amount_minor=3000)
    assert (await leave(lisbon.owner, seat(lisbon, lisbon.bo))).status == 200
    again = await leave(lisbon.owner, seat(lisbon, lisbon.bo))
    assert again.said == (409, "inactive-member")


async def test_whose_payment_waits_stays(api: Api) -> None:
    lisbon = await trip(api)
    await change(lisbon.owner, lisbon.path, payments_need_confirmation=True)
    await lisbon.pay(to_member_id=lisbon.cy, allow_overpay=True)
    refused = await leave(lisbon.owner, seat(lisbon, lisbon.bo))
    assert refused.said == (409, "payment-pending")


async def test_a_guest_is_taken_back_and_an_account_is_invited_back(api: Api) -> None:
    lisbon = await trip(api)
    await leave(lisbon.owner, seat(lisbon, lisbon.bo))
    back = await change(lisbon.owner, seat(lisbon, lisbon.bo), active=True)
    assert (back.status, back.tree["active"], back.etag) == (200, True, '"3"')
    di = await lisbon.join("Di")
    place = await own_seat(di, lisbon)
    await leave(di, place)
    assert (await change(lisbon.owner, place, active=True)).said == (409, "needs-invite")


async def test_what_i_am_owed_over_all_my_groups(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record(amount_minor=9000)
    await lisbon.record(amount_minor=900, currency="USD")
    di = await lisbon.join("Di")
    assert (await di.get("/balances")).items == []
    first = await lisbon.owner.get("/balances?limit=1")
    second = await lisbon.owner.get(f"/balances?limit=1&cursor={first['next_cursor']}")
    assert [*first.items, *second.items] == [
        {"group_id": lisbon.id, "currency": "EUR", "balance_minor": 6000},
        {"group_id": lisbon.id, "currency": "USD", "balance_minor": 600},
    ]
    assert second.tree["next_cursor"] is None
