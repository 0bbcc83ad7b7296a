"""Groups, their members, balances and journal over HTTP."""

from uuid import UUID, uuid1, uuid4

import pytest
import uuid_utils.compat

from clearsplit_core.journal import GroupId, empty
from tests.http.api import Api, Tree, in_list, in_tree, trip

LISBON = {"name": "Lisbon", "currency": "EUR"}


async def test_a_group_comes_with_its_founder_as_owner(api: Api) -> None:
    ana = await api.signup("Ana")
    answer = await ana.post("/groups", LISBON)
    assert (answer.status, answer.etag) == (201, '"1"')
    assert answer.headers["location"] == f"/groups/{answer['id']}"
    assert in_tree(answer.tree, "members", 0, "name") == "Ana"
    assert in_tree(answer.tree, "members", 0, "role") == "owner"
    assert in_tree(answer.tree, "members", 0, "account_id") == (await ana.get("/auth/me"))["id"]


async def test_a_change_is_answered_with_the_end_of_the_journal(api: Api) -> None:
    lisbon = await trip(api)
    answer = await lisbon.record()
    lines = (await lisbon.owner.get(f"{lisbon.path}/journal")).items
    assert answer.tree["journal"] == {"seq": 4, "head": lines[-1]["hash"]}


@pytest.mark.parametrize("chosen", [uuid4(), uuid_utils.compat.uuid7()], ids=["4", "7"])
async def test_a_client_may_choose_the_id(api: Api, chosen: UUID) -> None:
    ana = await api.signup("Ana")
    answer = await ana.post("/groups", LISBON | {"id": str(chosen)})
    assert answer["id"] == str(chosen)
    assert (await ana.post("/groups", LISBON | {"id": str(chosen)})).said == (409, "already-exists")


@pytest.mark.parametrize(
    "chosen", [uuid1(), UUID(int=0), UUID(int=2**128 - 1)], ids=["1", "nil", "max"]
)
async def test_an_id_is_chosen_at_random_or_by_time(memory_api: Api, chosen: UUID) -> None:
    ana = await memory_api.signup("Ana")
    answer = await ana.post("/groups", LISBON | {"id": str(chosen)})
    assert (answer.said, answer.pointer) == ((422, "bad-id"), "/id")


async def test_the_same_key_founds_the_same_group_and_another_person_another(api: Api) -> None:
    ana, bo = await api.signup("Ana"), await api.signup("Bo")
    first = await ana.post("/groups", LISBON, key="k")
    again = await ana.post("/groups", LISBON, key="k")
    other = await bo.post("/groups", LISBON, key="k")
    assert again.body == first.body
    assert other["id"] != first["id"]
    assert UUID(first["id"]).version == 8


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": ""}, "bad-text", "/name"),
        ({"name": "a\u202eb"}, "bad-text", "/name"),
        ({"name": "x" * 101}, "bad-text", "/name"),
        ({"currency": "EURO"}, "unknown-currency", "/currency"),
        ({"currency": "eur"}, "unknown-currency", "/currency"),
        ({"currency": 978}, "wrong-type", "/currency"),
        ({"owner": "me"}, "unknown-field", "/owner"),
        ({"id": "1"}, "bad-format", "/id"),
    ],
)
async def test_a_group_that_is_wrong_says_where(
    memory_api: Api, change: Tree, code: str, pointer: str
) -> None:
    ana = await memory_api.signup("Ana")
    answer = await ana.post("/groups", LISBON | change)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_my_groups_are_those_that_i_am_a_member_of(api: Api) -> None:
    ana, bo = await api.signup("Ana"), await api.signup("Bo")
    group = await ana.post("/groups", LISBON)
    assert [each["id"] for each in (await ana.get("/groups")).items] == [group["id"]]
    assert (await bo.get("/groups")).items == []


async def test_a_group_is_read_as_it_was_created(api: Api) -> None:
    ana = await api.signup("Ana")
    created = await ana.post("/groups", LISBON)
    read = await ana.get(f"/groups/{created['id']}")
    assert read.tree == {k: v for k, v in created.tree.items() if k != "journal"}
    assert read.etag == created.etag


# ── Members ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_guest_gets_a_seat_and_moves_the_groups_version(api: Api) -> None:
    ana = await api.signup("Ana")
    group = (await ana.post("/groups", LISBON)).headers["location"]
    bo = await ana.post(f"{group}/members", {"name": "Bo", "role": "viewer"})
    assert (bo.status, bo["name"], bo["role"], bo.tree["account_id"]) == (201, "Bo", "viewer", None)
    assert (await ana.get(group)).etag == '"2"'
    found = await ana.get(bo.headers["location"])
    assert (found["id"], found.etag) == (bo["id"], bo.etag)


async def test_members_are_listed_in_the_order_in_which_they_came(api: Api) -> None:
    lisbon = await trip(api)
    items = (await lisbon.owner.get(f"{lisbon.path}/members")).items
    assert [each["name"] for each in items] == ["Ana", "Bo", "Cy"]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "Di", "role": "owner"}, "guest-owner", "/role"),
        ({"name": "Di", "role": "admin"}, "unknown-value", "/role"),
        ({"name": None}, "wrong-type", "/name"),
        ({}, "missing-field", "/name"),
    ],
)
async def test_a_member_that_is_wrong_says_where(
    memory_api: Api, body: Tree, code: str, pointer: str
) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.post(f"{lisbon.path}/members", body)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_a_seat_is_given_once(api: Api) -> None:
    lisbon = await trip(api)
    answer = await lisbon.owner.post(f"{lisbon.path}/members", {"name": "Bo", "id": lisbon.bo})
    assert answer.said == (409, "already-exists")


async def test_an_unknown_member_is_not_found(api: Api) -> None:
    lisbon = await trip(api)
    assert (await lisbon.owner.get(f"{lisbon.path}/members/{uuid4()}")).said == (404, "not-found")


# ── Balances and journal ─────────────────────────────────────────────────────────────────────────


async def test_balances_say_what_the_group_owes_each(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record(amount_minor=9000)
    answer = await lisbon.owner.get(f"{lisbon.path}/balances")
    found = {each["member_id"]: each["balance_minor"] for each in in_list(answer.tree["balances"])}
    assert found == {lisbon.ana: 6000, lisbon.bo: -3000, lisbon.cy: -3000}
    assert answer.tree["journal"] == recorded.tree["journal"]


async def test_the_journal_tells_everything_in_order(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.record()
    lines = (await lisbon.owner.get(f"{lisbon.path}/journal")).items
    assert [line["kind"] for line in lines] == [
        "group-created",
        "member-added",
        "member-added",
        "expense-recorded",
    ]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    previous = [empty(GroupId(UUID(lisbon.id))).hash, *(line["hash"] for line in lines[:-1])]
    assert [line["previous"] for line in lines] == previous
    assert {line["actor_id"] for line in lines} == {lisbon.ana}


async def test_the_journal_is_read_on_from_where_one_stopped(api: Api) -> None:
    lisbon = await trip(api)
    two = await lisbon.owner.get(f"{lisbon.path}/journal?after_seq=1&limit=1")
    three = await lisbon.owner.get(f"{lisbon.path}/journal?limit=1&cursor={two['next_cursor']}")
    beyond = await lisbon.owner.get(f"{lisbon.path}/journal?after_seq=3")
    assert [each["seq"] for each in (*two.items, *three.items)] == [2, 3]
    assert (beyond.items, beyond.tree["next_cursor"]) == ([], None)


@pytest.mark.parametrize("query", ["after_seq=-1", "after_seq=x", "after_seq=\u0663", "after_seq="])
async def test_the_journal_begins_at_a_number(memory_api: Api, query: str) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.get(f"{lisbon.path}/journal?{query}")
    assert answer.said == (400, "invalid-query")


async def test_the_journal_begins_at_one_place(memory_api: Api) -> None:
    lisbon = await trip(memory_api)
    page = await lisbon.owner.get(f"{lisbon.path}/journal?limit=1")
    both = f"{lisbon.path}/journal?after_seq=1&cursor={page['next_cursor']}"
    assert (await lisbon.owner.get(both)).said == (400, "invalid-query")
