"""The core under simulation: thousands of groups in memory, whose clients and store keep crashing.

    python -m tests.simulation --seeds 2000

A seed decides everything: the commands, the clock, and where a crash is. Before a call of the store
nothing has happened and the client asks again; after one, all has happened and nobody heard of it,
so the client asks again under the same key. With a crash the process may die, and it may die at any
other time: a new store knows what was kept, the journal, its texts and the sealed answers, and the
group is what the journal says.

After every command the balances sum to zero, every repetition had the same bytes, heard or not, a
refusal has changed nothing, and a read tells the entry that was answered last. In the end the
chain verifies and has one entry for each command that was done, in that order, and no other. What
all seeds came to is one digest, the same each time. Exit 0 if all of that held.
"""

import hashlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing import Pool
from typing import Final
from uuid import UUID

from clearsplit_core.errors import Refusal
from clearsplit_core.expenses import (
    Changes,
    RecordExpense,
    RestoreExpense,
    ReviseExpense,
    VoidExpense,
)
from clearsplit_core.group import Group, replay
from clearsplit_core.journal import Head, MemberId, verify
from clearsplit_core.memory import MemoryStore, _Kept
from clearsplit_core.payments import RecordPayment, VoidPayment
from clearsplit_core.ports import Command, Receipt, Recorded, Sealed
from clearsplit_core.questions import Standing, TheStanding
from clearsplit_core.records import ExpenseId, PaymentId, Terms
from clearsplit_core.splits import Equal, Exact, Part, Shares, SharesPart, Split
from clearsplit_core.text import Text
from tests.literals import NOON, TODAY, TRIP, caller, founding, guest
from tests.machine import machine
from tests.tools import asked, at_least_one, run

COMMANDS: Final = 500
GUESTS: Final = ("bob", "cem", "dan", "eve", "fay")
CRASH: Final = 0.1
"""How often a call is crashed before it, and how often after it."""
DEATH: Final = 0.002
"""How often the process dies after a command."""
DEATH_IN_CRASH: Final = 0.01
"""How often a crash is the death of the process."""
CURRENCIES: Final = ("EUR", "EUR", "USD")

ANN: Final = caller("ann")


@dataclass
class World:
    """One seed: its luck, its clock, the store as it is now, and what clients know."""

    luck: random.Random
    now: datetime = NOON
    store: MemoryStore = field(init=False)
    expenses: list[ExpenseId] = field(default_factory=list)
    payments: list[PaymentId] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    """The head of the journal after each thing that was done, in that order."""
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)

    def clock(self) -> datetime:
        """It runs, and now and then somebody sets it back."""
        self.now += timedelta(seconds=self.luck.choice((1, 1, 1, 1, -1)))
        return self.now

    @property
    def kept(self) -> _Kept:
        return self.store._books[TRIP]

    @property
    def group(self) -> Group:
        return self.kept.group


def simulated(seed: int) -> tuple[str, Counter[str]]:
    """The head of that seed's journal with all answers, as a digest; what happened, by name."""
    world = World(random.Random(seed))
    begins: list[Command[object]] = [founding("ann"), *map(guest, GUESTS)]
    for command in begins:
        world.heads.append(world.store.perform(command, caller=ANN).head)
    answers = hashlib.sha256()
    for number in range(COMMANDS):
        answers.update(_done(world, _command(world), f"{seed}-{number}"))
        _require_balanced(_read(world))
        if world.luck.random() < DEATH:
            _die(world)
    _die(world)
    kept = world.kept
    assert verify(TRIP, kept.entries) == kept.group.head
    assert [entry.head for entry in kept.entries] == world.heads, "done is not what was answered"
    answers.update(kept.group.head.hash.encode())
    return answers.hexdigest(), world.counts


# ── A client that asks until it knows ────────────────────────────────────────────────────────────


def _done(world: World, command: Command[object], key: str) -> bytes:
    """What the client is told in the end, however often it has to ask."""
    receipt = Receipt(key, key.encode(), _seal)
    answers: list[bytes] = []
    heard = False
    while not heard or world.luck.random() < CRASH:  # some ask once more, for no reason
        if _crashes(world, "before"):
            continue
        answers.append(_asked(world, command, receipt))
        heard = not _crashes(world, "after") or heard
    assert len(set(answers)) == 1, "a repetition was answered with other bytes"
    return answers[0]


def _asked(world: World, command: Command[object], receipt: Receipt[object]) -> bytes:
    before = world.kept
    try:
        sealed = world.store.perform_once(command, caller=ANN, receipt=receipt)
    except Refusal as refusal:
        assert world.kept is before, "a refusal changed something"
        world.counts["refusals"] += 1
        return refusal.code.encode()
    if sealed.replayed:
        assert world.kept is before, "a repetition changed something"
        world.counts["repetitions"] += 1
    else:
        world.heads.append(world.group.head)
    return sealed.body


def _read(world: World) -> Standing:
    """Where the group stands, read until there is an answer: nothing acknowledged is missing."""
    told: Standing | None = None
    while told is None:
        if _crashes(world, "before"):
            continue
        told = world.store.read(TheStanding(TRIP), caller=ANN)
        told = None if _crashes(world, "after") else told
    assert told.head == world.heads[-1], "a read does not know what was acknowledged"
    return told


def _crashes(world: World, when: str) -> bool:
    """Whether there is a crash now, before or after a call; some are the process's death."""
    if world.luck.random() >= CRASH:
        return False
    world.counts[f"crashes {when} a call"] += 1
    if world.luck.random() < DEATH_IN_CRASH:
        _die(world)
    return True


def _seal(recorded: Recorded[object]) -> Sealed:
    return Sealed(201, (), f"{recorded.head.seq} {recorded.head.hash}".encode())


def _die(world: World) -> None:
    """A new process, with what was kept: the journal, the texts and the sealed answers."""
    world.counts["deaths"] += 1
    before = world.kept
    group = replay(TRIP, before.entries, before.texts)
    assert _of_no_moment(group) == _of_no_moment(before.group), "the journal tells another group"
    world.store = MemoryStore(clock=world.clock)
    world.store._books[TRIP] = replace(before, group=group)


def _of_no_moment(group: Group) -> Group:
    return replace(group, now=NOON, caller=None, actor_id=None)


def _require_balanced(told: Standing) -> None:
    sums = Counter[str]()
    for (_, currency), minor in told.balances.items():
        sums[currency] += minor
    assert not any(sums.values()), "the balances do not sum to zero"


# ── What clients want ────────────────────────────────────────────────────────────────────────────


def _command(world: World) -> Command[object]:
    make = world.luck.choices(list(WISHES), list(WISHES.values()))[0]
    if make in (_revise, _void, _restore) and not world.expenses:
        make = _record
    if make is _take_back and not world.payments:
        make = _pay
    return make(world)


def _record(world: World) -> Command[object]:
    expense_id = ExpenseId(_id(world))
    world.expenses.append(expense_id)
    return RecordExpense(group_id=TRIP, expense_id=expense_id, terms=_terms(world))


def _revise(world: World) -> Command[object]:
    changes = Changes(title=_text(world))
    if world.luck.random() < 0.7:
        terms = _terms(world)
        changes = Changes(amount_minor=terms.amount_minor, split=terms.split, payers=terms.payers)
    expense_id, version = _known(world)
    return ReviseExpense(
        group_id=TRIP, expense_id=expense_id, expected_version=version, changes=changes
    )


def _void(world: World) -> Command[object]:
    expense_id, version = _known(world)
    return VoidExpense(group_id=TRIP, expense_id=expense_id, expected_version=version)


def _restore(world: World) -> Command[object]:
    expense_id, version = _known(world)
    return RestoreExpense(group_id=TRIP, expense_id=expense_id, expected_version=version)


def _pay(world: World) -> Command[object]:
    payment_id = PaymentId(_id(world))
    world.payments.append(payment_id)
    payer, payee = world.luck.sample(_members(world), 2)
    return RecordPayment(
        group_id=TRIP,
        payment_id=payment_id,
        from_member_id=payer,
        to_member_id=payee,
        amount_minor=world.luck.randint(1, 5_000),
        currency=world.luck.choice(CURRENCIES),
        date=TODAY,
        memo=None,
        allow_overpay=world.luck.random() < 0.8,
    )


def _take_back(world: World) -> Command[object]:
    payment_id = world.luck.choice(world.payments)
    known = world.group.payments.get(payment_id)
    version = known.version if known else 1
    return VoidPayment(group_id=TRIP, payment_id=payment_id, expected_version=version, reason=None)


WISHES: Final[dict[Callable[[World], Command[object]], int]] = {
    _record: 50,
    _revise: 15,
    _void: 8,
    _restore: 5,
    _pay: 18,
    _take_back: 4,
}


def _known(world: World) -> tuple[ExpenseId, int]:
    """An expense, and its version as its client knows it: one in twenty is behind."""
    expense_id = world.luck.choice(world.expenses[-20:])
    known = world.group.expenses.get(expense_id)
    behind = world.luck.random() < 0.05
    return expense_id, (known.version if known else 1) + behind


def _terms(world: World) -> Terms:
    amount = world.luck.randint(1, 100_000) * world.luck.choice((1, 1, 1, 1, -1))
    those = world.luck.sample(_members(world), world.luck.randint(1, 6))
    return Terms(
        title=_text(world),
        amount_minor=amount,
        currency=world.luck.choice(CURRENCIES),
        date=TODAY - timedelta(days=world.luck.randint(0, 30)),
        payers=(Part(world.luck.choice(_members(world)), amount),),
        split=_split(world, amount, those),
        category=None,
        memo=None,
        fx=None,
    )


def _split(world: World, amount: int, those: Sequence[MemberId]) -> Split[MemberId]:
    kind = world.luck.randrange(3)
    if kind == 0:
        return Shares(tuple(SharesPart(who, world.luck.randint(1, 5)) for who in those))
    if kind == 1:
        return Exact((Part(those[0], amount),))
    return Equal(tuple(those))


def _members(world: World) -> list[MemberId]:
    return list(world.group.members)


def _text(world: World) -> Text:
    return Text.of(f"Words {world.luck.randrange(10**6)}", world.luck.randbytes(32))


def _id(world: World) -> UUID:
    return UUID(int=world.luck.getrandbits(128), version=4)


def main() -> int:
    parser = asked("tests.simulation", __doc__)
    parser.add_argument("--seeds", type=at_least_one, default=2_000, help="how many, from 0 on")
    chosen = parser.parse_args()
    counts, whole = Counter[str](), hashlib.sha256()
    began = time.monotonic()
    with Pool() as pool:
        for digest, happened in pool.imap(simulated, range(chosen.seeds), chunksize=8):
            counts += happened
            whole.update(digest.encode())
        pool.close()
        pool.join()
    print(machine())
    print(f"{time.monotonic() - began:.0f} s, {os.times().children_user:.0f} s of CPU")
    print(f"{chosen.seeds} seeds of {COMMANDS} commands: {whole.hexdigest()}")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    run(main)
