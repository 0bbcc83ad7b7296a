"""Routes of groups."""

from uuid import UUID

from clearsplit_core.errors import AlreadyExists, BadText, UnknownCurrency
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import TheGroup
from clearsplit_http.access import anybody, members
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId
from clearsplit_http.wire.groups import GroupAnswer, NewGroup
from clearsplit_http.wire.resources import Nothing, Page


@operation(
    "POST",
    "/groups",
    takes=NewGroup,
    gives=GroupAnswer,
    status=201,
    door=anybody,
    refuses=(AlreadyExists, BadId, BadText, UnknownCurrency),
)
async def create_group(asked: Asked[NewGroup]) -> Sealed:
    """Found a group, with yourself as its first member and owner."""
    founder = await asked.store.account_of(asked.caller)
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.found(asked.group_id, founder.name)),
        caller=asked.caller,
        receipt=asked.receipt(GroupAnswer.of),
    )


@operation("GET", "/groups", takes=Nothing, gives=Page[GroupAnswer], query=PAGE_QUERY)
async def list_groups(asked: Asked[Nothing]) -> Sealed:
    """Your groups, in the order of their ids."""
    after = asked.position()
    return asked.page(
        await asked.store.groups(
            caller=asked.caller,
            after=GroupId(UUID(after)) if after else None,
            limit=asked.limit + 1,
        ),
        GroupAnswer.of,
        lambda group: str(group.id),
    )


@operation("GET", "/groups/{group_id}", takes=Nothing, gives=GroupAnswer, door=members)
async def get_group(asked: Asked[Nothing]) -> Sealed:
    """A group and its members."""
    return asked.found(GroupAnswer.of(await asked.read(TheGroup(asked.group_id))))


ROUTES = (create_group, list_groups, get_group)
