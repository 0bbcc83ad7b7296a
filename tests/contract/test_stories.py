"""Whatever happens in a group, every store keeps the same journal and answers the same questions.

The stories are Hypothesis's (tests/stories.py), told without any store; here they are played into
each of them, at the same times, and held against the telling.
"""

from dataclasses import dataclass
from itertools import cycle
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import Refusal
from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Needs
from clearsplit_core.questions import Book, Question, TheExpense
from tests.contract.questions import journal, of_no_moment
from tests.contract.rigs import Rig
from tests.contract.test_questions import QUESTIONS, of_no_clock
from tests.literals import NOON, TRIP, Story, account, caller
from tests.saved import Saved
from tests.stories import stories


@pytest.fixture
def empty(rig: Rig) -> Saved:
    """The store before anything happened."""
    return rig.save()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories())
async def test_a_store_keeps_a_story_as_it_is_told(rig: Rig, empty: Saved, told: Story) -> None:
    empty.restore()
    for who, command, at in told.told:
        rig.clock.stand(at)
        await rig.do(who, command)

    assert await seen(rig, told) == of_no_moment(told.group)
    entries = await journal(rig)
    assert tuple(entries) == told.entries
    book = Book(group=told.group.seen_by(account("ann"), NOON), entries=entries, texts=told.texts)
    own = [TheExpense(TRIP, expense_id) for expense_id in told.group.expenses]
    for question in (*own, *QUESTIONS.values()):
        assert await answered(rig, question) == told_of(book, question), question


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories(), here=st.lists(st.booleans(), min_size=1))
async def test_two_processes_keep_a_story_as_one_does(
    rig: Rig, empty: Saved, told: Story, here: list[bool]
) -> None:
    empty.restore()
    async with rig.elsewhere() as there:
        for (who, command, at), is_here in zip(told.told, cycle(here), strict=False):
            rig.clock.stand(at)
            store = rig.store if is_here else there
            await store.perform(command, caller=caller(who))

    assert tuple(await journal(rig)) == told.entries
    assert await seen(rig, told) == of_no_moment(told.group)


@dataclass(frozen=True, slots=True)
class Look:
    """Change nothing, and remember the group as a decision sees it."""

    group_id: GroupId
    needs: Needs
    seen: list[Group]

    def decide(self, group: Group) -> NoReturn:
        self.seen.append(of_no_moment(group))
        raise Seen


class Seen(Exception):
    """What a Look ends with."""


async def seen(rig: Rig, told: Story) -> Group:
    """The whole group as the store shows it to a decision."""
    group = told.group
    needs = Needs(
        expenses=frozenset(group.expenses),
        comments=frozenset(group.comments),
        payments=frozenset(group.payments),
        settlements=frozenset(group.settlements),
        invites=frozenset(group.invites),
        debts=True,
        names=True,
    )
    look = Look(TRIP, needs, [])
    with pytest.raises(Seen):
        await rig.do("ann", look)
    (found,) = look.seen
    return found


async def answered(rig: Rig, question: Question[object]) -> object:
    """What the store answers, or with what it refuses."""
    try:
        return of_no_clock(await rig.store.read(question, caller=caller("ann")))
    except Refusal as refusal:
        return type(refusal)


def told_of(book: Book, question: Question[object]) -> object:
    """The same of the reference."""
    try:
        return of_no_clock(question.answer(book))
    except Refusal as refusal:
        return type(refusal)
