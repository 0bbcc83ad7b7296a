"""What every store promises about groups that were archived or deleted."""

from typing import Final

import pytest

from clearsplit_core.errors import GroupArchived, GroupDeleted, ThingNotFound
from clearsplit_core.members import UnlinkMember
from clearsplit_core.questions import TheGroup, bare
from clearsplit_core.records import Role
from tests.contract.questions import READS, WRITES, group, of_no_moment, refusal_of, seat_everybody
from tests.contract.rigs import Rig
from tests.literals import (
    TRIP,
    caller,
    deleting,
    founding,
    guest,
    member,
    receipt,
    restoring,
    seat,
    setting,
)

VERSION: Final = 4
"""The group's, once everybody has a seat."""


async def close(rig: Rig, *, archived: bool = False) -> None:
    await seat_everybody(rig)
    await rig.do("ann", setting(version=VERSION, archived=True) if archived else DELETING)


DELETING: Final = deleting(version=VERSION)


async def test_a_group_is_what_was_answered_when_it_was_changed(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("ann", setting(version=VERSION, name="Oslo", confirming=True))
    assert of_no_moment(bare(recorded.answer)) == await group(rig)
    assert [one.name.words for one in recorded.answer.members.values()] == [
        "ann", "bob", "vic", "cem",
    ]  # fmt: skip


@pytest.mark.parametrize("question", WRITES)
@pytest.mark.parametrize("archived", [True, False], ids=["archived", "deleted"])
async def test_a_closed_group_takes_nothing_and_stays_as_it_was(
    rig: Rig, question: str, *, archived: bool
) -> None:
    await close(rig, archived=archived)
    before = rig.dump()
    with pytest.raises(GroupArchived if archived else GroupDeleted):
        await WRITES[question](rig.store, caller("ann"))
    assert rig.dump() == before


@pytest.mark.parametrize("question", READS)
async def test_a_deleted_group_is_read_by_its_owners_as_before(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", Role.OWNER))
    await rig.do("ann", deleting(version=VERSION + 1))
    assert await READS[question](rig.store, caller("bob")) is not None


@pytest.mark.parametrize("question", [*READS, *WRITES])
@pytest.mark.parametrize("who", ["bob", "vic"])
async def test_for_everybody_else_a_deleted_group_is_none(
    rig: Rig, who: str, question: str
) -> None:
    ask = {**READS, **WRITES}[question]
    no_such_group = await refusal_of(ask(rig.store, caller(who)))
    await close(rig)
    assert await refusal_of(ask(rig.store, caller(who))) == no_such_group


async def test_a_deleted_group_is_listed_for_its_owners_alone_and_apart(rig: Rig) -> None:
    await close(rig)
    for who, deleted in (("ann", [TRIP]), ("bob", []), ("zoe", [])):
        assert [one.id for one in await rig.store.groups(caller=caller(who))] == []
        found = await rig.store.groups(caller=caller(who), deleted=True)
        assert [one.id for one in found] == deleted


async def test_an_archived_group_is_listed_with_all_others(rig: Rig) -> None:
    await close(rig, archived=True)
    for who in ("ann", "bob", "vic"):
        assert [one.archived for one in await rig.store.groups(caller=caller(who))] == [True]
        assert (await rig.store.groups(caller=caller(who), deleted=True)) == []


async def test_what_is_owed_in_a_deleted_group_is_out_of_sight_until_it_is_restored(
    rig: Rig,
) -> None:
    await close(rig)
    assert list(await rig.store.balances(caller=caller("ann"))) == []
    await rig.do("ann", restoring(version=VERSION + 1))
    assert [one.balance_minor for one in await rig.store.balances(caller=caller("ann"))] == [4_000]


async def test_who_deleted_a_group_gets_the_answer_again(rig: Rig) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("ann", DELETING, receipt())
    again = await rig.do_once("ann", DELETING, receipt())
    assert (again.body, again.replayed) == (first.body, True)


async def test_an_account_leaves_a_deleted_group_that_it_alone_could_restore(rig: Rig) -> None:
    await close(rig)
    (link,) = await rig.store.links(caller=caller("ann"))
    assert not link.needs_owner
    await rig.do("ann", UnlinkMember(group_id=TRIP))
    await rig.do("bob", UnlinkMember(group_id=TRIP))
    assert list(await rig.store.links(caller=caller("bob"))) == []


async def test_an_account_leaves_an_archived_group_as_any_other(rig: Rig) -> None:
    await close(rig, archived=True)
    await rig.do("bob", UnlinkMember(group_id=TRIP))
    assert (await group(rig)).members[member("bob")].account is None


async def test_a_group_that_is_not_there_is_neither_changed_nor_restored(rig: Rig) -> None:
    for command in (setting(version=1, name="Oslo"), DELETING, restoring(version=1)):
        with pytest.raises(ThingNotFound):
            await rig.do("ann", command)


async def test_a_group_is_founded_open(rig: Rig) -> None:
    await rig.do("ann", founding("ann"))
    await rig.do("ann", guest("bob"))
    read = await rig.store.read(TheGroup(TRIP), caller=caller("ann"))
    assert (read.archived, read.deleted) == (False, False)
