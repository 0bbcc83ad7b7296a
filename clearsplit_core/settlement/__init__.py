"""Settling up: from balances to the fewest transfers, with a proof or a bound.

    >>> settle({"ana": 5000, "bo": -3000, "cy": -2000}).transfers
    (Transfer(debtor='bo', creditor='ana', amount_minor=3000),
     Transfer(debtor='cy', creditor='ana', amount_minor=2000))

This package knows nothing of groups, currencies or stores: integers that sum to zero come in, a
`Plan` goes out, and `check` confirms one without trusting the search. It imports the refusals and
nothing else, so that a process can solve with it alone.
"""

from clearsplit_core.settlement.checker import Checked, check
from clearsplit_core.settlement.plan import Plan, Transfer
from clearsplit_core.settlement.strategies import settle

__all__ = ["settle", "Plan", "Transfer", "check", "Checked"]
