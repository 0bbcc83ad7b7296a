"""The API as a client sees it, and people who use it.

Every answer of every test is held against the OpenAPI document: its status, its problem code, its
media type and its body, and the headers that every answer has. A route that answers what it did not
promise fails the test that made it do so.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from socket import create_server
from typing import Final, TypeAlias
from uuid import uuid4

import httpx
import msgspec
import uvicorn
from litestar import Litestar
from openapi_schema_validator import OAS31Validator

from clearsplit_core.plain import Plain
from clearsplit_core.ports import Clock
from clearsplit_http.app import OPERATIONS, create_app
from clearsplit_http.framing import Framing
from clearsplit_http.openapi import document
from clearsplit_http.routing import OneSpelling
from clearsplit_http.server import Server, running
from clearsplit_http.settings import Settings
from clearsplit_http.watching import Watched
from tests.postgres import FORGETFUL

Tree: TypeAlias = dict[str, object]

SECRET: Final = "a secret for the tests, as long as the largest hash: sixty-four bytes"
PEPPER: Final = "salt is not enough"
PASSWORD: Final = "correct horse battery staple"
HOST: Final = "http://clearsplit.test"


class Promised(msgspec.Struct):
    """An operation of the OpenAPI document, as far as an answer is held against it."""

    responses: dict[str, "PromisedAnswer"]
    security: list[object]


class PromisedAnswer(msgspec.Struct):
    content: dict[str, "PromisedContent"] = {}


class PromisedContent(msgspec.Struct):
    schema: dict[str, object]
    examples: dict[str, object] = {}


class Document(msgspec.Struct):
    """The OpenAPI document."""

    paths: dict[str, dict[str, Promised]]
    components: dict[str, object]


DOCUMENT: Final = msgspec.convert(document(OPERATIONS), Document)


@dataclass(frozen=True)
class Api:
    """The application and what stands behind it."""

    app: Litestar
    server: Server
    http: httpx.AsyncClient
    domain: str = field(default_factory=lambda: f"{uuid4().hex}.example.org")
    """Where this test's people have their e-mail: tests may share a database."""

    async def send(
        self, method: str, path: str, *, body: bytes | None = None, headers: "Lines" = ()
    ) -> "Answer":
        """A request as it goes over the wire."""
        lines = [(name.encode(), value.encode()) for name, value in headers]
        sent = httpx.Request(method, HOST + path, content=body, headers=lines)
        answer = Answer(await self.http.send(sent))
        answer.require_promised(method, path)
        return answer

    def email(self, name: str) -> str:
        return f"{name.lower()}@{self.domain}"

    async def signup(self, name: str) -> "Person":
        """Somebody with an account who is signed in."""
        body = {"email": self.email(name), "password": PASSWORD, "name": name}
        answer = await Person(self).post("/auth/signup", body)
        assert answer.status == 201, answer.body
        return Person(self, answer["access_token"], answer["refresh_token"])


Lines: TypeAlias = tuple[tuple[str, str], ...]


@asynccontextmanager
async def served(api: Api) -> AsyncGenerator[int]:
    """The port of a live server in this process."""
    listener = create_server(("127.0.0.1", 0))
    config = uvicorn.Config(api.app, http=Framing, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


@asynccontextmanager
async def api_on(url: str, clock: Clock, **changes: object) -> AsyncGenerator[Api]:
    """The API on the store behind `url`, without limits, with these changes of its settings."""
    settings = Settings(
        store_url=url,
        store=FORGETFUL,
        jwt_secret=SECRET.encode(),
        password_pepper=PEPPER.encode(),
        bcrypt_cost=4,
        signup_quota=None,
        login_quota=None,
        refresh_quota=None,
    )
    settings = replace(settings, **changes)  # type: ignore[arg-type]  # a test names what it means
    settings = replace(settings, **changes)  # type: ignore[arg-type]  # a test names what it means
    async with running(settings, clock) as server:
        app = create_app(server)
        transport = httpx.ASGITransport(
            Watched(OneSpelling(app), settings.trusted_proxies),  # type: ignore[arg-type]  # two spellings of the ASGI protocol
            raise_app_exceptions=False,
        )
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            yield Api(app, server, http)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Answer:
    """An answer; `answer["name"]` is a text in its body, `answer.tree` the body."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def body(self) -> bytes:
        return self.response.content

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def tree(self) -> Tree:
        return msgspec.json.decode(self.body, type=Tree)

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    def __getitem__(self, name: str) -> str:
        value = self.tree[name]
        assert isinstance(value, str), f"{name} is no text"
        return value

    @property
    def items(self) -> list[Tree]:
        """The items of a list."""
        return msgspec.convert(self.tree["items"], list[Tree])

    @property
    def said(self) -> tuple[int, str]:
        """The status, and of a problem its code."""
        return self.status, self["code"] if self.status >= 400 else ""

    @property
    def pointer(self) -> str:
        """Where the problem is."""
        (fault,) = msgspec.convert(self.tree["errors"], list[dict[str, str]])
        return fault["pointer"]

    def require_promised(self, method: str, path: str) -> None:
        """The answer is one of those that the OpenAPI document has for this operation."""
        assert self.headers["x-request-id"]
        operation = _operation(method, path.partition("?")[0])
        if operation is None:
            assert self.status in (200, 204, 404, 405), self.body
            return
        promised = operation.responses.get(str(self.status))
        assert promised, f"{method} {path}: {self.status} was not promised: {self.body!r}"
        if operation.security:
            assert self.headers["cache-control"] == "no-store"
        if self.status >= 400:
            self._require_code(promised)
        if self.body and method != "HEAD":
            self._require_shape(promised)

    def _require_code(self, promised: PromisedAnswer) -> None:
        known = promised.content["application/problem+json"].examples
        assert not self.body or self["code"] in known, f"{self['code']} was not promised"

    def _require_shape(self, promised: PromisedAnswer) -> None:
        schema = promised.content[self.headers["content-type"]].schema
        whole = {"allOf": [schema], "components": DOCUMENT.components}
        OAS31Validator(whole).validate(self.tree)


def _operation(method: str, path: str) -> Promised | None:
    for template, operations in DOCUMENT.paths.items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            return operations.get("get" if method == "HEAD" else method.lower())
    return None


def in_tree(tree: object, *steps: str | int) -> object:
    """What stands at the end of these steps: `in_tree(tree, "members", 0, "name")`."""
    for step in steps:
        tree = _step(tree, step)
    return tree


def _step(tree: object, step: str | int) -> object:
    if isinstance(step, str):
        return msgspec.convert(tree, Tree)[step]
    return in_list(tree)[step]


def in_list(tree: object) -> list[Tree]:
    return msgspec.convert(tree, list[Tree])


# ── People ───────────────────────────────────────────────────────────────────────────────────────

_keys = count()


@dataclass(frozen=True)
class Person:
    """Somebody who sends requests, signed in where there is a `token`."""

    api: Api
    token: str = ""
    refresh_token: str = ""
    more: Lines = field(default=())

    def sending(self, **headers: str) -> "Person":
        """The same person, who also sends these headers: `sending(if_match='"1"')`."""
        lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Person(self.api, self.token, self.refresh_token, (*self.more, *lines))

    async def get(self, path: str) -> Answer:
        return await self.api.send("GET", path, headers=self._headers())

    async def post(self, path: str, body: object = None, *, key: str = "") -> Answer:
        return await self._change("POST", path, body, key)

    async def patch(self, path: str, body: object, *, key: str = "") -> Answer:
        return await self._change("PATCH", path, body, key)

    async def delete(self, path: str, *, key: str = "") -> Answer:
        return await self._change("DELETE", path, None, key)

    async def raw(self, method: str, path: str, body: bytes, *lines: tuple[str, str]) -> Answer:
        """A request with just these headers beside who is asking."""
        return await self.api.send(method, path, body=body, headers=(*self._headers(), *lines))

    async def _change(self, method: str, path: str, body: object, key: str) -> Answer:
        sent = None if body is None else msgspec.json.encode(body)
        lines = [*self._headers(), ("idempotency-key", key or f"key-{next(_keys)}")]
        if sent is not None:
            lines.append(("content-type", "application/json"))
        return await self.api.send(method, path, body=sent, headers=tuple(lines))

    def _headers(self) -> Lines:
        signed_in = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        return (*signed_in, *self.more)


# ── A group ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Trip:
    """A group in euros that Ana founded, with the guests Bo and Cy."""

    owner: Person
    id: str
    ana: str
    bo: str
    cy: str

    @property
    def path(self) -> str:
        return f"/groups/{self.id}"

    @property
    def expenses(self) -> str:
        return f"{self.path}/expenses"

    def dinner(self, **changes: Plain) -> dict[str, Plain]:
        """A body: Ana paid 100.00 EUR for the three of them."""
        everybody: list[Plain] = [self.ana, self.bo, self.cy]
        said: dict[str, Plain] = {
            "title": "Dinner",
            "amount_minor": 10000,
            "currency": "EUR",
            "date": "2026-01-31",
            "paid_by": self.ana,
            "split": {"kind": "equal", "members": everybody},
        }
        return said | changes

    async def record(self, **changes: Plain) -> Answer:
        """A dinner that has been recorded."""
        answer = await self.owner.post(self.expenses, self.dinner(**changes))
        assert answer.status == 201, answer.body
        return answer

    async def invite(self, **said: Plain) -> Answer:
        """An invite that has been made."""
        answer = await self.owner.post(f"{self.path}/invites", said)
        assert answer.status == 201, answer.body
        return answer

    async def join(self, name: str, role: str = "member") -> "Person":
        """Somebody with an account who has been invited and has a new seat."""
        person = await self.owner.api.signup(name)
        answer = await person.post(f"/invites/{(await self.invite(role=role))['token']}/accept")
        assert answer.status == 200, answer.body
        return person

    @property
    def payments(self) -> str:
        return f"{self.path}/payments"

    def cash(self, **changes: Plain) -> dict[str, Plain]:
        """A body: Bo paid Ana 20.00 EUR."""
        said: dict[str, Plain] = {
            "from_member_id": self.bo,
            "to_member_id": self.ana,
            "amount_minor": 2000,
            "currency": "EUR",
            "date": "2026-01-31",
        }
        return said | changes

    async def pay(self, **changes: Plain) -> Answer:
        """A payment that has been recorded."""
        answer = await self.owner.post(self.payments, self.cash(**changes))
        assert answer.status == 201, answer.body
        return answer

    @property
    def settlements(self) -> str:
        return f"{self.path}/settlements"

    async def settle(self) -> dict[str, str]:
        """The ids of a settlement and of its first transfer."""
        answer = await self.owner.post(self.settlements)
        assert answer.status == 201, answer.body
        first = str(in_tree(answer.tree, "transfers", 0, "id"))
        return {"settlement_id": answer["id"], "transfer_id": first}


async def trip(api: Api) -> Trip:
    ana = await api.signup("Ana")
    group = await ana.post("/groups", {"name": "Lisbon", "currency": "EUR"})
    (founder,) = msgspec.convert(group.tree["members"], list[Tree])
    guests = [
        (await ana.post(f"/groups/{group['id']}/members", {"name": name}))["id"]
        for name in ("Bo", "Cy")
    ]
    return Trip(ana, group["id"], str(founder["id"]), *guests)
