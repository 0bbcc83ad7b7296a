"""What clearsplit_pg adds to the command line: `clearsplit migrate`.

A command is a function that gives a parser its arguments and returns what runs them; the number
that this returns is the exit status: 0 fine, 1 refused or failed, 2 wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Callable

import psycopg

from clearsplit_core.errors import Refusal
from clearsplit_pg import schema


def migrate(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Bring a database to the schema that this version needs."""
    parser.add_argument("--database-url", metavar="URL", help="instead of DATABASE_URL")
    parser.add_argument(
        "--status", action="store_true", help="only list what is pending; exit 1 if anything is"
    )
    return _migrate


def _migrate(arguments: argparse.Namespace) -> int:
    url = arguments.database_url or os.environ.get("DATABASE_URL")
    if not url:
        return _fail("Which database? Set DATABASE_URL or give --database-url.", status=2)
    try:
        return _show_pending(url) if arguments.status else _apply(url)
    except (Refusal, psycopg.Error) as error:
        return _fail(str(error).strip(), status=1)


def _apply(url: str) -> int:
    applied = schema.migrate(url)
    _say([f"applied {migration}" for migration in applied])
    return 0


def _show_pending(url: str) -> int:
    missing = schema.pending(url)
    _say([f"pending {migration}" for migration in missing])
    return 1 if missing else 0


def _say(lines: list[str]) -> None:
    print("\n".join(lines) or "up to date")


def _fail(message: str, *, status: int) -> int:
    print(f"clearsplit migrate: {message}", file=sys.stderr)
    return status
