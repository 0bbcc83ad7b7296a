"""The history of an expense: each version of it, who made it, and what was changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clearsplit_core.journal import Entry, GroupId, MemberId
from clearsplit_core.plain import Texts
from clearsplit_core.questions.book import PAGE_MAX, Book
from clearsplit_core.questions.reasons import id_in, kind_of, said_in
from clearsplit_core.records import Expense, ExpenseId
from clearsplit_core.splits import Itemised
from clearsplit_core.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseVersion:
    """An expense as it was from one entry to the next about it, and as it was `before`.

    Before the first version there is None.
    """

    seq: int
    at: datetime
    actor_id: MemberId
    kind: str
    before: Expense | None
    after: Expense

    @property
    def changed(self) -> Sequence[str]:
        """The fields that this version changed; of the first one all that say something.

        A text that is said again in the same words was not changed. Of texts that were erased only
        their commitments can be compared, so a new text there is a change.
        """
        was = _fields(self.before) if self.before else {}
        return [name for name, now in _fields(self.after).items() if now != was.get(name)]


@dataclass(frozen=True, slots=True)
class ExpenseHistory:
    """The versions of an expense that entries after `after_seq` made, the oldest first.

    Raises ThingNotFound.
    """

    group_id: GroupId
    expense_id: ExpenseId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[ExpenseVersion]:
        about = book.group.expense(self.expense_id).id
        entries = [entry for entry in book.entries if makes_a_version(entry, about)]
        versions = versions_of(about, entries, book.texts)
        return [each for each in versions if each.seq > self.after_seq][: self.limit]


def makes_a_version(entry: Entry, expense_id: ExpenseId) -> bool:
    """Whether an entry is about the expense itself: comments are not."""
    is_about = id_in(entry.event, "expense_id") == expense_id
    return is_about and kind_of(entry.event).startswith("expense-")


def versions_of(
    expense_id: ExpenseId, entries: Iterable[Entry], texts: Texts, before: Expense | None = None
) -> Iterator[ExpenseVersion]:
    """The versions that entries about one expense made, which was as `before` until then."""
    for entry in entries:
        assert entry.actor_id is not None, "only members record and correct"
        after = _after(before, expense_id, entry, texts)
        yield ExpenseVersion(
            seq=entry.seq,
            at=entry.at,
            actor_id=entry.actor_id,
            kind=kind_of(entry.event),
            before=before,
            after=after,
        )
        before = after


def _after(before: Expense | None, expense_id: ExpenseId, entry: Entry, texts: Texts) -> Expense:
    said = said_in(entry.event, texts)
    if before is not None:
        voided = kind_of(entry.event) == "expense-voided"
        next_one = replace(before, version=before.version + 1, voided=voided, changed_at=entry.at)
        return replace(next_one, terms=said.terms, outcome=said.outcome) if said else next_one
    assert said is not None, "the first version says what the expense is"
    assert entry.actor_id is not None, "only members record"
    return Expense(
        id=expense_id,
        terms=said.terms,
        outcome=said.outcome,
        version=1,
        voided=False,
        recorded_by=entry.actor_id,
        recorded_seq=entry.seq,
        recorded_at=entry.at,
        changed_at=entry.at,
    )


def _fields(expense: Expense) -> Mapping[str, object]:
    """What can be changed in an expense, in a form in which it can be compared."""
    terms, outcome = expense.terms, expense.outcome
    return {
        "title": _words(terms.title),
        "amount_minor": terms.amount_minor,
        "currency": terms.currency,
        "date": terms.date,
        "payers": terms.payers,
        "split": _wordless(terms.split) if isinstance(terms.split, Itemised) else terms.split,
        "category": _words(terms.category),
        "memo": _words(terms.memo),
        "fx": terms.fx,
        "shares": outcome,
        "voided": expense.voided or None,
    }


def _wordless(split: Itemised[MemberId]) -> object:
    titles = [_words(item.title) for item in split.items]
    items = tuple(replace(item, title=None) for item in split.items)
    return (replace(split, items=items), titles)


def _words(text: Text | None) -> str | None:
    if text is None:
        return None
    return text.commitment if text.words is None else text.words
