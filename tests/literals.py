"""Literals of the domain: people, groups and expenses as they are named at a table.

A name stands for the same person in every test, and an expense is known by its title, so
`expense("Dinner", "60.00 EUR", by="ann", among="ann bob")` and `void("Dinner")` mean the same one.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final, Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

from clearsplit_core.comments import AddComment
from clearsplit_core.expenses import (
    Changes,
    RecordExpense,
    RestoreExpense,
    ReviseExpense,
    VoidExpense,
)
from clearsplit_core.group import Event, Group, append, event_of
from clearsplit_core.groups import CreateGroup, DeleteGroup, RestoreGroup, ReviseGroup
from clearsplit_core.invites import AcceptInvite, MakeInvite, RevokeInvite
from clearsplit_core.journal import Entry, GroupId, MemberId, Posting
from clearsplit_core.keep import KEEP, Change
from clearsplit_core.members import (
    AddGuest,
    DeactivateMember,
    MemberAdded,
    ReviseMember,
    names_and_links,
)
from clearsplit_core.payments import ConfirmPayment, RecordPayment, VoidPayment
from clearsplit_core.plain import Texts, texts_in
from clearsplit_core.ports import Caller, Command, Decision, Needs, Receipt, Recorded, Sealed
from clearsplit_core.records import (
    AccountId,
    CommentId,
    Expense,
    ExpenseId,
    Fx,
    InviteId,
    Member,
    Payment,
    PaymentId,
    Role,
    SessionId,
    Settlement,
    SettlementId,
    SettlementNow,
    Strategy,
    Terms,
    TokenId,
    TransferId,
)
from clearsplit_core.settlements import (
    PayTransfer,
    RecordSettlement,
    VoidSettlement,
    problems,
    solve,
    strategy_of,
)
from clearsplit_core.splits import Equal, Part, Split
from clearsplit_core.text import Text
from tests.strategies import m, names

R = TypeVar("R")

TRIP: Final = GroupId(uuid5(NAMESPACE_URL, "group/trip"))
OFFICE: Final = GroupId(uuid5(NAMESPACE_URL, "group/office"))

TODAY: Final = date(2026, 1, 31)
TOMORROW: Final = date(2026, 2, 1)
NOON: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clock:
    """A clock that a test can turn; it moves on by one microsecond each time somebody looks."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._looks = count()

    def __call__(self) -> datetime:
        return self._now + timedelta(microseconds=next(self._looks))

    def stand(self, at: datetime) -> None:
        """It is `at` until somebody turns it."""
        self._now, self._looks = at, count(step=0)

    def turn(self, *, seconds: float = 0, days: float = 0) -> None:
        self._now += timedelta(seconds=seconds, days=days)


# ── People, texts and money ──────────────────────────────────────────────────────────────────────


def member(name: str) -> MemberId:
    return MemberId(uuid5(NAMESPACE_URL, f"member/{name}"))


def members(those: str) -> tuple[MemberId, ...]:
    """`members("ann bob cem")`."""
    return tuple(member(name) for name in names(those))


def account(name: str) -> AccountId:
    return AccountId(uuid5(NAMESPACE_URL, f"account/{name}"))


def session(name: str) -> SessionId:
    return SessionId(uuid5(NAMESPACE_URL, f"session/{name}"))


def token_id(name: str) -> TokenId:
    return TokenId(uuid5(NAMESPACE_URL, f"token/{name}"))


def caller(name: str) -> Caller:
    """The account called `name`, without a session."""
    return Caller(account(name))


def text(words: str) -> Text:
    """`words`, always with the same salt."""
    return Text.of(words, hashlib.sha256(repr(words).encode()).digest())


def leg(name: str, amount: str, on: date = TODAY) -> Posting:
    """`leg("ann", "12.34 EUR")`."""
    money = m(amount)
    return Posting(member(name), money.currency, on, money.amount_minor)


def parts(amounts: str, currency: str = "EUR") -> tuple[Part[MemberId], ...]:
    """`parts("ann 20.00, bob 10.00")`."""
    named = (amount.split() for amount in amounts.split(","))
    return tuple(Part(member(who), m(f"{much} {currency}").amount_minor) for who, much in named)


# ── Groups and members ───────────────────────────────────────────────────────────────────────────


def founding(founder: str = "ann", currency: str = "EUR", *, of: GroupId = TRIP) -> CreateGroup:
    return CreateGroup(
        group_id=of,
        name=text("Trip to Kraków"),
        currency=currency,
        founder_id=member(founder),
        founder_name=text(founder),
        account_salt=hashlib.sha256(f"account of {founder}".encode()).digest(),
    )


def setting(
    *,
    version: int,
    name: Change[str] = KEEP,
    archived: Change[bool] = KEEP,
    simplify: Change[bool] = KEEP,
    confirming: Change[bool] = KEEP,
    of: GroupId = TRIP,
) -> ReviseGroup:
    """`setting(version=3, archived=True)`."""
    return ReviseGroup(
        group_id=of,
        expected_version=version,
        name=text(name) if isinstance(name, str) else name,
        archived=archived,
        simplify=simplify,
        payments_need_confirmation=confirming,
    )


def deleting(*, version: int, of: GroupId = TRIP) -> DeleteGroup:
    return DeleteGroup(group_id=of, expected_version=version)


def restoring(*, version: int, of: GroupId = TRIP) -> RestoreGroup:
    return RestoreGroup(group_id=of, expected_version=version)


def guest(name: str, role: Role = Role.MEMBER, *, of: GroupId = TRIP) -> AddGuest:
    return AddGuest(group_id=of, member_id=member(name), name=text(name), role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Give somebody a seat, or another one: what claiming, promoting and leaving come to."""

    group_id: GroupId
    members: tuple[Member, ...]

    @property
    def needs(self) -> Needs:
        return Needs()

    def decide(self, group: Group) -> Decision[None]:  # noqa: ARG002
        return Decision(tuple(MemberAdded(member=seated) for seated in self.members), None)


def seat(name: str, role: Role = Role.MEMBER, *, active: bool = True, of: GroupId = TRIP) -> Seat:
    """A seat for the account called `name`."""
    return Seat(group_id=of, members=(linked(name, role, active=active),))


def linked(name: str, role: Role = Role.MEMBER, *, active: bool = True) -> Member:
    return Member(
        id=member(name),
        name=text(name),
        role=role,
        active=active,
        account=text(str(account(name))),
        version=1,
    )


def revising(
    name: str,
    *,
    version: int = 1,
    called: Change[str] = KEEP,
    role: Change[Role] = KEEP,
    returns: bool = False,
) -> ReviseMember:
    """`revising("bob", role=Role.VIEWER)`."""
    return ReviseMember(
        group_id=TRIP,
        member_id=member(name),
        expected_version=version,
        name=text(called) if isinstance(called, str) else called,
        role=role,
        returns=returns,
    )


def leaving(name: str, *, version: int = 1) -> DeactivateMember:
    """The seat called `name` is given up."""
    return DeactivateMember(group_id=TRIP, member_id=member(name), expected_version=version)


def invite_called(name: str) -> InviteId:
    return InviteId(uuid5(NAMESPACE_URL, f"invite/{name}"))


def inviting(
    name: str = "Card", *, to: str | None = None, role: Role = Role.MEMBER, days: int = 7
) -> MakeInvite:
    """An invite to a new seat, or to the one of `to`."""
    return MakeInvite(
        group_id=TRIP,
        invite_id=invite_called(name),
        member_id=member(to) if to else None,
        role=role,
        expires_in_days=days,
    )


def uninviting(name: str = "Card") -> RevokeInvite:
    return RevokeInvite(group_id=TRIP, invite_id=invite_called(name))


def accepting(who: str, name: str = "Card") -> AcceptInvite:
    """The account of `who` accepts; a new seat is called as they are."""
    return AcceptInvite(
        group_id=TRIP,
        invite_id=invite_called(name),
        member_id=member(who),
        name=text(who),
        account_salt=hashlib.sha256(f"account of {who}".encode()).digest(),
    )


# ── Expenses ─────────────────────────────────────────────────────────────────────────────────────


def expense_called(title: str) -> ExpenseId:
    return ExpenseId(uuid5(NAMESPACE_URL, f"expense/{title}"))


def terms(
    title: str,
    amount: str,
    *,
    by: str | tuple[Part[MemberId], ...] = "ann",
    among: str | Split[MemberId] = "ann bob cem",
    on: date = TODAY,
    fx: Fx | None = None,
    category: str | None = None,
    memo: str | None = None,
) -> Terms:
    """One payer or several; shared equally among those named, or by another rule."""
    money = m(amount)
    return Terms(
        title=text(title),
        amount_minor=money.amount_minor,
        currency=money.currency,
        date=on,
        payers=(Part(member(by), money.amount_minor),) if isinstance(by, str) else by,
        split=Equal(members(among)) if isinstance(among, str) else among,
        category=text(category) if category else None,
        memo=text(memo) if memo else None,
        fx=fx,
    )


def expense(
    title: str = "Dinner",
    amount: str = "60.00 EUR",
    *,
    by: str | tuple[Part[MemberId], ...] = "ann",
    among: str | Split[MemberId] = "ann bob cem",
    on: date = TODAY,
    fx: Fx | None = None,
    category: str | None = None,
    memo: str | None = None,
    of: GroupId = TRIP,
) -> RecordExpense:
    said = terms(title, amount, by=by, among=among, on=on, fx=fx, category=category, memo=memo)
    return RecordExpense(group_id=of, expense_id=expense_called(title), terms=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Record several expenses or none."""

    group_id: GroupId
    expenses: tuple[RecordExpense, ...]

    @property
    def needs(self) -> Needs:
        return Needs(expenses=frozenset(one.expense_id for one in self.expenses))

    def decide(self, group: Group) -> Decision[None]:
        events = (event for one in self.expenses for event in one.decide(group).events)
        return Decision(tuple(events), None)


def together(*those: RecordExpense) -> Together:
    return Together(group_id=TRIP, expenses=those)


def comment_called(words: str) -> CommentId:
    return CommentId(uuid5(NAMESPACE_URL, f"comment/{words}"))


def comment(on: str, words: str) -> AddComment:
    """`comment("Dinner", "Was that with the wine?")`."""
    return AddComment(
        group_id=TRIP,
        expense_id=expense_called(on),
        comment_id=comment_called(words),
        said=text(words),
    )


def revise(title: str, changes: Changes, *, version: int = 1) -> ReviseExpense:
    return ReviseExpense(
        group_id=TRIP, expense_id=expense_called(title), expected_version=version, changes=changes
    )


def void(title: str, *, version: int = 1) -> VoidExpense:
    return VoidExpense(group_id=TRIP, expense_id=expense_called(title), expected_version=version)


def restore(title: str, *, version: int = 2) -> RestoreExpense:
    return RestoreExpense(group_id=TRIP, expense_id=expense_called(title), expected_version=version)


# ── Payments ─────────────────────────────────────────────────────────────────────────────────────


def payment_called(title: str) -> PaymentId:
    return PaymentId(uuid5(NAMESPACE_URL, f"payment/{title}"))


def payment(
    title: str = "Cash",
    amount: str = "20.00 EUR",
    *,
    by: str = "bob",
    to: str = "ann",
    on: date = TODAY,
    memo: str | None = None,
    allow_overpay: bool = False,
    of: GroupId = TRIP,
) -> RecordPayment:
    """`payment("Cash", "20.00 EUR", by="bob", to="ann")`."""
    money = m(amount)
    return RecordPayment(
        group_id=of,
        payment_id=payment_called(title),
        from_member_id=member(by),
        to_member_id=member(to),
        amount_minor=money.amount_minor,
        currency=money.currency,
        date=on,
        memo=text(memo) if memo else None,
        allow_overpay=allow_overpay,
    )


def confirm(
    title: str = "Cash", *, version: int = 1, allow_overpay: bool = False
) -> ConfirmPayment:
    return ConfirmPayment(
        group_id=TRIP,
        payment_id=payment_called(title),
        expected_version=version,
        allow_overpay=allow_overpay,
    )


def take_back(title: str = "Cash", *, version: int = 1, reason: str | None = None) -> VoidPayment:
    return VoidPayment(
        group_id=TRIP,
        payment_id=payment_called(title),
        expected_version=version,
        reason=text(reason) if reason else None,
    )


@dataclass(frozen=True, slots=True)
class Cautious(Generic[R]):
    """A command as a group decides on it that asks for payments to be confirmed."""

    command: Command[R]

    @property
    def group_id(self) -> GroupId:
        return self.command.group_id

    @property
    def needs(self) -> Needs:
        return self.command.needs

    def decide(self, group: Group) -> Decision[R]:
        return self.command.decide(replace(group, payments_need_confirmation=True))


def pending(
    title: str = "Cash",
    amount: str = "20.00 EUR",
    *,
    by: str = "bob",
    to: str = "cem",
    allow_overpay: bool = False,
) -> Cautious[Payment]:
    """A payment that waits to be confirmed."""
    return Cautious(payment(title, amount, by=by, to=to, allow_overpay=allow_overpay))


# ── Settlements ──────────────────────────────────────────────────────────────────────────────────


def settlement_called(title: str) -> SettlementId:
    return SettlementId(uuid5(NAMESPACE_URL, f"settlement/{title}"))


def transfer_id(number: int, of: str = "Plan") -> TransferId:
    """The id of a settlement's transfer, counted from 0 in the order of the plan."""
    return TransferId(uuid5(settlement_called(of), str(number)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Solve what is to be settled and record it, all at once."""

    group_id: GroupId
    settlement_id: SettlementId
    strategy: Strategy | None

    @property
    def needs(self) -> Needs:
        those = frozenset({self.settlement_id})
        return Needs(settlements=those, latest_settlement=True, debts=True)

    def decide(self, group: Group) -> Decision[SettlementNow]:
        solutions = map(solve, problems(group, self.strategy or strategy_of(group)))
        recorded = RecordSettlement(
            group_id=self.group_id,
            settlement_id=self.settlement_id,
            strategy=self.strategy,
            solutions=tuple(solutions),
        )
        return recorded.decide(group)


def settlement(title: str = "Plan", strategy: Strategy | None = None) -> Settle:
    return Settle(group_id=TRIP, settlement_id=settlement_called(title), strategy=strategy)


def solved(told: "Story", title: str, strategy: Strategy) -> RecordSettlement:
    """What settles `told`, solved already and still to be recorded."""
    return RecordSettlement(
        group_id=TRIP,
        settlement_id=settlement_called(title),
        strategy=strategy,
        solutions=tuple(map(solve, problems(told.group, strategy))),
    )


def pay(
    number: int = 0, title: str = "", *, of: str = "Plan", on: date | None = TODAY
) -> PayTransfer:
    """Pay that transfer of the settlement called `of`."""
    return PayTransfer(
        group_id=TRIP,
        settlement_id=settlement_called(of),
        transfer_id=transfer_id(number, of),
        payment_id=payment_called(title or f"Transfer {number}"),
        date=on,
        memo=None,
    )


def tear_up(
    title: str = "Plan", *, version: int = 1, revision: int = 1, reason: str = "Another way."
) -> VoidSettlement:
    return VoidSettlement(
        group_id=TRIP,
        settlement_id=settlement_called(title),
        expected_version=version,
        expected_revision=revision,
        reason=text(reason),
    )


# ── Receipts ─────────────────────────────────────────────────────────────────────────────────────


def receipt(key: str = "key", asked: str = "this") -> Receipt[object]:
    """The answer is sealed with the head in it, so that another entry makes other bytes."""
    return Receipt(key, asked.encode(), seal)


def seal(recorded: Recorded[object]) -> Sealed:
    body = json.dumps({"seq": recorded.head.seq, "head": recorded.head.hash}).encode()
    return Sealed(201, (("etag", f'"{recorded.head.seq}"'),), body)


# ── What happened ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Story:
    """A group, the journal that led to it and the texts in it, without any store."""

    group: Group = field(default_factory=lambda: Group.unfounded(TRIP, NOON))
    entries: tuple[Entry, ...] = ()
    texts: Texts = field(default_factory=dict)
    told: tuple[tuple[str, Command[object], datetime], ...] = ()
    """Who did what, and when."""

    def then(self, command: Command[object], *, by: str = "ann") -> "Story":
        """What comes of `command`, a second later. Raises what it raises."""
        later = self.group.now + timedelta(seconds=1)
        group, entries = self.group.seen_by(account(by), later), self.entries
        events = command.decide(group).events
        for event in events:
            group, entry = append(group, event)
            entries = (*entries, entry)
        texts = {**self.texts, **{text.commitment: text for text in texts_in(events)}}
        for gone in _forgotten(events, entries):
            texts.pop(gone.commitment, None)
        return Story(group, entries, texts, (*self.told, (by, command, later)))

    @property
    def legs(self) -> tuple[Posting, ...]:
        return tuple(leg for entry in self.entries for leg in entry.postings)

    def expense(self, title: str) -> Expense:
        return self.group.expense(expense_called(title))

    def settlement(self, title: str = "Plan") -> Settlement:
        return self.group.settlement(settlement_called(title))

    def payment(self, title: str = "Cash") -> Payment:
        return self.group.payment(payment_called(title))


def _forgotten(events: Iterable[Event], entries: Iterable[Entry]) -> Iterable[Text]:
    """What `events` forget of all that was told."""
    for event in events:
        if event.forgets:
            yield from names_and_links(event.forgets, (event_of(e.event, {}) for e in entries))


def story(*commands: Command[object], by: str = "ann") -> Story:
    """What comes of `commands`, one after another, all of one account."""
    told = Story()
    for command in commands:
        told = told.then(command, by=by)
    return told


def group(those: str = "ann bob cem", currency: str = "EUR") -> Story:
    """`group("ann bob cem", "EUR")`: ann has founded it, the others are guests."""
    founder, *guests = names(those)
    return story(founding(founder, currency), *map(guest, guests), by=founder)


def by_date(legs: Iterable[Posting]) -> dict[tuple[MemberId, str, date], int]:
    """Signed minor units by member, currency and effective date."""
    sums: dict[tuple[MemberId, str, date], int] = {}
    for one in legs:
        place = (one.member_id, one.currency, one.effective_date)
        sums[place] = sums.get(place, 0) + one.amount_minor
    return sums


def by_currency(legs: Iterable[Posting]) -> dict[str, int]:
    """What the postings of each currency sum to."""
    sums: dict[str, int] = {}
    for one in legs:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_minor
    return sums
