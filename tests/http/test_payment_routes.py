"""Payments over HTTP: recorded, confirmed, voided, listed."""

import asyncio
from uuid import UUID, uuid4

import pytest

from clearsplit_core.plain import Plain
from tests.http.api import Answer, Api, Person, Trip, in_list, trip


async def dined(api: Api) -> Trip:
    """Ana paid 90.00 EUR for three, so Bo and Cy owe her 30.00 each."""
    lisbon = await trip(api)
    await lisbon.record(amount_minor=9000)
    return lisbon


async def balances(lisbon: Trip) -> dict[object, object]:
    answer = await lisbon.owner.get(f"{lisbon.path}/balances")
    return {each["member_id"]: each["balance_minor"] for each in in_list(answer.tree["balances"])}


async def test_a_payment_is_answered_whole_and_read_back(api: Api) -> None:
    lisbon = await dined(api)
    chosen = str(uuid4())
    answer = await lisbon.pay(id=chosen, memo="Cash, at the door.")
    place = f"{lisbon.payments}/{chosen}"
    assert (answer.headers["location"], answer.etag) == (place, '"1"')
    told = answer.tree
    assert told.pop("journal") == {"seq": 5, "head": (await head(lisbon))}
    assert told == (await lisbon.owner.get(place)).tree
    assert told | lisbon.cash(memo="Cash, at the door.") == told
    assert (told["id"], told["status"], told["recorded_by"]) == (chosen, "confirmed", lisbon.ana)
    assert await balances(lisbon) == {lisbon.ana: 4000, lisbon.bo: -1000, lisbon.cy: -3000}


async def head(lisbon: Trip) -> object:
    items = (await lisbon.owner.get(f"{lisbon.path}/journal")).items
    return items[-1]["hash"]


async def test_a_payment_is_recorded_once_a_key_and_an_id(api: Api) -> None:
    lisbon = await dined(api)
    body = lisbon.cash(id=str(uuid4()))
    first = await lisbon.owner.post(lisbon.payments, body, key="cash")
    again = await lisbon.owner.post(lisbon.payments, body, key="cash")
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert (await lisbon.owner.post(lisbon.payments, body)).said == (409, "already-exists")


async def test_a_void_gives_everything_back(api: Api) -> None:
    lisbon = await dined(api)
    before = await balances(lisbon)
    place = (await lisbon.pay()).headers["location"]
    owner = lisbon.owner.sending(if_match='"1"')
    voided = await owner.post(f"{place}/void", {"reason": "It was for the taxi."})
    assert (voided.status, voided["status"], voided.etag) == (200, "voided", '"2"')
    assert voided["void_reason"] == "It was for the taxi."
    assert await balances(lisbon) == before
    assert (await owner.post(f"{place}/void")).said == (412, "version-mismatch")
    again = await lisbon.owner.sending(if_match='"2"').post(f"{place}/void")
    assert again.said == (409, "already-voided")


async def test_what_may_be_left_out_needs_no_body_and_no_media_type(api: Api) -> None:
    lisbon = await dined(api)
    place = (await lisbon.pay()).headers["location"]
    key, tag = ("idempotency-key", "v"), ("if-match", '"1"')
    assert (await lisbon.owner.raw("POST", f"{place}/void", b"", key, tag)).status == 200


async def test_confirm_and_void_need_the_version(api: Api) -> None:
    lisbon = await dined(api)
    place = (await lisbon.pay()).headers["location"]
    for act in ("confirm", "void"):
        assert (await lisbon.owner.post(f"{place}/{act}")).said == (428, "precondition-required")
        stale = await lisbon.owner.sending(if_match='"2"').post(f"{place}/{act}")
        assert (stale.said, stale.etag) == ((412, "version-mismatch"), '"1"')
        body = await lisbon.owner.sending(if_match='"2"').post(f"{place}/{act}", {"why": "so"})
        assert body.said == (422, "unknown-field")


async def test_more_than_is_owed_must_be_meant(api: Api) -> None:
    lisbon = await dined(api)
    answer = await lisbon.owner.post(lisbon.payments, lisbon.cash(amount_minor=3001))
    assert (answer.said, answer.pointer) == ((422, "overpayment"), "/amount_minor")
    assert "0.01 EUR (1 in minor units) more" in answer["detail"]
    await lisbon.pay(amount_minor=3001, allow_overpay=True)


WRONG: dict[str, tuple[dict[str, Plain], str, str]] = {
    "zero": ({"amount_minor": 0}, "amount-zero", "/amount_minor"),
    "below zero": ({"amount_minor": -1}, "amount-negative", "/amount_minor"),
    "too large": ({"amount_minor": 10**15 + 1}, "out-of-range", "/amount_minor"),
    "no currency": ({"currency": "EUX"}, "unknown-currency", "/currency"),
    "a stranger": ({"to_member_id": str(UUID(int=1))}, "unknown-member", "/to_member_id"),
    "no date": ({"date": "31.01.2026"}, "bad-format", "/date"),
    "an empty memo": ({"memo": ""}, "bad-text", "/memo"),
    "no id of ours": ({"id": str(UUID(int=1))}, "bad-id", "/id"),
    "a text for yes": ({"allow_overpay": "yes"}, "wrong-type", "/allow_overpay"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_with_a_payment_is_told_with_its_field(
    memory_api: Api, case: str
) -> None:
    lisbon = await dined(memory_api)
    changes, code, pointer = WRONG[case]
    answer = await lisbon.owner.post(lisbon.payments, lisbon.cash(**changes))
    assert (answer.said, answer.pointer) == ((422, code), pointer)


async def test_nobody_pays_themselves(memory_api: Api) -> None:
    lisbon = await dined(memory_api)
    answer = await lisbon.owner.post(lisbon.payments, lisbon.cash(to_member_id=lisbon.bo))
    assert (answer.said, answer.pointer) == ((422, "pays-themselves"), "/to_member_id")


# ── Waiting ──────────────────────────────────────────────────────────────────────────────────────


async def waiting(lisbon: Trip, amount_minor: int = 2000) -> Answer:
    """A payment from Bo that waits for Cy."""
    tag = (await lisbon.owner.get(lisbon.path)).etag
    asking = lisbon.owner.sending(if_match=tag)
    changed = await asking.patch(lisbon.path, {"payments_need_confirmation": True})
    assert changed.status == 200, changed.body
    return await lisbon.pay(to_member_id=lisbon.cy, amount_minor=amount_minor)


async def test_a_pending_payment_moves_nothing_until_it_is_confirmed(api: Api) -> None:
    lisbon = await dined(api)
    before = await balances(lisbon)
    recorded = await waiting(lisbon)
    assert (recorded["status"], await balances(lisbon)) == ("pending", before)
    place = recorded.headers["location"]
    confirmed = await lisbon.owner.sending(if_match='"1"').post(f"{place}/confirm")
    assert (confirmed.status, confirmed["status"], confirmed.etag) == (200, "confirmed", '"2"')
    assert await balances(lisbon) == {lisbon.ana: 6000, lisbon.bo: -1000, lisbon.cy: -5000}
    again = await lisbon.owner.sending(if_match='"2"').post(f"{place}/confirm")
    assert again.said == (409, "already-confirmed")


async def test_two_that_wait_cannot_pay_one_debt(api: Api) -> None:
    lisbon = await dined(api)
    await waiting(lisbon, amount_minor=2500)
    second = await lisbon.owner.post(lisbon.payments, lisbon.cash(amount_minor=2500))
    assert (second.said, "20.00 EUR" in second["detail"]) == ((422, "overpayment"), True)


async def test_confirm_and_void_at_once_and_one_of_them_wins(api: Api) -> None:
    lisbon = await dined(api)
    place = (await waiting(lisbon)).headers["location"]
    owner = lisbon.owner.sending(if_match='"1"')
    answers = await asyncio.gather(owner.post(f"{place}/confirm"), owner.post(f"{place}/void"))
    assert sorted(answer.status for answer in answers) == [200, 412]


# ── The list ─────────────────────────────────────────────────────────────────────────────────────


async def test_payments_come_latest_first_and_voided_ones_when_asked_for(api: Api) -> None:
    lisbon = await dined(api)
    one, two, three = [await lisbon.pay(amount_minor=minor) for minor in (100, 200, 300)]
    await lisbon.owner.sending(if_match='"1"').post(f"{two.headers['location']}/void")
    assert await listed(lisbon.owner, lisbon.payments) == [three["id"], one["id"]]
    assert await listed(lisbon.owner, f"{lisbon.payments}?status=voided") == [two["id"]]
    assert await listed(lisbon.owner, f"{lisbon.payments}?status=pending") == []
    odd = await lisbon.owner.get(f"{lisbon.payments}?status=odd")
    assert odd.said == (400, "invalid-query")


async def test_the_link_to_the_next_page_asks_for_the_same(api: Api) -> None:
    lisbon = await dined(api)
    paid = [(await lisbon.pay(amount_minor=minor))["id"] for minor in (100, 200, 300)]
    first = await lisbon.owner.get(f"{lisbon.payments}?status=confirmed&limit=2")
    following = first.headers["link"].partition("<")[2].partition(">")[0]
    assert "status=confirmed" in following
    second = await lisbon.owner.get(following)
    assert [each["id"] for each in (*first.items, *second.items)] == paid[::-1]
    assert second.tree["next_cursor"] is None


async def listed(person: Person, path: str) -> list[object]:
    return [each["id"] for each in (await person.get(path)).items]
