"""What clearsplit_pg adds to the command line about journals: `verify` without a file.

It reads and says; the audit itself is in `audit.py`. Exit statuses as in `commands.py`: 0 fine,
1 refused or not as it should be, 2 wrong usage.
"""

import argparse
from collections.abc import Callable
from uuid import UUID

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import GroupId
from clearsplit_pg import audit
from clearsplit_pg.commands import add_database, database_at, reporting

# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def verify(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    """Check every journal in a database, and what stands beside it; exit 1 if anything is wrong."""
    add_database(parser)
    parser.add_argument("--group", metavar="ID", type=_group_id, help="only this group")
    return lambda arguments: reporting("verify", _verify, arguments)


def _verify(arguments: argparse.Namespace) -> int:
    with database_at(arguments) as url, audit.connected(url) as database:
        those = audit.group_ids(database)
        if arguments.group is not None:
            _require_there(arguments.group, those)
            those = [arguments.group]
        entries = faulty = 0
        for group_id in those:
            found = audit.audited(database, group_id)
            entries += found.head.seq
            faulty += bool(found.faults)
            for fault in found.faults:
                print(f"WRONG  group {group_id}  {_place(fault)}  {fault.said}")
    print(f"{_groups(len(those))}, {entries} entries: {_verdict(faulty)}")
    return 1 if faulty else 0


def _require_there(group_id: GroupId, those: list[GroupId]) -> None:
    if group_id not in those:
        raise ThingNotFound(f"There is no group {group_id} in this database.")


def _place(fault: audit.Fault) -> str:
    return "beside the journal" if fault.seq is None else f"entry {fault.seq}"


def _groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"


def _verdict(faulty: int) -> str:
    return f"{_groups(faulty)} with faults." if faulty else "everything holds."


def _group_id(text: str) -> GroupId:
    try:
        return GroupId(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("a group's id is a UUID") from None
