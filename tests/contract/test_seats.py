"""What every store promises about seats: who comes, who goes, and that somebody always manages."""

import asyncio
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadySeated,
    InsufficientRole,
    LastOwner,
    MemberLinked,
    PaymentPending,
    Refusal,
    ThingNotFound,
    UnsettledBalance,
)
from clearsplit_core.group import replay
from clearsplit_core.invites import INVITES_OPEN_MAX
from clearsplit_core.members import UnlinkMember
from clearsplit_core.ports import Command, Recorded
from clearsplit_core.questions import Invites, TheInvite, bare
from clearsplit_core.records import InviteState, Member, Role
from tests.contract.questions import (
    group,
    journal,
    of_no_moment,
    seat_everybody,
    taxis_of_bob,
    texts_of,
)
from tests.contract.rigs import Rig
from tests.literals import (
    TRIP,
    accepting,
    account,
    caller,
    expense,
    founding,
    guest,
    invite_called,
    inviting,
    leaving,
    member,
    pending,
    receipt,
    revising,
    seat,
    uninviting,
)


async def the(rig: Rig, name: str, reader: str = "ann") -> Member:
    return (await group(rig, reader=reader)).members[member(name)]


async def two_owners(rig: Rig) -> None:
    await rig.do("ann", founding("ann"))
    await rig.do("ann", seat("bob", Role.OWNER))
    await rig.do("ann", guest("cem"))


# ── What was performed can be read back ──────────────────────────────────────────────────────────


async def test_a_member_is_what_was_answered_when_they_were_changed(rig: Rig) -> None:
    await seat_everybody(rig)
    for command in (revising("bob", called="Robert"), revising("vic", role=Role.OWNER)):
        recorded = await rig.do("ann", command)
        assert (await group(rig)).members[command.member_id] == recorded.answer
    assert (await the(rig, "bob")).account_id == account("bob")


async def test_a_member_who_left_is_what_was_answered(rig: Rig) -> None:
    await two_owners(rig)
    for name in ("cem", "ann"):
        recorded = await rig.do("ann", leaving(name))
        left = await the(rig, name, reader="bob")
        assert left == recorded.answer
        assert (left.active, left.name.words) == (False, name)
    with pytest.raises(ThingNotFound):
        await the(rig, "ann", reader="ann")


async def test_a_guest_comes_back_as_was_answered(rig: Rig) -> None:
    await two_owners(rig)
    await rig.do("ann", leaving("cem"))
    recorded = await rig.do("ann", revising("cem", returns=True, version=2))
    assert await the(rig, "cem") == recorded.answer


async def test_a_seat_that_was_claimed_is_what_was_answered(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting(to="cem", role=Role.VIEWER))
    recorded = await rig.do("zoe", accepting("zoe"))
    assert await the(rig, "cem") == await the(rig, "cem", reader="zoe") == recorded.answer
    assert (recorded.answer.name.words, recorded.answer.account_id) == ("cem", account("zoe"))


async def test_a_new_seat_is_what_was_answered(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting())
    recorded = await rig.do("zoe", accepting("zoe"))
    assert await the(rig, "zoe") == recorded.answer
    assert (recorded.answer.name.words, recorded.answer.account_id) == ("zoe", account("zoe"))
    assert (await rig.do("zoe", expense("Taxi", by="zoe"))).answer.recorded_by == member("zoe")


async def test_an_account_comes_back_to_its_own_seat_and_to_no_other(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", leaving("vic"))
    await rig.do("ann", inviting(to="vic", role=Role.MEMBER))
    await rig.do("ann", inviting("Note"))
    with pytest.raises(MemberLinked):
        await rig.do("zoe", accepting("zoe"))
    recorded = await rig.do("vic", accepting("vic", "Note"))
    assert recorded.answer == await the(rig, "vic")
    assert (recorded.answer.active, recorded.answer.account_id) == (True, account("vic"))
    (note, card) = await rig.store.read(Invites(TRIP), caller=caller("vic"))
    assert (note.state, card.state) == (InviteState.USED, InviteState.REVOKED)


async def test_an_invite_is_what_was_answered_and_what_became_of_it(rig: Rig) -> None:
    await seat_everybody(rig)
    made = await rig.do("ann", inviting(to="cem"))
    assert made.answer == await rig.store.read(
        TheInvite(TRIP, invite_called("Card")), caller=caller("vic")
    )
    revoked = await rig.do("ann", uninviting())
    assert revoked.answer == await rig.store.read(
        TheInvite(TRIP, invite_called("Card")), caller=caller("vic")
    )


async def test_the_journal_of_seats_and_invites_tells_the_group(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting(to="cem", role=Role.OWNER))
    await rig.do("ann", inviting("Note"))
    await rig.do("zoe", accepting("zoe"))
    await rig.do("zoe", revising("ann", role=Role.MEMBER))
    read = await group(rig, reader="zoe")
    entries = await journal(rig)
    again = replay(TRIP, entries, texts_of(read, ()))
    assert of_no_moment(bare(again)) == read
    invites = await rig.store.read(Invites(TRIP), caller=caller("zoe"))
    assert {one.id: one for one in invites} == again.invites
    assert again.invites[invite_called("Note")].state is InviteState.REVOKED


# ── What is refused changes nothing ──────────────────────────────────────────────────────────────

REFUSED: Final[dict[str, tuple[str, Command[object], type[Refusal]]]] = {
    "the last owner leaves": ("ann", leaving("ann"), LastOwner),
    "the last owner is demoted": ("ann", revising("ann", role=Role.MEMBER), LastOwner),
    "who owes leaves": ("bob", leaving("bob"), UnsettledBalance),
    "who waits for a payment leaves": ("vic", leaving("vic"), PaymentPending),
    "somebody lets another go": ("bob", leaving("vic"), InsufficientRole),
    "a seat is taken": ("ann", inviting("Note", to="bob"), MemberLinked),
    "an invite is there": ("ann", inviting(), AlreadyExists),
    "who has a seat accepts": ("bob", accepting("bob"), AlreadySeated),
    "nobody made it": ("zoe", accepting("zoe", "Call"), ThingNotFound),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_what_is_refused_leaves_every_byte_as_it_was(rig: Rig, why: str) -> None:
    who, command, refusal = REFUSED[why]
    await seat_everybody(rig)
    await rig.do("ann", pending("Cash", "5.00 EUR", by="cem", to="vic"))
    await rig.do("ann", inviting())
    before = rig.dump()
    with pytest.raises(refusal):
        await rig.do(who, command)
    with pytest.raises(refusal):
        await rig.do_once(who, command, receipt())
    assert rig.dump() == before


async def test_an_invite_that_has_expired_lets_nobody_in_and_makes_room(rig: Rig) -> None:
    await seat_everybody(rig)
    for number in range(INVITES_OPEN_MAX):
        await rig.do("ann", inviting(f"Card {number}"))
    rig.clock.turn(days=7)
    with pytest.raises(ThingNotFound):
        await rig.do("zoe", accepting("zoe", "Card 1"))
    await rig.do("ann", inviting())
    assert (await rig.do("zoe", accepting("zoe"))).answer.active


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────


async def test_who_accepted_gets_the_answer_again_and_so_does_who_left(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting())
    first = await rig.do_once("zoe", accepting("zoe"), receipt("one"))
    left = await rig.do_once("zoe", leaving("zoe"), receipt("two"))
    assert (await rig.do_once("zoe", accepting("zoe"), receipt("one"))).body == first.body
    assert (await rig.do_once("zoe", leaving("zoe"), receipt("two"))).body == left.body
    with pytest.raises(ThingNotFound):
        await rig.do_once("eve", accepting("eve"), receipt("one"))


# ── At the same time ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("round_", range(20))
async def test_of_two_owners_who_leave_at_once_one_stays(rig: Rig, round_: int) -> None:
    await two_owners(rig)
    pair = ("ann", "bob") if round_ % 2 else ("bob", "ann")
    async with rig.elsewhere() as there:
        ended = await asyncio.gather(
            rig.do(pair[0], leaving(pair[0])),
            there.perform(leaving(pair[1]), caller=caller(pair[1])),
            return_exceptions=True,
        )
    assert [type(one) for one in ended if isinstance(one, BaseException)] == [LastOwner]
    (stays,) = [name for name, one in zip(pair, ended, strict=True) if isinstance(one, LastOwner)]
    assert [owner.id for owner in (await group(rig, reader=stays)).owners] == [member(stays)]


@pytest.mark.parametrize("round_", range(10))
async def test_of_two_owners_who_demote_each_other_at_once_one_does(rig: Rig, round_: int) -> None:
    await two_owners(rig)
    pair = ("ann", "bob") if round_ % 2 else ("bob", "ann")
    async with rig.elsewhere() as there:
        ended = await asyncio.gather(
            rig.do(pair[0], revising(pair[1], role=Role.VIEWER)),
            there.perform(revising(pair[0], role=Role.VIEWER), caller=caller(pair[1])),
            return_exceptions=True,
        )
    assert [type(one) for one in ended if isinstance(one, BaseException)] == [InsufficientRole]
    assert len((await group(rig)).owners) == 1


async def test_of_many_who_accept_an_invite_at_once_one_gets_the_seat(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting(to="cem"))
    people = [f"guest {number}" for number in range(20)]
    async with rig.elsewhere() as there:
        ended = await asyncio.gather(
            *(rig.do(name, accepting(name)) for name in people[:10]),
            *(there.perform(accepting(name), caller=caller(name)) for name in people[10:]),
            return_exceptions=True,
        )
    won = [name for name, one in zip(people, ended, strict=True) if isinstance(one, Recorded)]
    assert {type(one) for one in ended if isinstance(one, BaseException)} == {ThingNotFound}
    assert [(await the(rig, "cem")).account_id] == [account(name) for name in won]


async def test_an_account_that_accepts_two_invites_at_once_gets_one_seat(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", inviting("Card"))
    await rig.do("ann", inviting("Note", to="cem"))
    async with rig.elsewhere() as there:
        ended = await asyncio.gather(
            rig.do("zoe", accepting("zoe", "Card")),
            there.perform(accepting("zoe", "Note"), caller=caller("zoe")),
            return_exceptions=True,
        )
    assert [type(one) for one in ended if isinstance(one, BaseException)] == [AlreadySeated]


async def test_what_a_member_writes_while_they_are_let_go_counts_before_or_not_at_all(
    rig: Rig,
) -> None:
    await rig.do("ann", founding("ann"))
    await rig.do("ann", seat("bob"))
    before, left, after = await asyncio.gather(
        taxis_of_bob(rig, 1), rig.do("ann", leaving("bob")), taxis_of_bob(rig, 2)
    )
    recorded = [one.head.seq for one in (*before, *after) if isinstance(one, Recorded)]
    refused = [type(one) for one in (*before, *after) if isinstance(one, BaseException)]
    assert max(recorded, default=0) < left.head.seq
    assert set(refused) <= {ThingNotFound}
    assert len(recorded) + len(refused) == 20


async def test_of_two_owners_whose_accounts_go_at_once_one_stays_for_the_others(rig: Rig) -> None:
    await two_owners(rig)
    await rig.do("ann", seat("vic", Role.VIEWER))
    async with rig.elsewhere() as there:
        ended = await asyncio.gather(
            rig.do("ann", UnlinkMember(group_id=TRIP)),
            there.perform(UnlinkMember(group_id=TRIP), caller=caller("bob")),
            return_exceptions=True,
        )
    assert [type(one) for one in ended if isinstance(one, BaseException)] == [LastOwner]
    assert len((await group(rig, reader="vic")).owners) == 1
