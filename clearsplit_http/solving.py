"""The solver process: problems come in, solutions go out, a line of JSON each.

Run as `python -m clearsplit_http.solving` by `solver.py`. It imports the core's rules and nothing
else, holds no connection and no secret, and ends when its input does.
"""

import json
import sys

from clearsplit_core.plain import from_plain, to_plain
from clearsplit_core.settlements import Problem, solve


def answer(line: str) -> str:
    """The solution of the problem in `line`, both as plain trees."""
    return json.dumps(to_plain(solve(from_plain(Problem, json.loads(line), {}))))


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(answer(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
