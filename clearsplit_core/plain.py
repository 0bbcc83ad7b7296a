"""Plain trees: frozen values as JSON-like data, back again, and as the bytes that a hash covers.

A plain tree is made of None, bool, int, str, lists and dicts with string keys: what JSON can say
without a float. The journal stores events so, and the hash chain covers `canonical(tree)`. A
dataclass becomes a dict of its fields, with its `kind` beside them where it has one. A `Text`
becomes its commitment alone; the words travel separately (`texts_in`) so that they can be erased.

The shape is read from type hints, so there is no second description of any event to keep in step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain, repeat
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Any,
    Final,
    NewType,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from clearsplit_core.errors import Invalid, JournalBroken
from clearsplit_core.text import Text

Plain: TypeAlias = "bool | int | str | list[Plain] | dict[str, Plain] | None"
Texts: TypeAlias = Mapping[str, Text]
"""The texts that have not been erased, by commitment."""

IDS_MAX: Final = 10_000
"""Ids that are kept as they were read or written; the longest unused is read and written anew."""
KEYS_MAX: Final = 1_000
"""Sets of keys whose order is kept: every dataclass has one."""

T = TypeVar("T")
_Reader: TypeAlias = Callable[[object, Texts], object]
_ReaderOfMany: TypeAlias = Callable[[list[object], Texts], Iterable[object]]
_Writer: TypeAlias = "Callable[[Any], Plain]"


# ── Values to plain trees ────────────────────────────────────────────────────────────────────────


def text_of_id(value: UUID) -> str:
    """As `str`, which takes it five times as long; a group's members stand in every entry."""
    return _text_of_number(value.int)


@lru_cache(IDS_MAX)
def _text_of_number(number: int) -> str:
    """By its number, for an id is hashed and compared in Python: that takes most of the look-up."""
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def to_plain(value: object) -> Plain:
    """`value` as a plain tree; every text in it as its commitment."""
    return _WRITERS[type(value)](value)


def to_plain_like(value: object, other: object, other_tree: Mapping[str, Plain]) -> Plain:
    """As `to_plain`; what is the very same under the same name in `other`, whose tree is
    `other_tree`, is taken from there.

    `value` is a dataclass without a kind. A record has most of its parts from the event that
    made it.
    """
    tree: dict[str, Plain] = {}
    for name in _field_names(type(value)):
        part = getattr(value, name)
        is_told = name in other_tree and getattr(other, name) is part
        tree[name] = other_tree[name] if is_told else _WRITERS[type(part)](part)
    return tree


class _Writers(dict[type, _Writer]):
    """How to write each type, found once: to look at its fields costs more than to write them."""

    def __missing__(self, shape: type) -> _Writer:
        self[shape] = writer = _new_writer(shape)
        return writer


def _new_writer(shape: type) -> _Writer:
    if issubclass(shape, StrEnum):
        return attrgetter("value")
    assert is_dataclass(shape), f"{shape.__name__} has no plain form"
    names = _field_names(shape)
    kind = getattr(shape, "kind", None)

    def write(value: object) -> Plain:
        tree: dict[str, Plain] = {} if kind is None else {"kind": kind}
        for name in names:
            part = getattr(value, name)
            tree[name] = _WRITERS[type(part)](part)
        return tree

    return write


def _itself(value: Plain) -> Plain:
    return value


def _moment(value: datetime) -> str:
    """UTC with microseconds, always 27 characters: 2026-01-31T23:59:59.000000Z."""
    in_utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _list(value: tuple[object, ...]) -> Plain:
    return [_WRITERS[type(item)](item) for item in value]


_WRITERS: Final = _Writers(
    {
        NoneType: _itself,
        bool: _itself,
        int: _itself,
        str: _itself,
        UUID: text_of_id,
        tuple: _list,
        Text: attrgetter("commitment"),
        date: date.isoformat,
        datetime: _moment,
    }
)


def _field_names(shape: type) -> tuple[str, ...]:
    """The fields of a dataclass, none of anything else. To look them up costs more than to walk."""
    if shape not in _FIELDS:
        _FIELDS[shape] = tuple(f.name for f in fields(shape)) if is_dataclass(shape) else ()
    return _FIELDS[shape]


_FIELDS: Final[dict[type, tuple[str, ...]]] = {}


def texts_in(value: object) -> Iterable[Text]:
    """Every text inside `value` that has not been erased."""
    found: list[Text] = []
    _collect_texts(value, found)
    return found


def _collect_texts(value: object, found: list[Text]) -> None:
    if isinstance(value, Text):
        if value.words is not None:
            found.append(value)
    elif isinstance(value, tuple):
        for item in value:
            _collect_texts(item, found)
    else:
        for name in _WORDED[type(value)]:
            _collect_texts(getattr(value, name), found)


class _Worded(dict[type, tuple[str, ...]]):
    """The fields of each type in which a text can stand, found once: most of what an event holds
    are members and their shares."""

    def __missing__(self, shape: type) -> tuple[str, ...]:
        hints = get_type_hints(shape) if is_dataclass(shape) else {}
        names = _field_names(shape)
        self[shape] = found = tuple(name for name in names if self._has_words(hints[name]))
        return found

    def _has_words(self, hint: object) -> bool:
        """What stands for a member is an id, whatever it may be elsewhere."""
        if isinstance(hint, NewType | TypeVar):
            return False
        if hint is Text:
            return True
        if get_origin(hint) in (tuple, Union, UnionType):
            return any(map(self._has_words, get_args(hint)))
        make = get_origin(hint) or hint
        return isinstance(make, type) and bool(self[make])


_WORDED: Final = _Worded()


def strings_in(tree: Plain) -> Iterator[str]:
    """Every string in a plain tree, names of fields left out: among them all commitments."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list | dict):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from strings_in(part)


# ── Plain trees to values ────────────────────────────────────────────────────────────────────────


def from_plain(shape: type[T], tree: object, texts: Texts) -> T:
    """The value that `tree` describes; texts that are not in `texts` come back erased.

    Raises JournalBroken when the tree does not have that shape.
    """
    try:
        value = _reader(shape)(tree, texts)
    except (Invalid, KeyError, TypeError, ValueError) as error:
        raise JournalBroken(f"This is not a {shape.__name__}.") from error
    assert isinstance(value, shape)
    return value


def _reader(shape: object) -> _Reader:
    if shape not in _READERS:
        _READERS[shape] = _new_reader(shape)
    return _READERS[shape]


def _new_reader(shape: object) -> _Reader:
    if isinstance(shape, NewType):
        return _reader(shape.__supertype__)
    if get_origin(shape) in (Union, UnionType):
        return _union_reader(get_args(shape))
    if get_origin(shape) is tuple:
        return _tuple_reader(get_args(shape)[0])
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return _leaf(str, shape)
    return _dataclass_reader(shape)


def _leaf(stored: type, make: Callable[[str], object]) -> _Reader:
    def read(tree: object, _texts: Texts) -> object:
        if type(tree) is not stored:
            raise TypeError(f"expected {stored.__name__}")
        return make(tree)  # type: ignore[arg-type]  # just checked, but mypy cannot follow `type() is`

    return read


def _text_reader(tree: object, texts: Texts) -> Text:
    if not isinstance(tree, str):
        raise TypeError("expected a commitment")
    return texts.get(tree) or Text.erased(tree)


def _tuple_reader(item: object) -> _Reader:
    read_all = _reader_of_many(item)

    def read(tree: object, texts: Texts) -> object:
        if not isinstance(tree, list):
            raise TypeError("expected a list")
        return tuple(read_all(tree, texts))

    return read


def _reader_of_many(shape: object) -> _ReaderOfMany:
    """As `_reader` for each of a list. Most of what is read are members and their shares, by the
    thousand on a page, and column by column that takes half the time.
    """
    if isinstance(shape, NewType):
        return _reader_of_many(shape.__supertype__)
    if shape in _LEAVES:
        return _leaves_reader(*_LEAVES[shape])
    return _columns_reader(shape) if _is_row(shape) else _one_by_one(_reader(shape))


def _is_row(shape: object) -> bool:
    """A dataclass of one kind alone whose fields are named in order when it is made."""
    make = get_origin(shape) or shape
    if not isinstance(make, type) or not is_dataclass(make) or hasattr(make, "kind"):
        return False
    return not any(field.kw_only for field in fields(make))


def _leaves_reader(stored: type, make: Callable[[str], object]) -> _ReaderOfMany:
    def read(trees: list[object], _texts: Texts) -> Iterable[object]:
        if not {stored}.issuperset(map(type, trees)):
            raise TypeError(f"expected {stored.__name__}")
        return map(make, trees)  # type: ignore[arg-type]  # just checked

    return read


def _columns_reader(shape: object) -> _ReaderOfMany:
    make, shapes = _fields_of(shape)
    readers = {name: _reader_of_many(each) for name, each in shapes.items()}

    def read(trees: list[object], texts: Texts) -> Iterable[object]:
        if not {len(readers)}.issuperset(map(len, trees)):  # type: ignore[arg-type]  # or TypeError
            raise TypeError(f"expected the fields of {make.__name__}")
        columns = (
            reader([tree[name] for tree in trees], texts)  # type: ignore[index]  # or TypeError
            for name, reader in readers.items()
        )
        return map(make, *columns)

    return read


def _one_by_one(read_one: _Reader) -> _ReaderOfMany:
    def read(trees: list[object], texts: Texts) -> Iterable[object]:
        return [read_one(tree, texts) for tree in trees]

    return read


def _union_reader(arms: tuple[object, ...]) -> _Reader:
    """Either something or nothing; or one of several dataclasses, told apart by their kind."""
    some = [arm for arm in arms if arm is not NoneType]
    by_kind = {getattr(get_origin(arm) or arm, "kind", None): _reader(arm) for arm in some}

    def read(tree: object, texts: Texts) -> object:
        if tree is None and NoneType in arms:
            return None
        kind = tree.get("kind") if len(some) > 1 and isinstance(tree, dict) else next(iter(by_kind))
        return by_kind[kind](tree, texts)

    return read


def _dataclass_reader(shape: object) -> _Reader:
    make, shapes = _fields_of(shape)
    readers = {name: _reader(each) for name, each in shapes.items()}

    def read(tree: object, texts: Texts) -> object:
        if not isinstance(tree, dict) or len(tree) - ("kind" in tree) != len(readers):
            raise TypeError(f"expected the fields of {make.__name__}")
        return make(**{name: reader(tree[name], texts) for name, reader in readers.items()})

    return read


def _fields_of(shape: object) -> tuple[type, Mapping[str, object]]:
    """A dataclass and the shapes of its fields; Part[M] with M = MemberId has Part[MemberId]'s."""
    make = get_origin(shape) or shape
    assert isinstance(make, type), f"{shape} has no plain form"
    filled = dict(zip(getattr(make, "__parameters__", ()), get_args(shape), strict=True))
    hints = get_type_hints(make)
    return make, {field.name: _fill(hints[field.name], filled) for field in fields(make)}


def _fill(hint: object, filled: Mapping[object, object]) -> object:
    """`hint` with its type variables replaced: Part[M] with M = MemberId is Part[MemberId]."""
    if isinstance(hint, TypeVar):
        return filled[hint]
    open_parameters = getattr(hint, "__parameters__", ())
    if not open_parameters:
        return hint
    return hint[tuple(filled[name] for name in open_parameters)]  # type: ignore[index]  # a generic alias


@lru_cache(IDS_MAX)
def id_of(text: str) -> UUID:
    """The id with these hex digits. The same members stand in every expense of a group, so the
    latest ids are kept: to read one again costs a twentieth."""
    return UUID(text)


_LEAVES: Final[Mapping[object, tuple[type, Callable[[str], object]]]] = {
    str: (str, str),
    int: (int, int),
    bool: (bool, bool),
    UUID: (str, id_of),
    date: (str, date.fromisoformat),
    datetime: (str, datetime.fromisoformat),
}
"""What stands in a tree for each of them, and how to make it of that."""
_READERS: Final[dict[object, _Reader]] = {
    **{shape: _leaf(*leaf) for shape, leaf in _LEAVES.items()},
    Text: _text_reader,
}
"""How to read each shape: the leaves, and every shape that was asked for since."""


# ── Plain trees to bytes ─────────────────────────────────────────────────────────────────────────


class Written(str):
    """A part of a tree whose canonical form this is already."""

    __slots__ = ()


def canonical(tree: Plain) -> bytes:
    """The one byte string for `tree`: typed and length-prefixed, so that no two trees share one.

    A string is `s<bytes>:<UTF-8>`, an integer `i<digits>:<decimal>`, a list `l<count>:` and its
    items, a dict `d<count>:` and its keys and values in the order of the keys' code points;
    `n`, `t` and `f` are None, True and False; what is `Written` stands as it is. Raises
    JournalBroken for anything else, a float above all: 1.0 equals 1 and True, and is neither.
    """
    pieces: list[str] = []
    _write("", tree, pieces.append)
    return "".join(pieces).encode()


def _write(before: str, tree: Plain, write: Callable[[str], None]) -> None:
    """`before`, such as the key whose value it is, and the tree."""
    if type(tree) is str:
        write(_string(before, tree))
    elif type(tree) is dict:
        write(before if tree else f"{before}d0:")
        for key, written in _in_order(tuple(tree)):
            _write(written, tree[key], write)
    elif type(tree) is list:
        write(f"{before}l{len(tree)}:")
        for item in tree:
            _write("", item, write)
    elif type(tree) is int:
        digits = str(tree)
        write(f"{before}i{len(digits)}:{digits}")
    elif tree is None:
        write(before + "n")
    elif type(tree) is bool:
        write(before + ("t" if tree else "f"))
    elif type(tree) is Written:
        write(before + tree)
    else:
        raise JournalBroken(f"A plain tree holds no {type(tree).__name__}.")


def _string(before: str, text: str) -> str:
    size = len(text) if text.isascii() else len(text.encode())
    return f"{before}s{size}:{text}"


@lru_cache(maxsize=KEYS_MAX)
def _in_order(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """The keys of a dict in the order of their code points, each with its canonical form; before
    the first of them stands how many they are."""
    marks = chain([f"d{len(keys)}:"], repeat(""))
    return [(key, _string(mark, key)) for key, mark in zip(sorted(keys), marks, strict=False)]
