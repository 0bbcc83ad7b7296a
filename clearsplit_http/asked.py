"""Asked: a request that has been read, as a route sees it.

A route takes from it the ids, the body and the caller, and gives back an answer. What can be wrong
with a body's fields comes up only when the route asks for it, inside `command`, so that it is told
in its place in the order of statuses and not before.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

import msgspec

from clearsplit_core.errors import Refusal, Unreadable
from clearsplit_core.journal import GroupId
from clearsplit_core.limits import Allowance
from clearsplit_core.plain import Plain
from clearsplit_core.ports import AsyncStore, Caller, Command, Receipt, Recorded, Sealed
from clearsplit_core.questions import Question
from clearsplit_core.records import SessionId
from clearsplit_http.access import Door, Ids, Refuse
from clearsplit_http.idempotency import fingerprint, group_id_for
from clearsplit_http.limits import spend
from clearsplit_http.pages import Cursors, fitting, read_limit
from clearsplit_http.preconditions import NEVER, Tag, matches
from clearsplit_http.reading import shaped
from clearsplit_http.refusals import (
    BadFormat,
    MissingField,
    OutOfRange,
    PreconditionRequired,
    UnknownField,
    UnknownValue,
    WrongType,
)
from clearsplit_http.server import Server
from clearsplit_http.wire.resources import Body, Journal, Page, Resource

B = TypeVar("B", bound=Body)
R = TypeVar("R")
T = TypeVar("T")

CREATED: Final = 201
SCHEMA_REFUSALS: Final = (
    MissingField,
    UnknownField,
    WrongType,
    OutOfRange,
    UnknownValue,
    BadFormat,
)
"""What `shaped` raises; told before a version that is not the present one."""
_PLACES: Final = frozenset({"limit", "cursor", "after_seq"})
"""The parameters that say where a page begins and how long it is."""


class Asked(msgspec.Struct, Generic[B], frozen=True, kw_only=True):
    """What one request says. `key` and `if_match` are None where the route takes none."""

    server: Server
    method: str
    template: str
    path: str
    takes: type[B]
    status: int
    door: Door
    signed_in: Caller | None
    ids: Ids
    query: Mapping[str, str]
    tree: Plain
    key: str | None
    if_match: Tag | None
    if_none_match: frozenset[str]
    allowances: list[Allowance]
    """What is left of each quota that this request counts in; `attempt` adds to it."""

    # ── What it says ─────────────────────────────────────────────────────────────────────────────

    @property
    def store(self) -> AsyncStore:
        return self.server.store

    @property
    def caller(self) -> Caller:
        assert self.signed_in is not None, "a public route knows no caller"
        return self.signed_in

    @property
    def session_id(self) -> SessionId:
        """The caller's session; what belongs to the account alone no personal token reaches."""
        assert self.caller.session_id is not None, "whoever comes over HTTP shows a token"
        return SessionId(self.caller.session_id)

    @property
    def group_id(self) -> GroupId:
        """The group in the path; for a new group the id that it gets unless the body names one."""
        if "group_id" in self.ids.by_name:
            return self.ids.group_id
        assert self.key is not None
        made = group_id_for(self.server.keys.group_id, self.caller.account_id, self.key)
        return GroupId(made)

    @property
    def body(self) -> B:
        """The body's fields. Raises MissingField and its like."""
        return shaped(self.tree, self.takes)

    @property
    def expected_version(self) -> int:
        """The version that the caller has seen; a tag with a revision is no version of a thing that
        has none. Raises PreconditionRequired.
        """
        tag = self.expected_tag
        return NEVER.version if tag.revision else tag.version

    @property
    def expected_tag(self) -> Tag:
        """Raises PreconditionRequired."""
        if self.if_match is None:
            raise PreconditionRequired
        return self.if_match

    async def attempt_login(self, email: str) -> None:
        """A password of that account is tried once more. Raises QuotaExceeded."""
        spend(await self.server.limits.of_login(email), self.allowances)

    # ── Changing ─────────────────────────────────────────────────────────────────────────────────

    def command(self, make: Callable[[], Command[R]]) -> Command[R]:
        """The command that `make` makes, or one that refuses with what `make` raised."""
        try:
            return make()
        except Unreadable:
            raise
        except Refusal as refusal:
            return Refuse(
                group_id=self.group_id,
                needs=self.ids.needs,
                door=self.door,
                ids=self.ids,
                expected=None if isinstance(refusal, SCHEMA_REFUSALS) else self.if_match,
                refusal=refusal,
            )

    def receipt(self, of: Callable[[R], Resource], *, beneath: str = "") -> Receipt[R]:
        """How to do this only once and what to answer, then and at every repetition.

        A created thing (201) is answered with its address, `beneath` another one than was asked.
        """
        assert self.key is not None
        asked = fingerprint(
            self.method, self.template, list(self.ids.by_name.values()), self.if_match, self.tree
        )

        def seal(recorded: Recorded[R]) -> Sealed:
            answer = msgspec.structs.replace(of(recorded.answer), journal=Journal.of(recorded.head))
            headers = [("ETag", str(answer.tag))]
            if self.status == CREATED:
                headers.append(("Location", f"{beneath or self.path}/{answer.id}"))
            return Sealed(self.status, tuple(headers), msgspec.json.encode(answer))

        return Receipt(self.key, asked, seal)

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    async def read(self, question: Question[R]) -> R:
        """What the caller is told. Raises ThingNotFound, SessionEnded."""
        return await self.store.read(question, caller=self.caller)

    def found(self, answer: Resource) -> Sealed:
        """`answer`, or only that the caller has it already."""
        headers = (("ETag", str(answer.tag)),)
        if answer.revalidated and matches(self.if_none_match, answer.tag):
            return Sealed(304, headers, b"")
        return Sealed(200, headers, msgspec.json.encode(answer))

    @property
    def limit(self) -> int:
        """Raises BadQuery."""
        return read_limit(self.query.get("limit"))

    def position(self) -> str | None:
        """Where the page before this one stopped. Raises BadCursor."""
        cursor = self.query.get("cursor")
        return None if cursor is None else self._cursors.read(cursor)

    def page(
        self, items: Iterable[T], of: Callable[[T], msgspec.Struct], position: Callable[[T], str]
    ) -> Sealed:
        """The first of `items` as a page, and where to go on if there are more than fit."""
        rows = list(items)
        taken = fitting((msgspec.json.encode(of(row)) for row in rows), self.limit)
        more = len(taken) < len(rows)
        cursor = self._cursors.make(position(rows[len(taken) - 1])) if more else None
        body = msgspec.json.encode(Page([msgspec.Raw(item) for item in taken], cursor))
        return Sealed(200, self._link(cursor) if cursor else (), body)

    def _link(self, cursor: str) -> tuple[tuple[str, str], ...]:
        rest = self._filters | {"limit": str(self.limit), "cursor": cursor}
        return (("Link", f'<{self.path}?{urlencode(rest)}>; rel="next"'),)

    @property
    def _cursors(self) -> Cursors:
        place = f"{self.caller.account_id}{self.path}?{urlencode(self._filters)}"
        before = tuple(keys.cursor for keys in self.server.keys_before)
        return Cursors(self.server.keys.cursor, place, before)

    @property
    def _filters(self) -> dict[str, str]:
        """What the query says of which items it wants, not of where the page begins."""
        return {name: self.query[name] for name in sorted(self.query.keys() - _PLACES)}


Route: TypeAlias = Callable[[Asked[B]], Awaitable[Sealed]]
