"""How often each operation goes to the database and back: what no machine's noise can change.

A read is one statement, with every check inside. A change is four: begin, lock and read, append,
commit. What few commands need (payments, settlements, invites, names) is read in one statement
more, and what few change (those, and members) kept in one more.
"""

from dataclasses import replace
from typing import Final

from tests.http.api import api_on
from tests.http.test_who_may import ready_for
from tests.http.world import BY_NAME, World, world
from tests.literals import Clock
from tests.pg.severed import Wire, wire_to
from tests.postgres import FORGETFUL

READ: Final = 1
CHANGE: Final = 4
ACCOUNT: Final = 5
KEEPS_MORE: Final = ("add_guest",)
OF_AN_ACCOUNT: Final = ("end_session", "issue_token", "logout", "revise_me", "revoke_token")
"""Begin, lock, read, keep what changed, commit."""
NEEDS_AND_KEEPS_MORE: Final = (
    "revise_group",
    "delete_group",
    "restore_group",
    "revise_member",
    "deactivate_member",
    "make_invite",
    "revoke_invite",
    "add_comment",
    "record_payment",
    "confirm_payment",
    "void_payment",
    "pay_transfer",
    "void_settlement",
)
OF_ITS_OWN: Final = {
    "health": 0,
    "live": 0,
    # Over several groups: first whether the session lives, then what was asked.
    "list_groups": 2,
    "list_my_balances": 2,
    # Of the account first, then of the group.
    "create_group": 8,
    "accept_invite": 8,
    # Balances are read, solved, and a plan recorded for those same balances.
    "compute_settlement": 11,
    # What may be tried is counted besides.
    "signup": 10,
    "login": 6,
    "refresh": 7,
    "logout_everywhere": 6,
    "list_sessions": 2,
    "list_tokens": 2,
    "me": 2,
    "change_password": 9,
    "delete_me": 9,
}
"""Operations that go another number of times."""


async def test_an_operation_goes_to_the_database_no_more_often_than_it_must(
    database_url: str, clock: Clock
) -> None:
    options = replace(FORGETFUL, prepare=False)  # to prepare a statement is a trip of its own
    async with wire_to(database_url) as wire, api_on(wire.url, clock, store=options) as api:
        trip = await world(api, database_url)
        found = {name: await _round_trips(trip, wire, name) for name in BY_NAME}

    usual = {name: READ if each.reads else CHANGE for name, each in BY_NAME.items()}
    accounts = dict.fromkeys(OF_AN_ACCOUNT, ACCOUNT)
    more = dict.fromkeys(KEEPS_MORE, CHANGE + 1) | dict.fromkeys(NEEDS_AND_KEEPS_MORE, CHANGE + 2)
    assert found == usual | accounts | more | OF_ITS_OWN


async def _round_trips(trip: World, wire: Wire, name: str) -> int:
    operation = BY_NAME[name]
    who = {"accept_invite": "outsider", "delete_me": "outsider"}.get(name, "owner")
    ready = await ready_for(trip, operation)
    tag = await ready.tag(operation)
    before = wire.round_trips
    answer = await ready.send(who, operation, if_match=tag)
    trips = wire.round_trips - before
    assert answer.status < 300, (name, answer.body)
    trip.go_back()
    return trips
