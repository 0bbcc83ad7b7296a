"""The reference store, in dicts: for tests, demos and library users.

It keeps groups as values and replaces them whole, so nothing is ever half-written; one lock makes
the commands happen one after another. It forgets everything when the process ends.
"""

from collections.abc import AsyncIterator, Container, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock
from typing import TypeVar

from clearsplit_core.errors import (
    AnswerErased,
    EmailTaken,
    KeyInProgress,
    KeyReused,
    SessionEnded,
    ThingNotFound,
)
from clearsplit_core.group import Event, Group, Right, append, event_of, replay
from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.limits import Allowance, MemoryLimits, Quota
from clearsplit_core.members import names_and_links, needs_owner
from clearsplit_core.plain import texts_in
from clearsplit_core.ports import (
    AccountCommand,
    Caller,
    Clock,
    Command,
    Occupancy,
    Receipt,
    Recorded,
    Sealed,
    StoreOptions,
)
from clearsplit_core.questions import PAGE_MAX, Book, Link, MyBalance, Question, bare
from clearsplit_core.records import Account, AccountId, PersonalToken, TokenId
from clearsplit_core.text import Text

R = TypeVar("R")


@dataclass(slots=True)
class _Kept:
    """A group, its journal, and the answers that were sealed for it."""

    group: Group
    entries: list[Entry] = field(default_factory=list)
    texts: dict[str, Text] = field(default_factory=dict)
    answers: dict[tuple[AccountId, str], tuple[bytes, Sealed]] = field(default_factory=dict)


class MemoryStore:
    """`ports.Store` in memory. `clock` answers the time in UTC."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._keys_lock = Lock()
        self._keys_in_use: set[tuple[GroupId, AccountId, str]] = set()
        self._books: dict[GroupId, _Kept] = {}
        self._accounts: dict[AccountId, Account] = {}
        self._limits = MemoryLimits(clock=clock)

    # ── The ledger ───────────────────────────────────────────────────────────────────────────────

    def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]:
        with self._lock:
            book, recorded = self._decided(command, caller)
            self._books[command.group_id] = book
            return recorded

    def perform_once(self, command: Command[R], *, caller: Caller, receipt: Receipt[R]) -> Sealed:
        with self._alone_under(command.group_id, caller, receipt.key), self._lock:
            self._require_live(caller)
            if sealed := self._sealed_before(command.group_id, caller, receipt):
                return sealed
            book, recorded = self._decided(command, caller)
            sealed = receipt.seal(recorded)
            book.answers[caller.account_id, receipt.key] = (receipt.fingerprint, sealed)
            self._books[command.group_id] = book
            return sealed

    def read(self, question: Question[R], *, caller: Caller) -> R:
        self._require_live(caller)
        kept = self._books.get(question.group_id)
        if kept is None:
            raise ThingNotFound
        group = kept.group.seen_by(caller.account_id, self._clock())
        group.require(Right.READ)
        return question.answer(Book(group=group, entries=kept.entries, texts=kept.texts))

    def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]:
        self._require_live(caller)
        mine = self._groups_of(caller)
        some = (group for group in mine if group.deleted == deleted)
        return [bare(group) for group in some if after is None or group.id > after][:limit]

    def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]:
        self._require_live(caller)
        mine = (
            MyBalance(group.id, currency, minor)
            for group in self._groups_of(caller)
            for (member_id, currency), minor in sorted(group.balances.items())
            if member_id == group.actor_id and not group.deleted
        )
        some = (one for one in mine if after is None or (one.group_id, one.currency) > after)
        return list(islice(some, limit))

    def links(self, *, caller: Caller) -> Sequence[Link]:
        self._require_live(caller)
        books = (self._books[group_id].group for group_id in sorted(self._books))
        return [
            Link(group.id, any(needs_owner(group, seat) for seat in seats))
            for group in books
            if (seats := [m for m in group.members.values() if m.account_id == caller.account_id])
        ]

    def erase(self, group_id: GroupId, seq: int) -> None:
        """The texts of entry `seq` are gone for good, and with them every answer that told them.

        Raises ThingNotFound.
        """
        with self._lock:
            book = self._books.get(group_id)
            if book is None or not 1 <= seq <= len(book.entries):
                raise ThingNotFound
            seats = book.group.members.values()
            links = {seat.account.commitment for seat in seats if seat.account}
            gone = {text.commitment for text in texts_in(_event(book, seq))} - links
            self._books[group_id] = _without(book, gone)

    # ── Accounts ─────────────────────────────────────────────────────────────────────────────────

    def perform_on_account(self, command: AccountCommand[R]) -> R:
        with self._lock:
            known = self._accounts.get(command.account_id)
            decision = command.decide(known, self._clock())
            if decision.account is None:
                del self._accounts[command.account_id]
            else:
                self._require_email_free(decision.account)
                self._accounts[command.account_id] = decision.account
            return decision.answer

    def account_by_email(self, email: str) -> Account | None:
        return next((a for a in list(self._accounts.values()) if a.email == email), None)

    def account_of(self, caller: Caller) -> Account:
        self._require_live(caller)
        account = self._accounts.get(caller.account_id)
        if account is None:
            raise SessionEnded
        return account

    def personal_token(self, account_id: AccountId, token_id: TokenId) -> PersonalToken | None:
        account = self._accounts.get(account_id)
        return account.token(token_id) if account else None

    # ── Limits ───────────────────────────────────────────────────────────────────────────────────

    def attempt(self, quota: Quota, who: str) -> Allowance:
        return self._limits.attempt(quota, who)

    # ── What they share ──────────────────────────────────────────────────────────────────────────

    def _decided(self, command: Command[R], caller: Caller) -> tuple[_Kept, Recorded[R]]:
        """The book as it will be; nothing has changed yet."""
        self._require_live(caller)
        book = self._book(command)
        group = book.group.seen_by(caller.account_id, self._clock())
        decision = command.decide(group)
        entries: list[Entry] = []
        for event in decision.events:
            group, entry = append(group, event)
            entries.append(entry)
        texts = {text.commitment: text for event in decision.events for text in texts_in(event)}
        after = _Kept(group, book.entries + entries, book.texts | texts, dict(book.answers))
        return _forgetful(after, decision.events), Recorded(decision.answer, group.head)

    @contextmanager
    def _alone_under(self, group_id: GroupId, caller: Caller, key: str) -> Iterator[None]:
        """Nobody else uses the caller's key meanwhile. Raises KeyInProgress."""
        use = (group_id, caller.account_id, key)
        with self._keys_lock:
            if use in self._keys_in_use:
                raise KeyInProgress
            self._keys_in_use.add(use)
        try:
            yield
        finally:
            self._keys_in_use.discard(use)

    def _book(self, command: Command[R]) -> _Kept:
        book = self._books.get(command.group_id)
        if book is None and command.needs.founds:
            return _Kept(Group.unfounded(command.group_id, self._clock()))
        if book is None:
            raise ThingNotFound
        return book

    def _sealed_before(
        self, group_id: GroupId, caller: Caller, receipt: Receipt[R]
    ) -> Sealed | None:
        answers = self._books[group_id].answers if group_id in self._books else {}
        fingerprint, sealed = answers.get((caller.account_id, receipt.key), (b"", None))
        if sealed is None:
            return None
        if fingerprint != receipt.fingerprint:
            raise KeyReused
        if not sealed.body:
            raise AnswerErased
        return replace(sealed, replayed=True)

    def _groups_of(self, caller: Caller) -> Iterator[Group]:
        """The groups that the caller can see, in the order of their ids."""
        for group_id in sorted(self._books):
            group = self._books[group_id].group.seen_by(caller.account_id, self._clock())
            if group.seen:
                yield group

    def _require_live(self, caller: Caller) -> None:
        if caller.session_id is None:
            return
        account = self._accounts.get(caller.account_id)
        if account is None or not account.lets_in(caller.session_id, self._clock()):
            raise SessionEnded

    def _require_email_free(self, account: Account) -> None:
        holder = self.account_by_email(account.email)
        if holder is not None and holder.id != account.id:
            raise EmailTaken


def _event(book: _Kept, seq: int) -> Event:
    return event_of(book.entries[seq - 1].event, book.texts)


def _forgetful(book: _Kept, events: Sequence[Event]) -> _Kept:
    """`book` without what `events` forget."""
    those = [event.forgets for event in events if event.forgets]
    if not those:
        return book
    told = [_event(book, entry.seq) for entry in book.entries]
    return _without(book, {text.commitment for who in those for text in names_and_links(who, told)})


def _without(book: _Kept, gone: Container[str]) -> _Kept:
    """`book` without the texts in `gone`, nor any answer that might tell them."""
    kept = {mark: text for mark, text in book.texts.items() if mark not in gone}
    answers = {
        key: (fingerprint, replace(sealed, body=b""))
        for key, (fingerprint, sealed) in book.answers.items()
    }
    group = replay(book.group.id, book.entries, kept)
    return _Kept(group, book.entries, kept, answers)


class AsyncMemoryStore:
    """`ports.AsyncStore` around a MemoryStore; nothing in it ever waits."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def perform(self, command: Command[R], *, caller: Caller) -> Recorded[R]:
        return self._store.perform(command, caller=caller)

    async def perform_once(
        self, command: Command[R], *, caller: Caller, receipt: Receipt[R]
    ) -> Sealed:
        return self._store.perform_once(command, caller=caller, receipt=receipt)

    async def read(self, question: Question[R], *, caller: Caller) -> R:
        return self._store.read(question, caller=caller)

    async def groups(
        self,
        *,
        caller: Caller,
        deleted: bool = False,
        after: GroupId | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[Group]:
        return self._store.groups(caller=caller, deleted=deleted, after=after, limit=limit)

    async def balances(
        self,
        *,
        caller: Caller,
        after: tuple[GroupId, str] | None = None,
        limit: int = PAGE_MAX,
    ) -> Sequence[MyBalance]:
        return self._store.balances(caller=caller, after=after, limit=limit)

    async def links(self, *, caller: Caller) -> Sequence[Link]:
        return self._store.links(caller=caller)

    async def erase(self, group_id: GroupId, seq: int) -> None:
        self._store.erase(group_id, seq)

    async def perform_on_account(self, command: AccountCommand[R]) -> R:
        return self._store.perform_on_account(command)

    async def account_by_email(self, email: str) -> Account | None:
        return self._store.account_by_email(email)

    async def account_of(self, caller: Caller) -> Account:
        return self._store.account_of(caller)

    async def personal_token(
        self, account_id: AccountId, token_id: TokenId
    ) -> PersonalToken | None:
        return self._store.personal_token(account_id, token_id)

    async def attempt(self, quota: Quota, who: str) -> Allowance:
        return self._store.attempt(quota, who)

    async def ready(self) -> bool:
        return True

    def occupancy(self) -> Occupancy:
        return Occupancy()


@asynccontextmanager
async def open_store(
    _url: str, clock: Clock, _options: StoreOptions
) -> AsyncIterator[AsyncMemoryStore]:
    """The store behind `memory:`, empty each time."""
    yield AsyncMemoryStore(MemoryStore(clock=clock))
