"""The solver process: balances come in, plans go out, a line of JSON each.

Run as `python -m clearsplit_http.solving` by `solver.py`. It imports the core's settlement and
nothing else of ours, holds no connection and no secret, and ends when its input does.
"""

import json
import sys

from clearsplit_core.settlement import settle


def answer(line: str) -> str:
    """The plan for the balances in `line`, minor units by member."""
    plan = settle(json.loads(line))
    transfers = [[each.debtor, each.creditor, each.amount_minor] for each in plan.transfers]
    told = {"transfers": transfers, "optimal": plan.optimal, "lower_bound": plan.lower_bound}
    return json.dumps(told)


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(answer(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
