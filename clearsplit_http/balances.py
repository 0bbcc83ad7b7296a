"""Routes of a group's balances and of its journal, from which they come."""

import msgspec

from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Entries, TheStanding
from clearsplit_http.access import members
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY, read_number
from clearsplit_http.refusals import BadQuery
from clearsplit_http.wire.groups import BalancesAnswer, EntryAnswer
from clearsplit_http.wire.resources import Nothing, Page

SEQ_MAX = 2**53 - 1


@operation(
    "GET",
    "/groups/{group_id}/balances",
    takes=Nothing,
    gives=BalancesAnswer,
    door=members,
)
async def get_balances(asked: Asked[Nothing]) -> Sealed:
    """What the group owes each member (positive), or each member the group (negative)."""
    standing = await asked.read(TheStanding(asked.group_id))
    return Sealed(200, (), msgspec.json.encode(BalancesAnswer.of(standing)))


@operation(
    "GET",
    "/groups/{group_id}/journal",
    takes=Nothing,
    gives=Page[EntryAnswer],
    door=members,
    query=PAGE_QUERY | {"after_seq": "Begin after this entry; 0 is before the first."},
)
async def list_entries(asked: Asked[Nothing]) -> Sealed:
    """The group's journal: every change, who made it and when, and its hash."""
    return asked.page(
        await asked.read(Entries(asked.group_id, after_seq=_after(asked), limit=asked.limit + 1)),
        EntryAnswer.of,
        lambda entry: str(entry.seq),
    )


ROUTES = (get_balances, list_entries)


def _after(asked: Asked[Nothing]) -> int:
    """Where to begin: the cursor's place or the one that is named. Raises BadQuery, BadCursor."""
    position = asked.position()
    if position is None:
        return read_number(asked.query.get("after_seq", "0"), "after_seq", 0, SEQ_MAX)
    if "after_seq" in asked.query:
        raise BadQuery("Say where to begin in one way: after_seq or cursor.")
    return int(position)
