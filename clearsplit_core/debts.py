"""Debts: who owes whom, kept pair by pair beside the balances.

Balances say what the group owes each member; debts say between which two. An expense splits each
share among those who paid, in proportion to what they paid; a payment takes off. Every member's
debts net to their balance, so the two are told from the same records and never apart.

A debt stands under (debtor, creditor, currency) with the debtor's id before the creditor's; it is
negative where the second of the two owes the first. Amounts are minor units.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from clearsplit_core.journal import MemberId

Pair: TypeAlias = tuple[MemberId, MemberId, str]
Debts: TypeAlias = Mapping[Pair, int]
"""Signed minor units by pair and currency; positive: the first owes the second."""

NO_DEBTS: Final[Debts] = MappingProxyType({})


def owed(debtor: MemberId, creditor: MemberId, currency: str, amount_minor: int) -> Debts:
    """`debtor` owes `creditor` so much; nobody owes themselves."""
    if debtor == creditor or not amount_minor:
        return NO_DEBTS
    if debtor.int < creditor.int:
        return {(debtor, creditor, currency): amount_minor}
    return {(creditor, debtor, currency): -amount_minor}


def added(*all_debts: Debts) -> Debts:
    """The debts of all of them together; pairs that come to zero stay in."""
    first, *others = all_debts or (NO_DEBTS,)  # whose own copy needs no id hashed again
    sums = first.copy() if isinstance(first, MappingProxyType) else dict(first)
    for debts in others:
        for pair, minor in debts.items():
            sums[pair] = sums.get(pair, 0) + minor
    return MappingProxyType(sums)


def reversed_debts(debts: Debts) -> Debts:
    """What takes `debts` back."""
    return {pair: -minor for pair, minor in debts.items()}


def between(
    paid: Iterable[tuple[MemberId, int]], had: Iterable[tuple[MemberId, int]], currency: str
) -> Debts:
    """Who owes whom after some paid what others had; both sum to the same, with one sign.

    Each share goes to the payers in proportion to what of their money is not spoken for yet, by
    cumulative rounding, so that every share and every payer comes out to the minor unit and
    nobody's debt turns round. A refund runs the other way: whoever got the money owes it to those
    who share it.

    This rule is told again at every replay, so it may never change: another one would be for
    another kind of event.
    """
    left = {member: abs(minor) for member, minor in sorted(paid)}
    if len(left) == 1:
        (payer,) = left
        return _owed_whole(had, payer, currency)
    pieces: list[Debts] = []
    for member, share in sorted(had):
        for payer, minor in _dealt(abs(share), left):
            left[payer] -= minor
            pieces.append(owed(member, payer, currency, minor if share > 0 else -minor))
    return added(*pieces)


def _owed_whole(had: Iterable[tuple[MemberId, int]], payer: MemberId, currency: str) -> Debts:
    """Whoever paid all of it is owed every share whole. It is `added` of what is `owed` for each,
    in half the time: most expenses have one payer.
    """
    sums: dict[Pair, int] = {}
    for member, share in had:
        if not share or member == payer:
            continue
        first = member.int < payer.int
        pair = (member, payer, currency) if first else (payer, member, currency)
        sums[pair] = sums.get(pair, 0) + (share if first else -share)
    return MappingProxyType(sums)


def _dealt(share: int, left: Mapping[MemberId, int]) -> Sequence[tuple[MemberId, int]]:
    """`share` in parts in proportion to `left`, none of them larger than what is left there."""
    total = sum(left.values())
    reached = [share * minor // total if total else 0 for minor in accumulate(left.values())]
    parts = (after - before for before, after in pairwise([0, *reached]))
    return list(zip(left, parts, strict=True))
