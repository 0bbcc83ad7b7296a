"""Settlement previews, and the process that solves them."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest

from clearsplit_core.errors import Overloaded
from clearsplit_http import solver as solver_module
from clearsplit_http.solver import Solver
from tests.http.api import Api, in_list, in_tree, trip

DAY = {uuid4(): 5000, uuid4(): -3000, uuid4(): -2000}


async def test_a_preview_says_who_should_pay_whom(api: Api) -> None:
    lisbon = await trip(api)
    recorded = await lisbon.record(amount_minor=9000)
    await lisbon.record(
        currency="JPY", paid_by=lisbon.bo, split={"kind": "equal", "members": [lisbon.cy]}
    )
    answer = await lisbon.owner.get(f"{lisbon.path}/settlements/preview")
    paid = {
        (each["from_member_id"], each["to_member_id"], each["amount_minor"], each["currency"])
        for each in in_list(answer.tree["transfers"])
    }
    assert paid == {
        (lisbon.bo, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.ana, 3000, "EUR"),
        (lisbon.cy, lisbon.bo, 10000, "JPY"),
    }
    assert (answer.tree["optimal"], answer.tree["lower_bound"]) == (True, 3)
    assert in_tree(answer.tree, "by_currency", "JPY", "lower_bound") == 1
    assert answer.tree["journal"] != recorded.tree["journal"]


async def test_a_settled_group_needs_no_transfer(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    await lisbon.owner.sending(if_match='"1"').delete(place)
    answer = await lisbon.owner.get(f"{lisbon.path}/settlements/preview?strategy=fewest")
    assert (answer.tree["transfers"], answer.tree["optimal"]) == ([], True)
    assert answer.tree["by_currency"] == {}


@pytest.mark.parametrize("strategy", ["direct", "", "most"])
async def test_another_strategy_is_refused_and_not_ignored(memory_api: Api, strategy: str) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.get(f"{lisbon.path}/settlements/preview?strategy={strategy}")
    assert answer.said == (400, "invalid-query")


# ── The process ──────────────────────────────────────────────────────────────────────────────────


async def test_a_thousand_members_fit() -> None:
    solver = Solver()
    balances = {uuid4(): 10**15 * sign for sign in (1, -1) for _ in range(500)}
    solved = await solver.solve(balances)
    assert len(solved.transfers) == 500
    await solver.close()


async def test_a_solver_that_was_killed_is_replaced() -> None:
    solver = Solver()
    first = await solver.solve(DAY)
    process = solver._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await solver.solve(DAY) == first
    await solver.close()


async def test_a_solver_that_dies_at_work_is_busy_and_then_replaced() -> None:
    solver = Solver()
    await solver.solve(DAY)
    process = solver._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(solver.solve(DAY))
    await asyncio.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(Overloaded):
        await waiting
    assert (await solver.solve(DAY)).lower_bound == 2
    await solver.close()


async def test_a_solver_that_takes_too_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Solver()
    await solver.solve(DAY)
    process = solver._process
    assert process is not None
    monkeypatch.setattr(solver_module, "SOLVE_S_MAX", 0.1)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(Overloaded):
        await solver.solve(DAY)
    assert process.returncode is not None
    await solver.close()


async def test_an_answer_that_nobody_waits_for_is_not_given_to_the_next() -> None:
    solver = Solver()
    await solver.solve(DAY)
    left = asyncio.create_task(solver.solve({uuid4(): 1, uuid4(): -1}))
    await asyncio.sleep(0)
    left.cancel()
    solved = await solver.solve(DAY)
    assert {minor for _, _, minor in solved.transfers} == {3000, 2000}
    await solver.close()


async def test_only_so_many_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver_module, "WAITING_MAX", 2)
    solver = Solver()
    answers = await asyncio.gather(*(solver.solve(DAY) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Overloaded) == 2
    await solver.close()


async def test_no_process_is_left() -> None:
    solver = Solver()
    await solver.solve(DAY)
    process = solver._process
    assert process is not None
    await solver.close()
    assert process.returncode == -signal.SIGKILL
