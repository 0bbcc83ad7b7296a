"""What every store promises when an account is taken out of a group: nothing there tells of it."""

from dataclasses import replace
from typing import Final

import pytest

from clearsplit_core.errors import AnswerErased, LastOwner, ThingNotFound
from clearsplit_core.group import replay
from clearsplit_core.journal import verify
from clearsplit_core.members import UnlinkMember
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import bare
from clearsplit_core.records import Role
from tests.contract.questions import (
    group,
    journal,
    of_no_moment,
    seat_everybody,
    texts_of,
)
from tests.contract.rigs import Rig
from tests.literals import OFFICE, TRIP, caller, expense, founding, member, receipt, seat, setting

UNLINKING: Final = UnlinkMember(group_id=TRIP)


async def test_an_account_that_goes_leaves_a_nameless_guest_and_all_that_was_owed(rig: Rig) -> None:
    await seat_everybody(rig)
    balances = (await group(rig)).balances

    await rig.do("bob", UNLINKING)

    read = await group(rig)
    bob = read.members[member("bob")]
    assert (bob.name.words, bob.account, bob.role, bob.active) == (None, None, Role.MEMBER, True)
    assert read.balances == balances
    with pytest.raises(ThingNotFound):
        await rig.do("bob", expense("Taxi"))


async def test_nothing_is_left_that_tells_who_it_was(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do_once("ann", expense("Taxi"), replace(receipt(), seal=lambda _: TELLING))
    assert "bob" in str(rig.dump())

    await rig.do("bob", UNLINKING)

    dump = str(rig.dump())
    assert "bob" not in dump
    assert str(caller("bob").account_id) not in dump
    with pytest.raises(AnswerErased):
        await rig.do_once("ann", expense("Taxi"), receipt())


TELLING: Final = Sealed(201, (), b"Taxi for bob")


async def test_a_journal_that_forgot_somebody_still_verifies_and_tells_the_group(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("bob", UNLINKING)
    entries, read = await journal(rig), await group(rig)
    assert verify(TRIP, entries, head=recorded.head) == recorded.head
    assert of_no_moment(bare(replay(TRIP, entries, texts_of(read, ())))) == read


async def test_an_owner_who_goes_is_none_any_more(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", Role.OWNER))
    await rig.do("bob", UNLINKING)
    assert (await group(rig)).members[member("bob")].role is Role.MEMBER


async def test_the_last_owner_stays_while_others_with_an_account_are_there(rig: Rig) -> None:
    await seat_everybody(rig)
    before = rig.dump()
    with pytest.raises(LastOwner):
        await rig.do("ann", UNLINKING)
    assert rig.dump() == before


async def test_the_last_account_of_a_group_goes_whatever_its_role(rig: Rig) -> None:
    await seat_everybody(rig)
    for who in ("bob", "vic", "ann"):
        await rig.do(who, UNLINKING)
    assert [await rig.store.links(caller=caller(who)) for who in ("ann", "bob", "vic")] == [[]] * 3


async def test_a_seat_that_was_left_is_forgotten_like_any_other(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", active=False))
    await rig.do("bob", UNLINKING)
    assert "bob" not in str(rig.dump())
    assert (await journal(rig))[-1].actor_id is None


@pytest.mark.parametrize("who", ["cem", "zoe"], ids=["guest", "stranger"])
async def test_who_has_no_seat_has_nothing_to_be_unlinked(rig: Rig, who: str) -> None:
    await seat_everybody(rig)
    with pytest.raises(ThingNotFound):
        await rig.do(who, UNLINKING)


async def test_going_twice_is_going_once(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("bob", UNLINKING)
    before = rig.dump()
    with pytest.raises(ThingNotFound):
        await rig.do("bob", UNLINKING)
    assert rig.dump() == before


async def test_an_account_knows_its_groups_and_where_it_is_needed(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", founding("ann", of=OFFICE))
    await rig.do("ann", seat("bob", active=False))
    anns = await rig.store.links(caller=caller("ann"))
    (bobs,) = await rig.store.links(caller=caller("bob"))
    assert [(link.group_id, link.needs_owner) for link in anns] == sorted(
        [(TRIP, True), (OFFICE, False)]
    )
    assert (bobs.group_id, bobs.needs_owner) == (TRIP, False)


async def test_an_owner_beside_another_is_not_needed(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", Role.OWNER))
    for who in ("ann", "bob"):
        (link,) = await rig.store.links(caller=caller(who))
        assert not link.needs_owner


async def test_a_group_whose_name_was_erased_is_linked_as_before(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.store.erase(TRIP, 1)
    (link,) = await rig.store.links(caller=caller("ann"))
    assert link.needs_owner


async def test_members_stay_in_the_order_in_which_they_came(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", active=False))
    await rig.do("ann", seat("bob", Role.OWNER))
    await rig.do("bob", seat("ann"))
    everybody = [member(name) for name in ("ann", "bob", "vic", "cem")]
    answered = (await rig.do("bob", setting(version=7, name="Oslo"))).answer
    assert list((await group(rig)).members) == list(answered.members) == everybody
