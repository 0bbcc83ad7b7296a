"""What every store promises about limits: attempts are counted over everybody who shares it."""

import asyncio
from dataclasses import replace
from typing import Final

from clearsplit_core.limits import Quota
from tests.contract.rigs import Rig

THREE: Final = Quota("knock", 3, 60)


async def test_the_quota_is_granted_and_no_more(rig: Rig) -> None:
    answers = [await rig.store.attempt(THREE, "ann") for _ in range(5)]
    assert [one.granted for one in answers] == [True, True, True, False, False]
    assert [one.left for one in answers] == [2, 1, 0, 0, 0]
    assert {one.resets_in_s for one in answers} == {60}


async def test_others_and_other_things_are_counted_apart(rig: Rig) -> None:
    for _ in range(3):
        await rig.store.attempt(THREE, "ann")
    assert (await rig.store.attempt(THREE, "bob")).left == 2
    assert (await rig.store.attempt(replace(THREE, name="ring"), "ann")).left == 2
    assert not (await rig.store.attempt(THREE, "ann")).granted


async def test_a_window_ends_and_refused_attempts_make_it_no_longer(rig: Rig) -> None:
    await rig.store.attempt(THREE, "ann")
    rig.clock.turn(seconds=59)
    assert [(await rig.store.attempt(THREE, "ann")).granted for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    rig.clock.turn(seconds=1)
    again = await rig.store.attempt(THREE, "ann")
    assert (again.granted, again.left, again.resets_in_s) == (True, 2, 60)


async def test_all_workers_count_together(rig: Rig) -> None:
    many = replace(THREE, attempts_max=20)
    async with rig.elsewhere() as there:
        answers = await asyncio.gather(
            *(store.attempt(many, "ann") for store in (rig.store, there) for _ in range(20))
        )
    assert sum(one.granted for one in answers) == 20
    assert sorted(one.left for one in answers) == [0] * 21 + list(range(1, 20))
