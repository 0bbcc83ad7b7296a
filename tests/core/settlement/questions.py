"""Questions to settle, and what the true answers are.

The families are drawn with `Random.random` alone, whose sequence every Python version keeps. The
oracle is a table over all subsets, and greedy is the rule that other products use.
"""

from collections.abc import Mapping, Sequence
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


def crowded(debtors: int, creditors: int, amount: int, within: int, seed: int) -> Balances:
    """Debtors of about four times the amount, a quarter more of them than creditors of five times.

    Nobody's balance is that of another, but millions of small sets sum to zero.
    """
    draw = Random(f"crowded {debtors} {creditors} {amount} {within} {seed}").random
    balances = [-4 * amount + int(draw() * 2 * within) - within for _ in range(debtors)]
    balances += [5 * amount + int(draw() * 2 * within) - within for _ in range(creditors)]
    while excess := sum(balances):
        i = int(draw() * len(balances))
        balances[i] -= (1 if excess > 0 else -1) * min(abs(excess), 1 + int(draw() * within))
    return group(*balances)


def repeated(size: int, amounts: Sequence[int], seed: int) -> Balances:
    """The same few amounts over and over, and one member who makes them sum to zero."""
    draw = Random(f"repeated {size} {amounts} {seed}").random
    return closed([amounts[int(draw() * len(amounts))] for _ in range(size - 1)])


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

awkward: Final = {
    "crowded": crowded(35, 28, 10_000, 100, seed=0),
    "more of the crowd": crowded(40, 32, 10_000, 100, seed=0),
    "a huge crowd": crowded(40, 32, 10**18, 100, seed=0),
    "small integers": uniform(100, 300, seed=0),
    "three amounts": repeated(64, [-5, -5, 6], seed=0),
    "seven amounts": repeated(160, [-7, -11, -13, 10, 17, 19, 23], seed=0),
    "giants": closed([*uniform(60, 60, seed=0).values(), 10**15, -(10**15) - 17]),
    "all but two in one residue class": closed(
        [65 * b for b in uniform(42, 10**7, 0).values()] + [1]
    ),
    "beyond every machine integer": closed(
        [b * 10**400 + b**3 for b in uniform(79, 10**6, seed=0).values()]
    ),
}
"""Where zero-sum sets are so many, or sums so long or so crowded, that a careless search drowns."""
