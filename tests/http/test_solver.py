"""The process that solves settlements: one at a time, replaced when it dies, never left behind."""

import asyncio
import os
import signal
from typing import Final

import pytest

from clearsplit_core.errors import Overloaded
from clearsplit_core.records import Strategy
from clearsplit_core.settlement import Transfer
from clearsplit_core.settlements import Problem, Solution, solve
from clearsplit_core.splits import Part
from clearsplit_http import solver as solver_module
from clearsplit_http.solver import Solver
from tests.literals import member


def owed(*balances: int, strategy: Strategy = Strategy.FEWEST) -> Problem:
    """What is to be settled where so much is owed; directly, everybody owes the first."""
    named = tuple(Part(member(str(n)), minor) for n, minor in enumerate(balances))
    first, *others = named
    return Problem(
        currency="EUR",
        strategy=strategy,
        balances=named,
        debts=tuple(
            Transfer(each.member_id, first.member_id, -each.amount_minor) for each in others
        )
        if strategy is Strategy.DIRECT
        else (),
        keep=(),
    )


async def solved(solver: Solver, problem: Problem) -> Solution:
    """Solved in a turn of its own."""
    async with solver.turn():
        return await solver.solve(problem)


DAY: Final = owed(5000, -3000, -2000)


@pytest.mark.parametrize("strategy", Strategy)
async def test_the_process_says_what_the_rules_say(strategy: Strategy) -> None:
    problem = owed(26, -11, -9, -6, strategy=strategy)
    solver = Solver()
    assert await solved(solver, problem) == solve(problem)
    await solver.close()


async def test_a_thousand_members_fit() -> None:
    solver = Solver()
    solution = await solved(solver, owed(*[10**15] * 500, *[-(10**15)] * 500))
    assert len(solution.transfers) == 500
    await solver.close()


async def test_a_solver_that_was_killed_is_replaced() -> None:
    solver = Solver()
    first = await solved(solver, DAY)
    process = solver._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert await solved(solver, DAY) == first
    await solver.close()


async def test_a_solver_that_dies_at_work_is_busy_and_then_replaced() -> None:
    solver = Solver()
    await solved(solver, DAY)
    process = solver._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(solved(solver, DAY))
    await asyncio.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(Overloaded):
        await waiting
    assert (await solved(solver, DAY)).plan.lower_bound == 2
    await solver.close()


async def test_a_solver_that_takes_too_long_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = Solver()
    await solved(solver, DAY)
    process = solver._process
    assert process is not None
    monkeypatch.setattr(solver_module, "SOLVE_S_MAX", 0.1)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(Overloaded):
        await solved(solver, DAY)
    assert process.returncode is not None
    await solver.close()


async def test_an_answer_that_nobody_waits_for_is_not_given_to_the_next() -> None:
    solver = Solver()
    await solved(solver, DAY)
    left = asyncio.create_task(solved(solver, owed(1, -1)))
    await asyncio.sleep(0)
    left.cancel()
    solution = await solved(solver, DAY)
    assert {each.amount_minor for each in solution.transfers} == {3000, 2000}
    await solver.close()


async def test_only_so_many_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver_module, "WAITING_MAX", 2)
    solver = Solver()
    answers = await asyncio.gather(*(solved(solver, DAY) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Overloaded) == 2
    await solver.close()


async def test_the_latest_solutions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver_module, "KNOWN_MAX", 2)
    solver = Solver()
    assert solver.known(DAY) is None
    solution = await solved(solver, DAY)
    await solved(solver, owed(1, -1))
    assert solver.known(DAY) == solution  # and is the latest used by that
    await solved(solver, owed(2, -2))
    assert (solver.known(DAY), solver.known(owed(1, -1))) == (solution, None)
    await solver.close()


async def test_no_solution_of_a_large_group_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver_module, "KNOWN_MEMBERS_MAX", 3)
    solver = Solver()
    large = owed(3, -1, -1, -1)
    await solved(solver, large)
    assert solver.known(large) is None
    await solver.close()


async def test_no_process_is_left() -> None:
    solver = Solver()
    await solved(solver, DAY)
    process = solver._process
    assert process is not None
    await solver.close()
    assert process.returncode == -signal.SIGKILL
