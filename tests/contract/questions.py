"""What the contract suite asks of a store again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Thread
from typing import Final, TypeAlias, TypeVar

from clearsplit_core.errors import Refusal
from clearsplit_core.group import Group
from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.plain import Texts, texts_in
from clearsplit_core.ports import AsyncStore, Caller, Recorded
from clearsplit_core.questions import Entries, Expenses, TheExpense, TheGroup, TheStanding
from clearsplit_core.records import Expense, Role
from tests.contract.rigs import Rig
from tests.literals import (
    NOON,
    TRIP,
    caller,
    expense,
    expense_called,
    founding,
    guest,
    receipt,
    seat,
)

R = TypeVar("R")
Question: TypeAlias = Callable[[AsyncStore, Caller], Awaitable[object]]

READS: Final[Mapping[str, Question]] = {
    "group": lambda store, who: store.read(TheGroup(TRIP), caller=who),
    "standing": lambda store, who: store.read(TheStanding(TRIP), caller=who),
    "expense": lambda store, who: store.read(
        TheExpense(TRIP, expense_called("Dinner")), caller=who
    ),
    "expenses": lambda store, who: store.read(Expenses(TRIP), caller=who),
    "entries": lambda store, who: store.read(Entries(TRIP), caller=who),
}
"""Every read of one group."""
WRITES: Final[Mapping[str, Question]] = {
    "perform": lambda store, who: store.perform(expense("Taxi"), caller=who),
    "perform once": lambda store, who: store.perform_once(
        expense("Taxi"), caller=who, receipt=receipt("taxi")
    ),
}
"""Every way to write to one group."""


async def seat_everybody(rig: Rig) -> None:
    """Ann is the owner, bob a member, vic a viewer, cem a guest; ann paid a dinner."""
    await rig.do("ann", founding("ann"))
    await rig.do("ann", seat("bob"))
    await rig.do("ann", seat("vic", Role.VIEWER))
    await rig.do("ann", guest("cem"))
    await rig.do("ann", expense("Dinner", "60.00 EUR", by="ann", among="ann bob cem"))


async def journal(rig: Rig, of: GroupId = TRIP) -> Sequence[Entry]:
    """The whole journal, as ann may read it."""
    return await rig.store.read(Entries(of, limit=10_000), caller=caller("ann"))


async def taxis_of_bob(rig: Rig, day: int) -> list[Recorded[Expense] | BaseException]:
    """What comes of ten that bob records at once, all for himself."""
    taxis = (
        rig.do("bob", expense(f"Taxi {n} of day {day}", by="bob", among="bob")) for n in range(10)
    )
    return await asyncio.gather(*taxis, return_exceptions=True)


async def group(rig: Rig, of: GroupId = TRIP, *, reader: str = "ann") -> Group:
    return of_no_moment(await rig.store.read(TheGroup(of), caller=caller(reader)))


async def expense_of(rig: Rig, title: str) -> Expense:
    return await rig.store.read(TheExpense(TRIP, expense_called(title)), caller=caller("ann"))


def of_no_moment(group: Group) -> Group:
    """The group without what belongs to the caller and the moment."""
    return replace(group, now=NOON, caller=None, actor_id=None)


def texts_of(group: Group, expenses: Sequence[Expense]) -> Texts:
    """Every text that a reader of the group is still told."""
    told = texts_in((group.name, tuple(group.members.values()), tuple(expenses)))
    return {text.commitment: text for text in told}


async def refusal_of(question: Awaitable[object]) -> tuple[type[Refusal], str, str]:
    """All that whoever is refused gets to know."""
    try:
        await question
    except Refusal as refused:
        return type(refused), refused.message, refused.field
    raise AssertionError("this was not refused")


def at_the_same_time(question: Callable[[], Awaitable[object]]) -> BaseException | None:
    """How a question ends that another thread asks while this one waits for it."""
    return meanwhile(question).result(timeout=30)


def meanwhile(question: Callable[[], Awaitable[object]]) -> Future[BaseException | None]:
    """How a question will end that another thread asks from now on."""
    ended: Future[BaseException | None] = Future()

    async def ask() -> BaseException | None:
        (outcome,) = await asyncio.gather(question(), return_exceptions=True)
        return outcome if isinstance(outcome, BaseException) else None

    Thread(target=lambda: ended.set_result(asyncio.run(ask())), daemon=True).start()
    return ended
