"""What every store promises about settlements: one payment a transfer, and plans that fit."""

import asyncio
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyExists,
    BalancesMoved,
    InsufficientRole,
    Refusal,
    SettlementSuperseded,
    ThingNotFound,
    TransferAlreadyPaid,
    VersionMismatch,
)
from clearsplit_core.ports import Command
from clearsplit_core.questions import (
    Payments,
    TheLatestSettlement,
    TheSettlement,
    TheStanding,
    ToSettle,
)
from clearsplit_core.records import SettlementNow, Strategy, TransferState
from clearsplit_core.settlements import RecordSettlement, problems, solve
from tests.contract.questions import seat_everybody
from tests.contract.rigs import Rig
from tests.literals import (
    TRIP,
    caller,
    expense,
    member,
    pay,
    settlement,
    settlement_called,
    take_back,
    tear_up,
    transfer_id,
)

AT_ONCE: Final = 64


async def settlement_of(rig: Rig, title: str = "Plan") -> SettlementNow:
    return await rig.store.read(TheSettlement(TRIP, settlement_called(title)), caller=caller("ann"))


async def test_a_settlement_is_what_was_answered_at_each_step(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("ann", settlement())
    assert await settlement_of(rig) == recorded.answer
    await rig.do("ann", pay(0))
    voided = await rig.do("ann", tear_up(revision=2))
    assert await settlement_of(rig) == voided.answer
    latest = await rig.store.read(TheLatestSettlement(TRIP), caller=caller("vic"))
    assert latest == voided.answer


async def test_before_the_first_there_is_no_latest(rig: Rig) -> None:
    await seat_everybody(rig)
    with pytest.raises(ThingNotFound):
        await rig.store.read(TheLatestSettlement(TRIP), caller=caller("ann"))


@pytest.mark.parametrize("strategy", Strategy)
async def test_what_is_to_be_settled_is_solved_elsewhere_and_recorded(
    rig: Rig, strategy: Strategy
) -> None:
    await seat_everybody(rig)
    group = await rig.store.read(ToSettle(TRIP), caller=caller("ann"))
    command = RecordSettlement(
        group_id=TRIP,
        settlement_id=settlement_called("Plan"),
        strategy=strategy,
        solutions=tuple(map(solve, problems(group, strategy))),
    )
    await rig.do("ann", command)
    for number in range(2):
        await rig.do("ann", pay(number))
    standing = await rig.store.read(TheStanding(TRIP), caller=caller("ann"))
    assert set(standing.balances.values()) == {0}
    await rig.do("ann", expense("Taxi", "9.00 EUR"))
    with pytest.raises(BalancesMoved):
        await rig.do("ann", RecordSettlement(
            group_id=TRIP,
            settlement_id=settlement_called("Late"),
            strategy=strategy,
            solutions=command.solutions,
        ))  # fmt: skip


async def test_of_many_who_pay_one_transfer_at_once_one_does(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", settlement())
    outcomes = await asyncio.gather(
        *(rig.do("ann", pay(0, f"Try {number}")) for number in range(AT_ONCE)),
        return_exceptions=True,
    )
    lost = [type(each) for each in outcomes if isinstance(each, BaseException)]
    assert lost == [TransferAlreadyPaid] * (AT_ONCE - 1)
    assert len(await rig.store.read(Payments(TRIP), caller=caller("ann"))) == 1
    standing = await rig.store.read(TheStanding(TRIP), caller=caller("ann"))
    assert standing.balances[member("ann"), "EUR"] == 2000


async def test_a_voided_payment_opens_its_transfer_for_another(rig: Rig) -> None:
    await seat_everybody(rig)
    for command in (settlement(), pay(0, "One"), take_back("One"), pay(0, "Two")):
        await rig.do("ann", command)
    now = await settlement_of(rig)
    assert now.settlement.transfer(transfer_id(0)).state is TransferState.PAID
    assert (now.settlement.revision, now.stale) == (4, False)


REFUSED: Final[dict[str, tuple[str, Command[object], type[Refusal]]]] = {
    "there already": ("ann", settlement("Plan"), AlreadyExists),
    "by a viewer": ("vic", settlement("New"), InsufficientRole),
    "by a stranger": ("zoe", settlement("New"), ThingNotFound),
    "paid already": ("ann", pay(0, "Again"), TransferAlreadyPaid),
    "superseded": ("ann", pay(0, "Again", of="Old"), SettlementSuperseded),
    "not there": ("ann", pay(7), ThingNotFound),
    "another revision": ("ann", tear_up(version=2, revision=1), VersionMismatch),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_changes_nothing(rig: Rig, case: str) -> None:
    await seat_everybody(rig)
    await rig.do("ann", settlement("Old"))
    await rig.do("ann", settlement("Plan"))
    await rig.do("ann", pay(0))
    before = rig.dump()
    name, command, refusal = REFUSED[case]
    with pytest.raises(refusal):
        await rig.do(name, command)
    assert rig.dump() == before
