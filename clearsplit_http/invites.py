"""Routes of invites."""

from dataclasses import replace
from uuid import UUID

import msgspec

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadySeated,
    BadLifetime,
    GroupFull,
    InviteEnded,
    MemberLinked,
    TooManyInvites,
    UnknownMember,
)
from clearsplit_core.invites import RevokeInvite
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Invites, TheInvite
from clearsplit_core.records import InviteId
from clearsplit_http.access import invited, managers, managers_of_the_invite, members
from clearsplit_http.asked import Asked, B
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId
from clearsplit_http.tokens import InviteToken
from clearsplit_http.wire.invites import (
    InviteAnswer,
    NewInvite,
    SeatAnswer,
    ToldInviteAnswer,
    accept,
)
from clearsplit_http.wire.resources import Nothing, Page


@operation(
    "POST",
    "/groups/{group_id}/invites",
    takes=NewInvite,
    gives=ToldInviteAnswer,
    status=201,
    door=managers,
    refuses=(AlreadyExists, BadId, BadLifetime, MemberLinked, TooManyInvites, UnknownMember),
)
async def make_invite(asked: Asked[NewInvite]) -> Sealed:
    """Offer a seat to whoever brings the token of this answer.

    It is good once. With `member_id` it leads to a guest's seat, history and all, or back to the
    seat that its account had left. The token is kept nowhere; the same request shows it again.
    """
    sealed = await asked.store.perform_once(
        asked.command(lambda: asked.body.make(asked.group_id)),
        caller=asked.caller,
        receipt=asked.receipt(InviteAnswer.of),
    )
    return _with_token(asked, sealed)


@operation(
    "GET",
    "/groups/{group_id}/invites",
    takes=Nothing,
    gives=Page[InviteAnswer],
    door=members,
    query=PAGE_QUERY,
)
async def list_invites(asked: Asked[Nothing]) -> Sealed:
    """The group's invites without their tokens, the latest first."""
    before = asked.position()
    return asked.page(
        await asked.read(
            Invites(
                asked.group_id, before_seq=int(before) if before else None, limit=asked.limit + 1
            )
        ),
        InviteAnswer.of,
        lambda invite: str(invite.recorded_seq),
    )


@operation(
    "GET",
    "/groups/{group_id}/invites/{invite_id}",
    takes=Nothing,
    gives=InviteAnswer,
    door=members,
)
async def get_invite(asked: Asked[Nothing]) -> Sealed:
    """An invite without its token, whatever became of it."""
    return asked.found(
        InviteAnswer.of(await asked.read(TheInvite(asked.group_id, asked.ids.invite_id)))
    )


@operation(
    "DELETE",
    "/groups/{group_id}/invites/{invite_id}",
    takes=Nothing,
    gives=InviteAnswer,
    door=managers_of_the_invite,
    refuses=(InviteEnded,),
)
async def revoke_invite(asked: Asked[Nothing]) -> Sealed:
    """Take an invite back: nobody can accept it any more."""
    return await asked.store.perform_once(
        asked.command(lambda: RevokeInvite(group_id=asked.group_id, invite_id=asked.ids.invite_id)),
        caller=asked.caller,
        receipt=asked.receipt(InviteAnswer.of),
    )


@operation(
    "POST",
    "/invites/{token}/accept",
    takes=Nothing,
    gives=SeatAnswer,
    door=invited,
    refuses=(AlreadyExists, AlreadySeated, GroupFull, MemberLinked),
)
async def accept_invite(asked: Asked[Nothing]) -> Sealed:
    """Take the seat that an invite offers. A guest's seat keeps its name and its history.

    A token that is unknown, used, revoked or expired, or whose maker is no owner any more, is
    answered with one and the same 404.
    """
    account = await asked.store.account_of(asked.caller)
    return await asked.store.perform_once(
        asked.command(lambda: accept(asked.group_id, asked.ids.invite_id, account.name)),
        caller=asked.caller,
        receipt=asked.receipt(lambda seat: SeatAnswer.of(asked.group_id, seat)),
    )


ROUTES = (make_invite, list_invites, get_invite, revoke_invite, accept_invite)


def _with_token(asked: Asked[B], sealed: Sealed) -> Sealed:
    """What was sealed, with the token that was not sealed with it."""
    answer = msgspec.json.decode(sealed.body, type=dict[str, object])
    invite_id = InviteId(UUID(str(answer["id"])))
    token = InviteToken(asked.group_id, invite_id).text(asked.server.keys.invite)
    return replace(sealed, body=msgspec.json.encode(answer | {"token": token}))
