"""The OpenAPI document: valid, complete, and its examples work when they are sent."""

import re
from typing import Final

import msgspec
import pytest
from openapi_spec_validator import validate

from clearsplit_core.errors import Refusal
from clearsplit_http import examples
from clearsplit_http.app import OPERATIONS
from clearsplit_http.openapi import document, every_reason
from clearsplit_http.problems import status_of
from tests.http.api import Api, Person, Tree, in_list, in_tree

BUILT: Final = document(OPERATIONS)
STORIES: Final = [
    ("signup", 201),
    ("login", 200),
    ("me", 200),
    ("create_group", 201),
    ("get_group", 200),
    ("list_groups", 200),
    ("add_guest", 201),
    ("list_members", 200),
    ("get_member", 200),
    ("deactivate_member", 200),
    ("revise_member", 200),
    ("make_invite", 201),
    ("list_invites", 200),
    ("get_invite", 200),
    ("revoke_invite", 200),
    ("accept_invite", 404),
    ("record_expense", 201),
    ("list_expenses", 200),
    ("get_expense", 200),
    ("revise_expense", 200),
    ("void_expense", 200),
    ("restore_expense", 200),
    ("get_expense_history", 200),
    ("list_categories", 200),
    ("add_comment", 201),
    ("list_comments", 200),
    ("get_comment", 200),
    ("record_payment", 201),
    ("list_payments", 200),
    ("get_payment", 200),
    ("confirm_payment", 409),
    ("void_payment", 200),
    ("revise_group", 200),
    ("delete_group", 200),
    ("restore_group", 200),
    ("get_balances", 200),
    ("list_my_balances", 200),
    ("get_statement", 200),
    ("list_entries", 200),
    ("preview_settlement", 200),
    ("compute_settlement", 201),
    ("list_settlements", 200),
    ("get_latest_settlement", 200),
    ("pay_transfer", 201),
    ("get_settlement", 200),
    ("void_settlement", 200),
    ("revise_me", 200),
    ("issue_token", 201),
    ("list_tokens", 200),
    ("revoke_token", 404),
    ("list_sessions", 200),
    ("end_session", 404),
    ("logout", 204),
    ("login", 200),
    ("logout_everywhere", 204),
    ("login", 200),
    ("delete_me", 204),
    ("signup", 201),
    ("change_password", 204),
]
"""The operations in the order in which somebody would use them. No example knows the id of a
session or token or the token of an invite, since those are ours to make."""


def test_the_document_is_valid() -> None:
    validate(BUILT)


async def test_the_document_is_served(memory_api: Api) -> None:
    answer = await Person(memory_api).get("/openapi.json")
    assert answer.body == msgspec.json.encode(BUILT)


def test_every_operation_has_its_story() -> None:
    told = {name for name, _ in STORIES} | {"refresh", "health", "live", "ready"}
    assert told == {each.name for each in OPERATIONS}


def test_every_code_is_told_with_one_status() -> None:
    for reason in every_reason(OPERATIONS):
        assert Refusal.by_code[reason.code] is reason
        assert status_of(reason) >= 400
        assert reason.sentence().endswith(".")


async def test_the_examples_work(empty_api: Api) -> None:
    person = Person(empty_api)
    for name, status in STORIES:
        for number, (body, method, path) in enumerate(_requests(name)):
            lines = [("idempotency-key", f"{name}-{number}")]
            lines += [("if-match", await _present_tag(person, path))] if _versioned(name) else []
            lines += [("content-type", "application/json")] if body else []
            answer = await person.raw(method, path, body, *lines)
            assert answer.status == status, (name, answer.body)
            if name in ("signup", "login"):
                person = Person(empty_api, answer["access_token"])


def _versioned(name: str) -> bool:
    return next(each.versioned for each in OPERATIONS if each.name == name)


async def _present_tag(person: Person, path: str) -> str:
    """The version that the thing at `path` has now, or that which a verb at its end is about."""
    return (await person.get(re.sub(r"/[a-z]+$", "", path))).etag


def _requests(name: str) -> list[tuple[bytes, str, str]]:
    """The requests of an operation's examples: body, method and path."""
    (operation,) = (each for each in OPERATIONS if each.name == name)
    path = operation.path.format(**examples.IDS)
    shown = _examples(operation.path, operation.method.lower())
    bodies = [msgspec.json.encode(in_tree(each, "value")) for each in shown] or [b""]
    return [(body, operation.method, path) for body in bodies]


def _examples(path: str, method: str) -> list[object]:
    operation = in_tree(BUILT, "paths", path, method)
    steps = ("requestBody", "content", "application/json", "examples")
    try:
        return list(msgspec.convert(in_tree(operation, *steps), Tree).values())
    except KeyError:
        return []


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_that_takes_a_body_shows_one(each: object) -> None:
    operation = msgspec.convert(each, _Named, from_attributes=True)
    told = in_tree(BUILT, "paths", operation.path, operation.method.lower())
    takes = "requestBody" in msgspec.convert(told, Tree)
    assert bool(_examples(operation.path, operation.method.lower())) is (
        takes and operation.name != "refresh"  # its token is nobody's to show
    )
    names = [each["name"] for each in in_list(in_tree(told, "parameters"))]
    assert ("Idempotency-Key" in names) is (
        operation.method != "GET" and operation.path.startswith(("/groups", "/invites"))
    )


class _Named(msgspec.Struct):
    name: str
    method: str
    path: str
