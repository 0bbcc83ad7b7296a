"""The core under simulation: thousands of groups in memory, whose clients and store keep crashing.

    python -m tests.simulation --seeds 2000

A seed decides everything: the commands, the clock, and where a crash is. Before a call of the store
nothing has happened and the client asks again; after one, all has happened and nobody heard of it,
so the client asks again under the same key. Now and then the process dies: a new store knows what
was kept, the journal, its texts and the sealed answers, and the group is what the journal says.

After every command the balances sum to zero, a repetition has the same bytes and a refusal has
changed nothing; in the end the chain verifies. What all seeds came to is one digest, the same each
time. Exit 0 if all of that held.
"""

import argparse
import hashlib
import random
import sys
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
from clearsplit_core.journal import MemberId, verify
from clearsplit_core.memory import MemoryStore
from clearsplit_core.payments import RecordPayment, VoidPayment
from clearsplit_core.ports import Caller, Command, Receipt, Recorded, Sealed
from clearsplit_core.records import ExpenseId, PaymentId, Terms
from clearsplit_core.splits import Equal, Exact, Part, Shares, SharesPart, Split
from clearsplit_core.text import Text
from tests.literals import NOON, TODAY, TRIP, caller, founding, guest

COMMANDS: Final = 500
GUESTS: Final = ("bob", "cem", "dan", "eve", "fay")
CRASH: Final = 0.1
"""How often a call is crashed before it, and how often after it."""
DEATH: Final = 0.004
"""How often the process dies after a command."""
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
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)

    def clock(self) -> datetime:
        """It runs, and now and then somebody sets it back."""
        self.now += timedelta(seconds=self.luck.choice((1, 1, 1, 1, -1)))
        return self.now

    @property
    def group(self) -> Group:
        return self.store._books[TRIP].group


def simulated(seed: int) -> tuple[str, Counter[str]]:
    """The head of that seed's journal with all answers, as a digest; what happened, by name."""
    world = World(random.Random(seed))
    world.store.perform(founding("ann"), caller=ANN)
    for name in GUESTS:
        world.store.perform(guest(name), caller=ANN)
    answers = hashlib.sha256()
    for number in range(COMMANDS):
        answers.update(_done(world, _command(world), f"{seed}-{number}"))
        _require_balanced(world.group)
        if world.luck.random() < DEATH:
            _die(world)
    _die(world)
    kept = world.store._books[TRIP]
    assert verify(TRIP, kept.entries) == kept.group.head
    answers.update(kept.group.head.hash.encode())
    return answers.hexdigest(), world.counts


# ── A client that asks until it knows ────────────────────────────────────────────────────────────


def _done(world: World, command: Command[object], key: str) -> bytes:
    """What the client is told in the end, however often it has to ask."""
    receipt = Receipt(key, key.encode(), _seal)
    told: list[bytes] = []
    while not told or world.luck.random() < CRASH:  # some ask once more, for no reason
        if world.luck.random() < CRASH:
            world.counts["crashes before a call"] += 1
            continue
        answer = _asked(world, command, ANN, receipt)
        if world.luck.random() < CRASH:
            world.counts["crashes after a call"] += 1
            continue
        told.append(answer)
    assert len(set(told)) == 1, "a repetition was answered with other bytes"
    return told[0]


def _asked(world: World, command: Command[object], who: Caller, receipt: Receipt[object]) -> bytes:
    before = world.store._books[TRIP]
    try:
        sealed = world.store.perform_once(command, caller=who, receipt=receipt)
    except Refusal as refusal:
        assert world.store._books[TRIP] is before, "a refusal changed something"
        world.counts["refusals"] += 1
        return refusal.code.encode()
    if sealed.replayed:
        assert world.store._books[TRIP] is before, "a repetition changed something"
        world.counts["repetitions"] += 1
    return sealed.body


def _seal(recorded: Recorded[object]) -> Sealed:
    return Sealed(201, (), f"{recorded.head.seq} {recorded.head.hash}".encode())


def _die(world: World) -> None:
    """A new process, with what was kept: the journal, the texts and the sealed answers."""
    world.counts["deaths"] += 1
    before = world.store._books[TRIP]
    group = replay(TRIP, before.entries, before.texts)
    assert _of_no_moment(group) == _of_no_moment(before.group), "the journal tells another group"
    world.store = MemoryStore(clock=world.clock)
    world.store._books[TRIP] = replace(before, group=group)


def _of_no_moment(group: Group) -> Group:
    return replace(group, now=NOON, caller=None, actor_id=None)


def _require_balanced(group: Group) -> None:
    sums = Counter[str]()
    for (_, currency), minor in group.balances.items():
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000)
    chosen = parser.parse_args()
    counts, whole = Counter[str](), hashlib.sha256()
    with Pool() as pool:
        for digest, happened in pool.imap(simulated, range(chosen.seeds), chunksize=8):
            counts += happened
            whole.update(digest.encode())
    print(f"{chosen.seeds} seeds of {COMMANDS} commands: {whole.hexdigest()}")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
