"""Who may do what: every operation of the OpenAPI document, tried by everybody.

Requests are whole and valid, made from the document's examples (world.py), so that nothing but who
sends them can be the reason of a refusal. `MAY` is §8 of the HTTP contract, written down once.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import pytest

from clearsplit_http import examples
from tests.http.api import Api, Person
from tests.http.world import BY_NAME, PARTS, UNKNOWN, Operation, Step, World, world

Said: TypeAlias = tuple[int, str]

EVERYBODY: Final = frozenset(PARTS)
SIGNED_IN: Final = EVERYBODY - {"nobody"}
READERS: Final = frozenset({"owner", "recorder", "partaker", "bystander", "viewer"})
RECORDERS: Final = READERS - {"viewer"}
CHANGERS: Final = frozenset({"owner", "recorder", "partaker"})
RECEIVERS: Final = frozenset({"owner", "partaker"})
OWNERS: Final = frozenset({"owner"})

MAY: Final[Mapping[str, frozenset[str]]] = {
    "health": EVERYBODY,
    "live": EVERYBODY,
    "ready": EVERYBODY,
    "signup": EVERYBODY,
    "login": EVERYBODY,
    "refresh": EVERYBODY,
    "logout": SIGNED_IN,
    "logout_everywhere": SIGNED_IN,
    "list_sessions": SIGNED_IN,
    "end_session": OWNERS,
    "issue_token": SIGNED_IN,
    "list_tokens": SIGNED_IN,
    "revoke_token": OWNERS,
    "me": SIGNED_IN,
    "revise_me": SIGNED_IN,
    "delete_me": SIGNED_IN,
    "change_password": SIGNED_IN,
    "create_group": SIGNED_IN,
    "list_groups": SIGNED_IN,
    "get_group": READERS,
    "revise_group": OWNERS,
    "delete_group": OWNERS,
    "restore_group": OWNERS,
    "add_guest": OWNERS,
    "list_members": READERS,
    "get_member": READERS,
    "revise_member": OWNERS,
    "deactivate_member": frozenset({"owner", "bystander"}),
    "make_invite": OWNERS,
    "list_invites": READERS,
    "get_invite": READERS,
    "revoke_invite": OWNERS,
    "accept_invite": SIGNED_IN - READERS,
    "record_expense": RECORDERS,
    "list_expenses": READERS,
    "get_expense": READERS,
    "revise_expense": CHANGERS,
    "void_expense": CHANGERS,
    "restore_expense": CHANGERS,
    "get_expense_history": READERS,
    "list_categories": READERS,
    "add_comment": RECORDERS,
    "list_comments": READERS,
    "get_comment": READERS,
    "record_payment": RECORDERS,
    "list_payments": READERS,
    "get_payment": READERS,
    "confirm_payment": RECEIVERS,
    "void_payment": CHANGERS,
    "get_statement": READERS,
    "get_balances": READERS,
    "list_my_balances": SIGNED_IN,
    "list_entries": READERS,
    "preview_settlement": READERS,
    "compute_settlement": RECORDERS,
    "list_settlements": READERS,
    "get_latest_settlement": READERS,
    "get_settlement": READERS,
    "pay_transfer": RECORDERS,
    "void_settlement": RECORDERS,
}
"""Who may, by operation; of sessions and personal tokens the owner's own are meant."""

BEFORE: Final[Mapping[str, tuple[Step, ...]]] = {
    "restore_group": ("delete_group",),
    "restore_expense": ("void_expense",),
    "confirm_payment": (
        ("revise_group", {"payments_need_confirmation": True}),
        "record_payment",
    ),
}
"""What the owner has done before, so that an operation is possible at all."""

WITH: Final[Mapping[str, Mapping[str, str]]] = {
    "deactivate_member": {"member_id": "bystander"},  # who owes nothing, and may leave
}
"""What an operation is about, by the part that a member plays, where not the example is meant."""

INSTEAD: Final[Mapping[tuple[str, str], Said]] = {
    **{("accept_invite", who): (409, "already-seated") for who in READERS},
    # A group that was deleted is nothing to everybody but its owners.
    **{("restore_group", who): (404, "not-found") for who in READERS - OWNERS},
    ("delete_me", "owner"): (409, "last-owner"),
}
"""What is said where something else than a role decides."""

ABSENT: Final = frozenset({"outsider", "removed"})
NOT_FOUND: Final = (404, "not-found")


@pytest.fixture
async def trip(empty_api: Api, store_url: str) -> World:
    return await world(empty_api, store_url)


def test_for_every_operation_it_is_written_down_who_may() -> None:
    assert set(MAY) == set(BY_NAME)


def expected_of(each: Operation, who: str) -> Said:
    """What an operation says to somebody."""
    if (each.name, who) in INSTEAD:
        return INSTEAD[each.name, who]
    if who in MAY[each.name]:
        return each.success, ""
    if who == "nobody":
        return 401, "credentials-missing"
    if each.of_a_group and who in READERS:
        return 403, "insufficient-role"
    return NOT_FOUND


async def ready_for(trip: World, each: Operation) -> World:
    """The group at a moment when its owner can do this."""
    named = {name: trip.seats[part] for name, part in WITH.get(each.name, {}).items()}
    return (await trip.after(*BEFORE.get(each.name, ()))).about(named)


async def said_to(trip: World, each: Operation, people: Iterable[str | Person]) -> list[Said]:
    """What an operation says to each of these, all of them at the same moment."""
    said: list[Said] = []
    ready = tag = None
    for who in people:
        if ready is None or tag is None:
            ready = await ready_for(trip, each)
            tag = await ready.tag(each)
        answer = await ready.send(who, each, if_match=tag)
        said.append(answer.said)
        if answer.status < 300 and not each.reads:
            trip.go_back()
            ready = None
    trip.go_back()
    return said


async def test_everybody_can_do_what_they_may_and_nothing_else(trip: World) -> None:
    for name, each in BY_NAME.items():
        found = dict(zip(PARTS, await said_to(trip, each, PARTS), strict=True))
        assert found == {who: expected_of(each, who) for who in PARTS}, name


async def test_whoever_is_refused_has_changed_nothing(trip: World) -> None:
    for name, each in BY_NAME.items():
        ready = await ready_for(trip, each)
        tag, before = await ready.tag(each), trip.dump()
        for who in PARTS:
            if who not in MAY[name] and (name, who) not in INSTEAD:
                await ready.send(who, each, if_match=tag)
        assert trip.dump() == before, name
        trip.go_back()


async def test_whoever_is_no_member_cannot_tell_a_thing_from_none(trip: World) -> None:
    """The same bytes and headers as for ids that nothing ever had."""
    for each in BY_NAME.values():
        ready = await ready_for(trip, each)
        tag, nowhere = await ready.tag(each), ready.about(dict.fromkeys(each.ids, UNKNOWN))
        for who in PARTS:
            if each.ids and expected_of(each, who) == NOT_FOUND:
                there = await ready.send(who, each, if_match=tag)
                none = await nowhere.send(who, each, if_match=tag)
                assert (there.said, there.body) == (NOT_FOUND, none.body), (each.name, who)
                assert dict(there.headers) == dict(none.headers)
        trip.go_back()


async def test_a_thing_is_found_in_its_own_group_alone(trip: World) -> None:
    """Whoever owns another group and names this one's things in it finds nothing."""
    children = [each for each in BY_NAME.values() if each.of_a_group and len(each.ids) > 1]
    for each in children:
        tag = await trip.tag(each)
        nowhere = trip.about(dict.fromkeys(each.ids, UNKNOWN)).in_the_other_group()
        there = await trip.in_the_other_group().send("stranger", each, if_match=tag)
        none = await nowhere.send("stranger", each, if_match=tag)
        assert (there.said, there.body) == (NOT_FOUND, none.body), each.name
    assert len(children) > 4


async def test_nobody_can_name_the_members_of_another_group(trip: World) -> None:
    """A body that names this group's members is wrong in another."""
    for each in BY_NAME.values():
        if each.of_a_group and len(each.ids) == 1 and names_members(trip, each):
            answer = await trip.in_the_other_group().send("stranger", each)
            assert answer.said == (422, "unknown-member"), each.name


def names_members(trip: World, each: Operation) -> bool:
    return any(seat in repr(trip.body_of(each)) for seat in (*trip.seats.values(), examples.CY))


# ── Personal tokens ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["read", "write"])
async def test_a_personal_token_reaches_as_far_as_its_scope(trip: World, scope: str) -> None:
    issued = await trip.people["owner"].post(
        "/auth/tokens", {"name": "Backup", "scope": scope, "expires_in_days": 1}
    )
    program = Person(trip.api, issued["token"])
    trip = trip.saved_again()
    for each in BY_NAME.values():
        far = each.public or (not about_the_account(each) and (each.reads or scope == "write"))
        expected = expected_of(each, "owner") if far else (403, "insufficient-scope")
        assert await said_to(trip, each, [program]) == [expected], each.name


def about_the_account(each: Operation) -> bool:
    return each.template.startswith("/auth/")
