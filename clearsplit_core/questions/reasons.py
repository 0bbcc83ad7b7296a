"""Reasons: what happened in an entry, in a sentence that can be read out at a table.

    Ann recorded Dinner (60.00 EUR, paid by Ann): paid 60.00, share 20.00
    Ann changed Dinner (70.00 EUR, paid by Ann): share 23.33, was 20.00
    Bob voided Dinner (70.00 EUR, paid by Ann): share 23.33 taken back
    Bob paid Ann 20.00 EUR

The figures behind the colon are those of one member, in the currency of the line that the sentence
explains. A text that was erased is passed over in silence, so that every line can still be read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clearsplit_core.journal import MemberId
from clearsplit_core.money import Money
from clearsplit_core.plain import Plain, Texts, from_plain
from clearsplit_core.records import ExpenseId, Outcome, Payment, Terms, posted_of
from clearsplit_core.splits import Part
from clearsplit_core.text import Text


@dataclass(frozen=True, slots=True)
class Said:
    """What an expense says at one time: its terms and what came of them."""

    terms: Terms
    outcome: Outcome

    def figures(self, member_id: MemberId, currency: str) -> "Figures":
        """What it says of a member; nothing where it moves another currency."""
        if currency != self.terms.posting_currency:
            return Figures(0, 0)
        posted = posted_of(self.terms, self.outcome)
        return Figures(_part_of(posted.payers, member_id), _part_of(posted.shares, member_id))


@dataclass(frozen=True, slots=True)
class Figures:
    """What one member paid and what of it was theirs, in minor units."""

    paid_minor: int
    share_minor: int


def said_in(event: Plain, texts: Texts) -> Said | None:
    """What an event makes its expense say; None where it says nothing new."""
    if not isinstance(event, dict) or "terms" not in event:
        return None
    terms = from_plain(Terms, event["terms"], texts)
    return Said(terms, from_plain(Outcome, event["outcome"], texts))


def id_in(event: Plain, name: str) -> UUID | None:
    """The id that an event has under `name`."""
    told = event.get(name) if isinstance(event, dict) else None
    return UUID(told) if isinstance(told, str) else None


def kind_of(event: Plain) -> str:
    """What sort of event it is."""
    told = event.get("kind") if isinstance(event, dict) else None
    assert isinstance(told, str), "every event has a kind"
    return told


def words_of(name: Text) -> str:
    """A member's name, for a sentence."""
    return "somebody" if name.words is None else name.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An entry and what is needed to explain it.

    `before` and `after` are what its expense said, `payment` the payment that it is about; `names`
    has at least the actor, who is named first among those who paid, and both sides of the payment.
    """

    seq: int
    at: datetime
    actor_id: MemberId | None
    event: Plain
    before: Said | None
    after: Said | None
    payment: Payment | None
    names: Mapping[MemberId, str]

    @property
    def kind(self) -> str:
        return kind_of(self.event)

    @property
    def expense_id(self) -> ExpenseId | None:
        about = id_in(self.event, "expense_id")
        return None if about is None else ExpenseId(about)

    def reason(self, member_id: MemberId, currency: str) -> str:
        """Why the entry moved the balance of `member_id` in `currency`."""
        if self.payment is not None:
            return self._of_payment(self.payment)
        if self.after is not None:
            return self._of_expense(self.after, member_id, currency)
        return f"{self._who} made a change ({self.kind})"

    @property
    def _who(self) -> str:
        return "somebody" if self.actor_id is None else self.names[self.actor_id]

    # ── About an expense ─────────────────────────────────────────────────────────────────────────

    def _of_expense(self, after: Said, member_id: MemberId, currency: str) -> str:
        did = self.kind.removeprefix("expense-")
        did = "changed" if did == "revised" else did
        return (
            f"{self._who} {did} {after.terms.title.words or 'an expense'} "
            f"({self._payers(after.terms)}){self._moved_to(after)}: "
            f"{'; '.join(self._figures(after, member_id, currency)) or 'no part any more'}"
        )

    def _payers(self, terms: Terms) -> str:
        first, *others = terms.payers
        more = f" and {len(others)} more" if others else ""
        did = "paid" if terms.amount_minor > 0 else "received"
        amount = _amount(terms.amount_minor, terms.currency)
        return f"{amount}, {did} by {self.names[first.member_id]}{more}"

    def _moved_to(self, after: Said) -> str:
        if self.before is None or self.before.terms.date == after.terms.date:
            return ""
        return f", moved from {self.before.terms.date} to {after.terms.date}"

    def _figures(self, after: Said, member_id: MemberId, currency: str) -> Iterator[str]:
        now = after.figures(member_id, currency)
        changed = self.kind == "expense-revised" and self.before is not None
        was = self.before.figures(member_id, currency) if changed and self.before else now
        same = currency == after.terms.currency
        tail = " taken back" if self.kind == "expense-voided" else ""
        paid = "paid" if after.terms.amount_minor > 0 else "received"
        rows = ((paid, now.paid_minor, was.paid_minor), ("share", now.share_minor, was.share_minor))
        for name, minor, minor_was in rows:
            if minor or minor_was:
                figure = _figure(minor, currency, with_code=not same)
                before = "" if minor == minor_was else f", was {_figure(minor_was, currency)}"
                yield f"{name} {figure}{before}{tail}"

    # ── About a payment ──────────────────────────────────────────────────────────────────────────

    def _of_payment(self, payment: Payment) -> str:
        payer, payee = self.names[payment.from_member_id], self.names[payment.to_member_id]
        amount = _amount(payment.amount_minor, payment.currency)
        if self.kind == "payment-voided":
            return (
                f"{self._who} voided that {payer} paid {payee} {amount}{_told(payment.void_reason)}"
            )
        told = _told(payment.memo)
        if self.kind == "payment-confirmed":
            return f"{self._who} confirmed that {payer} paid {payee} {amount}{told}"
        return f"{payer} paid {payee} {amount}{told}"


def _part_of(parts: Sequence[Part[MemberId]], member_id: MemberId) -> int:
    return sum(part.amount_minor for part in parts if part.member_id == member_id)


def _amount(minor: int, currency: str) -> str:
    return f"{Money(abs(minor), currency).major} {currency}"


def _figure(minor: int, currency: str, *, with_code: bool = False) -> str:
    return _amount(minor, currency) if with_code else Money(abs(minor), currency).major


def _told(text: Text | None) -> str:
    """What somebody said about it, on one line."""
    if text is None or text.words is None:
        return ""
    return f": {' '.join(text.words.split())}"
