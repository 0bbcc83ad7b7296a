"""Who owes whom, simplified no further than honesty asks: pairs netted, cycles cancelled.

Money moves along existing debts only, so this does not aim at the fewest transfers. Cycles are
cancelled because a group in which nobody owes anything on balance should have nothing to pay.
"""

from collections import defaultdict
from collections.abc import Mapping

from clearsplit_core.errors import DebtsMismatch, NotAnInteger
from clearsplit_core.settlement.plan import M, Transfer, in_order, nets

Owed = dict[M, dict[M, int]]  # by debtor and creditor, in minor units, above zero


def direct_transfers(
    balances: Mapping[M, int], debts: Mapping[tuple[M, M], int]
) -> tuple[Transfer[M], ...]:
    """The debts, netted by pair and free of cycles; paying them clears the balances.

    `debts[debtor, creditor]` in minor units; a negative one runs the other way.
    Raises NotAnInteger, DebtsMismatch.
    """
    owed = _netted(debts)
    _cancel_cycles(owed)
    transfers = in_order(
        Transfer(debtor, creditor, amount_minor)
        for debtor, debts_of in owed.items()
        for creditor, amount_minor in debts_of.items()
    )
    if nets(transfers) != {member: balance for member, balance in balances.items() if balance}:
        raise DebtsMismatch(field="/debts")
    return transfers


def _netted(debts: Mapping[tuple[M, M], int]) -> Owed[M]:
    """At most one debt is left between two members; nobody owes themselves."""
    net: dict[tuple[M, M], int] = defaultdict(int)
    for (debtor, creditor), amount_minor in debts.items():
        if type(amount_minor) is not int:
            raise NotAnInteger(f"{debtor} owes {creditor} {amount_minor!r}", field="/debts")
        if debtor < creditor:
            net[debtor, creditor] += amount_minor
        elif creditor < debtor:
            net[creditor, debtor] -= amount_minor
    owed: Owed[M] = defaultdict(dict)
    for (one, other), amount_minor in net.items():
        if amount_minor > 0:
            owed[one][other] = amount_minor
        elif amount_minor < 0:
            owed[other][one] = -amount_minor
    return owed


def _cancel_cycles(owed: Owed[M]) -> None:
    """No cycle of debts is left, and nobody's net has changed.

    Walks from the first member by id, always on to the first creditor by id. A walk that comes back
    to its own path has found a cycle: its smallest debt is taken off all around, and the walk goes
    on where that cut it. A member from whom no way leads on is finished.
    """
    finished: set[M] = set()
    waiting = {debtor: sorted(creditors, reverse=True) for debtor, creditors in owed.items()}
    for start in sorted(owed):
        path = [start] if start not in finished else []
        place = {start: 0}  # on the path
        while path:
            creditors = waiting.get(path[-1], [])
            while creditors and (creditors[-1] in finished or creditors[-1] not in owed[path[-1]]):
                creditors.pop()
            if not creditors:
                finished.add(path[-1])
                del place[path.pop()]
            elif creditors[-1] not in place:
                place[creditors[-1]] = len(path)
                path.append(creditors[-1])
            else:
                back = place[creditors[-1]]
                kept = back + _take_off(owed, path[back:])
                for member in path[kept:]:
                    del place[member]
                del path[kept:]


def _take_off(owed: Owed[M], cycle: list[M]) -> int:
    """The cycle's smallest debt is taken off each of its debts; those at zero are gone.

    How many members a walk can still reach along the cycle.
    """
    debts = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    least = min(owed[debtor][creditor] for debtor, creditor in debts)
    gone = []
    for place, (debtor, creditor) in enumerate(debts):
        owed[debtor][creditor] -= least
        if not owed[debtor][creditor]:
            del owed[debtor][creditor]
            gone.append(place)
    return gone[0] + 1
