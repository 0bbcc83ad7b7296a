"""What clearsplit_pg adds to the command line about journals: `verify` without a file, `export`,
`checkpoint` and `erase`.

They read and say; what is done stands in `audit.py`, `checkpoint.py` and the store. Exit statuses
as in `commands.py`: 0 fine, 1 refused or not as it should be, 2 wrong usage.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import StoreOptions
from clearsplit_pg import audit, checkpoint, signing
from clearsplit_pg.commands import add_database, database_at, reporting
from clearsplit_pg.store import open_store

Run = Callable[[argparse.Namespace], int]


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def verify(parser: argparse.ArgumentParser) -> Run:
    """Check every journal in a database, and what stands beside it; exit 1 if anything is wrong."""
    add_database(parser)
    parser.add_argument("--group", metavar="ID", type=_group_id, help="only this group")
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, help="also hold the journals against this"
    )
    _add_keys(parser, "the public keys, for --checkpoint")
    return lambda arguments: reporting("verify", _verify, arguments)


def _verify(arguments: argparse.Namespace) -> int:
    with database_at(arguments) as url, audit.connected(url) as database:
        those, damaged = _groups_there(database)
        if arguments.group is not None:
            _require_there(arguments.group, those)
            those = [arguments.group]
        entries, faulty = 0, set[GroupId]()
        for group_id in those:
            found = audit.audited(database, group_id)
            entries += found.head.seq
            faulty |= _told(found.faults)
        faulty |= _told(_since_checkpoint(database, arguments))
    wrong = damaged or bool(faulty)
    verdict = f"{_groups(len(faulty))} with faults." if wrong else "everything holds."
    print(f"{_groups(len(those))}, {entries} entries: {verdict}")
    return 1 if wrong else 0


def _groups_there(database: audit.Database) -> tuple[list[GroupId], bool]:
    """The groups, and whether Postgres could not read all that it needs to know of each."""
    try:
        return audit.group_ids(database), False
    except audit.DAMAGED as error:
        print(f"WRONG  {error.diag.message_primary}. Restore a backup; what can be read says:")
        return audit.group_ids_listed(database), True


def _since_checkpoint(
    database: audit.Database, arguments: argparse.Namespace
) -> Iterator[audit.Fault]:
    file: Path | None = arguments.checkpoint
    if file is None:
        return
    with file.open("rb") as opened:
        yield from checkpoint.faults(database, opened, _keys(arguments), arguments.group)


def _told(faults: Iterable[audit.Fault]) -> set[GroupId]:
    """The groups that have them; each fault is printed."""
    faulty = set[GroupId]()
    for fault in faults:
        print(f"WRONG  group {fault.group_id}  {_place(fault)}  {fault.said}")
        faulty.add(fault.group_id)
    return faulty


def _require_there(group_id: GroupId, those: list[GroupId]) -> None:
    if group_id not in those:
        raise ThingNotFound(f"There is no group {group_id} in this database.")


def _place(fault: audit.Fault) -> str:
    return "beside the journal" if fault.seq is None else f"entry {fault.seq}"


def _groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"


# ── export ───────────────────────────────────────────────────────────────────────────────────────


def export(parser: argparse.ArgumentParser) -> Run:
    """Write a group's journal as a file that `clearsplit verify FILE` checks anywhere."""
    add_database(parser)
    parser.add_argument("group", metavar="GROUP", type=_group_id, help="the group's id")
    parser.add_argument("--out", metavar="FILE", type=Path, help="instead of standard output")
    parser.add_argument(
        "--without-texts",
        action="store_true",
        help="leave out names, titles and all else that somebody wrote",
    )
    return lambda arguments: reporting("export", _export, arguments)


def _export(arguments: argparse.Namespace) -> int:
    with database_at(arguments) as url, audit.connected(url) as database:
        texts = not arguments.without_texts
        _write(audit.exported(database, arguments.group, texts=texts), arguments.out)
    return 0


def _write(lines: Iterator[str], out: Path | None) -> None:
    """To standard output; or as a file that is there whole or not at all, for its owner alone."""
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line.encode())
        return
    draft = out.with_name(f".{out.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(line.encode() for line in lines)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


# ── checkpoint ───────────────────────────────────────────────────────────────────────────────────


def take_checkpoint(parser: argparse.ArgumentParser) -> Run:
    """Sign where every journal ends: whoever keeps the file sees what is cut or rewritten later."""
    add_database(parser)
    _add_keys(parser, "the keys, the one that signs among them")
    parser.add_argument("--out", metavar="FILE", type=Path, help="instead of standard output")
    parser.add_argument(
        "--new-key", action="store_true", help="make a key first that signs from now on"
    )
    return lambda arguments: reporting("checkpoint", _checkpoint, arguments)


def _checkpoint(arguments: argparse.Namespace) -> int:
    keys = _keys(arguments)
    if arguments.new_key:
        print(f"made the key {signing.make(keys)}", file=sys.stderr)
    with database_at(arguments) as url, audit.connected(url) as database:
        _write(checkpoint.taken(database, keys, datetime.now(UTC)), arguments.out)
    return 0


def _add_keys(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--keys", metavar="FOLDER", type=Path, help=f"{what} (or CHECKPOINT_KEYS_DIR)"
    )


def _keys(arguments: argparse.Namespace) -> Path:
    given: Path | None = arguments.keys
    named = os.environ.get("CHECKPOINT_KEYS_DIR", "").strip()
    if given is None and not named:
        raise signing.KeyMissing("Which keys? Set CHECKPOINT_KEYS_DIR or give --keys.")
    return given or Path(named)


# ── erase ────────────────────────────────────────────────────────────────────────────────────────


def erase(parser: argparse.ArgumentParser) -> Run:
    """Delete the texts of one entry for good; sums, chain and history stay."""
    add_database(parser)
    parser.add_argument("--group", metavar="ID", type=_group_id, required=True)
    parser.add_argument("--seq", metavar="N", type=int, required=True, help="the entry's number")
    return lambda arguments: reporting("erase", _erase, arguments)


def _erase(arguments: argparse.Namespace) -> int:
    with database_at(arguments) as url:
        try:
            asyncio.run(_erased(url, arguments.group, arguments.seq))
        except ThingNotFound as refusal:
            raise ThingNotFound("There is no such entry in this database.") from refusal
    print(f"erased the texts of entry {arguments.seq}, and the answers that may have told them")
    return 0


async def _erased(url: str, group_id: GroupId, seq: int) -> None:
    options = StoreOptions(connections_max=1, unsafe=True)  # nothing is confirmed to anybody here
    async with open_store(url, lambda: datetime.now(UTC), options) as store:
        await store.erase(group_id, seq)


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def _group_id(text: str) -> GroupId:
    try:
        return GroupId(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError("a group's id is a UUID") from None
