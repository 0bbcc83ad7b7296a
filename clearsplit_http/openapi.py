"""OpenAPI 3.1: the document that describes every operation, made from the operations themselves.

Schemas come from the structs, statuses and codes from the reasons for which each can refuse.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

import clearsplit_http.refusals as why
from clearsplit_core.errors import (
    AnswerErased,
    GroupArchived,
    GroupDeleted,
    InsufficientRole,
    Invalid,
    KeyInProgress,
    KeyReused,
    Overloaded,
    Refusal,
    SessionEnded,
    ThingNotFound,
    VersionMismatch,
)
from clearsplit_core.records import PaymentState, Scope, Strategy
from clearsplit_http import examples
from clearsplit_http.access import ROLELESS, Door
from clearsplit_http.asked import CREATED, SCHEMA_REFUSALS
from clearsplit_http.limits import Limited
from clearsplit_http.problems import DOCS, MEDIA_TYPE, TITLES, Problem, status_of
from clearsplit_http.wire.resources import Extras, Nothing, Resource

Json: TypeAlias = dict[str, object]

_REF: Final = "#/components/schemas/{name}"
_VERSION: Final = "0.1.0"


class Described(Protocol):
    """What an operation says about itself (operations.py)."""

    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def takes(self) -> type[msgspec.Struct]: ...
    @property
    def gives(self) -> object: ...
    @property
    def status(self) -> int: ...
    @property
    def public(self) -> bool: ...
    @property
    def door(self) -> Door | None: ...
    @property
    def reads(self) -> bool: ...
    @property
    def keyed(self) -> bool: ...
    @property
    def limited(self) -> Limited | None: ...
    @property
    def versioned(self) -> bool: ...
    @property
    def query(self) -> Mapping[str, str]: ...
    @property
    def refuses(self) -> Sequence[type[Refusal]]: ...
    @property
    def told(self) -> str: ...
    @property
    def ids(self) -> Sequence[str]: ...
    def reached_with(self, scope: Scope | None) -> bool: ...


# ── The document ─────────────────────────────────────────────────────────────────────────────────


def document(operations: Sequence[Described]) -> Json:
    """The whole OpenAPI document."""
    schemas = _Schemas(operations)
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClearSplit",
            "version": _VERSION,
            "summary": "The open ledger and settlement engine for shared expenses.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "personal": {"type": "http", "scheme": "bearer", "bearerFormat": "csp_…"},
            },
        },
    }


def every_reason(operations: Iterable[Described]) -> frozenset[type[Refusal]]:
    """All reasons for which a request can be refused, before or inside an operation."""
    early = {why.NoSuchMethod, why.AddressTooLong, why.HeadTooLarge, why.TooSlow}
    return frozenset({*early, *(one for each in operations for one in reasons(each))})


def reasons(each: Described) -> frozenset[type[Refusal]]:
    """Why an operation can refuse: its own reasons, and those that follow from its form."""
    found: set[type[Refusal]] = {*each.refuses, why.BadQuery, why.BadRequest, why.Broken}
    if each.reads:
        found |= {why.BadHeader}
    else:
        found |= {why.BodyTooLarge, why.WrongMediaType, why.BadJson}
    if each.takes is not Nothing:
        found |= set(SCHEMA_REFUSALS)
    if not each.public:
        found |= {why.CredentialsMissing, SessionEnded, Overloaded}
        found |= {why.InsufficientScope} if not each.reached_with(Scope.READ) else set()
    if each.ids:
        found |= {ThingNotFound}
    if each.door is not None and each.door not in ROLELESS:
        found |= {InsufficientRole}
    if each.limited or each.keyed:
        found |= {why.QuotaExceeded}
    if each.keyed:
        found |= {why.KeyMissing, why.KeyInvalid, KeyReused, KeyInProgress}
        found |= {AnswerErased, *((GroupArchived, GroupDeleted) if each.ids else ())}
    if each.versioned:
        found |= {why.BadHeader, why.PreconditionRequired, VersionMismatch}
    if "cursor" in each.query:
        found |= {why.BadCursor}
    return frozenset(found)


# ── Schemas ──────────────────────────────────────────────────────────────────────────────────────


class _Schemas:
    """The schemas of everything that is sent, by type."""

    def __init__(self, operations: Iterable[Described]) -> None:
        self._types: list[object] = [Problem]
        for each in operations:
            self._types += [each.takes] if each.gives is None else [each.takes, each.gives]
        self._schemas, self.components = msgspec.json.schema_components(
            self._types, ref_template=_REF
        )

    def __getitem__(self, shape: object) -> Json:
        return self._schemas[self._types.index(shape)]


# ── One operation ────────────────────────────────────────────────────────────────────────────────


def _operation(each: Described, schemas: _Schemas) -> Json:
    summary, _, more = each.told.partition("\n")
    told: Json = {
        "operationId": each.name,
        "summary": summary.rstrip("."),
        "tags": [_noun(each.path)],
        "parameters": [*_path(each), *_query(each), *_headers(each)],
        "responses": _responses(each, schemas),
        "security": _security(each),
    }
    if more.strip():
        told["description"] = " ".join(more.split())
    if each.takes is not Nothing:
        required = not issubclass(each.takes, Extras)
        told["requestBody"] = {"required": required, "content": _content(each, schemas)}
    return told


def _noun(path: str) -> str:
    """What an address is about: the noun at its beginning or, in a group, behind that."""
    noun = path.removeprefix("/groups/{group_id}").strip("/").split("/")[0]
    return "groups" if noun in ("", "restore") else noun


def _security(each: Described) -> list[Json]:
    if each.public:
        return []
    session: Json = {"session": []}
    personal: Json = {"personal": []}
    return [session, personal] if each.reached_with(Scope.WRITE) else [session]


def _content(each: Described, schemas: _Schemas) -> Json:
    shown = {name: {"value": value} for name, value in examples.BODIES.get(each.name, {}).items()}
    content: Json = {"schema": schemas[each.takes]}
    return {"application/json": content | ({"examples": shown} if shown else {})}


def _path(each: Described) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} | ({"format": "uuid"} if name.endswith("_id") else {}),
            "example": examples.IDS[name],
        }
        for name in each.ids
    ]


def _query(each: Described) -> list[Json]:
    return [
        {"name": name, "in": "query", "description": words, "schema": _QUERY_SCHEMAS[name]}
        for name, words in each.query.items()
    ]


_QUERY_SCHEMAS: Final[Mapping[str, Json]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    "cursor": {"type": "string"},
    "deleted": {"type": "boolean", "default": False},
    "after_seq": {"type": "integer", "minimum": 0, "default": 0},
    "as_of_seq": {"type": "integer", "minimum": 0},
    "as_of_date": {"type": "string", "format": "date"},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "order": {"type": "string", "enum": ["oldest", "latest"], "default": "oldest"},
    "status": {"type": "string", "enum": list(PaymentState)},
    "strategy": {"type": "string", "enum": list(Strategy)},
}


def _headers(each: Described) -> list[Json]:
    found: list[Json] = []
    if each.keyed:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "Any text of yours, another one for each change. The same request"
                " under the same key is done once, and answered the same again for 24 hours."
                " An id of your own choice guards for ever.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "example": f"{each.name}-1",
            }
        )
    if each.versioned:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag that you last read.",
                "schema": {"type": "string"},
                "example": '"1"',
            }
        )
    if _is_revalidated(each):
        found.append(
            {
                "name": "If-None-Match",
                "in": "header",
                "description": "ETags that you have; 304 if one of them is the present one.",
                "schema": {"type": "string"},
            }
        )
    return found


# ── Its answers ──────────────────────────────────────────────────────────────────────────────────


def _responses(each: Described, schemas: _Schemas) -> Json:
    told: Json = {str(each.status): _success(each, schemas)}
    if _is_revalidated(each):
        told["304"] = {"description": "You have it already.", "headers": _of_text("ETag")}
    by_status: dict[int, list[type[Refusal]]] = {}
    for reason in sorted(reasons(each), key=lambda reason: (status_of(reason), reason.code)):
        by_status.setdefault(status_of(reason), []).append(reason)
    return told | {str(status): _problem(status, some) for status, some in by_status.items()}


def _success(each: Described, schemas: _Schemas) -> Json:
    names = ["X-Request-Id"]
    if _is_resource(each):
        names.append("ETag")
    if each.keyed:
        names.append("Idempotency-Replayed")
    if each.keyed and each.status == CREATED:
        names.append("Location")
    if "cursor" in each.query:
        names.append("Link")
    told: Json = {"description": each.told.partition("\n")[0], "headers": _of_text(*names)}
    if each.gives is not None:
        content: Json = {"schema": schemas[each.gives]}
        if each.name in examples.ANSWERS:
            content["examples"] = {"an answer": {"value": examples.ANSWERS[each.name]}}
        told["content"] = {"application/json": content}
    return told


def _problem(status: int, some: Sequence[type[Refusal]]) -> Json:
    shown = {reason.code: {"value": _example(status, reason)} for reason in some}
    return {
        "description": TITLES[status] + ": " + ", ".join(shown) + ".",
        "headers": _of_text("X-Request-Id", *_PROBLEM_HEADERS.get(status, ())),
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}, "examples": shown}
        },
    }


_PROBLEM_HEADERS: Final[Mapping[int, Sequence[str]]] = {
    401: ("WWW-Authenticate",),
    412: ("ETag",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}


def _example(status: int, reason: type[Refusal]) -> Json:
    fault = {"pointer": "", "code": reason.code, "message": reason.sentence()}
    told: Json = {
        "type": f"{DOCS}#{reason.code}",
        "title": TITLES[status],
        "status": status,
        "detail": reason.sentence(),
        "code": reason.code,
        "request_id": "01990a5e-7c00-7a11-8000-0000000000ff",
    }
    return told | ({"errors": [fault]} if status == status_of(Invalid) else {})


def _of_text(*names: str) -> Json:
    return {name: {"schema": {"type": "string"}} for name in names}


def _is_resource(each: Described) -> bool:
    return isinstance(each.gives, type) and issubclass(each.gives, Resource)


def _is_revalidated(each: Described) -> bool:
    """Whether If-None-Match is answered with 304."""
    if not each.reads or not isinstance(each.gives, type):
        return False
    return issubclass(each.gives, Resource) and each.gives.revalidated
