"""Questions to settle, and what the true answers are.

The families are drawn with `Random.random` alone, whose sequence every Python version keeps. The
oracle is a table over all subsets, and greedy is the rule that other products use.
"""

from collections.abc import Mapping
from random import Random
from typing import Final

from hypothesis import strategies as st

Balances = dict[str, int]

TABLE_MAX: Final = 13


def group(*balances_minor: int) -> Balances:
    """`group(-5, 2, 3)`: members m00, m01, m02 and what each is owed."""
    return {f"m{i:02}": balance for i, balance in enumerate(balances_minor)}


def uniform(size: int, amount_max: int, seed: int) -> Balances:
    """Random balances up to an amount either way; the excess is taken back here and there."""
    draw = Random(f"uniform {size} {amount_max} {seed}").random
    balances = [(1 + int(draw() * amount_max)) * (1 if draw() < 0.5 else -1) for _ in range(size)]
    while excess := sum(balances):
        i = int(draw() * size)
        part = min(abs(excess), 1 + int(draw() * amount_max))
        fair = balances[i] - (part if excess > 0 else -part)
        if 0 < abs(fair) <= amount_max:
            balances[i] = fair
    return group(*balances)


def expenses(size: int, seed: int, payers: float = 1.0) -> Balances:
    """Twice as many expenses as members, each split equally among a random few of them."""
    draw = Random(f"expenses {size} {payers} {seed}").random
    balances = [0] * size
    for _ in range(2 * size):
        payer = int(draw() * max(1, size * payers))
        among = [i for i in range(size) if draw() < 0.4] or [payer]
        cost = 100 + int(draw() * 20_000)
        balances[payer] += cost
        for place, member in enumerate(among):
            balances[member] -= cost // len(among) + (place < cost % len(among))
    return group(*balances)


def fewest_by_table(balances: Mapping[str, int]) -> int:
    """The fewest transfers: members less the most zero-sum blocks, over all subsets."""
    owing = [balance for balance in balances.values() if balance]
    totals = [0]
    for balance in owing:
        totals += [total + balance for total in totals]
    blocks = [0] * len(totals)
    for subset in range(1, len(totals)):
        without_one = (blocks[subset & ~(1 << i)] for i in range(len(owing)) if subset >> i & 1)
        blocks[subset] = max(without_one) + (totals[subset] == 0)
    return len(owing) - blocks[-1]


def greedy(balances: Mapping[str, int]) -> int:
    """How many transfers it takes when the largest debtor always pays the largest creditor."""
    left = sorted(balance for balance in balances.values() if balance)
    transfers = 0
    while left:
        paid = min(-left[0], left[-1])
        left = sorted(b for b in (left[0] + paid, *left[1:-1], left[-1] - paid) if b)
        transfers += 1
    return transfers


def closed(balances_minor: list[int]) -> Balances:
    """The same, and one more member who makes it sum to zero."""
    return group(*balances_minor, -sum(balances_minor))


small = st.lists(st.integers(-9, 9), max_size=TABLE_MAX - 1).map(closed)
"""Few members and tiny amounts: zero-sum sets everywhere, and many equal balances."""

adversarial = st.lists(
    st.sampled_from([1, 2, 3, 5, 8, 13, 21, 50, 99, 100]).flatmap(
        lambda x: st.sampled_from([x, -x, 7 * x, -7 * x])
    ),
    max_size=TABLE_MAX - 1,
).map(closed)
"""Amounts that add up to one another in many ways."""

huge = st.lists(st.integers(-(10**40), 10**40), max_size=9).map(closed)
"""Amounts beyond every machine integer, mostly without any zero-sum set."""

balances = st.one_of(small, adversarial, huge)

middling = st.builds(
    uniform,
    st.integers(18, 34),
    st.sampled_from([30, 100, 1_000, 10**6]),
    st.integers(0, 10**6),
)
"""Beyond the table, within a moment's search."""
