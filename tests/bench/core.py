"""The core's speed: splits, decisions, verified entries and settlements (`make bench-core`).

Medians of seven rounds on one thread, least and most beside them; nothing here waits for anything.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from clearsplit_core.expenses import RecordExpense
from clearsplit_core.group import Group, append
from clearsplit_core.journal import Entry, MemberId, verify
from clearsplit_core.records import ExpenseId, Terms
from clearsplit_core.settlement import settle
from clearsplit_core.splits import Equal, Part, Shares, SharesPart
from tests.literals import NOON, TODAY, TRIP, account, group, text
from tests.machine import machine
from tests.tools import asked, run

ROUNDS: Final = 7
ROUND_S: Final = 0.5
MEMBERS: Final = "ann bob cem dan eve fay"
ENTRIES: Final = 1_000


def main() -> int:
    asked("tests.bench.core", __doc__).parse_args()
    trip = group(MEMBERS, "EUR").group.seen_by(account("ann"), NOON)
    members = tuple(trip.members)
    journal = _journal(trip, members)
    equal = Equal(members)
    shares = Shares(tuple(SharesPart(who, place + 1) for place, who in enumerate(members)))
    command = _record(members, 0)
    balances = _balances(30)
    print(machine())
    tell("equal split among 6", lambda: equal.shares(100_001, UUID(int=1)))
    tell("split by shares among 6", lambda: shares.shares(100_001, UUID(int=1)))
    tell("decide: record, split by 6", lambda: command.decide(trip))
    tell("decide and append", lambda: append(trip, command.decide(trip).events[0]))
    tell("entry verified", lambda: verify(TRIP, journal), each=len(journal))
    tell("settle, 6 members", lambda: settle(_balances(6)))
    tell("settle, 30 members", lambda: settle(balances))
    return 0


def tell(name: str, does: Callable[[], object], *, each: int = 1) -> None:
    rates = [_rate(does) * each for _ in range(ROUNDS)]
    middle = statistics.median(rates)
    spread = f"({1e6 / max(rates):,.1f} to {1e6 / min(rates):,.1f})"
    print(f"{name:30}{middle:>12,.0f} a second {1e6 / middle:>12,.1f} µs {spread:>20}")


def _rate(does: Callable[[], object]) -> float:
    count, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < ROUND_S:
        does()
        count += 1
    return count / elapsed


def _record(members: tuple[MemberId, ...], number: int) -> RecordExpense:
    terms = Terms(
        title=text("Dinner"),
        amount_minor=6_000 + number,
        currency="EUR",
        date=TODAY,
        payers=(Part(members[number % len(members)], 6_000 + number),),
        split=Equal(members),
        category=None,
        memo=None,
        fx=None,
    )
    return RecordExpense(group_id=TRIP, expense_id=ExpenseId(UUID(int=number + 1)), terms=terms)


def _journal(trip: Group, members: tuple[MemberId, ...]) -> list[Entry]:
    """The group's journal, with many expenses."""
    entries = list(group(MEMBERS, "EUR").entries)
    for number in range(ENTRIES):
        for event in _record(members, number).decide(trip).events:
            trip, entry = append(trip, event)
            entries.append(entry)
    return entries


def _balances(members: int) -> dict[int, int]:
    luck = random.Random(members)
    minors = [luck.randint(-10_000, 10_000) for _ in range(members - 1)]
    return dict(enumerate([*minors, -sum(minors)]))


if __name__ == "__main__":
    run(main)
