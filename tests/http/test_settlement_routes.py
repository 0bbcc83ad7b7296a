"""Settlements over HTTP: previewed, kept, paid, superseded, voided."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from clearsplit_core.errors import Overloaded
from clearsplit_core.plain import Plain
from clearsplit_core.settlements import Problem, Solution
from clearsplit_http.solver import Solver
from tests.http.api import Answer, Api, Trip, in_list, in_tree, trip


async def dined(api: Api) -> Trip:
    """Ana paid 90.00 EUR for three, so Bo and Cy owe her 30.00 each."""
    lisbon = await trip(api)
    await lisbon.record(amount_minor=9000)
    return lisbon


def only(member: str) -> dict[str, Plain]:
    return {"kind": "equal", "members": [member]}


async def computed(lisbon: Trip, body: Mapping[str, object] | None = None) -> Answer:
    answer = await lisbon.owner.post(lisbon.settlements, body)
    assert answer.status == 201, answer.body
    return answer


def transfers(answer: Answer) -> set[tuple[object, object, object, object]]:
    return {
        (each["from_member_id"], each["to_member_id"], each["amount_minor"], each["currency"])
        for each in in_list(answer.tree["transfers"])
    }


def place(of: Answer, number: int = 0) -> str:
    """The address of one of a settlement's transfers."""
    group = of.headers["location"]
    return f"{group}/transfers/{in_tree(of.tree, 'transfers', number, 'id')}"


# ── The preview ──────────────────────────────────────────────────────────────────────────────────


async def test_a_preview_says_who_should_pay_whom(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record(amount_minor=9000)
    await lisbon.record(
        currency="JPY", paid_by=lisbon.bo, split={"kind": "equal", "members": [lisbon.cy]}
    )
    answer = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    assert transfers(answer) == {
        (lisbon.bo, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.bo, 10000, "JPY"),
    }
    assert (answer.tree["optimal"], answer.tree["lower_bound"]) == (True, 3)
    assert in_tree(answer.tree, "by_currency", "JPY", "lower_bound") == 1
    assert answer.tree["journal"] != recorded.tree["journal"]


async def test_a_settled_group_needs_no_transfer(api: Api) -> None:
    lisbon = await trip(api)
    dinner = (await lisbon.record()).headers["location"]
    await lisbon.owner.sending(if_match='"1"').delete(dinner)
    answer = await lisbon.owner.get(f"{lisbon.settlements}/preview?strategy=fewest")
    assert (answer.tree["transfers"], answer.tree["optimal"]) == ([], True)
    assert answer.tree["by_currency"] == {}


async def test_a_preview_of_the_same_balances_is_solved_once(api: Api) -> None:
    lisbon = await dined(api)
    first = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    await api.server.solver.close()

    again = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    assert again.body == first.body
    assert api.server.solver._process is None

    await lisbon.record(amount_minor=3000)
    moved = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    assert {minor for _, _, minor, _ in transfers(moved)} == {4000}


async def test_a_preview_goes_along_real_debts_where_that_is_asked_for(api: Api) -> None:
    """Bo owes Ana 30.00 and is owed 30.00 by Cy: two debts more than one transfer needs."""
    lisbon = await dined(api)
    await lisbon.record(amount_minor=3000, paid_by=lisbon.bo, split=only(lisbon.cy))
    fewest = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    direct = await lisbon.owner.get(f"{lisbon.settlements}/preview?strategy=direct")
    assert transfers(fewest) == {(lisbon.cy, lisbon.ana, 6000, "EUR")}
    assert transfers(direct) == {
        (lisbon.bo, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.bo, 3000, "EUR"),
    }
    assert [each.tree["optimal"] for each in (fewest, direct)] == [True, None]
    assert direct["strategy"] == "direct"


async def test_a_group_that_does_not_simplify_is_settled_directly(api: Api) -> None:
    lisbon = await dined(api)
    tag = (await lisbon.owner.get(lisbon.path)).etag
    await lisbon.owner.sending(if_match=tag).patch(lisbon.path, {"simplify": False})
    assert (await lisbon.owner.get(f"{lisbon.settlements}/preview"))["strategy"] == "direct"
    assert (await computed(lisbon))["strategy"] == "direct"
    assert (await computed(lisbon, {"strategy": "fewest"}))["strategy"] == "fewest"


@pytest.mark.parametrize("strategy", ["", "most", "Fewest"])
async def test_another_strategy_is_refused_and_not_ignored(memory_api: Api, strategy: str) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.get(f"{lisbon.settlements}/preview?strategy={strategy}")
    assert answer.said == (400, "invalid-query")
    answer = await lisbon.owner.post(lisbon.settlements, {"strategy": strategy})
    assert (answer.said, answer.pointer) == ((422, "unknown-value"), "/strategy")


async def test_a_preview_keeps_what_is_left_of_the_latest_settlement(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    await lisbon.owner.post(f"{place(plan)}/pay")
    preview = await lisbon.owner.get(f"{lisbon.settlements}/preview")
    assert transfers(preview) < transfers(plan)
    assert (len(transfers(preview)), preview.tree["optimal"]) == (1, True)


# ── Keeping it ───────────────────────────────────────────────────────────────────────────────────


async def test_a_settlement_is_answered_whole_and_read_back(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    told = plan.tree
    told.pop("journal")
    assert plan.headers["location"] == f"{lisbon.settlements}/{plan['id']}"
    assert plan.etag == '"1.1"'
    for path in (plan["id"], "latest"):
        assert (await lisbon.owner.get(f"{lisbon.settlements}/{path}")).tree == told
    assert (told["version"], told["revision"], told["seq"]) == (1, 1, 4)
    assert (told["stale"], told["superseded"], told["voided"]) == (False, False, False)
    assert (told["optimal"], told["lower_bound"], told["strategy"]) == (True, 2, "fewest")
    states = {(each["status"], each["payment_id"]) for each in in_list(told["transfers"])}
    assert states == {("open", None)}
    assert in_tree(told, "by_currency", "EUR", "transfers") == told["transfers"]


async def test_before_the_first_there_is_no_latest(api: Api) -> None:
    lisbon = await dined(api)
    assert (await lisbon.owner.get(f"{lisbon.settlements}/latest")).said == (404, "not-found")


async def test_a_settlement_is_kept_once_a_key_and_an_id(api: Api) -> None:
    lisbon = await dined(api)
    body = {"id": str(uuid4())}
    first = await lisbon.owner.post(lisbon.settlements, body, key="plan")
    await lisbon.record()
    again = await lisbon.owner.post(lisbon.settlements, body, key="plan")
    assert (again.body, again.headers["idempotency-replayed"]) == (first.body, "true")
    assert (await lisbon.owner.post(lisbon.settlements, body)).said == (409, "already-exists")


async def test_a_replay_solves_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lisbon = await dined(api)
    first = await lisbon.owner.post(lisbon.settlements, key="plan")

    async def busy(_self: Solver, _problem: Problem) -> Solution:
        raise Overloaded

    monkeypatch.setattr(Solver, "solve", busy)
    assert (await lisbon.owner.post(lisbon.settlements, key="plan")).body == first.body
    overloaded = (503, "temporarily-overloaded")
    assert (await lisbon.owner.post(lisbon.settlements)).said == overloaded


async def test_a_plan_fits_the_balances_of_the_moment_when_it_is_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody records an expense while the first plan is solved; the second one is kept."""
    lisbon = await dined(api)
    solve, rounds = Solver.solve, iter([True, False])

    async def disturbed(self: Solver, problem: Problem) -> Solution:
        if next(rounds):
            await lisbon.record(amount_minor=300)
        return await solve(self, problem)

    monkeypatch.setattr(Solver, "solve", disturbed)
    plan = await computed(lisbon)
    assert transfers(plan) == {
        (lisbon.bo, lisbon.ana, 3100, "EUR"),
        (lisbon.cy, lisbon.ana, 3100, "EUR"),
    }


async def test_who_waited_for_the_solver_solves_the_balances_of_now(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody records an expense while others are solved first: one plan is enough."""
    lisbon = await dined(api)
    turn, solve, solved = Solver.turn, Solver.solve, list[Problem]()

    @asynccontextmanager
    async def late(self: Solver) -> AsyncIterator[None]:
        async with turn(self):
            await lisbon.record(amount_minor=300)
            yield

    async def counted(self: Solver, problem: Problem) -> Solution:
        solved.append(problem)
        return await solve(self, problem)

    monkeypatch.setattr(Solver, "turn", late)
    monkeypatch.setattr(Solver, "solve", counted)
    plan = await computed(lisbon)
    assert {minor for _, _, minor, _ in transfers(plan)} == {3100}
    assert len(solved) == 1


async def test_a_group_that_never_rests_is_not_settled(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lisbon = await dined(memory_api)
    solve, tries = Solver.solve, []

    async def disturbed(self: Solver, problem: Problem) -> Solution:
        tries.append(await lisbon.record(amount_minor=300))
        return await solve(self, problem)

    monkeypatch.setattr(Solver, "solve", disturbed)
    answer = await lisbon.owner.post(lisbon.settlements)
    assert (answer.said, answer.headers["retry-after"]) == ((503, "balances-moved"), "1")
    assert len(tries) == 3


async def test_a_newer_settlement_supersedes_and_both_are_listed(api: Api) -> None:
    lisbon = await dined(api)
    old = await computed(lisbon)
    await lisbon.record(amount_minor=300)
    stale = await lisbon.owner.get(old.headers["location"])
    assert (stale.tree["stale"], stale.tree["superseded"], stale.etag) == (True, False, '"1.1"')
    new = await computed(lisbon)
    assert (new.tree["version"], new.etag) == (2, '"2.1"')
    first = await lisbon.owner.get(f"{lisbon.settlements}?limit=1")
    second = await lisbon.owner.get(
        f"{lisbon.settlements}?limit=1&cursor={first.tree['next_cursor']}"
    )
    listed = [*first.items, *second.items]
    assert [(each["version"], each["superseded"]) for each in listed] == [(2, False), (1, True)]
    refused = await lisbon.owner.post(f"{place(old)}/pay")
    assert refused.said == (409, "settlement-superseded")


async def test_settlements_are_always_sent(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    for path in (plan["id"], "latest"):
        asking = lisbon.owner.sending(if_none_match=plan.etag)
        answer = await asking.get(f"{lisbon.settlements}/{path}")
        assert (answer.status, answer.etag) == (200, plan.etag)


# ── Paying it ────────────────────────────────────────────────────────────────────────────────────


async def test_paying_all_of_it_settles_the_group(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    for number in range(2):
        payment = await lisbon.owner.post(f"{place(plan, number)}/pay")
        assert (payment.status, payment["status"]) == (201, "confirmed")
        assert payment.headers["location"] == f"{lisbon.payments}/{payment['id']}"
        assert payment["settlement_id"] == plan["id"]
        assert payment["date"] == "2026-01-31"
    after = await lisbon.owner.get(plan.headers["location"])
    assert (after.etag, after.tree["stale"]) == ('"1.3"', False)
    assert {each["status"] for each in in_list(after.tree["transfers"])} == {"paid"}
    balances = (await lisbon.owner.get(f"{lisbon.path}/balances")).tree["balances"]
    assert {each["balance_minor"] for each in in_list(balances)} == {0}


async def test_a_transfer_is_paid_as_somebody_says(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    body = {"id": str(uuid4()), "date": "2026-02-14", "memo": "By bank."}
    payment = await lisbon.owner.post(f"{place(plan)}/pay", body)
    assert payment.tree | body == payment.tree


async def test_a_transfer_is_paid_once_until_that_is_voided(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    payment = await lisbon.owner.post(f"{place(plan)}/pay")
    again = await lisbon.owner.post(f"{place(plan)}/pay")
    assert again.said == (409, "transfer-already-paid")
    owner = lisbon.owner.sending(if_match='"1"')
    assert (await owner.post(f"{payment.headers['location']}/void")).status == 200
    assert (await lisbon.owner.post(f"{place(plan)}/pay")).status == 201


async def test_many_pay_a_transfer_at_once_and_one_does(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    answers = await asyncio.gather(*(lisbon.owner.post(f"{place(plan)}/pay") for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 15
    assert len((await lisbon.owner.get(lisbon.payments)).items) == 1


async def test_a_payment_that_waits_is_shown_beside_its_transfer(api: Api) -> None:
    """Bo's debt is Cy's to receive, so Ana's word does not confirm it."""
    lisbon = await trip(api)
    await lisbon.record(amount_minor=3000, paid_by=lisbon.cy, split=only(lisbon.bo))
    tag = (await lisbon.owner.get(lisbon.path)).etag
    asking = lisbon.owner.sending(if_match=tag)
    await asking.patch(lisbon.path, {"payments_need_confirmation": True})
    plan = await computed(lisbon)
    payment = await lisbon.owner.post(f"{place(plan)}/pay")
    waits = await lisbon.owner.get(plan.headers["location"])
    assert (payment["status"], waits.etag) == ("pending", '"1.2"')
    assert in_tree(waits.tree, "transfers", 0, "status") == "pending"
    assert in_tree(waits.tree, "transfers", 0, "payment_id") == payment["id"]
    place_ = payment.headers["location"]
    assert (await lisbon.owner.sending(if_match='"1"').post(f"{place_}/confirm")).status == 200
    paid = await lisbon.owner.get(plan.headers["location"])
    assert (in_tree(paid.tree, "transfers", 0, "status"), paid.etag) == ("paid", '"1.3"')


async def test_a_stale_transfer_that_would_overpay_is_refused(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    await lisbon.pay(amount_minor=100)
    said = {(await lisbon.owner.post(f"{place(plan, n)}/pay")).said for n in range(2)}
    assert said == {(409, "settlement-stale"), (201, "")}


# ── Voiding it ───────────────────────────────────────────────────────────────────────────────────


async def test_a_settlement_is_voided_with_its_tag_and_a_reason(api: Api) -> None:
    lisbon = await dined(api)
    plan = await computed(lisbon)
    at, why = f"{plan.headers['location']}/void", {"reason": "We pay in another way."}
    assert (await lisbon.owner.post(at, why)).said == (428, "precondition-required")
    for tag in ('"1"', '"2.1"', '"1.2"', 'W/"1.1"'):
        stale = await lisbon.owner.sending(if_match=tag).post(at, why)
        assert (stale.said, stale.etag) == ((412, "version-mismatch"), '"1.1"')
    owner = lisbon.owner.sending(if_match='"1.1"')
    assert (await owner.post(at)).said == (400, "invalid-json")
    assert (await owner.post(at, {})).said == (422, "missing-field")
    voided = await owner.post(at, why)
    assert (voided.tree["voided"], voided["void_reason"]) == (True, why["reason"])
    assert voided.etag == '"1.2"'
    assert (await owner.post(at, why)).said == (412, "version-mismatch")
    again = await lisbon.owner.sending(if_match='"1.2"').post(at, why)
    assert again.said == (409, "already-voided")
    assert (await lisbon.owner.post(f"{place(plan)}/pay")).said == (409, "settlement-superseded")
    assert (await lisbon.owner.get(f"{lisbon.settlements}/latest")).tree["voided"] is True


async def test_the_tag_of_a_settlement_is_none_of_an_expense(api: Api) -> None:
    lisbon = await trip(api)
    dinner = (await lisbon.record()).headers["location"]
    answer = await lisbon.owner.sending(if_match='"1.1"').delete(dinner)
    assert (answer.said, answer.etag) == ((412, "version-mismatch"), '"1"')
