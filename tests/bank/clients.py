"""The clients: each does its operations one after another and believes nothing it is told.

What a client can see for itself is checked here, while it happens: that every retry is answered
with the same bytes, that balances sum to zero and shares to their amount in every answer, that
every read knows all that was acknowledged before it was asked, that nothing is answered which no
server should answer. What was acknowledged is kept for `audit.py`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from tests.bank.answers import Balances, Changed, Expense, Page, Problem
from tests.bank.stream import (
    CLIENTS,
    GROUPS,
    VERSIONED,
    Group,
    Json,
    Kind,
    Operation,
    Stream,
    stream,
)
from tests.drill.wire import Answer, Dropped, Upstream

WORKERS: Final = 2
SETTINGS: Final = {"RATE_LIMIT_SIGNUP": "0", "DRAIN_S": "1", "LOG_LEVEL": "error"}
"""Of the server that they ask."""
PATIENCE_S: Final = 60
"""Seconds for which a client asks again that got no answer."""
PAUSE_S: Final = 0.1
LOOK_S: Final = 0.05
ANSWER_S: Final = 20
NOTHING: Final = "without an answer"
OK, CREATED, NOT_FOUND = 200, 201, 404
EXPENSES: Final = {"record", "revise", "void", "restore"}
"""What is answered with the expense as it is then."""
LISTED: Final = 20
"""Expenses that are listed at most."""
EXPECTED: Final = {
    "record": {201},
    "pay": {201},
    "settle": {201, 409},  # 409: nothing to settle, or the balances would not stand still
    "revise": {200, 404, 409, 412},
    "void": {200, 404, 409, 412},
    "restore": {200, 404, 409, 412},
    "unpay": {200, 404, 409, 412},
    "balances": {200},
    "list": {200},
    "expense": {200, 404},
}
"""What may be answered in the end: others may have changed the thing, or it is not there yet."""


@dataclass(frozen=True)
class Acknowledged:
    """A change that a server said it had made to a thing."""

    operation: Operation
    thing: UUID
    seq: int
    head: str


@dataclass
class Told:
    """What anybody was told of one group so far."""

    seq: int = 0
    """Its latest entry."""
    versions: dict[UUID, int] = field(default_factory=dict)
    """The latest version of each thing."""
    recorded: dict[UUID, int] = field(default_factory=dict)
    """At which entry each expense was recorded."""
    latest: UUID | None = None
    """The expense that was recorded last."""
    voiding: set[UUID] = field(default_factory=set)
    """What somebody has asked to void: it may be gone from the lists."""

    def learn(self, done: Acknowledged, version: int) -> None:
        self.seq = max(done.seq, self.seq)
        self.versions[done.thing] = max(version, self.versions.get(done.thing, 0))
        if done.operation.kind == "record":
            self.recorded[done.thing] = done.seq
            if self.latest is None or done.seq > self.recorded[self.latest]:
                self.latest = done.thing


@dataclass
class Bank:
    """A run: what the clients share and what they saw."""

    stream: Stream
    port: int
    tokens: list[str] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    unknown: list[Operation] = field(default_factory=list)
    reads: list[tuple[int, Balances]] = field(default_factory=list)
    """Balances as they were told, and of which group."""
    told: list[Told] = field(default_factory=lambda: [Told() for _ in range(GROUPS)])
    """By the place of the group."""
    wrong: list[str] = field(default_factory=list)
    """What no client should have seen."""
    counts: Counter[str] = field(default_factory=Counter)
    done: int = 0
    enough: bool = False
    """No client begins another operation."""

    def complain(self, operation: Operation, said: str) -> None:
        self.wrong.append(f"operation {operation.number} ({operation.kind}): {said}")


async def opened(seed: int, ops: int, port: int) -> Bank:
    """A bank on the server at that port, with accounts and groups, before its first operation."""
    bank = Bank(stream(seed, ops), port, tokens=[""] * GROUPS)
    await prepare(bank)
    return bank


async def run_beside(bank: Bank, *planned: tuple[float, Callable[[], None]]) -> None:
    """Every operation of the stream is done, or `enough` of them, by all clients at once.

    Beside them, each of `planned` happens in a thread, one after another, once that part of the
    operations is done.
    """
    clients = (_client(bank, number) for number in range(CLIENTS))
    await asyncio.gather(_happening(bank, planned), *clients)


async def _happening(bank: Bank, planned: Sequence[tuple[float, Callable[[], None]]]) -> None:
    for part, happens in planned:
        while bank.done < part * len(bank.stream.operations):  # noqa: ASYNC110 - a rare look
            await asyncio.sleep(LOOK_S)
        await asyncio.to_thread(happens)


async def _client(bank: Bank, number: int) -> None:
    upstream = Upstream(bank.port)
    for operation in bank.stream.operations[number::CLIENTS]:
        if bank.enough:
            break
        await (_change if operation.changes else _read)(bank, upstream, operation)
        bank.done += 1
    upstream.close()


# ── Changes ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Request:
    """A request as it is sent, the first time and whenever it is repeated."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


async def _change(bank: Bank, upstream: Upstream, operation: Operation) -> None:
    request = _request(bank, operation)
    sending = [_insist(bank, upstream, operation, request)]
    if operation.again == "beside":
        sending.append(_once(Upstream(bank.port), request))
    answers = await asyncio.gather(*sending)
    if operation.again == "after" and answers[0] is not None:
        answers.append(await _insist(bank, upstream, operation, request))
    _judge(bank, operation, answers)


def _judge(bank: Bank, operation: Operation, answers: list[Answer | None]) -> None:
    """Of all answers to the same request: those that it was done are one, whatever came before."""
    told = [answer for answer in answers if answer is not None and not _may_be_done(answer)]
    done = [answer for answer in told if answer.status in (OK, CREATED)]
    for answer in told:
        bank.counts[f"times {answer.status}"] += 1
        if answer.status not in EXPECTED[operation.kind]:
            bank.complain(operation, f"{answer.status} {_code(answer)}")
    if not done:
        if len(told) < len(answers):
            bank.unknown.append(operation)
        return
    if operation.stale and operation.kind in VERSIONED:
        bank.complain(operation, "a stale If-Match was taken")
    _acknowledge(bank, operation, done[0])
    _compare(bank, operation, told, done)


def _compare(bank: Bank, operation: Operation, told: list[Answer], done: list[Answer]) -> None:
    """Whoever asks again for what was done is answered the same."""
    for again in done[1:]:
        bank.counts["retries with the same bytes"] += 1
        if _bytes(again) != _bytes(done[0]):
            bank.complain(operation, "a retry was answered otherwise: with other bytes")
    if len(done) > 1 and not any("idempotency-replayed" in each.headers for each in done):
        bank.complain(operation, "neither of two answers was a replay")
    for refused in told:
        if refused not in done and _came_after(operation, told, refused):
            bank.complain(operation, f"a retry was answered otherwise: {_code(refused)}")


def _came_after(operation: Operation, told: list[Answer], refused: Answer) -> bool:
    """Whether it was refused when it had been done.

    Of two at once the refused one may have come first where the thing was not there yet, or where
    there was nothing to settle. A version, or an id, is only ever taken by what was done.
    """
    if operation.again == "after":
        return refused is told[-1]
    return refused.status != NOT_FOUND and operation.kind != "settle"


def _bytes(answer: Answer) -> tuple[object, ...]:
    """What must be the same each time."""
    return answer.status, answer.body, answer.headers.get("etag"), answer.headers.get("location")


def _acknowledge(bank: Bank, operation: Operation, answer: Answer) -> None:
    changed = msgspec.json.decode(answer.body, type=Changed)
    done = Acknowledged(operation, changed.id, changed.journal.seq, changed.journal.head)
    bank.acknowledged.append(done)
    if operation.thing not in (changed.id, None):
        bank.complain(operation, "another thing was answered")
    bank.told[operation.group].learn(done, changed.version)
    if operation.kind in EXPENSES:
        for flaw in msgspec.json.decode(answer.body, type=Expense).flaws():
            bank.complain(operation, flaw)


def _request(bank: Bank, operation: Operation) -> Request:
    group = bank.stream.groups[operation.group]
    method, path = _address(operation, group)
    headers = {
        "Authorization": f"Bearer {bank.tokens[operation.group]}",
        "Idempotency-Key": operation.key,
    }
    if operation.kind in VERSIONED:
        assert operation.thing is not None, "what has versions has an id"
        told = bank.told[operation.group]
        version = told.versions.get(operation.thing, 1) + (1_000 if operation.stale else 0)
        if operation.kind == "void":
            told.voiding.add(operation.thing)
        headers["If-Match"] = f'"{version}"'
    body = b"" if operation.body is None else msgspec.json.encode(operation.body)
    if body:
        headers["Content-Type"] = "application/json"
    return Request(method, path, headers, body)


def _address(operation: Operation, group: Group) -> tuple[str, str]:
    root = f"/groups/{group.id}"
    expense, payment = f"{root}/expenses/{operation.thing}", f"{root}/payments/{operation.thing}"
    return {
        "record": ("POST", f"{root}/expenses"),
        "revise": ("PATCH", expense),
        "void": ("DELETE", expense),
        "restore": ("POST", f"{expense}/restore"),
        "pay": ("POST", f"{root}/payments"),
        "unpay": ("POST", f"{payment}/void"),
        "settle": ("POST", f"{root}/settlements"),
        "balances": ("GET", f"{root}/balances"),
        "expense": ("GET", expense),
        "list": ("GET", f"{root}/expenses?limit={LISTED}"),
    }[operation.kind]


# ── Reads ────────────────────────────────────────────────────────────────────────────────────────


async def _read(bank: Bank, upstream: Upstream, operation: Operation) -> None:
    group = bank.stream.groups[operation.group]
    known = bank.told[operation.group]
    known = replace(known, versions=dict(known.versions))
    method, path = _address(operation, group)
    headers = {"Authorization": f"Bearer {bank.tokens[operation.group]}"}
    answer = await _insist(bank, upstream, operation, Request(method, path, headers, b""))
    if answer is None:
        return None
    if answer.status not in EXPECTED[operation.kind]:
        return bank.complain(operation, f"{answer.status} {_code(answer)}")
    bank.counts["reads"] += 1
    for flaw in LOOKS[operation.kind](bank, operation, known, answer):
        bank.complain(operation, flaw)
    return None


Look: TypeAlias = Callable[[Bank, Operation, Told, Answer], Iterator[str]]


def _look_at_balances(
    bank: Bank, operation: Operation, known: Told, answer: Answer
) -> Iterator[str]:
    told = msgspec.json.decode(answer.body, type=Balances)
    bank.reads.append((operation.group, told))
    yield from told.flaws()
    if told.journal.seq < known.seq:
        yield f"entry {known.seq} was acknowledged, entry {told.journal.seq} is told"


def _look_at_expense(
    _bank: Bank, operation: Operation, known: Told, answer: Answer
) -> Iterator[str]:
    assert operation.thing is not None, "an expense that is asked for has an id"
    version = known.versions.get(operation.thing, 0)
    if answer.status == NOT_FOUND:
        if version:
            yield f"version {version} was acknowledged, the expense is not there"
        return
    told = msgspec.json.decode(answer.body, type=Expense)
    yield from told.flaws()
    yield from _old(known, told)


def _look_at_list(bank: Bank, operation: Operation, known: Told, answer: Answer) -> Iterator[str]:
    told = msgspec.json.decode(answer.body, type=Page)
    yield from told.flaws()
    for each in told.items:
        yield from _old(known, each)
    if known.latest is not None and _is_left_out(bank.told[operation.group], told, known.latest):
        yield f"expense {known.latest} was acknowledged and is not listed"


def _old(known: Told, told: Expense) -> Iterator[str]:
    version = known.versions.get(told.id, 0)
    if told.version < version:
        yield f"version {version} was acknowledged, version {told.version} is told"


def _is_left_out(now: Told, told: Page, latest: UUID) -> bool:
    """Whether it should be listed: it was not voided, and something older is, or there is room."""
    if latest in now.voiding or any(each.id == latest for each in told.items):
        return False
    older = (now.recorded.get(each.id, now.seq) < now.recorded[latest] for each in told.items)
    return len(told.items) < LISTED or any(older)


LOOKS: Final[dict[Kind, Look]] = {
    "balances": _look_at_balances,
    "expense": _look_at_expense,
    "list": _look_at_list,
}


# ── Asking until there is an answer ──────────────────────────────────────────────────────────────


async def _insist(
    bank: Bank, upstream: Upstream, operation: Operation, request: Request
) -> Answer | None:
    """The answer, however often one must ask; None for a client that did not ask again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    said = Counter[str]()
    while loop.time() < deadline:
        answer = await _once(upstream, request)
        if answer is not None and not _may_be_done(answer):
            return answer
        what = NOTHING if answer is None else _code(answer)
        said[what] += 1
        bank.counts[what] += 1
        if answer is None and operation.gives_up:
            return None
        await asyncio.sleep(PAUSE_S)
    bank.complain(operation, f"no answer for {PATIENCE_S} s but {dict(said)}")
    return None


def _may_be_done(answer: Answer) -> bool:
    """The server could not say (503), or the same request is still running."""
    return answer.status == 503 or (
        answer.status == 409 and _code(answer) == "idempotency-in-progress"
    )


async def _once(upstream: Upstream, request: Request) -> Answer | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await upstream.answer(
                request.method, request.path, request.headers, request.body
            )
    except (Dropped, TimeoutError):
        return None


def _code(answer: Answer) -> str:
    return msgspec.json.decode(answer.body, type=Problem).code if answer.status >= 400 else ""


# ── Before it begins ─────────────────────────────────────────────────────────────────────────────


async def prepare(bank: Bank) -> None:
    """An account, a group and its guests for each group of the stream."""
    for place in range(len(bank.stream.groups)):
        await _found(bank, place)


async def _found(bank: Bank, place: int) -> None:
    group = bank.stream.groups[place]
    upstream = Upstream(bank.port)
    email = f"owner-{bank.stream.seed}-{place}@example.org"
    account: Json = {"email": email, "password": "correct horse battery staple", "name": "Ana"}
    signed = await _post(upstream, "/auth/signup", account, {})
    bank.tokens[place] = str(signed["access_token"])
    headers = {"Authorization": f"Bearer {bank.tokens[place]}"}
    body: Json = {"id": str(group.id), "name": f"Trip {place}", "currency": "EUR"}
    await _post(upstream, "/groups", body, headers | {"Idempotency-Key": "founded"})
    for number, guest in enumerate(group.guests):
        body = {"id": str(guest), "name": f"Guest {number}"}
        key = {"Idempotency-Key": f"guest-{number}"}
        await _post(upstream, f"/groups/{group.id}/members", body, headers | key)
    upstream.close()


async def _post(upstream: Upstream, path: str, body: Json, headers: dict[str, str]) -> Json:
    content = {"Content-Type": "application/json"}
    answer = await upstream.answer("POST", path, headers | content, msgspec.json.encode(body))
    assert answer.status == CREATED, answer.body
    return msgspec.json.decode(answer.body, type=Json)
