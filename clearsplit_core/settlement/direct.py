"""Who owes whom, simplified no further than honesty asks: pairs netted, cycles cancelled.

`direct` moves money along existing debts only. It does not aim at the fewest transfers. Cycles are
cancelled because a group in which nobody owes anything on balance should have nothing to pay.
"""

from collections import defaultdict
from collections.abc import Mapping

from clearsplit_core.errors import DebtsMismatch, NotAnInteger
from clearsplit_core.settlement.plan import M, Transfer, in_order, nets


def direct_transfers(
    balances: Mapping[M, int], debts: Mapping[tuple[M, M], int]
) -> tuple[Transfer[M], ...]:
    """The debts, netted by pair and free of cycles, clear the balances.

    `debts[debtor, creditor]` in minor units; a negative one runs the other way.
    Raises NotAnInteger, DebtsMismatch.
    """
    transfers = in_order(
        Transfer(debtor, creditor, owed)
        for debtor, edges in without_cycles(netted(debts)).items()
        for creditor, owed in edges.items()
    )
    if nets(transfers) != {member: balance for member, balance in balances.items() if balance}:
        raise DebtsMismatch(field="/debts")
    return transfers


def netted(debts: Mapping[tuple[M, M], int]) -> dict[M, dict[M, int]]:
    """At most one debt is left between two members, above zero; nobody owes themselves."""
    owed: dict[tuple[M, M], int] = defaultdict(int)
    for (debtor, creditor), amount_minor in debts.items():
        if type(amount_minor) is not int:
            raise NotAnInteger(f"{debtor} owes {creditor} {amount_minor!r}", field="/debts")
        low, high, sign = (debtor, creditor, 1) if debtor < creditor else (creditor, debtor, -1)
        owed[low, high] += sign * amount_minor
    graph: dict[M, dict[M, int]] = defaultdict(dict)
    for (low, high), amount_minor in owed.items():
        if amount_minor > 0 and low != high:
            graph[low][high] = amount_minor
        if amount_minor < 0 and low != high:
            graph[high][low] = -amount_minor
    return graph


def without_cycles(graph: dict[M, dict[M, int]]) -> dict[M, dict[M, int]]:
    """No cycle of debts is left, and nobody's net has changed.

    Walks from the first member by id, along each member's creditors by id; a walk that meets its own
    path has found a cycle, which loses its smallest debt all around.
    """
    finished: set[M] = set()
    for start in sorted(graph):
        path = [start]
        while path:
            here = path[-1]
            onward = min((m for m in graph.get(here, {}) if m not in finished), default=None)
            if onward is None:
                finished.add(path.pop())
            elif onward in path:
                cycle = path[path.index(onward) :]
                _cancel(graph, cycle)
                del path[path.index(onward) + 1 :]
            else:
                path.append(onward)
    return graph


def _cancel(graph: dict[M, dict[M, int]], cycle: list[M]) -> None:
    edges = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    least = min(graph[debtor][creditor] for debtor, creditor in edges)
    for debtor, creditor in edges:
        graph[debtor][creditor] -= least
        if not graph[debtor][creditor]:
            del graph[debtor][creditor]
