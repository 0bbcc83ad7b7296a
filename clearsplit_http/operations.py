"""Operations: a route and everything that is promised about it, in one place.

An operation says what it takes and gives, who may use it and how it can refuse. From that come both
its Litestar handler and its entry in the OpenAPI document, so that neither can forget the other.
What stands around every route, in the order in which it decides what a caller is told:

    body size, who is asking, the ids in the path; then, if the caller may come in at all:
    media type, headers, query, JSON; then the route itself.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic

import msgspec
from litestar.types import HTTPScope, Method, Receive, Send

from clearsplit_core.errors import NotFound, Refusal, Unreadable
from clearsplit_core.limits import Allowance
from clearsplit_core.plain import Plain
from clearsplit_core.ports import Caller, Sealed
from clearsplit_core.records import Scope
from clearsplit_http import limits, logs, metrics
from clearsplit_http.access import Door, Ids, Refuse, anybody
from clearsplit_http.addresses import client_address
from clearsplit_http.answers import request_id, send_sealed
from clearsplit_http.asked import Asked, B, Route
from clearsplit_http.idempotency import read_key
from clearsplit_http.incoming import (
    Headers,
    read_body,
    read_id,
    read_query,
    require_json,
)
from clearsplit_http.limits import Limited
from clearsplit_http.preconditions import read_if_match, read_if_none_match
from clearsplit_http.problems import problem
from clearsplit_http.reading import read_json
from clearsplit_http.refusals import BadJson, InsufficientScope
from clearsplit_http.server import Server
from clearsplit_http.tokens import InviteToken
from clearsplit_http.wire.resources import Extras


class _Knock(msgspec.Struct, frozen=True):
    """A request at the door: who asks for what, before it is read what they say."""

    scope: HTTPScope
    server: Server
    headers: Headers
    body: bytes
    caller: Caller | None
    ids: Ids
    allowances: list[Allowance]


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[B]):
    """One method of one address.

    `door` is None outside groups, `query` names the parameters, `refuses` the reasons that are the
    route's own; what follows from the form of an operation (a body, a key …) need not be named.
    """

    method: Method
    path: str
    takes: type[B]
    gives: object
    status: int
    public: bool
    door: Door | None
    versioned: bool
    limited: Limited | None
    query: Mapping[str, str]
    refuses: Sequence[type[Refusal]]
    route: Route[B]

    @property
    def name(self) -> str:
        return self.route.__name__

    @cached_property
    def reads(self) -> bool:
        return self.method == "GET"

    @cached_property
    def keyed(self) -> bool:
        """Whether it changes a group's data, and so is done only once per key."""
        return self.door is not None and not self.reads

    def reached_with(self, scope: Scope | None) -> bool:
        """Whether a personal token of that scope is enough; a session (None) always is."""
        if scope is None:
            return True
        return not self.about_the_account and (self.reads or scope is Scope.WRITE)

    @property
    def about_the_account(self) -> bool:
        return self.path.startswith("/auth/")

    @property
    def told(self) -> str:
        """What is said about it: a line, and perhaps more after an empty one."""
        return inspect.getdoc(self.route) or ""

    @cached_property
    def ids(self) -> list[str]:
        """The names of the ids in the path."""
        return re.findall(r"{(\w+)}", self.path)

    async def answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        allowances: list[Allowance] = []
        sealed = await self._answered(scope, receive, allowances)
        if left := limits.headers(allowances):
            sealed = replace(sealed, headers=(*sealed.headers, *left))
        await send_sealed(sealed, scope, send)

    async def _answered(
        self, scope: HTTPScope, receive: Receive, allowances: list[Allowance]
    ) -> Sealed:
        try:
            return await self._done(scope, receive, allowances)
        except Refusal as refusal:
            metrics.refused(refusal.code)
            logs.refused(refusal)
            return problem(refusal, request_id(scope))

    async def _done(
        self, scope: HTTPScope, receive: Receive, allowances: list[Allowance]
    ) -> Sealed:
        knock = await self._knock(scope, receive, allowances)
        try:
            return await self._routed(self._asked(knock))
        except Unreadable as refusal:
            await self._require_access(knock, refusal)
            raise

    async def _routed(self, asked: Asked[B]) -> Sealed:
        try:
            return await self.route(asked)
        except Refusal as refusal:
            refusal.field = self.takes.pointer(refusal.field, asked.tree)
            raise

    async def _knock(
        self, scope: HTTPScope, receive: Receive, allowances: list[Allowance]
    ) -> _Knock:
        """Who asks for what, and not too often. What comes with a GET is not looked at.

        Raises BodyTooLarge, BadRequest, what Credentials raise, QuotaExceeded and ThingNotFound.
        """
        server: Server = scope["litestar_app"].state.server
        headers = Headers(scope)
        body = b"" if self.reads else await read_body(headers, receive)
        caller = None if self.public else await self._caller(server, headers)
        await self._spend(scope, server, caller, allowances)
        try:
            ids = self._ids_in(scope, server)
        except NotFound:
            assert caller is not None, "only groups have ids in their addresses"
            await server.store.account_of(caller)
            raise
        return _Knock(scope, server, headers, body, caller, ids, allowances)

    def _ids_in(self, scope: HTTPScope, server: Server) -> Ids:
        """What the path names; the token of an invite names two things. Raises ThingNotFound."""
        told = {name: scope["path_params"][name] for name in self.ids}
        if "token" not in told:
            return Ids({name: read_id(text) for name, text in told.items()})
        invite = InviteToken.read(told["token"], server.keys.invite)
        return Ids({"group_id": invite.group_id, "invite_id": invite.invite_id})

    async def _spend(
        self,
        scope: HTTPScope,
        server: Server,
        caller: Caller | None,
        allowances: list[Allowance],
    ) -> None:
        """Raises QuotaExceeded."""
        if self.limited:
            address = client_address(scope, server.settings.trusted_proxies)
            limits.spend(await server.limits.of_address(self.limited, address), allowances)
        if caller and self.keyed:
            limits.spend(server.limits.of_write(caller.account_id), allowances)

    async def _caller(self, server: Server, headers: Headers) -> Caller:
        """Who asks. Raises what Credentials raise, and InsufficientScope."""
        shown = await server.credentials.shown(headers["authorization"])
        if not self.reached_with(shown.scope):
            await server.store.account_of(shown.caller)
            raise InsufficientScope
        logs.about(account=shown.caller.account_id)
        return shown.caller

    async def _require_access(self, knock: _Knock, refusal: Unreadable) -> None:
        """Whoever may not come in is told that, and not what is wrong with their request."""
        ids, store = knock.ids, knock.server.store
        if knock.caller and self.door and ids.by_name:
            refuse = Refuse(
                group_id=ids.group_id, needs=ids.needs, door=self.door, ids=ids, refusal=refusal
            )
            await store.perform(refuse, caller=knock.caller)
        elif knock.caller:
            await store.account_of(knock.caller)

    def _asked(self, knock: _Knock) -> Asked[B]:
        """The request as read. Raises what is Unreadable in it, in the order of the contract."""
        headers = knock.headers
        if knock.body:
            require_json(headers)
        return Asked(
            server=knock.server,
            method=self.method,
            template=self.path,
            path=knock.scope["path"],
            takes=self.takes,
            status=self.status,
            door=self.door or anybody,
            signed_in=knock.caller,
            ids=knock.ids,
            key=read_key(headers["idempotency-key"]) if self.keyed else None,
            if_match=read_if_match(headers["if-match"]) if self.versioned else None,
            if_none_match=read_if_none_match(headers["if-none-match"] if self.reads else []),
            query=read_query(knock.scope["query_string"], self.query),
            tree=self._tree(knock.body),
            allowances=knock.allowances,
        )

    def _tree(self, body: bytes) -> Plain:
        if body:
            return read_json(body)
        if not issubclass(self.takes, Extras):
            raise BadJson("The body is missing.")
        return {}


def operation(
    method: Method,
    path: str,
    *,
    takes: type[B],
    gives: object = None,
    status: int = 200,
    public: bool = False,
    door: Door | None = None,
    versioned: bool = False,
    limited: Limited | None = None,
    query: Mapping[str, str] | None = None,
    refuses: Sequence[type[Refusal]] = (),
) -> Callable[[Route[B]], Operation[B]]:
    """The decorated function is the route of a new operation."""

    def of(route: Route[B]) -> Operation[B]:
        return Operation(
            method=method,
            path=path,
            takes=takes,
            gives=gives,
            status=status,
            public=public,
            door=door,
            versioned=versioned,
            limited=limited,
            query=query or {},
            refuses=refuses,
            route=route,
        )

    return of
