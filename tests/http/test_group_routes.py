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


# ── Changing, deleting and restoring a group ─────────────────────────────────────────────────────


async def test_a_group_is_changed_as_asked_and_keeps_the_rest(api: Api) -> None:
    lisbon = await trip(api)
    answer = await lisbon.owner.sending(if_match='"3"').patch(
        lisbon.path, {"name": "Porto", "payments_need_confirmation": True}
    )
    assert (answer.status, answer.etag, answer["name"]) == (200, '"4"', "Porto")
    settings = {key: answer.tree[key] for key in ("archived", "deleted", "simplify")}
    assert settings == {"archived": False, "deleted": False, "simplify": True}
    assert answer.tree["payments_need_confirmation"] is True
    assert [each["name"] for each in in_list(answer.tree["members"])] == ["Ana", "Bo", "Cy"]
    assert answer.tree["journal"] == {
        "seq": 4, "head": (await lisbon.owner.get(f"{lisbon.path}/journal")).items[-1]["hash"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": ""}, "bad-text", "/name"),
        ({"name": None}, "wrong-type", "/name"),
        ({"archived": 1}, "wrong-type", "/archived"),
        ({"simplify": "yes"}, "wrong-type", "/simplify"),
        ({"deleted": True}, "unknown-field", "/deleted"),
        ({"currency": "USD"}, "unknown-field", "/currency"),
    ],
)
async def test_a_change_of_a_group_that_is_wrong_says_where(
    memory_api: Api, body: Tree, code: str, pointer: str
) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.sending(if_match='"3"').patch(lisbon.path, body)
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_a_group_is_changed_deleted_and_restored_by_who_saw_its_version(api: Api) -> None:
    lisbon = await trip(api)
    owner, restore = lisbon.owner, f"{lisbon.path}/restore"
    required, stale = (428, "precondition-required"), (412, "version-mismatch")
    for asking, said in ((owner, required), (owner.sending(if_match='"2"'), stale)):
        assert (await asking.patch(lisbon.path, {"name": "Porto"})).said == said
        assert (await asking.delete(lisbon.path)).said == said
        assert (await asking.post(restore)).said == said


async def test_an_archived_group_is_read_and_not_written(api: Api) -> None:
    lisbon = await trip(api)
    await lisbon.owner.sending(if_match='"3"').patch(lisbon.path, {"archived": True})
    archived = (409, "group-archived")
    assert (await lisbon.owner.post(lisbon.expenses, lisbon.dinner())).said == archived
    assert (await lisbon.owner.post(f"{lisbon.path}/members", {"name": "Di"})).said == archived
    owner = lisbon.owner.sending(if_match='"4"')
    assert (await owner.patch(lisbon.path, {"name": "Porto"})).said == archived
    assert (await owner.delete(lisbon.path)).said == archived
    assert (await owner.get(lisbon.path)).tree["archived"] is True
    assert (await owner.patch(lisbon.path, {"archived": False})).status == 200
    assert (await lisbon.owner.post(lisbon.expenses, lisbon.dinner())).status == 201


async def test_a_deleted_group_is_gone_from_the_list_until_it_is_restored(api: Api) -> None:
    lisbon = await trip(api)
    deleted = await lisbon.owner.sending(if_match='"3"').delete(lisbon.path)
    assert (deleted.status, deleted.etag, deleted.tree["deleted"]) == (200, '"4"', True)
    assert (await lisbon.owner.get("/groups")).items == []
    (listed,) = (await lisbon.owner.get("/groups?deleted=true")).items
    assert listed == (await lisbon.owner.get(lisbon.path)).tree
    gone = (409, "group-deleted")
    assert (await lisbon.owner.post(lisbon.expenses, lisbon.dinner())).said == gone
    owner = lisbon.owner.sending(if_match='"4"')
    assert (await owner.delete(lisbon.path)).said == gone
    restored = await owner.post(f"{lisbon.path}/restore")
    assert (restored.status, restored.etag, restored.tree["deleted"]) == (200, '"5"', False)
    again = await lisbon.owner.sending(if_match='"5"').post(f"{lisbon.path}/restore")
    assert again.said == (409, "not-deleted")
    assert [each["id"] for each in (await lisbon.owner.get("/groups")).items] == [lisbon.id]


async def test_a_lost_answer_to_deleting_is_given_again(api: Api) -> None:
    lisbon = await trip(api)
    owner = lisbon.owner.sending(if_match='"3"')
    first = await owner.delete(lisbon.path, key="k")
    again = await owner.delete(lisbon.path, key="k")
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("query", ["deleted=1", "deleted=", "deleted=True", "archived=true"])
async def test_groups_are_deleted_or_not(memory_api: Api, query: str) -> None:
    ana = await memory_api.signup("Ana")
    assert (await ana.get(f"/groups?{query}")).said == (400, "invalid-query")


async def test_the_next_page_is_of_the_same_list(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    for _ in range(3):
        group = await ana.post("/groups", LISBON)
        await ana.sending(if_match='"1"').delete(f"/groups/{group['id']}")
    found: list[object] = []
    path = "/groups?deleted=true&limit=2"
    while path:
        page = await ana.get(path)
        found += [each["id"] for each in page.items]
        path = page.headers.get("link", "")[1:].partition(">")[0]
    assert len(set(map(str, found))) == len(found) == 3
