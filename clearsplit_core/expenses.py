"""Expenses: recording what somebody paid for others, and correcting it.

An expense is never changed in place. To revise one is to append an entry that takes its old legs
back and puts the new ones in; to void one takes them back; to restore one puts them in again. Every
leg that is taken back keeps its own effective date, so a view by date is right after a correction.
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    CurrencyMismatch,
    InsufficientRole,
    NotVoided,
    VersionMismatch,
)
from clearsplit_core.group import Event, Group, Moved, Right, difference
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.keep import KEEP, Change, Keep, changed
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Expense, ExpenseId, Fx, Outcome, Role, Terms, outcome_of
from clearsplit_core.splits import Itemised, Part, Split, places
from clearsplit_core.text import Text, require_readable

TITLE_MAX: Final = 200
CATEGORY_MAX: Final = 50
MEMO_MAX: Final = 2_000
CATEGORIES: Final = (
    "accommodation",
    "culture",
    "drinks",
    "eating out",
    "entertainment",
    "gifts",
    "groceries",
    "health",
    "household",
    "insurance",
    "internet and phone",
    "other",
    "pets",
    "rent",
    "sports",
    "taxes and fees",
    "transport",
    "travel",
    "utilities",
)
"""Categories to suggest. An expense may have any other, or none."""


# ── Recording ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordExpense:
    """Put what somebody paid for others into the journal.

    Raises InsufficientRole, AlreadyExists, UnknownMember, InactiveMember, CurrencyMismatch, and
    where the terms do not add up WrongTotal, WrongSign, BadWeights or BadRate.
    """

    group_id: GroupId
    expense_id: ExpenseId
    terms: Terms

    def __post_init__(self) -> None:
        _require_readable(self.terms)

    @property
    def needs(self) -> Needs:
        return Needs(expenses=frozenset({self.expense_id}))

    def decide(self, group: Group) -> Decision[Expense]:
        group.require(Right.RECORD)
        if self.expense_id in group.expenses:
            raise AlreadyExists(field="/id")
        _require_members(self.terms, group)
        _require_group_currency(self.terms, group)
        event = ExpenseRecorded(
            expense_id=self.expense_id,
            terms=self.terms,
            outcome=outcome_of(self.terms, self.expense_id),
        )
        return _decided(event, group)


@dataclass(frozen=True, kw_only=True)
class OfExpense(Event):
    """What happens to one expense: it moves what the expense puts in the journal from now on."""

    expense_id: ExpenseId

    @abstractmethod
    def expense(self, group: Group) -> Expense:
        """The expense as it is afterwards, `group` being as it was before."""

    def evolve(self, group: Group) -> Group:
        return group.with_expense(self.expense(group))

    def moves(self, before: Group, after: Group) -> Moved:
        old = before.expenses.get(self.expense_id)
        return difference(old, after.expenses[self.expense_id])


@dataclass(frozen=True, kw_only=True)
class ExpenseRecorded(OfExpense):
    kind: ClassVar[str] = "expense-recorded"
    terms: Terms
    outcome: Outcome

    def expense(self, group: Group) -> Expense:
        return Expense(
            id=self.expense_id,
            terms=self.terms,
            outcome=self.outcome,
            version=1,
            voided=False,
            recorded_by=group.actor.id,
            recorded_seq=group.head.seq + 1,
            recorded_at=group.now,
            changed_at=group.now,
        )


# ── Correcting: what every correction says ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOfExpense:
    """A wish to change one expense, by somebody who has seen it in `expected_version`."""

    group_id: GroupId
    expense_id: ExpenseId
    expected_version: int

    @property
    def needs(self) -> Needs:
        return Needs(expenses=frozenset({self.expense_id}))


# ── Revising ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to change in an expense's terms; everything else stays as it is.

    `paid_by` makes one member pay all of it. Without `paid_by` and `payers` an only payer goes on
    paying all of it, also when the amount changes.
    """

    title: Change[Text] = KEEP
    amount_minor: Change[int] = KEEP
    currency: Change[str] = KEEP
    date: Change[date] = KEEP
    paid_by: Change[MemberId] = KEEP
    payers: Change[tuple[Part[MemberId], ...]] = KEEP
    split: Change[Split[MemberId]] = KEEP
    category: Change[Text | None] = KEEP
    memo: Change[Text | None] = KEEP
    fx: Change[Fx | None] = KEEP

    def of(self, terms: Terms) -> Terms:
        """`terms` with the changes made. Raises what invalid terms raise."""
        return Terms(
            title=changed(terms.title, self.title),
            amount_minor=changed(terms.amount_minor, self.amount_minor),
            currency=changed(terms.currency, self.currency),
            date=changed(terms.date, self.date),
            payers=self._payers(terms),
            split=changed(terms.split, self.split),
            category=changed(terms.category, self.category),
            memo=changed(terms.memo, self.memo),
            fx=changed(terms.fx, self.fx),
        )

    def _payers(self, terms: Terms) -> tuple[Part[MemberId], ...]:
        if not isinstance(self.payers, Keep):
            return self.payers
        if isinstance(self.paid_by, Keep) and len(terms.payers) > 1:
            return terms.payers
        only = changed(terms.payers[0].member_id, self.paid_by)
        return (Part(only, changed(terms.amount_minor, self.amount_minor)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseExpense(ChangeOfExpense):
    """Give an expense new terms. What decides the shares unchanged: the shares stay, to the unit.

    Raises what recording raises, and ThingNotFound, VersionMismatch, AlreadyVoided.
    """

    changes: Changes

    def decide(self, group: Group) -> Decision[Expense]:
        expense = _expense_as_seen(group, self.expense_id, self.expected_version)
        if expense.voided:
            raise AlreadyVoided("This expense is voided; restore it first, then change it.")
        terms = self.changes.of(expense.terms)
        _require_readable(terms)
        _require_members(terms, group, known=expense.terms.members)
        _require_group_currency(terms, group)
        event = ExpenseRevised(
            expense_id=expense.id, terms=terms, outcome=_outcome_after(expense, terms)
        )
        return _decided(event, group)


@dataclass(frozen=True, kw_only=True)
class ExpenseRevised(OfExpense):
    kind: ClassVar[str] = "expense-revised"
    terms: Terms
    outcome: Outcome

    def expense(self, group: Group) -> Expense:
        old = group.expense(self.expense_id)
        return replace(_next(old, group), terms=self.terms, outcome=self.outcome)


def _outcome_after(expense: Expense, terms: Terms) -> Outcome:
    old = expense.terms
    same = (
        (terms.amount_minor, terms.currency, terms.payers, terms.split, terms.fx)
        == (old.amount_minor, old.currency, old.payers, old.split, old.fx)
    )  # fmt: skip
    return expense.outcome if same else outcome_of(terms, expense.id)


# ── Voiding and restoring ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidExpense(ChangeOfExpense):
    """Take an expense out of every balance; its history stays.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, AlreadyVoided.
    """

    def decide(self, group: Group) -> Decision[Expense]:
        expense = _expense_as_seen(group, self.expense_id, self.expected_version)
        if expense.voided:
            raise AlreadyVoided
        return _decided(ExpenseVoided(expense_id=expense.id), group)


@dataclass(frozen=True, kw_only=True)
class ExpenseVoided(OfExpense):
    kind: ClassVar[str] = "expense-voided"

    def expense(self, group: Group) -> Expense:
        return replace(_next(group.expense(self.expense_id), group), voided=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreExpense(ChangeOfExpense):
    """Put a voided expense back into the balances, as it was.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, NotVoided.
    """

    def decide(self, group: Group) -> Decision[Expense]:
        expense = _expense_as_seen(group, self.expense_id, self.expected_version)
        if not expense.voided:
            raise NotVoided
        return _decided(ExpenseRestored(expense_id=expense.id), group)


@dataclass(frozen=True, kw_only=True)
class ExpenseRestored(OfExpense):
    kind: ClassVar[str] = "expense-restored"

    def expense(self, group: Group) -> Expense:
        return replace(_next(group.expense(self.expense_id), group), voided=False)


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def _decided(event: OfExpense, group: Group) -> Decision[Expense]:
    return Decision((event,), event.expense(group))


def _next(expense: Expense, group: Group) -> Expense:
    return replace(expense, version=expense.version + 1, changed_at=group.now)


def expense_to_change(group: Group, expense_id: ExpenseId) -> Expense:
    """The expense, if the caller may change it.

    An owner may; a member may if they recorded it or take part in it. Raises ThingNotFound,
    InsufficientRole.
    """
    actor = group.require(Right.RECORD)
    expense = group.expense(expense_id)
    concerned = expense.terms.members | {expense.recorded_by}
    if actor.role is not Role.OWNER and actor.id not in concerned:
        raise InsufficientRole
    return expense


def _expense_as_seen(group: Group, expense_id: ExpenseId, expected_version: int) -> Expense:
    """The expense, if the caller may change it and has seen its latest version."""
    expense = expense_to_change(group, expense_id)
    if expense.version != expected_version:
        raise VersionMismatch(version=expense.version)
    return expense


def _require_members(terms: Terms, group: Group, known: frozenset[MemberId] = frozenset()) -> None:
    """Whoever is new to the expense is a member who has not left."""
    if all(group.has_active(member_id) or member_id in known for member_id in terms.members):
        return  # and no field has to be named
    payers = ((each.member_id, f"/payers/{i}/member_id") for i, each in enumerate(terms.payers))
    for member_id, field in (*payers, *places(terms.split)):
        if member_id not in known:
            group.require_members([member_id], field=field)


def _require_group_currency(terms: Terms, group: Group) -> None:
    if terms.fx and terms.fx.currency != group.currency:
        raise CurrencyMismatch(
            f"An exchange rate leads to the group's currency, {group.currency}.",
            field="/fx/currency",
        )
    if terms.fx and terms.currency == group.currency:
        raise CurrencyMismatch(
            "The expense is in the group's currency already; leave fx out.", field="/fx"
        )


def _require_readable(terms: Terms) -> None:
    _require_readable_text(terms.title, "/title", TITLE_MAX)
    _require_readable_text(terms.category, "/category", CATEGORY_MAX)
    _require_readable_text(terms.memo, "/memo", MEMO_MAX)
    items = terms.split.items if isinstance(terms.split, Itemised) else ()
    for index, item in enumerate(items):
        _require_readable_text(item.title, f"/split/items/{index}/title", TITLE_MAX)


def _require_readable_text(text: Text | None, field: str, characters_max: int) -> None:
    """What is written is readable; what was erased may stay away."""
    if text is not None and text.words is not None:
        require_readable(
            text.words, field=field, characters_max=characters_max, lines=field == "/memo"
        )
