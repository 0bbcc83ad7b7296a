"""The statement: why a member owes what they owe, or is owed it.

It is read as a bank's statement is: one line for each entry that has postings of the member, and
for each currency of it, from the first to the last, whose running balance is the balance of now.
Each line gives its reason in a sentence (`reasons.py`).

Where an entry only moves an amount to another day, its line has the amount 0: the balance stays,
and a view by date does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clearsplit_core.group import Group
from clearsplit_core.journal import Entry, GroupId, MemberId
from clearsplit_core.plain import Plain
from clearsplit_core.questions.book import PAGE_MAX, Book
from clearsplit_core.questions.reasons import Happened, Said, id_in, said_in, words_of
from clearsplit_core.records import ExpenseId, Payment, PaymentId


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """What one entry did to a member's balance in one currency, and why.

    `amount_minor` is positive where the group owes the member more since; `balance_after_minor` is
    the balance after the entry. The expense or payment that it was about is named.
    """

    seq: int
    at: datetime
    actor_id: MemberId | None
    kind: str
    currency: str
    amount_minor: int
    balance_after_minor: int
    expense_id: ExpenseId | None
    payment_id: PaymentId | None
    reason: str

    @classmethod
    def of(
        cls, happened: Happened, member_id: MemberId, currency: str, moved: tuple[int, int]
    ) -> "StatementLine":
        """`moved`: the amount, and the balance after it."""
        return cls(
            seq=happened.seq,
            at=happened.at,
            actor_id=happened.actor_id,
            kind=happened.kind,
            currency=currency,
            amount_minor=moved[0],
            balance_after_minor=moved[1],
            expense_id=happened.expense_id,
            payment_id=happened.payment.id if happened.payment else None,
            reason=happened.reason(member_id, currency),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A member's statement, or its part in one `currency`, from the oldest line to the latest.

    With `latest_first` it runs the other way. A page goes on after the line of `after_seq` and
    `after_currency`, in the direction in which it runs. Raises ThingNotFound.
    """

    group_id: GroupId
    member_id: MemberId
    currency: str | None = None
    latest_first: bool = False
    after_seq: int | None = None
    after_currency: str = ""
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[StatementLine]:
        book.group.member(self.member_id)
        lines = list(_lines(book, self.member_id))
        some = [line for line in lines if self.currency in (None, line.currency)]
        ordered = some[::-1] if self.latest_first else some
        return [line for line in ordered if self._is_further(line)][: self.limit]

    def _is_further(self, line: StatementLine) -> bool:
        if self.after_seq is None:
            return True
        place, after = (line.seq, line.currency), (self.after_seq, self.after_currency)
        return place < after if self.latest_first else place > after


def _lines(book: Book, member_id: MemberId) -> Iterator[StatementLine]:
    said: dict[UUID | None, Said] = {}
    balances: dict[str, int] = {}
    for entry in book.entries:
        happened = _happened(entry, book, said)
        for currency, minor in _moved(entry, member_id).items():
            balances[currency] = balances.get(currency, 0) + minor
            yield StatementLine.of(happened, member_id, currency, (minor, balances[currency]))


def _moved(entry: Entry, member_id: MemberId) -> Mapping[str, int]:
    moved: dict[str, int] = {}
    for leg in entry.postings:
        if leg.member_id == member_id:
            moved[leg.currency] = moved.get(leg.currency, 0) + leg.amount_minor
    return moved


def _happened(entry: Entry, book: Book, said: dict[UUID | None, Said]) -> Happened:
    """`said` is what each expense said last, and is brought up to `entry`."""
    about = id_in(entry.event, "expense_id")
    before = said.get(about)
    after = said_in(entry.event, book.texts) or before
    if after is not None:
        said[about] = after
    return Happened(
        seq=entry.seq,
        at=entry.at,
        actor_id=entry.actor_id,
        event=entry.event,
        before=before,
        after=after,
        payment=_payment(book.group, entry.event),
        names={seat.id: words_of(seat.name) for seat in book.group.members.values()},
    )


def _payment(group: Group, event: Plain) -> Payment | None:
    """The payment as it stands: all but its state is as it was."""
    about = id_in(event, "payment_id")
    return None if about is None else group.payments.get(PaymentId(about))
