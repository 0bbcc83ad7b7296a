"""The journal: an append-only, hash-chained list of entries, each of which sums to zero.

An **entry** is one thing that happened in a group: the event, who did it and when, and its
**postings**, the signed minor units that it moved per member, currency and effective date. Postings
sum to zero per currency and effective date; an entry that does not cannot be built. A positive
posting means the group owes the member more, a negative one that the member owes the group.

Each entry's hash covers the hash before it and the canonical form of everything in the entry, so
whoever remembers a head (the last hash) can tell whether anything before it was changed. Personal
texts are covered by their commitments only, so they can be erased without breaking the chain.

This module knows entries as data. What events mean is `group.py`'s business.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import attrgetter, ge
from typing import Final, NewType, TypeAlias
from uuid import UUID

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import JournalBroken, Unbalanced
from clearsplit_core.money import require_integer
from clearsplit_core.plain import Plain, Written, canonical, text_of_id, to_plain

GroupId = NewType("GroupId", UUID)
MemberId = NewType("MemberId", UUID)

_DOMAIN: Final = "clearsplit/entry/1"
_UTC: Final = timedelta(0)


@dataclass(frozen=True, slots=True, order=True)
class Posting:
    """A member's signed amount in an entry; `effective_date` is the day that it counts for.

    Positive: the group owes the member that much more. Raises NotAnInteger, UnknownCurrency.
    """

    member_id: MemberId
    currency: str
    effective_date: date
    amount_minor: int

    def __post_init__(self) -> None:
        assert type(self.currency) is str, "a currency is its code"
        assert type(self.effective_date) is date, "a day has no time"
        require_integer(self.amount_minor)
        decimals(self.currency)


Postings: TypeAlias = tuple[Posting, ...]
Balances: TypeAlias = Mapping[tuple[MemberId, str], int]
"""Signed minor units by member and currency; positive: the group owes the member."""


def net(legs: Iterable[Posting]) -> Postings:
    """`legs` with one sum per member, currency and date, zero sums dropped, in a fixed order."""
    sums: dict[tuple[MemberId, str, date], int] = {}
    for leg in legs:
        place = (leg.member_id, leg.currency, leg.effective_date)
        sums[place] = sums.get(place, 0) + leg.amount_minor
    return in_order([Posting(*place, minor) for place, minor in sums.items() if minor])


def in_order(legs: Iterable[Posting]) -> Postings:
    """`legs` as an entry has them, where each place has one and none is zero."""
    return tuple(sorted(legs, key=_place))


_place: Final[Callable[[Posting], tuple[int, str, date]]] = attrgetter(
    "member_id.int", "currency", "effective_date"
)
"""What a leg is sorted by; ids in the order of their numbers, which is that of their texts."""


def reversed_legs(legs: Iterable[Posting]) -> Postings:
    """The legs that take `legs` back, each on the effective date of the leg it reverses."""
    return tuple(replace(leg, amount_minor=-leg.amount_minor) for leg in legs)


def balances_of(legs: Iterable[Posting]) -> dict[tuple[MemberId, str], int]:
    """Each member's balance per currency; members at zero included where they had a leg."""
    balances: dict[tuple[MemberId, str], int] = {}
    for leg in legs:
        place = (leg.member_id, leg.currency)
        balances[place] = balances.get(place, 0) + leg.amount_minor
    return balances


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: the last entry's number and hash (64 hex digits). Seq 0: empty."""

    seq: int
    hash: str


def empty(group_id: GroupId) -> Head:
    """Where the journal of `group_id` begins, before its first entry."""
    return Head(0, hashlib.sha256(f"{_DOMAIN}/{group_id}".encode()).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a group's journal.

    `seq` counts 1, 2, 3 … per group without a gap, `at` is UTC, `actor_id` the member who did it,
    `event` a plain tree, `previous` the hash of the entry before, `hash` the one of this entry as
    it was written down. Raises Unbalanced unless the postings are netted and sum to zero.
    """

    group_id: GroupId
    seq: int
    at: datetime
    actor_id: MemberId | None
    event: Plain
    postings: Postings
    previous: str
    hash: str = ""

    def __post_init__(self) -> None:
        assert self.seq >= 1, "seq counts from 1"
        assert self.at.utcoffset() == _UTC, "times are UTC"
        assert type(self.postings) is tuple, "postings stay as they are"
        _require_balanced(self.postings)
        if not self.hash:
            object.__setattr__(self, "hash", self.computed_hash())

    def computed_hash(self) -> str:
        """SHA-256 over the previous hash and the canonical form of all that the entry says."""
        content: list[Plain] = [
            text_of_id(self.group_id),
            self.seq,
            to_plain(self.at),
            to_plain(self.actor_id),
            _written(self.postings),
            self.previous,
        ]
        return hashlib.sha256(canonical([_DOMAIN, content, self.event])).hexdigest()

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)


def _written(postings: Postings) -> Written:
    """The canonical form of their tree; to make the tree first takes three times as long, and legs
    are most of what a hash covers."""
    return Written(f"l{len(postings)}:" + "".join(map(_written_leg, postings)))


def _written_leg(leg: Posting) -> str:
    amount = str(leg.amount_minor)
    return (
        f"d4:s12:amount_minori{len(amount)}:{amount}s8:currencys3:{leg.currency}"
        f"s14:effective_dates10:{leg.effective_date.isoformat()}"
        f"s9:member_ids36:{text_of_id(leg.member_id)}"
    )


def verify(group_id: GroupId, entries: Iterable[Entry], *, head: Head | None = None) -> Head:
    """The journal's head, after every entry was found in its place and unchanged.

    With `head`, one that a client or a checkpoint remembers, the journal must also pass through it:
    a journal that was cut short or rewritten does not.

    Raises JournalBroken, naming the first entry that is wrong.
    """
    last = empty(group_id)
    seen = head is None or head == last
    for entry in entries:
        _require_next(entry, group_id, last)
        last = entry.head
        seen = seen or head == last
    if not seen:
        raise JournalBroken(f"The journal ends at {last.seq} and never had the head given.")
    return last


def _require_next(entry: Entry, group_id: GroupId, last: Head) -> None:
    require_place(entry, group_id, last)
    require_unchanged(entry)


def require_place(entry: Entry, group_id: GroupId, last: Head) -> None:
    """`entry` stands in its place, after `last`. Raises JournalBroken."""
    seq = last.seq + 1
    if entry.group_id != group_id:
        raise JournalBroken(f"Entry {seq} is of another group.", seq=seq)
    if entry.seq != seq:
        raise JournalBroken(f"Entry {seq} is missing; what stands there is {entry.seq}.", seq=seq)
    if entry.previous != last.hash:
        raise JournalBroken(f"Entry {seq} does not follow from the entry before it.", seq=seq)


def require_unchanged(entry: Entry) -> None:
    """`entry` has the hash that its content has. Raises JournalBroken."""
    try:
        unchanged = entry.hash == entry.computed_hash()
    except JournalBroken:  # a float: nothing that is hashed has one
        unchanged = False
    if not unchanged:
        message = f"Entry {entry.seq} was changed after it was written."
        raise JournalBroken(message, seq=entry.seq)


def _require_balanced(postings: Postings) -> None:
    places = [_place(leg) for leg in postings]
    if not all(leg.amount_minor for leg in postings) or any(map(ge, places, places[1:])):
        raise Unbalanced("An entry's postings are netted, without zeros, and in order.")
    sums: dict[tuple[str, date], int] = {}
    for leg in postings:
        place = (leg.currency, leg.effective_date)
        sums[place] = sums.get(place, 0) + leg.amount_minor
    for (currency, day), off_minor in sums.items():
        if off_minor:
            raise Unbalanced(f"On {day} the {currency} postings are off zero by {off_minor}.")
