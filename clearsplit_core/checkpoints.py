"""Checkpoints: where every journal ended at one moment, sealed by one signature.

A journal's chain shows what was changed in it to whoever remembers a head. A checkpoint remembers
all of them: it is a file with the head of every group, and in its first line a signature over the
root of their Merkle tree. Kept away from the database it shows that a journal was cut short, was
written anew as a whole, or is gone.

The tree is that of RFC 6962 §2.1 (and RFC 9162 §2.1.1): a leaf is SHA-256(0x00 ‖ leaf), a node is
SHA-256(0x01 ‖ left ‖ right), and the left part of n leaves is the largest power of two below n. The
domain bytes keep a leaf from being taken for a node.

This module knows trees and files. Signing needs a key and a package: that is an adapter's business.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from clearsplit_core.errors import BadFile
from clearsplit_core.journal import GroupId
from clearsplit_core.plain import Plain, canonical, from_plain, to_plain

FORMAT: Final = "clearsplit/checkpoint/1"
T = TypeVar("T")

LINE_BYTES_MAX: Final = 10_000
"""Bytes of one line that are read."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where one group's journal ended."""

    group_id: GroupId
    seq: int
    head: str

    def content(self) -> bytes:
        """What its hash in the tree covers."""
        return canonical([FORMAT, str(self.group_id), self.seq, self.head])


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed: how many groups there were at `at`, and the root of their tree in hex.

    `kid` names the key that signs.
    """

    format: str
    at: datetime
    groups: int
    root: str
    kid: str

    @classmethod
    def over(cls, leaves: Iterable[Leaf], *, at: datetime, kid: str) -> "Statement":
        """The statement about `leaves`, which come in the order of their groups' ids."""
        tree = Tree()
        for leaf in leaves:
            tree.add(leaf.content())
        return cls(FORMAT, at, tree.size, tree.root().hex(), kid)

    def content(self) -> bytes:
        """What the signature covers."""
        return canonical(to_plain(self))


class Tree:
    """A Merkle tree that grows leaf by leaf and keeps no more than the roots of its full parts."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[tuple[int, bytes]] = []
        """How many leaves each full part has, and its root; from the left, ever smaller."""

    def add(self, leaf: bytes) -> None:
        part = (1, hashlib.sha256(b"\x00" + leaf).digest())
        while self._full and self._full[-1][0] == part[0]:
            size, left = self._full.pop()
            part = (2 * size, _node(left, part[1]))
        self._full.append(part)
        self.size += 1

    def root(self) -> bytes:
        """The root; of no leaves, the hash of nothing."""
        if not self._full:
            return hashlib.sha256().digest()
        root = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            root = _node(left, root)
        return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# ── As a file ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sealed:
    """A statement and the signature over it, in hex."""

    statement: Statement
    signature: str


def written(sealed: Sealed, leaves: Iterable[Leaf]) -> Iterator[str]:
    """The lines of a checkpoint's file: the statement with its signature, then each leaf."""
    yield _line(to_plain(sealed))
    for leaf in leaves:
        yield _line(to_plain(leaf))


def read_first(line: bytes) -> Sealed:
    """The first line of a checkpoint's file. Raises BadFile."""
    sealed = _read(Sealed, line)
    if sealed.statement.format != FORMAT:
        raise BadFile(f"This checkpoint is no {FORMAT}.")
    return sealed


def read_leaves(lines: Iterable[bytes], statement: Statement) -> Iterator[Leaf]:
    """The leaves in the other lines, one after another; they are the statement's, or in the end
    BadFile is raised: until then nothing that was read may be relied upon.
    """
    tree, last = Tree(), ""
    for line in lines:
        leaf = _read(Leaf, line)
        if str(leaf.group_id) <= last:
            raise BadFile("The groups of this checkpoint are not in order.")
        last = str(leaf.group_id)
        tree.add(leaf.content())
        yield leaf
    if (tree.size, tree.root().hex()) != (statement.groups, statement.root):
        raise BadFile("The heads in this checkpoint are not those that were signed.")


def _read(shape: type[T], line: bytes) -> T:
    try:
        tree: object = json.loads(line)
        read = from_plain(shape, tree, {})
    except (ValueError, RecursionError) as error:
        raise BadFile("This is not a checkpoint that ClearSplit has written.") from error
    if _line(to_plain(read)).encode() != line:
        raise BadFile("A line of this checkpoint is not written as it was.")
    return read


def _line(tree: Plain) -> str:
    return json.dumps(tree, separators=(",", ":")) + "\n"
