"""How each store is opened for the contract suite, and what the suite may do to it.

A store that joins in brings one rig, and nothing else changes. A rig opens the store through its
front door, the entry point of its URL's scheme; lets the suite see every byte that the store holds;
opens it a second time, as another process would; and can make its commits fail.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, TypeAlias, TypeVar

import psycopg
import pytest

from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.limits import Allowance, Quota
from clearsplit_core.memory import AsyncMemoryStore, MemoryStore
from clearsplit_core.ports import (
    AccountCommand,
    AsyncStore,
    Caller,
    Command,
    Occupancy,
    OpenStore,
    Receipt,
    Recorded,
    Sealed,
    Store,
)
from clearsplit_core.questions import PAGE_MAX, Link, MyBalance, Question
from clearsplit_core.records import Account, AccountId, PersonalToken, TokenId
from tests.literals import Clock, caller
from tests.postgres import FORGETFUL
from tests.saved import Saved, in_memory, in_postgres, rows

R = TypeVar("R")


class CommitFailed(Exception):
    """What a memory store says whose commits a rig lets fail."""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A store under test."""

    store: AsyncStore
    clock: Clock
    dump: Callable[[], object]
    """Every byte that the store holds, in a form that can be compared."""
    save: Callable[[], Saved]
    """The present state, to which a test can go back."""
    elsewhere: Callable[[], AbstractAsyncContextManager[AsyncStore]]
    """The same data in another process."""
    failing_commits: Callable[[], AbstractAsyncContextManager[None]]
    """Inside it, nothing can be committed."""

    async def do(self, name: str, command: Command[R]) -> Recorded[R]:
        """`command` performed for the account called `name`, without a session."""
        return await self.store.perform(command, caller=caller(name))

    async def do_once(
        self, name: str, command: Command[object], receipt: Receipt[object]
    ) -> Sealed:
        return await self.store.perform_once(command, caller=caller(name), receipt=receipt)


OpenRig: TypeAlias = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Rig]]


def front_door(scheme: str) -> OpenStore:
    """What opens the stores behind URLs of `scheme`."""
    (door,) = entry_points(group="clearsplit.stores", name=scheme)
    opened: OpenStore = door.load()
    return opened


# ── In memory ────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def memory(_: pytest.FixtureRequest) -> AsyncGenerator[Rig]:
    clock = Clock()
    async with front_door("memory")("memory:", clock, FORGETFUL) as store:
        assert isinstance(store, AsyncMemoryStore)
        yield _memory_rig(store, store._store, clock)


@asynccontextmanager
async def memory_in_threads(_: pytest.FixtureRequest) -> AsyncGenerator[Rig]:
    clock = Clock()
    store = MemoryStore(clock=clock)
    yield _memory_rig(InThreads(store), store, clock)


def _memory_rig(store: AsyncStore, inner: MemoryStore, clock: Clock) -> Rig:
    @asynccontextmanager
    async def elsewhere() -> AsyncGenerator[AsyncStore]:
        yield store

    @asynccontextmanager
    async def failing_commits() -> AsyncGenerator[None]:
        books = inner._books
        inner._books = _Unwritable(books)
        yield
        inner._books = books

    return Rig(
        store=store,
        clock=clock,
        dump=lambda: repr((inner._books, inner._accounts)),
        save=lambda: in_memory(inner),
        elsewhere=elsewhere,
        failing_commits=failing_commits,
    )


class _Unwritable(dict[GroupId, R]):
    def __setitem__(self, key: GroupId, value: R) -> None:
        raise CommitFailed


class InThreads:
    """A synchronous store, each call in a thread of its own, so that calls do meet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]:
        return await asyncio.to_thread(self._store.perform, command, caller=caller)

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        return await asyncio.to_thread(
            self._store.perform_once, command, caller=caller, receipt=receipt
        )

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        return await asyncio.to_thread(self._store.read, question, caller=caller)

    async def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]:
        return await asyncio.to_thread(
            self._store.groups, caller=caller, deleted=deleted, after=after, limit=limit
        )

    async def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]:
        return await asyncio.to_thread(
            self._store.balances, caller=caller, after=after, limit=limit
        )

    async def links(self, *, caller: Caller) -> Sequence[Link]:
        return await asyncio.to_thread(self._store.links, caller=caller)

    async def erase(self, group_id: GroupId, seq: int) -> None:
        await asyncio.to_thread(self._store.erase, group_id, seq)

    async def perform_on_account(self, command: AccountCommand[R]) -> R:
        return await asyncio.to_thread(self._store.perform_on_account, command)

    async def account_by_email(self, email: str) -> Account | None:
        return await asyncio.to_thread(self._store.account_by_email, email)

    async def account_of(self, caller: Caller) -> Account:
        return await asyncio.to_thread(self._store.account_of, caller)

    async def personal_token(
        self, account_id: AccountId, token_id: TokenId
    ) -> PersonalToken | None:
        return await asyncio.to_thread(self._store.personal_token, account_id, token_id)

    async def attempt(self, quota: Quota, who: str) -> Allowance:
        return await asyncio.to_thread(self._store.attempt, quota, who)

    async def ready(self) -> bool:
        return True

    def occupancy(self) -> Occupancy:
        return Occupancy()


# ── On Postgres ──────────────────────────────────────────────────────────────────────────────────

_FAIL: Final = """
create function fail() returns trigger language plpgsql as
    $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
create constraint trigger fail after insert on entries
    deferrable initially deferred for each row execute function fail();
"""
_MEND: Final = "drop trigger fail on entries; drop function fail();"


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest) -> AsyncGenerator[Rig]:
    url: str = request.getfixturevalue("database_url")
    clock = Clock()

    @asynccontextmanager
    async def failing_commits() -> AsyncGenerator[None]:
        _execute(url, _FAIL)
        yield
        _execute(url, _MEND)

    async with front_door("postgresql")(url, clock, FORGETFUL) as store:
        yield Rig(
            store=store,
            clock=clock,
            dump=lambda: rows(url),
            save=lambda: in_postgres(url),
            elsewhere=lambda: front_door("postgresql")(url, clock, FORGETFUL),
            failing_commits=failing_commits,
        )


def _execute(url: str, statements: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(statements.encode())


RIGS: Final[dict[str, OpenRig]] = {
    "memory": memory,
    "memory in threads": memory_in_threads,
    "postgresql": postgres,
}
