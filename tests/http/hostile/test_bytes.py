"""Any bytes at all: the readers of JSON and CSV read them or refuse them, and do nothing else."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from clearsplit_core import imports
from clearsplit_core.errors import BadFile, Refusal
from clearsplit_http.reading import DEPTH_MAX, read_json, shaped
from clearsplit_http.refusals import BadJson
from clearsplit_http.wire.accounts import NewToken, Signup
from clearsplit_http.wire.expenses import NewExpense

JSONISH = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a"', b"1", b"-", b".", b"e9", b"\\u", b"d800",
         b"\\", b"true", b"null", b"NaN", b"\xff", b"\xed\xa0\x80", b"\0", b" ", b"\n", b'"title"']
    ),
    max_size=40,
).map(b"".join)  # fmt: skip
HEADER = b"Date,Description,Category,Cost,Currency,Ana,Bo\n"
CSVISH = st.lists(
    st.sampled_from(
        [HEADER, b"2026-01-31", b",", b"\n", b'"', b"1.00", b"-1.00", b"EUR", b"\xff", b"\0",
         b"\xef\xbb\xbf", b"\r", b"=1+1", b"Total balance", b"1e9", b" "]
    ),
    max_size=60,
).map(b"".join)  # fmt: skip


@given(st.binary() | JSONISH)
@example(b"[" * 100_000)
@example(b"1" * 100_000)
@example(b'{"a": 1, "\\u0061": 2}')
def test_bytes_are_json_with_one_meaning_or_refused(body: bytes) -> None:
    try:
        tree = read_json(body)
    except BadJson:
        return
    json.loads(body, parse_int=str)  # whatever we read, others read too
    assert _depth(tree) <= DEPTH_MAX


def _depth(tree: object) -> int:
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if parts is None else 1 + max(map(_depth, parts), default=0)


@given(JSONISH, st.sampled_from([Signup, NewToken, NewExpense]))
def test_what_is_read_has_a_shape_or_is_refused(body: bytes, shape: type) -> None:
    try:
        shaped(read_json(body), shape)
    except Refusal:
        return


@given(st.binary() | CSVISH)
@example(b"\xef\xbb\xbf" * 3)
@example(b'"' * 10_001)
@example(b"Date,Description,Category,Cost,Currency,Ana\n" + b"," * 200_000)
def test_bytes_are_an_export_or_refused(content: bytes) -> None:
    try:
        imports.read(content)
    except BadFile:
        return
