"""Checkpoints: the tree of RFC 6962, and a file of which nothing can be changed."""

import hashlib
import random
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.checkpoints import (
    FORMAT,
    Leaf,
    Sealed,
    Statement,
    Tree,
    read_first,
    read_leaves,
    written,
)
from clearsplit_core.errors import BadFile
from clearsplit_core.journal import GroupId
from tests.literals import NOON

ROUNDS: Final = 200

LEAVES: Final = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS: Final = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots that Certificate Transparency's own tests have for the first 0 to 8 of these leaves."""


def root(leaves: Sequence[bytes]) -> str:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root().hex()


@pytest.mark.parametrize("size", range(9))
def test_a_root_is_what_certificate_transparency_has(size: int) -> None:
    assert root(LEAVES[:size]) == ROOTS[size]


def as_written_in_the_rfc(leaves: Sequence[bytes]) -> bytes:
    """The definition, word for word (RFC 6962 §2.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    left, right = as_written_in_the_rfc(leaves[:split]), as_written_in_the_rfc(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_growing_leaf_by_leaf_leads_to_the_root_of_the_definition(leaves: list[bytes]) -> None:
    assert root(leaves) == as_written_in_the_rfc(leaves).hex()


# ── As a file ────────────────────────────────────────────────────────────────────────────────────

HEADS: Final = [
    Leaf(GroupId(UUID(int=number << 64)), number, f"{number:064x}") for number in range(1, 6)
]


def lines() -> list[bytes]:
    statement = Statement.over(HEADS, at=NOON, kid="0123456789abcdef")
    return [line.encode() for line in written(Sealed(statement, "00"), HEADS)]


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    first, *rest = lines()
    sealed = read_first(first)
    assert (sealed.statement.format, sealed.statement.groups, sealed.statement.at) == (
        FORMAT, 5, NOON,
    )  # fmt: skip
    assert list(read_leaves(rest, sealed.statement)) == HEADS


def test_whatever_is_changed_in_the_heads_is_found() -> None:
    luck = random.Random(7)
    first, *rest = lines()
    statement = read_first(first).statement
    for _ in range(ROUNDS):
        changed = [*rest]
        place = luck.randrange(len(rest))
        line = bytearray(rest[place])
        line[luck.randrange(len(line))] ^= 1 << luck.randrange(8)
        changed[place] = bytes(line)
        with pytest.raises(BadFile):
            list(read_leaves(changed, statement))


@pytest.mark.parametrize(
    "rest",
    [lines()[1:-1], lines()[1:] + lines()[-1:], lines()[:0:-1], [], [*lines()[1:], b"\n"]],
    ids=["one less", "one twice", "another order", "none", "an empty line"],
)
def test_a_list_of_other_heads_is_refused(rest: list[bytes]) -> None:
    with pytest.raises(BadFile):
        list(read_leaves(rest, read_first(lines()[0]).statement))


@pytest.mark.parametrize("first", [b"", b"{}\n", b"[" * 9_000, b"\xff\n", lines()[1]])
def test_what_is_no_checkpoint_is_told(first: bytes) -> None:
    with pytest.raises(BadFile):
        read_first(first)


def test_a_checkpoint_of_another_format_is_refused() -> None:
    with pytest.raises(BadFile, match="is no clearsplit/checkpoint/1"):
        read_first(lines()[0].replace(b"checkpoint/1", b"checkpoint/2"))
