"""The OpenAPI document leaves nothing out: every answer, every reason, and an example of each.

The examples of answers are answers: `RECORD=1 pytest tests/http/test_document.py` writes them anew,
and without that they are held against the present ones, so that they cannot grow old.
"""

import json
import os
import re
from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator

from clearsplit_core.errors import Refusal
from clearsplit_http import examples
from tests.http.api import Api, Tree, in_tree
from tests.http.test_openapi import BUILT
from tests.http.test_who_may import INSTEAD, MAY, ready_for
from tests.http.world import BY_NAME, PARTS, Operation, World, world

ELSEWHERE: Final = {
    "method-not-allowed": "about an address without an operation",
    "uri-too-long": "before any operation is known",
    "headers-too-large": "before any operation is known",
    "request-timeout": "before any operation is known",
    "bad-settings": "a server that does not start",
    "bad-file": "the command line's imports",
    "journal-broken": "clearsplit verify",
    "unbalanced": "the library: an event cannot be built so",
    "too-precise": "the library's Money, from a text",
    "not-an-integer": "the library; a body is read more strictly before",
    "bad-transfer": "the library's settlement",
    "balances-not-zero": "the library's settlement; a journal always sums to zero",
    "debts-missing": "the library's settlement; a group always knows its debts",
    "debts-mismatch": "the library's settlement; debts are kept with the balances",
    "unknown-strategy": "the library's settlement; a query has an enumeration",
    "bad-effort": "the library's settlement",
}
"""Refusals that no operation has, and who meets them."""
ROOMS: Final = ("clearsplit_core.errors", "clearsplit_http.refusals")
COMMITMENT: Final = re.compile("[0-9a-f]{64}")
SECRET: Final = {"access_token", "refresh_token", "token"}


def responses(each: Operation) -> Iterator[tuple[int, Tree]]:
    for status, told in each.told.responses.items():
        yield int(status), msgspec.convert(told, Tree)


def shown(told: Tree) -> Iterator[tuple[object, Tree]]:
    """Every example in an answer or a body, with the schema that it has to fit."""
    for content in msgspec.convert(told.get("content", {}), dict[str, Tree]).values():
        schema = msgspec.convert(content["schema"], Tree)
        some = msgspec.convert(content.get("examples", {}), dict[str, Tree])
        yield from ((one["value"], schema) for one in some.values())


def require_fit(value: object, schema: Tree) -> None:
    whole = {"allOf": [schema], "components": BUILT["components"]}
    OAS31Validator(whole).validate(value)


@pytest.mark.parametrize("each", BY_NAME.values(), ids=lambda each: each.name)
def test_every_answer_has_an_example_that_fits(each: Operation) -> None:
    require_all_fit = [(one, schema) for _, told in responses(each) for one, schema in shown(told)]
    for one, schema in (*require_all_fit, *shown(each.told.requestBody)):
        require_fit(one, schema)
    for status, told in responses(each):
        assert bool(list(shown(told))) is ("content" in told), status
        assert status in (204, 304) or "content" in told


def test_every_reason_is_told_or_cannot_be_met() -> None:
    told = {
        str(in_tree(one, "code"))
        for each in BY_NAME.values()
        for status, answer in responses(each)
        for one, _ in shown(answer)
        if status >= 400
    }
    known = {code for code, why in Refusal.by_code.items() if why.__module__ in ROOMS}
    assert told <= known
    assert known - told == set(ELSEWHERE)


# ── Examples of answers ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def trip(memory_api: Api) -> World:
    return await world(memory_api, "memory:")


async def answered(trip: World, each: Operation) -> object:
    """What somebody who may is answered; no secret is told."""
    who = next(who for who in PARTS if who in MAY[each.name] and (each.name, who) not in INSTEAD)
    ready = await ready_for(trip, each)
    answer = await ready.send(who, each, if_match=await ready.tag(each))
    trip.go_back()
    assert answer.status == each.success
    return without_secrets(json.loads(answer.body)) if answer.body else None


def without_secrets(tree: object) -> object:
    if isinstance(tree, dict):
        return {
            name: "…" if name in SECRET else without_secrets(value) for name, value in tree.items()
        }
    return [without_secrets(one) for one in tree] if isinstance(tree, list) else tree


def form(tree: object) -> object:
    """The names in a tree, without what stands there; one commitment is as good as another."""
    if isinstance(tree, dict):
        return {COMMITMENT.sub("…", name): form(value) for name, value in tree.items()}
    return [form(one) for one in tree[:1]] if isinstance(tree, list) else None


async def test_examples_of_answers_are_answers(trip: World) -> None:
    found = {name: await answered(trip, each) for name, each in BY_NAME.items()}
    found = {name: told for name, told in found.items() if told is not None}
    if os.environ.get("RECORD"):
        examples.ANSWERS_FILE.write_text(
            json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        )
        pytest.skip("recorded")
    assert form(dict(examples.ANSWERS)) == form(found)
