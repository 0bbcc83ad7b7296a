"""A journal as a file: JSON lines that anybody can keep and check without ClearSplit's database.

The first line says whose journal it is and where it ends; each other line is an entry with all that
its hash covers, and beside it the words and salts of its texts, those that were not erased or left
out. docs/journal.md describes it for whoever writes a checker of their own.

A file is checked as it is read, line by line: the chain, every sum, what each event leads to, and
that every text is the one that was committed to.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

from clearsplit_core.errors import BadFile, JournalBroken
from clearsplit_core.group import Group, told_again
from clearsplit_core.journal import Entry, GroupId, Head, MemberId, Posting
from clearsplit_core.plain import Plain, Texts, from_plain, strings_in, to_plain
from clearsplit_core.text import SALT_BYTES, Text

FORMAT: Final = "clearsplit/journal/1"
LINE_BYTES_MAX: Final = 10_000_000
"""Bytes of one line that are read; the largest entry has a tenth of that."""


@dataclass(frozen=True, slots=True)
class _First:
    """The first line: whose journal it is, and where it ends."""

    format: str
    group_id: GroupId
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry's line, but for its event and its texts."""

    seq: int
    at: datetime
    actor_id: MemberId | None
    postings: tuple[Posting, ...]
    previous: str
    hash: str


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────


def first_line(group_id: GroupId, head: Head) -> str:
    """Whose journal follows, and where it ends."""
    return _written(to_plain(_First(FORMAT, group_id, head.seq, head.hash)))


def entry_line(entry: Entry, texts: Texts) -> str:
    """An entry; `texts` are those of its texts that go with it."""
    line = to_plain(
        _Line(entry.seq, entry.at, entry.actor_id, entry.postings, entry.previous, entry.hash)
    )
    assert isinstance(line, dict)
    told: dict[str, Plain] = {
        mark: {"words": text.words, "salt": text.salt.hex()}
        for mark, text in texts.items()
        if text.salt is not None
    }
    return _written({**line, "event": entry.event, "texts": told})


def _written(tree: Plain) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":")) + "\n"


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Checked:
    """A journal file that holds: the group that its entries tell, and how many texts they brought.

    A text that comes in several entries counts each time.
    """

    group: Group
    texts: int


def check(lines: Iterable[bytes], *, remembered: str | None = None) -> Checked:
    """The file holds; and it passes through the hash that somebody `remembered`, if any.

    Without one, a journal that was written anew as a whole, its first line included, looks fine.
    Raises BadFile for what is no such file, and JournalBroken, which names the first wrong entry.
    """
    rest = iter(lines)
    first = _read_first(next(rest, b""))
    group = Group.unfounded(first.group_id, _BEFORE)
    texts_there, passed = 0, remembered in (None, group.head.hash)
    for line in rest:
        entry, texts = _read_entry(line, group)
        group = told_again(group, entry, texts)
        texts_there += len(texts)
        passed = passed or remembered == entry.hash
    _require_end(group.head, Head(first.seq, first.head))
    if not passed:
        raise JournalBroken(f"The journal ends at {group.head.seq} and never had this head.")
    return Checked(group, texts_there)


_BEFORE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before the first entry no time is asked for."""


def _require_end(last: Head, said: Head) -> None:
    if last.seq < said.seq:
        raise JournalBroken(
            f"Entry {last.seq + 1} is missing: the file ends before it.", seq=last.seq + 1
        )
    if last != said:
        raise JournalBroken(
            f"Entry {last.seq} is not where the file says that it ends.", seq=last.seq
        )


def _read_first(line: bytes) -> _First:
    try:
        first = from_plain(_First, _tree(line), {})
    except (ValueError, RecursionError) as error:
        raise BadFile("This is not a journal that ClearSplit has exported.") from error
    if first.format != FORMAT:
        raise BadFile(f"This file is no {FORMAT}; a newer version of ClearSplit may read it.")
    return first


def _read_entry(line: bytes, group: Group) -> tuple[Entry, Texts]:
    """The entry that a line tells, and its texts. Raises JournalBroken."""
    seq = group.head.seq + 1
    try:
        tree = _tree(line)
        entry, texts = _entry_of(tree, group.id), _texts_of(tree)
        _require_as_written(line, entry, texts)
    except JournalBroken as error:
        raise JournalBroken(f"Entry {seq} is broken: {error.message}", seq=seq) from error
    except (ValueError, RecursionError) as error:
        raise JournalBroken(f"Entry {seq} cannot be read.", seq=seq) from error
    return entry, texts


def _require_as_written(line: bytes, entry: Entry, texts: Texts) -> None:
    if line != entry_line(entry, texts).encode():
        raise JournalBroken("it is not written as it was exported.")


def _entry_of(tree: dict[str, Plain], group_id: GroupId) -> Entry:
    told = {name: tree[name] for name in tree if name not in ("event", "texts")}
    line = from_plain(_Line, told, {})
    if line.at.utcoffset() is None or line.seq < 1 or not line.hash:
        raise JournalBroken("its number, its time or its hash is missing.")
    return Entry(
        group_id=group_id,
        seq=line.seq,
        at=line.at.astimezone(UTC),
        actor_id=line.actor_id,
        event=tree.get("event"),
        postings=line.postings,
        previous=line.previous,
        hash=line.hash,
    )


def _texts_of(tree: dict[str, Plain]) -> Texts:
    told = tree.get("texts")
    if not isinstance(told, dict):
        raise JournalBroken("it has no texts.")
    named = frozenset(strings_in(tree.get("event")))
    if not told.keys() <= named:
        raise JournalBroken("it has a text that it does not name.")
    return {mark: _text(mark, each) for mark, each in told.items()}


def _text(commitment: str, told: Plain) -> Text:
    match told:
        case {"words": str(words), "salt": str(salt)} if len(salt) == 2 * SALT_BYTES:
            return Text(words, bytes.fromhex(salt), commitment)
        case _:
            raise JournalBroken("a text has no words or no salt.")


# ── Reading JSON that has one meaning ────────────────────────────────────────────────────────────


def _tree(line: bytes) -> dict[str, Plain]:
    """Raises ValueError for what is not one object of whole numbers, each name in it once."""
    tree: Plain = _DECODER.decode(line.decode("utf-8"))
    if not isinstance(tree, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the line is wrong, not the code
    return tree


def _object(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(_text: str) -> NoReturn:
    raise ValueError("a number is not whole")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_no_number, parse_constant=_no_number
)
