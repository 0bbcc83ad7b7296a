"""Routes of groups."""

from uuid import UUID

from clearsplit_core.errors import AlreadyExists, BadText, NotDeleted, UnknownCurrency
from clearsplit_core.groups import DeleteGroup, RestoreGroup
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import TheGroup
from clearsplit_http.access import anybody, managers, members
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY, read_yes
from clearsplit_http.refusals import BadId
from clearsplit_http.wire.groups import GroupAnswer, GroupChanges, NewGroup
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


@operation(
    "GET",
    "/groups",
    takes=Nothing,
    gives=Page[GroupAnswer],
    query=PAGE_QUERY | {"deleted": "true: those that were deleted and that you may restore."},
)
async def list_groups(asked: Asked[Nothing]) -> Sealed:
    """Your groups, in the order of their ids."""
    after = asked.position()
    return asked.page(
        await asked.store.groups(
            caller=asked.caller,
            deleted=read_yes(asked.query.get("deleted", "false"), "deleted"),
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


@operation(
    "PATCH",
    "/groups/{group_id}",
    takes=GroupChanges,
    gives=GroupAnswer,
    door=managers,
    versioned=True,
    refuses=(BadText,),
)
async def revise_group(asked: Asked[GroupChanges]) -> Sealed:
    """Rename a group, archive it or take it out of the archive, or choose how it settles."""
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.revise(asked.group_id, asked.expected_version)),
        caller=asked.caller,
        receipt=asked.receipt(GroupAnswer.of),
    )


@operation(
    "DELETE",
    "/groups/{group_id}",
    takes=Nothing,
    gives=GroupAnswer,
    door=managers,
    versioned=True,
)
async def delete_group(asked: Asked[Nothing]) -> Sealed:
    """Delete a group. Only its owners see it from now on, and they can restore it."""
    return await asked.store.perform_once(
        asked.command(
            lambda: DeleteGroup(group_id=asked.group_id, expected_version=asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(GroupAnswer.of),
    )


@operation(
    "POST",
    "/groups/{group_id}/restore",
    takes=Nothing,
    gives=GroupAnswer,
    door=managers,
    versioned=True,
    refuses=(NotDeleted,),
)
async def restore_group(asked: Asked[Nothing]) -> Sealed:
    """Bring a deleted group back, as it was."""
    return await asked.store.perform_once(
        asked.command(
            lambda: RestoreGroup(group_id=asked.group_id, expected_version=asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(GroupAnswer.of),
    )


ROUTES = (create_group, list_groups, get_group, revise_group, delete_group, restore_group)
