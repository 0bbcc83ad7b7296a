"""Ports: what the core asks of the world, and what every store promises.

A use case is a **command**: a frozen value that names one group and has a pure `decide`. A
**store** performs it in one transaction:

    lock the group, read what the command needs, decide, append the events to the journal,
    bring the read tables up to date, seal the answer, commit.

What a store promises (one contract suite asks every store the same questions):

* Commands on one group happen one after another, each seeing all that was committed before it. The
  clock is read where no other entry can come in between, under the lock above all, and where it was
  put back the last entry's time counts: `at` never runs backwards against `seq`.
* A refused command, a failed commit or a failing `seal` leaves every byte as it was.
* `perform_once` does what it does at most once per (group, account, key): the effect and the sealed
  answer commit together, and the same request again gets the same bytes, also after it took the
  caller's access away. Another request under the key is refused (KeyReused), and one that comes
  while the first is still running is told so at once (KeyInProgress).
* A caller with a session is refused (SessionEnded) once that session has ended.
* A **question** is a read of one group, a frozen value with a reference `answer` over the whole
  journal; a store answers the same in whatever way is quickest, and from one moment.
* What an event forgets (`Event.forgets`) is gone when it is committed: every name that the seat
  ever had, its links to accounts, and every answer that was sealed in the group.
* Questions are for active members, and of a deleted group for its owners; for everybody else there
  is no such group (ThingNotFound).

Because `decide` is pure a store may run it again after a serialization failure.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from clearsplit_core.group import Event, Group
from clearsplit_core.journal import GroupId, Head
from clearsplit_core.limits import Allowance, Quota
from clearsplit_core.questions import PAGE_MAX, Link, MyBalance, Question
from clearsplit_core.records import (
    Account,
    AccountId,
    CommentId,
    ExpenseId,
    InviteId,
    PaymentId,
    PersonalToken,
    SessionId,
    SettlementId,
    TokenId,
)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Clock: TypeAlias = Callable[[], datetime]
"""Answers the time in UTC. Core never reads a clock: whoever opens a store hands it one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Without a session (a library user, an operator) only the account counts.

    A personal token stands in a session's place: once it is over, its caller is refused as well.
    """

    account_id: AccountId
    session_id: SessionId | TokenId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a command must see besides the group itself, its members and its balances."""

    founds: bool = False
    """The group is not there yet: this command creates it."""
    names: bool = False
    """What the group and its members are called, and the accounts that seats are linked to."""
    expenses: frozenset[ExpenseId] = frozenset()
    comments: frozenset[CommentId] = frozenset()
    payments: frozenset[PaymentId] = frozenset()
    """These, and the settlements whose transfers they pay."""
    pending: bool = False
    """Every payment that waits to be confirmed."""
    settlements: frozenset[SettlementId] = frozenset()
    latest_settlement: bool = False
    debts: bool = False
    """Who owes whom, all pairs."""
    invites: frozenset[InviteId] = frozenset()
    open_invites: bool = False
    """Every invite that was neither used nor revoked and has not expired."""

    @property
    def few(self) -> bool:
        """Whether the group's row, members, balances and some expenses are all that is needed."""
        return not any(_ASKED_FOR(self))


_ASKED_FOR: Final[Callable[[Needs], tuple[object, ...]]] = attrgetter(
    *(field.name for field in fields(Needs) if field.name not in ("founds", "expenses"))
)
"""What a command may need besides its own expenses: all of it empty or False where it does not."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[R_co]):
    """What a command comes to: at least one event, each one journal entry, and the answer."""

    events: tuple[Event, ...]
    answer: R_co

    def __post_init__(self) -> None:
        assert self.events, "what changes nothing is a read"


class Command(Protocol[R_co]):
    """A wish of one caller about one group."""

    @property
    def group_id(self) -> GroupId: ...

    @property
    def needs(self) -> Needs: ...

    def decide(self, group: Group) -> Decision[R_co]:
        """Decide from `group` alone: no clock, no randomness, no I/O. Raises any Refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded(Generic[R]):
    """A command's answer, and the head of the journal with it in: the caller is its witness."""

    answer: R
    head: Head


@dataclass(frozen=True, slots=True)
class Sealed:
    """An answer as bytes, to be given again unchanged; `replayed` when this is such a time.

    One whose texts were erased has no body left, and is refused instead (AnswerErased).
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """How to do a command only once: the caller's key, what was asked, and how to seal the answer.

    `fingerprint` identifies the request; `seal` is pure and called inside the transaction.
    """

    key: str
    fingerprint: bytes
    seal: Callable[[Recorded[R]], Sealed]


@dataclass(frozen=True, slots=True)
class AccountDecision(Generic[R_co]):
    """The account as it is from now on, None when it is deleted, and the caller's answer.

    Accounts have no journal.
    """

    account: Account | None
    answer: R_co


class AccountCommand(Protocol[R_co]):
    """A wish about one account; it may not exist yet (`account` is None then)."""

    @property
    def account_id(self) -> AccountId: ...

    def decide(self, account: Account | None, now: datetime) -> AccountDecision[R_co]:
        """Decide from `account` and `now` alone. Raises any Refusal."""
        ...


class Ledger(Protocol):
    """Groups and their journals, for synchronous callers."""

    def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]: ...

    def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed: ...

    def read(self, question: Question[R], *, caller: Caller) -> R:
        """What `question.answer` says about the group's journal as it is at one moment."""
        ...

    def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]:
        """The caller's groups in the order of their ids, with members and balances.

        With `deleted` those that were deleted and that the caller, an owner, may restore.
        """
        ...

    def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]:
        """The caller's own balances over all their groups, by group and currency.

        `after` is where the page before stopped: a group and a currency.
        """
        ...

    def links(self, *, caller: Caller) -> Sequence[Link]:
        """Every group with a seat of the caller's account, those left or deleted included.

        In the order of their ids.
        """
        ...

    def erase(self, group_id: GroupId, seq: int) -> None:
        """The texts of entry `seq` are gone for good, and with them what was sealed in this group.

        Sums, chain, keys and the links from seats to accounts stay. An operator's act, not a
        member's. Raises ThingNotFound.
        """
        ...


class Accounts(Protocol):
    """Accounts and their sessions, for synchronous callers."""

    def perform_on_account(self, command: AccountCommand[R]) -> R:
        """Decide on one account under its lock and keep what came of it.

        Raises EmailTaken, ThingNotFound and what `decide` raises.
        """
        ...

    def account_by_email(self, email: str) -> Account | None: ...

    def account_of(self, caller: Caller) -> Account:
        """The caller's account. Raises SessionEnded."""
        ...

    def personal_token(self, account_id: AccountId, token_id: TokenId) -> PersonalToken | None:
        """The token, also when it has expired."""
        ...


class Limits(Protocol):
    """How often somebody tried, counted over everybody who shares the store."""

    def attempt(self, quota: Quota, who: str) -> Allowance:
        """`who` tries once more; the answer says whether they may. It counts in any case."""
        ...


class Store(Ledger, Accounts, Limits, Protocol):
    """Everything that ClearSplit keeps, for synchronous callers."""


class AsyncLedger(Protocol):
    """Groups and their journals, for asynchronous callers; the promises are the same."""

    async def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]: ...

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed: ...

    async def read(self, question: Question[R], *, caller: Caller) -> R: ...

    async def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]: ...

    async def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]: ...

    async def links(self, *, caller: Caller) -> Sequence[Link]: ...

    async def erase(self, group_id: GroupId, seq: int) -> None: ...


class AsyncAccounts(Protocol):
    """Accounts and their sessions, for asynchronous callers."""

    async def perform_on_account(self, command: AccountCommand[R]) -> R: ...

    async def account_by_email(self, email: str) -> Account | None: ...

    async def account_of(self, caller: Caller) -> Account: ...

    async def personal_token(
        self, account_id: AccountId, token_id: TokenId
    ) -> PersonalToken | None: ...


class AsyncLimits(Protocol):
    """How often somebody tried, for asynchronous callers."""

    async def attempt(self, quota: Quota, who: str) -> Allowance: ...


class AsyncStore(AsyncLedger, AsyncAccounts, AsyncLimits, Protocol):
    """Everything that ClearSplit keeps, for asynchronous callers."""

    async def ready(self) -> bool:
        """Whether the store can be reached and has the schema that this version needs."""
        ...

    def occupancy(self) -> "Occupancy":
        """How busy the store is in this process, now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """A store's connections, and how many requests wait for one; noughts where there are none."""

    connections: int = 0
    idle: int = 0
    connections_max: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """How an operator wants a store to be kept open. A store ignores what means nothing to it."""

    connections_min: int = 1
    """Connections that stay open when nobody needs them."""
    connections_max: int = 5
    wait_s: int = 5
    """Seconds that a request waits for a connection."""
    connect_s: int = 10
    """Seconds that a new connection may take."""
    statement_s: int = 30
    """Seconds that one statement may take; 0 leaves that to the database."""
    prepare: bool = True
    """Whether a connection may keep prepared statements."""
    unsafe: bool = False
    """Whether to use a store that would forget in a crash what it has confirmed."""
    must_exist: bool = False
    """Whether to refuse where there is no store yet, instead of making one."""


OpenStore: TypeAlias = Callable[[str, Clock, StoreOptions], AbstractAsyncContextManager[AsyncStore]]
"""An adapter's front door: given a URL, its store for the life of the process.

The call refuses a URL that it cannot read (Invalid). Opening refuses data that cannot be reached
(Unavailable) or that must not be trusted with money yet (Conflict), and says what to mend.
"""
