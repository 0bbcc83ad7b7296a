"""Expenses as they stand: what was said (terms), what came of it (outcome), and what it moves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clearsplit_core.currencies import decimals
from clearsplit_core.debts import NO_DEBTS, Debts, between
from clearsplit_core.errors import AmountOutOfRange, NobodyNamed, TooMany
from clearsplit_core.journal import MemberId, Posting, Postings, in_order
from clearsplit_core.money import allocate, convert, require_integer
from clearsplit_core.records.ids import AMOUNT_MINOR_MAX, ExpenseId, require_amount
from clearsplit_core.splits import (
    Part,
    Split,
    amounts_in,
    require_members,
    require_one_sign,
    require_total,
)
from clearsplit_core.text import Text

PAYERS_MAX: Final = 100
"""Members who may have paid one expense together."""


@dataclass(frozen=True, slots=True)
class Fx:
    """A frozen exchange rate: major units of `currency` for one major unit of the expense's."""

    currency: str
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an expense says: who paid how much for what, and by which rule it is split.

    `amount_minor` is negative for income or a refund, and so are the payers' parts then.
    """

    title: Text
    amount_minor: int
    currency: str
    date: date
    payers: tuple[Part[MemberId], ...]
    split: Split[MemberId]
    category: Text | None
    memo: Text | None
    fx: Fx | None

    def __post_init__(self) -> None:
        require_amount(self.amount_minor)
        decimals(self.currency)
        self._require_payers()
        if any(abs(minor) > AMOUNT_MINOR_MAX for minor in amounts_in(self.split)):
            raise AmountOutOfRange(field="/split")

    @property
    def members(self) -> frozenset[MemberId]:
        """Everybody who takes part: who paid and who shares."""
        return frozenset(self.split.members) | {payer.member_id for payer in self.payers}

    @property
    def posting_currency(self) -> str:
        return self.fx.currency if self.fx else self.currency

    def _require_payers(self) -> None:
        if len(self.payers) > PAYERS_MAX:
            raise TooMany(f"At most {PAYERS_MAX} members may pay together.", field="/payers")
        if not self.payers:
            raise NobodyNamed("Nobody is named who paid; name one member or more.", field="/payers")
        require_members(tuple(payer.member_id for payer in self.payers), field="/payers")
        parts = [payer.amount_minor for payer in self.payers]
        for index, part in enumerate(parts):
            require_integer(part, field=f"/payers/{index}/amount_minor")
        require_total(self.amount_minor, sum(parts), field="/payers")
        require_one_sign(self.amount_minor, parts, field="/payers")


@dataclass(frozen=True, slots=True)
class Posted:
    """The payers' parts and the shares as the journal has them, in the currency it is kept in."""

    payers: tuple[Part[MemberId], ...]
    shares: tuple[Part[MemberId], ...]

    def legs(self, currency: str, day: date) -> Postings:
        sums: dict[MemberId, int] = {}
        for part in self.payers:
            sums[part.member_id] = sums.get(part.member_id, 0) + part.amount_minor
        for part in self.shares:
            sums[part.member_id] = sums.get(part.member_id, 0) - part.amount_minor
        return in_order(
            [Posting(member_id, currency, day, minor) for member_id, minor in sums.items() if minor]
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an expense's terms, decided once and never calculated again.

    `shares` are in the expense's currency; `posted` is there only with an exchange rate.
    """

    shares: tuple[Part[MemberId], ...]
    posted: Posted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    """What somebody paid for others, in its present form; a voided one counts for nothing."""

    id: ExpenseId
    terms: Terms
    outcome: Outcome
    version: int
    voided: bool
    recorded_by: MemberId
    recorded_seq: int
    recorded_at: datetime
    changed_at: datetime

    def legs(self) -> Postings:
        """What the expense puts in the journal: what each paid less what each had."""
        if self.voided:
            return ()
        return self._posted.legs(self.terms.posting_currency, self.terms.date)

    def debts(self) -> Debts:
        """What the expense does to who owes whom: whoever had something owes those who paid."""
        if self.voided:
            return NO_DEBTS
        return between(
            [(part.member_id, part.amount_minor) for part in self._posted.payers],
            [(part.member_id, part.amount_minor) for part in self._posted.shares],
            self.terms.posting_currency,
        )

    @property
    def _posted(self) -> Posted:
        return posted_of(self.terms, self.outcome)


def posted_of(terms: Terms, outcome: Outcome) -> Posted:
    """What the journal has of them: the same as was said, unless there is an exchange rate."""
    return outcome.posted or Posted(terms.payers, outcome.shares)


def outcome_of(terms: Terms, expense_id: ExpenseId) -> Outcome:
    """The shares that `terms` come to; with a rate, also the converted parts that are posted.

    The total is converted once; payers and shares are then allocated over it in proportion, so both
    sum to the same converted total. Raises WrongTotal, WrongSign, BadWeights, BadRate.
    """
    shares = terms.split.shares(terms.amount_minor, expense_id)
    parts = tuple(Part(member, minor) for member, minor in shares.items())
    return Outcome(parts, _posted(terms, parts, expense_id) if terms.fx else None)


def _posted(terms: Terms, shares: tuple[Part[MemberId], ...], expense_id: ExpenseId) -> Posted:
    assert terms.fx is not None
    total = convert(terms.amount_minor, terms.currency, terms.fx.rate, terms.fx.currency)
    require_amount(total)
    return Posted(_over(total, terms.payers, expense_id), _over(total, shares, expense_id))


def _over(
    total_minor: int, parts: tuple[Part[MemberId], ...], expense_id: ExpenseId
) -> tuple[Part[MemberId], ...]:
    weights = {part.member_id: abs(part.amount_minor) for part in parts}
    allocated = allocate(total_minor, weights, spare_key=expense_id)
    return tuple(Part(member, minor) for member, minor in allocated.items())
