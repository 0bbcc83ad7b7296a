"""What every store promises about payments: what a decision sees, and that one of two wins."""

import asyncio
from typing import Final

import pytest

from clearsplit_core.errors import (
    AlreadyConfirmed,
    AlreadyExists,
    AlreadyVoided,
    InsufficientRole,
    Overpayment,
    Refusal,
    ThingNotFound,
    VersionMismatch,
)
from clearsplit_core.ports import Command
from clearsplit_core.questions import ThePayment, TheStanding
from clearsplit_core.records import Payment, PaymentState
from tests.contract.questions import seat_everybody
from tests.contract.rigs import Rig
from tests.literals import (
    TRIP,
    caller,
    confirm,
    member,
    payment,
    payment_called,
    pending,
    take_back,
)

ROUNDS: Final = 20


async def payment_of(rig: Rig, title: str = "Cash") -> Payment:
    return await rig.store.read(ThePayment(TRIP, payment_called(title)), caller=caller("ann"))


async def test_a_payment_is_what_was_answered_at_each_step(rig: Rig) -> None:
    await seat_everybody(rig)
    for command in (pending(), confirm(), take_back(version=2, reason="It bounced.")):
        recorded = await rig.do("ann", command)
        assert await payment_of(rig) == recorded.answer


async def test_only_a_confirmed_payment_moves_the_balances(rig: Rig) -> None:
    await seat_everybody(rig)
    found = []
    for command in (pending(), confirm(), take_back(version=2)):
        await rig.do("ann", command)
        standing = await rig.store.read(TheStanding(TRIP), caller=caller("ann"))
        found.append(standing.balances[member("bob"), "EUR"])
    assert found == [-2000, 0, -2000]


async def test_a_decision_sees_every_payment_that_waits(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", pending("One", "12.00 EUR"))
    await rig.do("ann", pending("Two", "8.00 EUR"))
    with pytest.raises(Overpayment, match=r"0\.01 EUR"):
        await rig.do("ann", payment("Three", "0.01 EUR"))
    await rig.do("ann", take_back("Two"))
    await rig.do("ann", payment("Three", "8.00 EUR"))


REFUSED: Final[dict[str, tuple[str, Command[object], type[Refusal]]]] = {
    "there already": ("ann", payment("Paid", "1.00 EUR"), AlreadyExists),
    "too much": ("ann", payment("Two", "20.00 EUR"), Overpayment),
    "by a viewer": ("vic", payment("Two", "1.00 EUR"), InsufficientRole),
    "by a stranger": ("zoe", payment("Two", "1.00 EUR"), ThingNotFound),
    "not there": ("ann", confirm("Cheque"), ThingNotFound),
    "not theirs to confirm": ("bob", confirm("Waiting"), InsufficientRole),
    "another version": ("ann", confirm("Waiting", version=2), VersionMismatch),
    "confirmed before": ("ann", confirm("Paid"), AlreadyConfirmed),
    "voided before": ("ann", take_back("Gone", version=2), AlreadyVoided),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_changes_nothing(rig: Rig, case: str) -> None:
    await seat_everybody(rig)
    await rig.do("ann", payment("Paid", "1.00 EUR"))
    await rig.do("ann", payment("Gone", "1.00 EUR"))
    await rig.do("ann", take_back("Gone"))
    await rig.do("ann", pending("Waiting", "19.00 EUR"))
    before = rig.dump()
    name, command, refusal = REFUSED[case]
    with pytest.raises(refusal):
        await rig.do(name, command)
    assert rig.dump() == before


async def test_of_confirm_and_void_at_once_exactly_one_wins(rig: Rig) -> None:
    await seat_everybody(rig)
    for number in range(ROUNDS):
        title = f"Cash {number}"
        await rig.do("ann", pending(title, "1.00 EUR"))
        outcomes = await asyncio.gather(
            rig.do("ann", confirm(title)), rig.do("ann", take_back(title)), return_exceptions=True
        )
        lost = [type(each) for each in outcomes if isinstance(each, BaseException)]
        assert lost == [VersionMismatch]
        state = (await payment_of(rig, title)).state
        assert (state is PaymentState.CONFIRMED) is not isinstance(outcomes[0], BaseException)
        if state is PaymentState.CONFIRMED:
            await rig.do("ann", take_back(title, version=2))
