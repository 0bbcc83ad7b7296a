"""Checkpoints of a database: taking one, and holding a database against one.

What a checkpoint is and how its tree is made stands in `clearsplit_core/checkpoints.py`.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from clearsplit_core.checkpoints import (
    LINE_BYTES_MAX,
    Leaf,
    Sealed,
    Statement,
    read_first,
    read_leaves,
    written,
)
from clearsplit_core.errors import BadFile
from clearsplit_core.journal import GroupId
from clearsplit_pg import signing
from clearsplit_pg.audit import Database, Fault
from clearsplit_pg.sql import audit as sql

LEAVES_AT_ONCE: Final = 1_000
"""Heads that are looked up in one round trip."""


def taken(database: Database, keys: Path, at: datetime) -> Iterator[str]:
    """The lines of a checkpoint of all groups, as they are at one moment.

    Raises KeyMissing and BadKey.
    """
    kid, key = signing.signing_key(keys)
    with database.transaction():
        statement = Statement.over(_leaves(database), at=at, kid=kid)
        signature = key.sign(statement.content()).hex()
        yield from written(Sealed(statement, signature), _leaves(database))


def _leaves(database: Database) -> Iterator[Leaf]:
    with database.cursor(name="heads") as cursor:
        for row in cursor.execute(sql.HEADS):
            yield Leaf(GroupId(row["group_id"]), row["seq"], row["head"])


def faults(
    database: Database, file: BinaryIO, keys: Path, only: GroupId | None = None
) -> Iterator[Fault]:
    """The groups whose journals do not pass through the heads of a checkpoint.

    Raises BadFile, and what a signature that is not good raises. A fault that was told before
    BadFile is raised may be the file's.
    """
    lines = iter(lambda: file.readline(LINE_BYTES_MAX), b"")
    sealed = read_first(next(lines, b""))
    content = sealed.statement.content()
    signing.require_signed(keys, sealed.statement.kid, content, _signature(sealed))
    leaves = read_leaves(lines, sealed.statement)
    while some := list(islice(leaves, LEAVES_AT_ONCE)):
        yield from _not_there(database, [leaf for leaf in some if only in (None, leaf.group_id)])


def _signature(sealed: Sealed) -> bytes:
    if not _HEX.fullmatch(sealed.signature):
        raise BadFile("The signature of this checkpoint is no hex.")
    return bytes.fromhex(sealed.signature)


_HEX: Final = re.compile("(?:[0-9a-f]{2})+")


def _not_there(database: Database, leaves: list[Leaf]) -> Iterator[Fault]:
    params = {
        "group_ids": [leaf.group_id for leaf in leaves],
        "seqs": [leaf.seq for leaf in leaves],
    }
    with database.transaction():
        kept = database.execute(sql.HASHES, params).fetchall()
    for leaf, row in zip(leaves, kept, strict=True):
        if row["hash"] is None:
            first = (row["last_seq"] or 0) + 1
            said = f"Entry {first} is missing: there were {leaf.seq} at the checkpoint."
            yield Fault(leaf.group_id, first, said)
        elif row["hash"] != leaf.head:
            said = f"Entry {leaf.seq} or one before it was written anew since the checkpoint."
            yield Fault(leaf.group_id, leaf.seq, said)
