"""Routes of settlements: what would settle the group, keeping that as a plan, and paying it."""

from contextlib import suppress

import msgspec

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    BadText,
    BalanceOutOfRange,
    BalancesMoved,
    Overloaded,
    Overpayment,
    SettlementStale,
    SettlementSuperseded,
    SettlementTooLarge,
    TooManyPending,
    TransferAlreadyPaid,
)
from clearsplit_core.group import Group
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import (
    Settlements,
    TheLatestSettlement,
    TheSettlement,
    ToSettle,
)
from clearsplit_core.records import Strategy
from clearsplit_core.settlements import NOTHING_TO_PAY, Solutions, problems, strategy_of
from clearsplit_http.access import (
    members,
    payers_of_the_transfer,
    recorders,
    voiders_of_the_settlement,
)
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId, BadQuery
from clearsplit_http.solver import Solver
from clearsplit_http.wire.payments import PaymentAnswer
from clearsplit_http.wire.resources import Nothing, Page
from clearsplit_http.wire.settlements import (
    NewSettlement,
    PreviewAnswer,
    SettlementAnswer,
    SettlementVoiding,
    TransferPayment,
)

SOLVED_MAX = 3
"""Plans that are solved for one request before it is sent away because the balances moved."""


@operation(
    "GET",
    "/groups/{group_id}/settlements/preview",
    takes=Nothing,
    gives=PreviewAnswer,
    door=members,
    query={
        "strategy": "fewest: as few transfers as can be; direct: along what members really owe each"
        " other. Without it as the group does."
    },
    refuses=(Overloaded, SettlementTooLarge),
)
async def preview_settlement(asked: Asked[Nothing]) -> Sealed:
    """What would settle the group, with a proof or a bound.

    What is left of the latest settlement stays as it is where it still clears the balances.
    """
    wanted = _strategy(asked.query.get("strategy"))
    group = await asked.read(ToSettle(asked.group_id))
    strategy = wanted or strategy_of(group)
    solutions = await _solved_in_turn(asked.server.solver, group, strategy)
    return Sealed(200, (), msgspec.json.encode(PreviewAnswer.of(group, strategy, solutions)))


@operation(
    "POST",
    "/groups/{group_id}/settlements",
    takes=NewSettlement,
    gives=SettlementAnswer,
    status=201,
    door=recorders,
    refuses=(AlreadyExists, BadId, BalancesMoved, Overloaded, SettlementTooLarge),
)
async def compute_settlement(asked: Asked[NewSettlement]) -> Sealed:
    """Keep what settles the group now as its next settlement, which is the one to pay."""
    return await _recorded(asked)


@operation(
    "GET",
    "/groups/{group_id}/settlements",
    takes=Nothing,
    gives=Page[SettlementAnswer],
    door=members,
    query=PAGE_QUERY,
)
async def list_settlements(asked: Asked[Nothing]) -> Sealed:
    """The group's settlements, the latest first; superseded and voided ones are among them."""
    before = asked.position()
    return asked.page(
        await asked.read(
            Settlements(
                asked.group_id,
                before_version=int(before) if before else None,
                limit=asked.limit + 1,
            )
        ),
        SettlementAnswer.of,
        lambda now: str(now.settlement.version),
    )


@operation(
    "GET",
    "/groups/{group_id}/settlements/latest",
    takes=Nothing,
    gives=SettlementAnswer,
    door=members,
)
async def get_latest_settlement(asked: Asked[Nothing]) -> Sealed:
    """The settlement that was computed last, also when it was voided."""
    return asked.found(SettlementAnswer.of(await asked.read(TheLatestSettlement(asked.group_id))))


@operation(
    "GET",
    "/groups/{group_id}/settlements/{settlement_id}",
    takes=Nothing,
    gives=SettlementAnswer,
    door=members,
)
async def get_settlement(asked: Asked[Nothing]) -> Sealed:
    """A settlement, also one that was superseded or voided."""
    return asked.found(
        SettlementAnswer.of(
            await asked.read(TheSettlement(asked.group_id, asked.ids.settlement_id))
        )
    )


@operation(
    "POST",
    "/groups/{group_id}/settlements/{settlement_id}/transfers/{transfer_id}/pay",
    takes=TransferPayment,
    gives=PaymentAnswer,
    status=201,
    door=payers_of_the_transfer,
    refuses=(
        AlreadyExists,
        BadId,
        BadText,
        BalanceOutOfRange,
        Overpayment,
        SettlementStale,
        SettlementSuperseded,
        TooManyPending,
        TransferAlreadyPaid,
    ),
)
async def pay_transfer(asked: Asked[TransferPayment]) -> Sealed:
    """Record that a transfer of the latest settlement was paid.

    The answer is the payment, which is pending where the group asks for confirmation. A transfer is
    paid once; voiding its payment opens it again.
    """
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.pay(asked.group_id, asked.ids.settlement_id, asked.ids.transfer_id)
        ),
        caller=asked.caller,
        receipt=asked.receipt(PaymentAnswer.of, beneath=f"/groups/{asked.group_id}/payments"),
    )


@operation(
    "POST",
    "/groups/{group_id}/settlements/{settlement_id}/void",
    takes=SettlementVoiding,
    gives=SettlementAnswer,
    door=voiders_of_the_settlement,
    versioned=True,
    refuses=(AlreadyVoided, BadText),
)
async def void_settlement(asked: Asked[SettlementVoiding]) -> Sealed:
    """Pay nothing more of a settlement. What was paid stays paid, and its history stays."""
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.void(asked.group_id, asked.ids.settlement_id, asked.expected_tag)
        ),
        caller=asked.caller,
        receipt=asked.receipt(SettlementAnswer.of),
    )


ROUTES = (
    preview_settlement,
    compute_settlement,
    list_settlements,
    get_latest_settlement,
    get_settlement,
    pay_transfer,
    void_settlement,
)


# ── Computing ────────────────────────────────────────────────────────────────────────────────────


async def _recorded(asked: Asked[NewSettlement]) -> Sealed:
    """The settlement that fits the balances at the moment when it is recorded.

    Before anything is solved it is tried whether nothing is to be paid at all: so whoever may not
    ask, and whoever gets the answer that they were given before, cause no work.

    Raises BalancesMoved where others moved the balances during each of the tries.
    """
    with suppress(BalancesMoved):
        return await _kept(asked, None, NOTHING_TO_PAY)
    for _ in range(SOLVED_MAX - 1):
        with suppress(BalancesMoved):
            return await _solved_and_kept(asked)
    return await _solved_and_kept(asked)


async def _solved_and_kept(asked: Asked[NewSettlement]) -> Sealed:
    """The balances are read in the solver's turn: before the queue they would be old ones."""
    async with asked.server.solver.turn():
        group = await asked.read(ToSettle(asked.group_id))
        strategy = asked.body.strategy or strategy_of(group)
        solutions = await _solved(asked.server.solver, group, strategy)
    return await _kept(asked, strategy, solutions)


async def _kept(
    asked: Asked[NewSettlement], strategy: Strategy | None, solutions: Solutions
) -> Sealed:
    """Raises BalancesMoved unless the solutions clear the balances."""
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.record(asked.group_id, strategy, solutions)),
        caller=asked.caller,
        receipt=asked.receipt(SettlementAnswer.of),
    )


async def _solved_in_turn(solver: Solver, group: Group, strategy: Strategy) -> Solutions:
    """Solved when its turn has come, if there is anything unknown to solve. Raises Overloaded."""
    asked = problems(group, strategy)
    known = tuple(filter(None, map(solver.known, asked)))
    if len(known) == len(asked):
        return known
    async with solver.turn():
        return await _solved(solver, group, strategy)


async def _solved(solver: Solver, group: Group, strategy: Strategy) -> Solutions:
    """Solved in the solver's process, one currency after another. Raises Overloaded."""
    return tuple(
        [
            solver.known(problem) or await solver.solve(problem)
            for problem in problems(group, strategy)
        ]
    )


def _strategy(text: str | None) -> Strategy | None:
    """Raises BadQuery."""
    if text is None:
        return None
    try:
        return Strategy(text)
    except ValueError:
        raise BadQuery(f"The strategy is {' or '.join(Strategy)}.") from None
