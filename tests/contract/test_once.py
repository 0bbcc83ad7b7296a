"""What every store promises about doing things once: one effect and the same bytes for a key."""

import asyncio
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    AnswerErased,
    InsufficientRole,
    KeyInProgress,
    KeyReused,
    ThingNotFound,
)
from clearsplit_core.expenses import Changes
from clearsplit_core.ports import Recorded, Sealed
from clearsplit_core.records import Role
from tests.contract.questions import (
    at_the_same_time,
    expense_of,
    group,
    journal,
    meanwhile,
    seat_everybody,
)
from tests.contract.rigs import Rig
from tests.literals import (
    OFFICE,
    TRIP,
    caller,
    expense,
    founding,
    receipt,
    revise,
    seal,
    seat,
    void,
)

TAXI: Final = expense("Taxi", "30.00 EUR", by="bob", among="ann bob")


class SealBroke(Exception):
    """An answer that could not be sealed."""


def broken_seal(_: Recorded[object]) -> Sealed:
    raise SealBroke


# ── The same again ───────────────────────────────────────────────────────────────────────────────


async def test_the_same_request_again_gets_the_same_bytes_and_does_nothing(rig: Rig) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", TAXI, receipt())
    before = rig.dump()

    again = await rig.do_once("bob", TAXI, receipt())

    assert (first.replayed, again) == (False, replace(first, replayed=True))
    assert rig.dump() == before


async def test_what_is_sealed_is_the_answer_and_the_head_with_it_in(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded: list[Recorded[object]] = []

    def watched_seal(told: Recorded[object]) -> Sealed:
        recorded.append(told)
        return seal(told)

    await rig.do_once("bob", TAXI, replace(receipt(), seal=watched_seal))

    assert [one.answer for one in recorded] == [await expense_of(rig, "Taxi")]
    assert [one.head for one in recorded] == [(await group(rig)).head]


async def test_sealed_bytes_are_opaque_and_headers_keep_their_order(rig: Rig) -> None:
    await seat_everybody(rig)
    headers = (("etag", '"1"'), ("link", "</b>"), ("link", "</a>"), ("x-name", "Łódź\t'\""))
    answer = Sealed(201, headers, b"\x00\xff\\'{}%s\n")
    first = await rig.do_once("bob", TAXI, replace(receipt(), seal=lambda _: answer))
    again = await rig.do_once("bob", TAXI, receipt())
    assert (first, again) == (answer, replace(answer, replayed=True))


async def test_the_same_request_is_known_by_its_fingerprint_whatever_ids_it_would_use(
    rig: Rig,
) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", TAXI, receipt())
    again = await rig.do_once("bob", expense("Another id"), receipt())
    assert again.body == first.body
    assert len(await journal(rig)) == 6


async def test_an_answer_outlives_what_happens_later(rig: Rig) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", TAXI, receipt())
    await rig.do("bob", void("Taxi"))
    assert (await rig.do_once("bob", TAXI, receipt())).body == first.body
    assert (await expense_of(rig, "Taxi")).voided


async def test_founding_a_group_is_done_once_as_well(rig: Rig) -> None:
    first = await rig.do_once("ann", founding("ann"), receipt())
    again = await rig.do_once("ann", founding("ann"), receipt())
    assert again == replace(first, replayed=True)
    assert len(await journal(rig)) == 1


async def test_a_group_that_is_there_is_not_founded_under_another_key(rig: Rig) -> None:
    await rig.do_once("ann", founding("ann"), receipt("one"))
    with pytest.raises(AlreadyExists):
        await rig.do_once("ann", founding("ann"), receipt("two"))


# ── At the same time ─────────────────────────────────────────────────────────────────────────────


async def test_twenty_of_the_same_at_once_have_one_effect_and_one_answer(rig: Rig) -> None:
    await seat_everybody(rig)
    async with rig.elsewhere() as there:
        outcomes = await asyncio.gather(
            *(rig.do_once("bob", TAXI, receipt()) for _ in range(10)),
            *(there.perform_once(TAXI, caller=caller("bob"), receipt=receipt()) for _ in range(10)),
            return_exceptions=True,
        )

    again = await rig.do_once("bob", TAXI, receipt())
    sealed = [one for one in outcomes if isinstance(one, Sealed)]
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    assert {one.body for one in sealed} == {again.body}
    assert [one.replayed for one in sealed].count(False) == 1
    assert set(refused) <= {KeyInProgress}
    assert len(await journal(rig)) == 6


async def test_twenty_foundings_at_once_have_one_effect_and_one_answer(rig: Rig) -> None:
    outcomes = await asyncio.gather(
        *(rig.do_once("ann", founding("ann"), receipt()) for _ in range(20)),
        return_exceptions=True,
    )
    again = await rig.do_once("ann", founding("ann"), receipt())
    sealed = [one for one in outcomes if isinstance(one, Sealed)]
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    assert {one.body for one in sealed} == {again.body}
    assert set(refused) <= {KeyInProgress}
    assert len(await journal(rig)) == 1


async def test_twenty_keys_at_once_have_twenty_effects(rig: Rig) -> None:
    await seat_everybody(rig)
    await asyncio.gather(
        *(rig.do_once("bob", expense(f"Taxi {n}"), receipt(f"key {n}")) for n in range(20))
    )
    assert len(await journal(rig)) == 25


async def test_whoever_comes_while_the_first_still_runs_is_told_so_at_once(rig: Rig) -> None:
    await seat_everybody(rig)
    told: list[BaseException | None] = []

    async def ask_again() -> None:
        async with rig.elsewhere() as there:
            await there.perform_once(TAXI, caller=caller("bob"), receipt=receipt())

    def slow_seal(recorded: Recorded[object]) -> Sealed:
        told.append(at_the_same_time(ask_again))
        return seal(recorded)

    await rig.do_once("bob", TAXI, replace(receipt(), seal=slow_seal))

    assert [type(one) for one in told] == [KeyInProgress]
    assert (await rig.do_once("bob", TAXI, receipt())).replayed


# ── Another request, another caller, another group ───────────────────────────────────────────────


async def test_another_request_under_the_key_is_refused_and_changes_nothing(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do_once("bob", TAXI, receipt("key", "this"))
    before = rig.dump()
    with pytest.raises(KeyReused):
        await rig.do_once("bob", expense("Train"), receipt("key", "that"))
    assert rig.dump() == before


async def test_another_request_under_another_key_is_done(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do_once("bob", TAXI, receipt("one"))
    train = await rig.do_once("bob", expense("Train"), receipt("two"))
    assert train.replayed is False


async def test_a_key_is_its_callers_own(rig: Rig) -> None:
    await seat_everybody(rig)
    bobs = await rig.do_once("bob", TAXI, receipt("key", "this"))
    anns = await rig.do_once("ann", expense("Train"), receipt("key", "that"))
    assert anns.replayed is False
    assert anns.body != bobs.body


async def test_a_key_is_of_one_group(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("bob", founding("bob", of=OFFICE))
    await rig.do_once("bob", TAXI, receipt("key", "this"))
    pens = expense("Pens", by="bob", among="bob", of=OFFICE)
    assert (await rig.do_once("bob", pens, receipt("key", "that"))).replayed is False


@pytest.mark.parametrize("key", ["k", "k" * 255, " k ", "K", "k'; --", "%s", "ключ", "\\x00"])
async def test_a_key_may_be_any_text_and_is_taken_literally(rig: Rig, key: str) -> None:
    await seat_everybody(rig)
    await rig.do_once("bob", TAXI, receipt(f"{key}."))
    first = await rig.do_once("bob", expense("Train"), receipt(key))
    again = await rig.do_once("bob", expense("Train"), receipt(key))
    assert (first.replayed, again) == (False, replace(first, replayed=True))


# ── When it is refused, or fails ─────────────────────────────────────────────────────────────────


async def test_a_failing_seal_leaves_every_byte_as_it_was_and_the_key_is_free(rig: Rig) -> None:
    await seat_everybody(rig)
    before = rig.dump()
    with pytest.raises(SealBroke):
        await rig.do_once("bob", TAXI, replace(receipt(), seal=broken_seal))
    assert rig.dump() == before
    assert (await rig.do_once("bob", TAXI, receipt())).replayed is False


async def test_a_failing_seal_founds_nothing_and_the_key_is_free(rig: Rig) -> None:
    before = rig.dump()
    with pytest.raises(SealBroke):
        await rig.do_once("ann", founding("ann"), replace(receipt(), seal=broken_seal))
    assert rig.dump() == before
    assert (await rig.do_once("ann", founding("ann"), receipt())).replayed is False


async def test_a_refusal_is_not_sealed(rig: Rig) -> None:
    await seat_everybody(rig)
    with pytest.raises(InsufficientRole):
        await rig.do_once("vic", TAXI, receipt())
    await rig.do("ann", seat("vic", Role.MEMBER))
    assert (await rig.do_once("vic", TAXI, receipt())).replayed is False


# ── When the caller has lost what they had ───────────────────────────────────────────────────────


async def test_whoever_has_left_still_gets_the_answer_to_what_they_did(rig: Rig) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", TAXI, receipt())
    await rig.do("ann", seat("bob", active=False))
    assert await rig.do_once("bob", TAXI, receipt()) == replace(first, replayed=True)


async def test_whoever_left_by_their_own_request_gets_its_answer_again(rig: Rig) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", seat("bob", active=False), receipt())
    again = await rig.do_once("bob", seat("bob", active=False), receipt())
    assert again == replace(first, replayed=True)


async def test_whoever_has_left_gets_nothing_for_a_new_key(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do_once("bob", TAXI, receipt("one"))
    await rig.do("ann", seat("bob", active=False))
    with pytest.raises(ThingNotFound):
        await rig.do_once("bob", expense("Train"), receipt("two"))


async def test_whoever_may_only_look_on_now_still_gets_the_answer_to_what_they_did(
    rig: Rig,
) -> None:
    await seat_everybody(rig)
    first = await rig.do_once("bob", TAXI, receipt())
    await rig.do("ann", seat("bob", Role.VIEWER))
    assert (await rig.do_once("bob", TAXI, receipt())).body == first.body


async def test_erasing_forgets_the_answer_that_told_the_text_and_not_that_it_was_given(
    rig: Rig,
) -> None:
    await seat_everybody(rig)
    answer = Sealed(201, (), b"Taxi")
    await rig.do_once("bob", TAXI, replace(receipt(), seal=lambda _: answer))

    await rig.store.erase(TRIP, 6)

    with pytest.raises(AnswerErased):
        await rig.do_once("bob", TAXI, receipt())
    assert "Taxi" not in str(rig.dump())
    assert len(await journal(rig)) == 6


async def test_what_is_erased_meanwhile_does_not_come_back(rig: Rig) -> None:
    """A correction that read a title before it was erased must not write it down again after."""
    await seat_everybody(rig)
    erasing: list[Future[BaseException | None]] = []

    async def erase() -> None:
        async with rig.elsewhere() as there:
            await there.erase(TRIP, 5)

    def slow_seal(recorded: Recorded[object]) -> Sealed:
        erasing.append(meanwhile(erase))
        wait(erasing, timeout=0.5)
        return replace(seal(recorded), body=b"Dinner")

    cheaper = revise("Dinner", Changes(amount_minor=3_000))
    await rig.do_once("ann", cheaper, replace(receipt(), seal=slow_seal))
    outcomes = [await asyncio.wrap_future(one) for one in erasing]

    assert outcomes == [None]
    assert (await expense_of(rig, "Dinner")).terms.title.words is None
    with pytest.raises(AnswerErased):
        await rig.do_once("ann", cheaper, receipt())
