"""The JSON reader: anything but a value with one meaning is refused, and nothing else happens."""

import json
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearsplit_core.errors import Invalid
from clearsplit_core.plain import Plain, canonical
from clearsplit_http.reading import DEPTH_MAX, DIGITS_MAX, read_json, shaped
from clearsplit_http.refusals import BadJson, UnknownValue
from clearsplit_http.wire.expenses import NewExpense
from clearsplit_http.wire.settlements import NewSettlement

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda parts: st.lists(parts) | st.dictionaries(words, parts),
    max_leaves=20,
)


@given(st.binary())
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"9" * 100_000)
@example(b'"\\ud800"')
@example(b'{"a":1,"a":1}')
@example("{}".encode("utf-16"))
def test_bytes_are_a_value_or_refused(body: bytes) -> None:
    assert _read(body)


def _read(body: bytes) -> bytes | str:
    try:
        return canonical(read_json(body))
    except BadJson as refusal:
        return refusal.message


@given(trees)
def test_json_of_ours_is_read_as_what_it_was(tree: Plain) -> None:
    assert read_json(json.dumps(tree).encode()) == tree
    assert read_json(json.dumps(tree, ensure_ascii=False).encode()) == tree


@given(st.dictionaries(st.sampled_from(NewExpense.__struct_fields__) | words, trees) | trees)
def test_a_tree_is_an_expense_or_refused(tree: Plain) -> None:
    with pytest.raises(Invalid):
        shaped(tree, NewExpense)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{'a':1}",
        b"{a:1}",
        b'{"a":1,}',
        b"[1,]",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b"NaN",
        b"-Infinity",
        b'{"a":Infinity}',
        b'"a\nb"',
        b'"\x00"',
        b'"\\u0000"',
        b'{"\\u0000":1}',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\udfff":1}',
        b'{"a":1,"a":2}',
        b'[{"a":{"b":1,"b":1}}]',
        b'{"a":1,"\\u0061":2}',
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
        b"\xef\xbb\xbf{}",
        b"/* */{}",
        b"undefined",
    ],
)
def test_what_is_not_json_with_one_meaning_is_refused(body: bytes) -> None:
    with pytest.raises(BadJson):
        read_json(body)


def test_a_surrogate_pair_is_one_character() -> None:
    assert read_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_depth_has_a_limit() -> None:
    assert read_json(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)
    with pytest.raises(BadJson, match="deeper"):
        read_json(b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1))
    many_side_by_side: list[Plain] = [[]] * (DEPTH_MAX + 1)
    assert read_json(json.dumps(many_side_by_side).encode()) == many_side_by_side


@pytest.mark.parametrize("digits", [DIGITS_MAX, DIGITS_MAX + 1, 5_000])
def test_a_long_integer_stays_an_integer(digits: int) -> None:
    for sign in ("", "-"):
        number = read_json(f"{sign}{'9' * digits}".encode())
        assert isinstance(number, int)
        assert abs(number) >= 10 ** (DIGITS_MAX - 1)
        assert (number < 0) is bool(sign)


@pytest.mark.parametrize("number", [b"5.0", b"1e3", b"1E400", b"-0.0", b"0.1"])
def test_a_fraction_is_no_number_of_ours(number: bytes) -> None:
    assert isinstance(read_json(number), dict)


# ── Fields ───────────────────────────────────────────────────────────────────────────────────────


class Place(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["sea", "hill"] = "sea"
    size: Annotated[int, msgspec.Meta(ge=1)] = 1
    names: list[str] = []
    inner: "Place | None" = None


@pytest.mark.parametrize(
    ("tree", "code", "pointer"),
    [
        ({"kind": "secret"}, "unknown-value", "/kind"),
        ({"size": "secret"}, "wrong-type", "/size"),
        ({"size": 0}, "out-of-range", "/size"),
        ({"names": ["a", 5]}, "wrong-type", "/names/1"),
        ({"names": "secret"}, "wrong-type", "/names"),
        ({"inner": {"inner": {"size": -1}}}, "out-of-range", "/inner/inner/size"),
        ({"inner": {"secret": 1}}, "unknown-field", "/inner/secret"),
        ({"<b>secret": 1}, "unknown-field", ""),
        ("secret", "wrong-type", ""),
        ([], "wrong-type", ""),
    ],
)
def test_a_wrong_field_is_pointed_at_and_its_value_not_repeated(
    tree: Plain, code: str, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        shaped(tree, Place)
    assert (refused.value.code, refused.value.field) == (code, pointer)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("tree", [{"kind": "bay"}, {"inner": {"inner": {"kind": "bay"}}}])
def test_a_value_that_is_none_of_a_few_is_answered_with_those(tree: Plain) -> None:
    with pytest.raises(UnknownValue, match=r"^This is one of hill, sea\.$"):
        shaped(tree, Place)


@pytest.mark.parametrize("tree", [{"strategy": "cheapest"}, {"strategy": "Direct"}])
def test_an_unknown_strategy_is_answered_with_those_that_there_are(tree: Plain) -> None:
    with pytest.raises(UnknownValue, match=r"^This is one of fewest, direct\.$"):
        shaped(tree, NewSettlement)
