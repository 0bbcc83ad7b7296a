"""Reading JSON: bytes become one value that every reader would agree on, or a refusal.

JSON has corners in which two readers see different things: duplicate keys (RFC 8259 §4), unpaired
surrogates (§8.2), NUL. None of that is read here. A number with a point or an exponent is read and
is then of the wrong type everywhere, since no field of ours takes a fraction. Whether the fields
are right is said by the structs in `wire/`; `shaped` puts what is wrong with them into our own
words, which never repeat what was sent.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn, TypeVar

import msgspec
from msgspec import inspect

from clearsplit_core.errors import Invalid
from clearsplit_core.plain import Plain
from clearsplit_http.refusals import (
    BadFormat,
    BadJson,
    MissingField,
    OutOfRange,
    UnknownField,
    UnknownValue,
    WrongType,
)

DEPTH_MAX: Final = 32
"""Lists and objects within one another; the deepest body of ours has 6."""
DIGITS_MAX: Final = 1_000
"""Digits of an integer that are read; a longer one is out of every range anyway."""

T = TypeVar("T")


# ── Bytes to a plain tree ────────────────────────────────────────────────────────────────────────


def read_json(body: bytes) -> Plain:
    """The value that `body` says. A fraction becomes `{".": text}`, which no field accepts.

    Raises BadJson for everything that is not JSON in UTF-8 with one meaning.
    """
    try:
        text = body.decode("utf-8")
        tree: Plain = _DECODER.decode(text)
        if not _plainly_clean(text):
            _require_clean(tree, DEPTH_MAX)
    except RecursionError:
        raise BadJson(f"The body is nested deeper than {DEPTH_MAX} levels.") from None
    except ValueError as error:
        raise _in_our_words(error) from None
    return tree


def _in_our_words(error: ValueError) -> BadJson:
    if isinstance(error, UnicodeDecodeError):
        return BadJson(f"The body is not UTF-8: byte {error.start} is wrong.")
    if isinstance(error, json.JSONDecodeError):
        return BadJson(f"The body is not JSON: line {error.lineno}, column {error.colno} is wrong.")
    return BadJson(str(error))


def _object(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("The body names a field twice in one object.")
    return found


def _fraction(text: str) -> dict[str, Plain]:
    return {".": text}


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return int(text) if len(text) <= DIGITS_MAX else sign * 10**DIGITS_MAX


def _constant(_name: str) -> NoReturn:
    raise ValueError("The body has NaN or Infinity, which are not JSON.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=_constant,
)


def _plainly_clean(text: str) -> bool:
    """Whether JSON that was decoded needs no further look: only an escape brings a NUL or half of a
    surrogate pair into a text, and nothing is deeper than it has brackets."""
    return "\\" not in text and text.count("[") + text.count("{") <= DEPTH_MAX


def _require_clean(tree: Plain, depth: int) -> None:
    if isinstance(tree, str):
        _require_text(tree)
    elif isinstance(tree, list | dict):
        if not depth:
            raise RecursionError
        for part in tree.values() if isinstance(tree, dict) else tree:
            _require_clean(part, depth - 1)
        for key in tree if isinstance(tree, dict) else ():
            _require_text(key)


def _require_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("The body has a NUL character in a text.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("The body has half of a surrogate pair in a text.")


# ── A plain tree to a struct ─────────────────────────────────────────────────────────────────────


def shaped(tree: Plain, shape: type[T]) -> T:
    """`tree` as a `shape`. Raises MissingField, UnknownField, WrongType, OutOfRange, UnknownValue,
    BadFormat, with a pointer to the field.
    """
    try:
        return msgspec.convert(tree, shape, strict=True)
    except msgspec.ValidationError as error:
        raise _field_refusal(str(error), shape) from None


_PLACE = re.compile(r" - at `(?P<place>.*)`$")
_STEP = re.compile(r"\[(?P<index>\d+)\]|\.(?P<name>[A-Za-z0-9_]+)")
_NAMED = re.compile(r"Object missing required field `(?P<name>[a-z_]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?:(?P<name>[A-Za-z_]{1,40})`$)?")
_LIMIT = re.compile(r"Expected `(?P<type>\w+)`(?: of length)? (?P<limit>[<>]=? -?\d+)$")
_TYPE = re.compile(r"Expected `(?P<types>[\w |]+)`, got ")

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "int": "a whole number",
        "str": "a text",
        "bool": "true or false",
        "array": "a list",
        "object": "an object",
        "null": "null",
        "uuid": "an id",
        "date": "a date",
    }
)


def _field_refusal(said: str, shape: type) -> Invalid:
    """What msgspec said of a `shape`, as a refusal that does not repeat what was sent."""
    found = _PLACE.search(said)
    pointer = _pointer(found["place"] if found else "")
    said = said[: found.start()] if found else said
    if named := _NAMED.fullmatch(said):
        return MissingField(
            f"The field {named['name']} is missing.", field=f"{pointer}/{named['name']}"
        )
    if unknown := _UNKNOWN.match(said):
        return UnknownField(field=f"{pointer}/{unknown['name']}" if unknown["name"] else pointer)
    if limit := _LIMIT.fullmatch(said):
        measure = "This must be" if limit["type"] == "int" else "The length must be"
        return OutOfRange(f"{measure} {limit['limit']}.", field=pointer)
    if types := _TYPE.match(said):
        words = [_TYPES.get(name, name) for name in types["types"].split(" | ")]
        such = _example(shape, pointer) if "a text" in words else ""
        return WrongType(f"This must be {' or '.join(words)}{such}.", field=pointer)
    if said.startswith(("Invalid enum value", "Invalid value")):
        return UnknownValue(f"This is one of {_choices(shape, pointer)}.", field=pointer)
    return BadFormat(field=pointer)


def _pointer(place: str) -> str:
    """A JSON pointer (RFC 6901) for msgspec's `$.split.parts[0].percent`."""
    steps = (step["index"] or step["name"] for step in _STEP.finditer(place))
    return "".join(f"/{step}" for step in steps)


# ── What a shape takes at a place ────────────────────────────────────────────────────────────────


def _choices(shape: type, pointer: str) -> str:
    """The values that a field takes, where they are few."""
    values: list[object] = []
    for kind in _kinds_at(shape, pointer):
        if isinstance(kind, inspect.LiteralType):
            values += kind.values
        elif isinstance(kind, inspect.EnumType):
            values += [each.value for each in kind.cls]
    return ", ".join(map(str, values))


def _example(shape: type, pointer: str) -> str:
    """`, such as "25"`, or nothing where the field names no example."""
    for kind in _kinds_at(shape, pointer):
        if isinstance(kind, inspect.Metadata):
            for example in (kind.extra_json_schema or {}).get("examples", ()):
                return f", such as {json.dumps(example)}"
    return ""


def _kinds_at(shape: type, pointer: str) -> list[inspect.Type]:
    kinds = _alternatives(inspect.type_info(shape))
    for step in pointer.split("/")[1:]:
        kinds = [inner for kind in kinds for inner in _within(kind, step)]
    return kinds


def _within(kind: inspect.Type, step: str) -> list[inspect.Type]:
    """What stands at one step of a pointer into a `kind`."""
    if isinstance(kind, inspect.StructType):
        if step == kind.tag_field:
            return [inspect.LiteralType((kind.tag,))]
        fields = [field.type for field in kind.fields if field.encode_name == step]
        return [inner for field in fields for inner in _alternatives(field)]
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return _alternatives(kind.item_type)
    return []


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    """All that a `kind` may be; what is noted of it beside."""
    if isinstance(kind, inspect.UnionType):
        return [inner for each in kind.types for inner in _alternatives(each)]
    if isinstance(kind, inspect.Metadata):
        return [kind, *_alternatives(kind.type)]
    return [kind]
