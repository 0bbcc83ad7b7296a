"""A connection that dies in the middle of a command: nothing is half done, nothing is done twice.

Every command of a story is cut off after each statement that it sends, the last of which is its
commit; how many there are is found out by cutting. The same command is then tried again under the
same key, as a client does that got no answer.
"""

import hashlib
import inspect
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import pytest

import clearsplit_core
from clearsplit_core.errors import KeyInProgress, Overloaded
from clearsplit_core.groups import ReviseGroup
from clearsplit_core.members import UnlinkMember
from clearsplit_core.ports import Command, Sealed
from clearsplit_pg.store import PostgresStore, open_store
from tests.contract.test_questions import STORY
from tests.literals import (
    NOON,
    TRIP,
    accepting,
    caller,
    confirm,
    guest,
    leaving,
    pending,
    receipt,
    setting,
)
from tests.pg.severed import Wire, wire_to
from tests.postgres import FORGETFUL
from tests.saved import Saved, in_postgres

_OPEN: Final = [isinstance(each, ReviseGroup) for each in STORY].index(True)
TOLD: Final[tuple[tuple[str, Command[object]], ...]] = (
    *(("ann", each) for each in STORY[:_OPEN]),
    ("ann", pending("Loan", allow_overpay=True)),
    ("ann", confirm("Loan", allow_overpay=True)),
    *(("ann", each) for each in STORY[_OPEN:]),
    ("ann", setting(version=9, archived=False)),
    ("zoe", accepting("zoe", "Card")),
    ("ann", guest("pip")),
    ("ann", leaving("pip")),
    ("vic", UnlinkMember(group_id=TRIP)),
)
"""Who does what; every command there is."""
_KINDS: Final = [type(command) for _, command in TOLD]
CUT: Final = {
    place
    for place, kind in enumerate(_KINDS)
    if kind not in _KINDS[:place] or os.environ.get("FIRE")
}
"""Which of them are cut off: the first of each kind, and with FIRE=1 every one."""
TRIES_MAX: Final = 200
_NONE: Final = ("clearsplit_core.__main__", "clearsplit_core.ports")


@dataclass(frozen=True)
class Cut:
    """A store whose wire can be cut; its clock stands still, so that states can be compared."""

    store: PostgresStore
    wire: Wire
    url: str

    async def once(self, who: str, command: Command[object]) -> Sealed:
        return await self.store.perform_once(
            command, caller=caller(who), receipt=receipt(key_of(command))
        )

    async def again(self, who: str, command: Command[object]) -> Sealed:
        """As a client does: repeated as long as the answer is to come back in a moment."""
        for _ in range(TRIES_MAX):
            try:
                return await self.once(who, command)
            except (KeyInProgress, Overloaded):
                continue
        raise AssertionError("it is never answered")

    async def cut_off(self, who: str, command: Command[object], statement: int) -> bool:
        """Whether the command was cut off after that statement, and not done before."""
        self.wire.cut_after(statement)
        try:
            await self.once(who, command)
        except Overloaded:
            assert self.wire.was_cut
        else:
            assert not self.wire.was_cut, "an answer came from nowhere"
        self.wire.mend()
        return self.wire.was_cut


def key_of(command: Command[object]) -> str:
    """A key of its own for each command of the story."""
    return hashlib.sha256(repr(command).encode()).hexdigest()


@pytest.fixture
async def cut(database_url: str) -> AsyncIterator[Cut]:
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(wire_to(database_url))
        opened = open_store(wire.url, lambda: NOON, FORGETFUL)
        yield Cut(await stack.enter_async_context(opened), wire, database_url)


def commands() -> Iterator[type]:
    """Every command that the core knows."""
    for module in iter_modules(clearsplit_core.__path__, "clearsplit_core."):
        found = [] if module.name in _NONE else vars(import_module(module.name)).values()
        yield from (one for one in found if inspect.isclass(one) and is_command(one))


def is_command(found: type) -> bool:
    return is_dataclass(found) and hasattr(found, "decide") and hasattr(found, "needs")


def test_every_command_is_told() -> None:
    known = set(commands())
    whole = {each for each in known if not any(each in other.__mro__[1:] for other in known)}
    assert whole <= {type(command) for _, command in TOLD}


async def test_a_command_that_is_cut_off_and_tried_again_is_done_once(cut: Cut) -> None:
    statements = 0
    for place, (who, command) in enumerate(TOLD):
        if place not in CUT:
            await cut.once(who, command)
            continue
        before = in_postgres(cut.url)
        answer = await cut.once(who, command)
        after = before.dump()
        statements += await _cut_everywhere(cut, who, command, before, answer, after)
    assert statements >= 5 * len(CUT)  # begin, claim, lock, append, commit


async def _cut_everywhere(
    cut: Cut, who: str, command: Command[object], before: Saved, answer: Sealed, after: object
) -> int:
    """After how many statements the command was cut off."""
    statement = 0
    while True:
        statement += 1
        before.restore()
        if not await cut.cut_off(who, command, statement):
            return statement - 1
        assert before.dump() in (before.state, after), (command, statement)
        again = await cut.again(who, command)
        assert (again.status, again.headers, again.body) == (
            answer.status,
            answer.headers,
            answer.body,
        )
        assert before.dump() == after, (command, statement)
