"""What Schemathesis has to know about ClearSplit to get in, and to be fair.

Run by `make schemathesis` and by test_fuzz.py, which start a server and name it in FUZZ_URL. One
person's group holds one of everything, made from the document's own examples, so that ids in paths
lead somewhere. Requests about the account itself come from somebody new each time, since signing
out would end the run; those that archive or delete a group get a new one for the same reason.

`MAY_REFUSE` are the exemptions from "what fits the schema is accepted", each with the reason why no
schema could have said it. Everything else that refuses a request that fits its schema is a fault,
and so is every other thing that any check of Schemathesis finds.
"""

import os
import secrets
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx
import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.auths import AuthContext
from schemathesis.generation import GenerationMode

from tests.http.api import PASSWORD, Tree
from tests.http.world import BY_NAME, Operation, children, reader_of

Tried: TypeAlias = Case[Any]
"""A request that Schemathesis makes up."""

MAY_REFUSE: Final[Mapping[str, str]] = {
    "invalid-cursor": "A cursor is sealed for its list; no pattern tells a genuine one.",
    "invalid-json": "A text with a NUL in it is no text to us, and is one to JSON Schema.",
    "invalid-query": "Two parameters that are each right may exclude each other.",
    "unknown-member": "Who is a member is known to the group alone.",
    "unknown-currency": "Which codes there are changes with ISO 4217; the schema has their form.",
    "bad-text": "Which characters cannot be shown is Unicode's to say.",
    "bad-password": "How long a password is, is the operator's choice; which are common, a list.",
    "wrong-type": "To JSON Schema 5.0 is an integer, to us it is not one.",
    "wrong-total": "No schema adds numbers up.",
    "pays-themselves": "No schema compares two fields.",
    "currency-mismatch": "Which currency a group has is known to the group alone.",
    "wrong-sign": "No schema compares two fields.",
    "not-in-split": "No schema compares two fields.",
    "bad-weights": "That one weight at least is above zero, no schema says of a sum.",
    "bad-rate": "Whether a rate leaves anything of an amount, only arithmetic says.",
    "named-twice": "No schema compares two fields.",
    "payers-unclear": "paid_by and payers exclude each other.",
    "overpayment": "What somebody owes is known to the group alone.",
    "guest-owner": "An owner has an account, and a new seat has none yet.",
    "revise_me: missing-field": "Another e-mail address takes the password, a new name does not.",
    "record_expense: missing-field": "Either paid_by or payers is needed.",
}
"""By problem code, for one operation where its name stands before the code."""
_ENDING: Final = ("revise_group", "delete_group", "restore_group")
"""Operations after which a group may be closed to all others."""

_IDS: Final = {
    one.name: one.example
    for each in BY_NAME.values()
    for one in each.told.parameters
    if one.place == "path"
}
"""The ids of the examples."""

_http: Final = httpx.Client(base_url=os.environ["FUZZ_URL"], timeout=60)


# ── A person and a group ─────────────────────────────────────────────────────────────────────────


def _signed_up() -> str:
    """The access token of somebody new."""
    email = f"{secrets.token_hex(8)}@example.org"
    body = {"email": email, "password": PASSWORD, "name": "Ana"}
    return str(_http.post("/auth/signup", json=body).json()["access_token"])


ANA: Final = _signed_up()
"""The access token of the group's owner."""


def _sent(operation: Operation, path: str, body: Tree) -> Tree:
    headers = {"Authorization": f"Bearer {ANA}", "Idempotency-Key": secrets.token_hex(8)}
    answer = _http.request(operation.method, path, json=body, headers=headers)
    assert answer.status_code == operation.success, answer.content
    made: Tree = answer.json()
    return made


def _make_one_of_everything() -> None:
    for each in BY_NAME.values():
        if each.method == "POST" and each.template.startswith("/groups") and children(each):
            for body in each.bodies:
                _sent(each, each.path(_IDS), body)


def _new_group() -> str:
    return str(
        _sent(BY_NAME["create_group"], "/groups", {"name": "Porto", "currency": "EUR"})["id"]
    )


_make_one_of_everything()


# ── Hooks ────────────────────────────────────────────────────────────────────────────────────────


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """Ana for groups, and for the account itself somebody who may sign out."""

    def get(self, case: Tried, _context: AuthContext) -> str:
        return _signed_up() if case.operation.path.startswith("/auth/") else ANA

    def set(self, case: Tried, token: str, _context: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(_context: HookContext, case: Tried, _kwargs: dict[str, object]) -> None:
    """A whole request gets a key of its own and the present version of what it is about."""
    if not _is_whole(case):
        return
    operation = BY_NAME[str(case.operation.definition.raw["operationId"])]
    if operation.name in _ENDING and case.path_parameters.get("group_id") == _IDS["group_id"]:
        case.path_parameters["group_id"] = _new_group()
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = secrets.token_hex(8)
    if "If-Match" in case.headers:
        about = reader_of(operation).path({**_IDS, **case.path_parameters})
        found = _http.get(about, headers={"Authorization": f"Bearer {ANA}"})
        case.headers["If-Match"] = found.headers.get("ETag", '"1"')


@schemathesis.check
def accepted(_context: CheckContext, response: Response, case: Tried) -> None:
    """What fits the schema is accepted, or refused for a reason that no schema can say."""
    if _is_whole(case) and response.status_code in (400, 412, 422):
        name, code = case.operation.definition.raw["operationId"], response.json()["code"]
        known = code in MAY_REFUSE or f"{name}: {code}" in MAY_REFUSE
        assert known, f"{name}: {code} refuses what fits the schema"


def _is_whole(case: Tried) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
