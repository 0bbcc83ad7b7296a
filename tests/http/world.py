"""A group with everything in it, and every request that the OpenAPI document can tell.

Requests are made from the document's own examples, so that a new operation is tested as soon as it
exists. The group has one of each thing that can be created, made by sending the examples of the
operations that create; what an example has no id for is taken from the answers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.members import MemberAdded
from clearsplit_core.ports import Caller, Decision, Needs
from clearsplit_core.records import AccountId, Member, Role
from clearsplit_http import examples
from clearsplit_http.app import OPERATIONS
from clearsplit_http.openapi import document
from tests.http.api import Answer, Api, Person, Tree, in_list
from tests.literals import text
from tests.saved import Saved, saved

Body: TypeAlias = Tree
Step: TypeAlias = str | tuple[str, Body]
"""An operation to send before another, by its name, perhaps with a body of its own."""

UNKNOWN: Final = "01990a5e-7c00-7a11-8000-00000000dead"
_keys = count()


# ── What the document tells ──────────────────────────────────────────────────────────────────────


class _Parameter(msgspec.Struct):
    name: str
    place: str = msgspec.field(name="in")
    example: str = ""


class _Told(msgspec.Struct):
    operationId: str  # noqa: N815 - the document's word
    tags: list[str]
    parameters: list[_Parameter]
    responses: dict[str, object]
    security: list[Mapping[str, object]]
    requestBody: Tree = {}  # noqa: N815 - the document's word


@dataclass(frozen=True)
class Operation:
    """An operation as the document tells it."""

    method: str
    template: str
    told: _Told

    @property
    def name(self) -> str:
        return self.told.operationId

    @property
    def ids(self) -> Sequence[str]:
        return re.findall(r"{(\w+)}", self.template)

    @property
    def of_a_group(self) -> bool:
        return "group_id" in self.ids

    @property
    def public(self) -> bool:
        return not self.told.security

    @property
    def for_programs(self) -> bool:
        """Whether a personal token reaches it, if its scope is enough."""
        return any("personal" in way for way in self.told.security)

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def tag(self) -> str:
        (tag,) = self.told.tags
        return tag

    @property
    def keyed(self) -> bool:
        return any(one.name == "Idempotency-Key" for one in self.told.parameters)

    @property
    def versioned(self) -> bool:
        return any(one.name == "If-Match" for one in self.told.parameters)

    @property
    def paged(self) -> bool:
        return any(one.name == "cursor" for one in self.told.parameters)

    @property
    def success(self) -> int:
        (status,) = (int(status) for status in self.told.responses if status.startswith("2"))
        return status

    @property
    def bodies(self) -> Sequence[Body]:
        """The bodies of its examples."""
        content = msgspec.convert(self.told.requestBody.get("content", {}), dict[str, Tree])
        shown = content.get("application/json", {}).get("examples", {})
        return [one["value"] for one in msgspec.convert(shown, dict[str, dict[str, Tree]]).values()]

    def path(self, ids: Mapping[str, str]) -> str:
        return self.template.format(**ids)


def _operations() -> Iterable[Operation]:
    paths = msgspec.convert(document(OPERATIONS)["paths"], dict[str, dict[str, object]])
    for template, methods in paths.items():
        for method, told in methods.items():
            yield Operation(method.upper(), template, msgspec.convert(told, _Told))


BY_NAME: Final[Mapping[str, Operation]] = {each.name: each for each in _operations()}
"""Every operation of the document."""


# ── The group ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Give accounts seats: what claiming an invite, changing a role and leaving come to."""

    group_id: GroupId
    seats: tuple[Member, ...]

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, _group: object) -> Decision[None]:
        return Decision(tuple(MemberAdded(member=seat) for seat in self.seats), None)


@dataclass(frozen=True)
class World:
    """A group and the people around it, by the part that they play."""

    api: Api
    people: Mapping[str, Person]
    seats: Mapping[str, str]
    """The members' ids, by the part that they play."""
    ids: Mapping[str, str]
    """What stands for each name in a path."""
    url: str
    saved: Saved

    def about(self, ids: Mapping[str, str]) -> "World":
        """The same, where these are meant."""
        return replace(self, ids={**self.ids, **ids})

    def in_the_other_group(self) -> "World":
        """The same things, named in the stranger's group."""
        return self.about({"group_id": self.ids["elsewhere"]})

    def go_back(self) -> None:
        """Everything is as it was when the state was last saved."""
        self.saved.restore()

    def dump(self) -> object:
        """Every byte that the store holds."""
        return self.saved.dump()

    def saved_again(self) -> "World":
        """The same, going back to its present state from now on."""
        return replace(self, saved=saved(self.api.server.store, self.url))

    async def send(
        self,
        who: str | Person,
        operation: Operation,
        *,
        body: Body | None = None,
        key: str = "",
        if_match: str = "",
    ) -> Answer:
        """The operation's first example, from `who`, about the things of the group."""
        person = who if isinstance(who, Person) else self.people[who]
        lines: list[tuple[str, str]] = [("x-request-id", "same")]
        if not operation.reads:
            lines.append(("idempotency-key", key or f"{operation.name}-{next(_keys)}"))
        if if_match:
            lines.append(("if-match", if_match))
        said = self.body_of(operation) if body is None else body
        sent = b"" if said is None else msgspec.json.encode(said)
        lines += [("content-type", "application/json")] if sent else []
        return await person.raw(operation.method, operation.path(self.ids), sent, *lines)

    def body_of(self, operation: Operation) -> Body | None:
        """The first example, under an id of the server's choice."""
        if operation.name == "refresh":  # its token is nobody's to show
            return {"refresh_token": self.people["owner"].refresh_token}
        if operation.name == "signup":  # the example is the owner, who is here already
            return operation.bodies[0] | {"email": self.api.email("else")}
        first = next(iter(operation.bodies), None)
        return None if first is None else {name: first[name] for name in first if name != "id"}

    async def tag(self, operation: Operation) -> str:
        """The ETag of what a change is about, as the owner reads it; none where it needs none."""
        if not operation.versioned:
            return ""
        headers = (await self.send("owner", reader_of(operation))).headers
        return str(headers.get("etag", '"1"'))

    async def after(self, *steps: Step) -> "World":
        """The group once its owner has sent these; what they make is what is meant from then on."""
        world = self
        for step in steps:
            name, body = (step, None) if isinstance(step, str) else step
            operation = BY_NAME[name]
            tag = await world.tag(operation)
            answer = await world.send("owner", operation, body=body, if_match=tag)
            assert answer.status < 300, (step, answer.body)
            world = replace(world, ids={**world.ids, **_made(operation, answer)})
        return world


def reader_of(operation: Operation) -> Operation:
    """What reads the thing that an operation is about."""
    steps = operation.template.split("/")
    tries = ["/".join(steps[:length]) for length in range(len(steps), 2, -1)]
    readers = {each.template: each for each in BY_NAME.values() if each.reads}
    return next(readers[path] for path in tries if path in readers)


def _made(operation: Operation, answer: Answer) -> Mapping[str, str]:
    """The ids that an answer gives, by their names in paths."""
    if operation.success != 201 or "id" not in answer.tree:
        return {}
    made: dict[str, str] = {}
    for name in children(operation):
        made[name] = answer["id"]
    for name in _NESTED:
        found = answer.tree.get(f"{name.removesuffix('_id')}s")
        if found:
            made[name] = str(in_list(found)[0]["id"])
    if "token" in answer.tree and operation.of_a_group:
        made["token"] = answer["token"]
    return made


def children(operation: Operation) -> Sequence[str]:
    """What a thing made by the operation is called in paths."""
    form = re.compile(re.escape(operation.template) + r"/{(\w+)}(/.*)?")
    found = (form.fullmatch(each.template) for each in BY_NAME.values())
    return sorted({match[1] for match in found if match})


_NESTED: Final = sorted(
    {name for each in BY_NAME.values() for name in each.ids if name.endswith("_id")}
    - {name for each in BY_NAME.values() if each.success == 201 for name in children(each)}
    - {"group_id", "session_id"}
)
"""Things that are made together with another, such as a settlement's transfers."""

PARTS: Final = {
    "owner": Role.OWNER,
    "recorder": Role.MEMBER,  # recorded whatever a member may record, and takes part in nothing
    "partaker": Role.MEMBER,  # is named in whatever was recorded
    "bystander": Role.MEMBER,  # neither
    "viewer": Role.VIEWER,
    "removed": Role.MEMBER,  # was a member
    "outsider": None,
    "stranger": None,  # owns another group, and names things of this one there
    "nobody": None,  # not signed in
}
"""The people, and the role of those who have or had a seat."""


async def world(api: Api, url: str) -> World:
    """The group on the store behind `url`, whose present state can be restored."""
    people = {name: await _person(api, name) for name in PARTS}
    group = await people["owner"].post("/groups", BY_NAME["create_group"].bodies[0])
    assert group.status == 201, group.body
    other = await people["stranger"].post("/groups", {"name": "Elsewhere", "currency": "EUR"})
    sessions = await people["owner"].get("/auth/sessions")
    token = await people["owner"].post("/auth/tokens", BY_NAME["issue_token"].bodies[0])
    built = World(
        api,
        people,
        await _seated(api, people, group),
        {
            "group_id": group["id"],
            "elsewhere": other["id"],
            "session_id": str(sessions.items[0]["id"]),
            "token_id": token["id"],
            "token": UNKNOWN,
        },
        url,
        saved(api.server.store, url),
    )
    for each in BY_NAME.values():
        if each.of_a_group and each.method == "POST" and children(each):
            built = await _with(built, each)
    return built.saved_again()


async def _person(api: Api, name: str) -> Person:
    if name == "nobody":
        return Person(api)
    if name != "owner":
        return await api.signup(name)
    answer = await Person(api).post("/auth/signup", BY_NAME["signup"].bodies[0])
    assert answer.status == 201, answer.body
    return Person(api, answer["access_token"], answer["refresh_token"])


async def _seated(api: Api, people: Mapping[str, Person], group: Answer) -> Mapping[str, str]:
    """Everybody has the seat of their part; the examples' Bo partakes, and their Cy is a guest."""
    seats = {"owner": str(in_list(group.tree["members"])[0]["id"]), "partaker": examples.BO}
    seats |= {
        name: f"01990a5e-7c00-7a11-8000-0000000001{number:02}"
        for number, (name, role) in enumerate(PARTS.items())
        if role and name not in seats
    }
    accounts = {name: (await people[name].get("/auth/me"))["id"] for name in seats}
    made = [_seat(seats[name], name, accounts[name]) for name in seats if name != "owner"]
    seating = Seats(
        group_id=GroupId(UUID(group["id"])), seats=(*made, _seat(examples.CY, "guest", None))
    )
    await api.server.store.perform(seating, caller=Caller(AccountId(UUID(accounts["owner"]))))
    return seats


def _seat(seat: str, name: str, account: str | None) -> Member:
    return Member(
        id=MemberId(UUID(seat)),
        name=text(name),
        role=PARTS.get(name) or Role.MEMBER,
        active=name != "removed",
        account=text(account) if account else None,
        version=1,
    )


async def _with(built: World, operation: Operation) -> World:
    """The group with one thing more, made by the recorder or, where they may not, the owner."""
    if operation.name == "add_guest":
        return replace(built, ids={**built.ids, "member_id": examples.CY})
    body = operation.bodies[0] if operation.bodies else None
    answer = await built.send("recorder", operation, body=body)
    if answer.status == 403:
        answer = await built.send("owner", operation, body=body)
    assert answer.status == 201, (operation.name, answer.body)
    return replace(built, ids={**built.ids, **_made(operation, answer)})
