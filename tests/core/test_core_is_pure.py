"""The core decides and does nothing else: its source is read here, and held to that.

The standard library only; no clock, no randomness, no environment, no input or output outside
`cli.py`; no `async` outside the stores' port and the reference store; no float outside settlement.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import clearsplit_core

CORE: Final = Path(clearsplit_core.__file__).parent
ROOMS: Final = sorted(path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py"))

_SHELF = """
    __future__ abc array base64 binascii bisect codecs collections contextlib copy csv dataclasses
    datetime decimal difflib enum fractions functools hashlib heapq hmac io itertools json keyword
    math numbers operator random re reprlib string struct textwrap types typing unicodedata uuid
    weakref zlib
"""
SHELF: Final = set(_SHELF.split())
"""Modules that answer the same to the same question, save for the names in `IMPURE`."""

WAITING: Final = {
    "memory.py": {"asyncio", "threading"},
    "limits.py": {"threading"},
    "ports.py": {"asyncio"},
}
"""What the reference adapters and the stores' port need besides: a lock to wait for."""

_IMPURE = """
    datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today
    uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.getnode
    random.Random() random.SystemRandom random.betavariate random.choice random.choices random.gauss
    random.getrandbits random.randbytes random.randint random.random random.randrange random.sample
    random.seed random.shuffle random.triangular random.uniform
    codecs.open io.FileIO io.open io.open_code
    open print input exec eval compile breakpoint __import__ hash globals
"""
IMPURE: Final = set(_IMPURE.split())
"""The clock, the dice, the outside; and `hash`, which differs from process to process.

`random.Random(7)` is no die: whoever starts it with the same number gets the same answers.
"""

# ── Reading the source ───────────────────────────────────────────────────────────────────────────


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that is imported, and the full name it stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            package = "clearsplit_core" if node.level else node.module
            yield from (
                (alias.asname or alias.name, f"{package}.{alias.name}") for alias in node.names
            )


def packages(source: str) -> set[str]:
    """The packages and top-level modules that are imported, our own left out."""
    return {full.partition(".")[0] for _, full in imports(ast.parse(source))} - {"clearsplit_core"}


def impure_names(source: str) -> set[str]:
    """The names of `IMPURE` that are used, by whatever name they were imported."""
    tree = ast.parse(source)
    known = dict(imports(tree))
    return IMPURE & {_full_name(node, known) for node in ast.walk(tree)}


def _full_name(node: ast.AST, known: dict[str, str]) -> str:
    match node:
        case ast.Name(name, ctx=ast.Load()):
            return known.get(name, name)
        case ast.Attribute(value, name):
            return f"{_full_name(value, known)}.{name}"
        case ast.Call(called, [], []):
            return f"{_full_name(called, known)}()"
        case _:
            return ""


def waits(source: str) -> set[int]:
    """The lines with an `async` or an `await`."""
    waiting = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    loops = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.comprehension))
    return {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, waiting)} | {
        loop.target.lineno for loop in loops if loop.is_async
    }


def floats(source: str) -> set[int]:
    """The lines with a float in them, or with a `float` or a `/`, which make one."""
    return {
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.expr | ast.stmt) and _makes_a_float(node)
    }


def _makes_a_float(node: ast.AST) -> bool:
    match node:
        case ast.Constant(float() | complex()) | ast.Call(ast.Name("float" | "complex")):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case _:
            return False


def source(room: str) -> str:
    return (CORE / room).read_text(encoding="utf-8")


# ── What is held against it ──────────────────────────────────────────────────────────────────────


def test_the_rooms_that_are_read_are_the_rooms_that_are_there() -> None:
    assert {"errors.py", "money.py", "splits.py", "settlement/__init__.py"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_the_core_needs_the_standard_library_alone(room: str) -> None:
    assert packages(source(room)) <= sys.stdlib_module_names


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli.py"])
def test_a_room_imports_nothing_that_reaches_outside(room: str) -> None:
    assert packages(source(room)) - WAITING.get(room, set()) <= SHELF


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "cli.py"])
def test_a_room_asks_no_clock_no_dice_and_no_disk(room: str) -> None:
    assert impure_names(source(room)) == set()


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in WAITING])
def test_a_rule_has_no_colour(room: str) -> None:
    assert waits(source(room)) == set()


@pytest.mark.parametrize("room", [room for room in ROOMS if not room.startswith("settlement/")])
def test_money_never_becomes_a_float(room: str) -> None:
    assert floats(source(room)) == set()


# ── That it would be seen ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("import msgspec", "msgspec"),
        ("from os import environ", "os"),
        ("import os.path as p", "os"),
        ("def decide():\n    import secrets", "secrets"),
        ("if TYPE_CHECKING:\n    from psycopg import Row", "psycopg"),
    ],
)
def test_an_import_is_seen_wherever_it_stands(code: str, package: str) -> None:
    assert packages(code) == {package}
    assert package not in SHELF


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
        (
            "from datetime import datetime as dt\nfield(default_factory=dt.now)",
            "datetime.datetime.now",
        ),
        ("from datetime import date\ndate.today()", "datetime.date.today"),
        ("import uuid as u\nu.uuid4()", "uuid.uuid4"),
        ("from uuid import uuid4\nmap(uuid4, [])", "uuid.uuid4"),
        ("from random import Random\nRandom()", "random.Random()"),
        ("import random\nrandom.shuffle([])", "random.shuffle"),
        ("open('file')", "open"),
        ("print('hello')", "print"),
        ("hash('ann')", "hash"),
    ],
)
def test_the_outside_is_seen_by_whatever_name(code: str, name: str) -> None:
    assert impure_names(code) == {name}


def test_luck_that_is_started_with_a_number_is_no_luck() -> None:
    assert impure_names("from random import Random\nRandom(7).shuffle([])") == set()


def test_a_field_may_be_called_as_people_call_it() -> None:
    assert impure_names("class Expense:\n    id: int\n\nexpense.id, group.now, entry.hash") == set()


@pytest.mark.parametrize(
    "code",
    [
        "async def f(): pass",
        "async def f():\n    await g()",
        "async def f():\n    async with g: pass",
        "async def f():\n    return [x async for x in g]",
    ],
)
def test_a_colour_is_seen(code: str) -> None:
    assert max(waits(code)) == len(code.splitlines())


@pytest.mark.parametrize("code", ["a = 0.5", "f(-1e3)", "float(a)", "a / b", "a /= b", "2j"])
def test_a_float_is_seen(code: str) -> None:
    assert floats(code) == {1}


def test_whole_division_is_no_float() -> None:
    assert floats("a // b, a % b, 1, '0.5', Fraction(1, 2)") == set()
