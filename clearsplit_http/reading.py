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
        tree: Plain = _DECODER.decode(body.decode("utf-8"))
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
        raise _field_refusal(str(error)) from None


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


def _field_refusal(said: str) -> Invalid:
    """What msgspec said, as a refusal that does not repeat what was sent."""
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
        return WrongType(f"This must be {' or '.join(words)}.", field=pointer)
    if said.startswith(("Invalid enum value", "Invalid value")):
        return UnknownValue(field=pointer)
    return BadFormat(field=pointer)


def _pointer(place: str) -> str:
    """A JSON pointer (RFC 6901) for msgspec's `$.split.parts[0].percent`."""
    steps = (step["index"] or step["name"] for step in _STEP.finditer(place))
    return "".join(f"/{step}" for step in steps)
