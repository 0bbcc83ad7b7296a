"""Every refusal ClearSplit can utter: a few kinds, and one class with a stable code per reason.

A kind says what the caller can do about it; the edges translate kinds, never single reasons:

    Unreadable       we could not read the request: its form is wrong, whatever it says
    Invalid          the request can never succeed: change it
    Unauthenticated  we do not know who is asking
    Forbidden        we know, and this role may not
    NotFound         there is no such thing, or not for this caller
    Stale            it was changed since the caller last read it
    Conflict         the present state forbids it
    Unavailable      try again in a moment

A class's docstring is its default sentence, written to be read aloud to a user. This module knows
nothing of the rest of ClearSplit. A reason that only one adapter can have stands in that adapter.
"""

from typing import ClassVar

# ── The kinds ────────────────────────────────────────────────────────────────────────────────────


class Refusal(Exception):
    """ClearSplit will not do this, and says why.

    `code` is stable and public. `field` is a JSON pointer (RFC 6901) to the input that is to blame,
    empty where no single field is. A message never repeats a secret.
    """

    code: ClassVar[str] = ""
    by_code: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls, *, code: str = "") -> None:
        if not code:
            return
        if code in cls.by_code:
            raise TypeError(f"{cls.__name__}: the code {code!r} is taken")
        cls.code = code
        cls.by_code[code] = cls

    @classmethod
    def sentence(cls) -> str:
        """What it says when nothing more is known."""
        return " ".join((cls.__doc__ or "").split())

    def __init__(self, message: str = "", *, field: str = "") -> None:
        if not self.code:
            raise TypeError(f"{type(self).__name__} is a kind; raise one of its reasons")
        self.message = message or self.sentence()
        self.field = field
        super().__init__(self.message)


class Unreadable(Refusal):
    """We could not read the request; its form is wrong, whatever it says."""


class Invalid(Refusal, ValueError):
    """The request can never succeed, whatever the state."""


class Unauthenticated(Refusal):
    """We do not know who is asking."""


class Forbidden(Refusal):
    """We know who is asking, and they may not."""


class NotFound(Refusal):
    """There is no such thing, or not for this caller."""


class Stale(Refusal):
    """It was changed since the caller last read it."""


class Conflict(Refusal):
    """The present state forbids it."""


class Unavailable(Refusal):
    """Nothing is wrong with the request; try again in a moment."""


# ── Money and splits ─────────────────────────────────────────────────────────────────────────────


class UnknownCurrency(Invalid, code="unknown-currency"):
    """Write a currency of ISO 4217 in capitals, such as EUR; this is none that people owe in."""


class CurrencyMismatch(Invalid, code="currency-mismatch"):
    """Amounts in different currencies cannot be added."""


class NotADecimal(Invalid, code="not-a-decimal"):
    """Write a decimal number as text, in at most 40 digits on each side of one point: "12.34"."""


class TooPrecise(Invalid, code="too-precise"):
    """The amount has more decimals than its currency."""


class NotAnInteger(Invalid, code="not-an-integer"):
    """Amounts are whole minor units: an integer, never a float or a bool."""


class AmountOutOfRange(Invalid, code="amount-out-of-range"):
    """The amount is beyond 10^15 minor units."""


class AmountZero(Invalid, code="amount-zero"):
    """The amount is zero, so there is nothing to record."""


class NobodyNamed(Invalid, code="nobody-named"):
    """There is nobody to split this among."""


class NotInSplit(Invalid, code="not-in-split"):
    """Only somebody who takes part in the split can have an adjustment."""


class TooMany(Invalid, code="too-many"):
    """There are more of these than one request may name."""


class NamedTwice(Invalid, code="named-twice"):
    """The same member is named twice."""


class WrongTotal(Invalid, code="wrong-total"):
    """The parts do not add up to the amount."""


class WrongSign(Invalid, code="wrong-sign"):
    """A part points the other way than the amount."""


class BadWeights(Invalid, code="bad-weights"):
    """Weights are not negative, and at least one of them is above zero."""


class BadRate(Invalid, code="bad-rate"):
    """An exchange rate is a decimal above zero, and converts the amount to more than nothing."""


# ── The journal ──────────────────────────────────────────────────────────────────────────────────


class Unbalanced(Invalid, code="unbalanced"):
    """An entry's postings must sum to zero in every currency and on every date."""


class JournalBroken(Invalid, code="journal-broken"):
    """The journal was changed after it was written."""

    def __init__(self, message: str = "", *, field: str = "", seq: int | None = None) -> None:
        super().__init__(message, field=field)
        self.seq = seq
        """The first entry that is wrong, where that is known."""


class BadText(Invalid, code="bad-text"):
    """This text is empty, too long, or has characters that cannot be shown."""


class BalanceOutOfRange(Conflict, code="balance-out-of-range"):
    """A balance would leave the range that every client can read, 2^53 - 1 minor units."""


# ── Settling up ──────────────────────────────────────────────────────────────────────────────────


class BalancesNotZero(Invalid, code="balances-not-zero"):
    """Balances must sum to zero before they can be settled."""


class UnknownStrategy(Invalid, code="unknown-strategy"):
    """The strategies are fewest and direct."""


class DebtsMissing(Invalid, code="debts-missing"):
    """The direct strategy needs to know who owes whom."""


class DebtsMismatch(Invalid, code="debts-mismatch"):
    """These debts do not lead to these balances."""


class BadEffort(Invalid, code="bad-effort"):
    """Effort is a positive number of work units, or interactive or thorough."""


class BadTransfer(Invalid, code="bad-transfer"):
    """A transfer is an amount above zero from one member to another."""


# ── Groups, members, expenses ────────────────────────────────────────────────────────────────────


class ThingNotFound(NotFound, code="not-found"):
    """There is nothing here that you can see."""


class AlreadyExists(Conflict, code="already-exists"):
    """Something with this id exists already."""


class InsufficientRole(Forbidden, code="insufficient-role"):
    """Your role in this group does not allow this."""


class VersionMismatch(Stale, code="version-mismatch"):
    """This was changed since you last read it; read it again and repeat your change."""

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        version: int | None = None,
        revision: int | None = None,
    ) -> None:
        super().__init__(message, field=field)
        self.version = version
        """The version that it has now, where that is known."""
        self.revision = revision
        """Of a settlement, which revision of that version."""


class UnknownMember(Invalid, code="unknown-member"):
    """There is no such member in this group."""


class InactiveMember(Conflict, code="inactive-member"):
    """This member has left the group; new expenses leave them out."""


class GuestOwner(Invalid, code="guest-owner"):
    """Only a member with an account can be an owner; make this guest a member or a viewer."""


class AlreadyVoided(Conflict, code="already-voided"):
    """This was voided already."""


class NotVoided(Conflict, code="not-voided"):
    """This is not voided, so there is nothing to restore."""


class LastOwner(Conflict, code="last-owner"):
    """A group always has an owner; make another member an owner first."""


class UnsettledBalance(Conflict, code="unsettled-balance"):
    """This member's balance is not zero; settle up first."""


class PaymentPending(Conflict, code="payment-pending"):
    """A payment of this member waits to be confirmed; confirm or void it first."""


class NeedsInvite(Conflict, code="needs-invite"):
    """This seat belongs to an account, which comes back by accepting an invite to it."""


class MemberLinked(Conflict, code="member-linked"):
    """This seat belongs to an account already."""


class AlreadySeated(Conflict, code="already-seated"):
    """You have a seat in this group already."""


class InviteEnded(Conflict, code="invite-ended"):
    """This invite was used or revoked already."""


class TooManyInvites(Conflict, code="too-many-invites"):
    """As many invites are open in this group as may be; revoke some of them first."""


class BadLifetime(Invalid, code="bad-lifetime"):
    """An invite is good for 1 to 30 days."""


class GroupFull(Conflict, code="group-full"):
    """This group has as many members as a group can have."""


class GroupArchived(Conflict, code="group-archived"):
    """This group is archived; an owner can take it out of the archive first."""


class GroupDeleted(Conflict, code="group-deleted"):
    """This group was deleted; an owner can restore it first."""


class NotDeleted(Conflict, code="not-deleted"):
    """This is not deleted, so there is nothing to restore."""


# ── Payments and settlements ─────────────────────────────────────────────────────────────────────


class AmountNegative(Invalid, code="amount-negative"):
    """A payment is above zero; if the money went the other way, swap who paid and who received."""


class PaysThemselves(Invalid, code="pays-themselves"):
    """A payment goes from one member to another."""


class Overpayment(Invalid, code="overpayment"):
    """This is more than the payer owes; if that is meant, send allow_overpay."""


class AlreadyConfirmed(Conflict, code="already-confirmed"):
    """This payment was confirmed already."""


class TooManyPending(Conflict, code="too-many-pending"):
    """As many payments wait in this group as may; confirm or void some of them first."""


class BalancesMoved(Unavailable, code="balances-moved"):
    """The balances moved while the settlement was computed; repeat the request in a moment."""


class SettlementTooLarge(Conflict, code="settlement-too-large"):
    """This is more than one settlement can hold; settle in the fewest transfers instead."""


class SettlementSuperseded(Conflict, code="settlement-superseded"):
    """A newer settlement has taken the place of this one; pay what that says."""


class SettlementStale(Conflict, code="settlement-stale"):
    """The balances changed, and this would be more than is still owed; compute a new settlement."""


class TransferAlreadyPaid(Conflict, code="transfer-already-paid"):
    """This transfer is paid already, or its payment waits to be confirmed."""


# ── Idempotency ──────────────────────────────────────────────────────────────────────────────────


class KeyReused(Invalid, code="idempotency-key-reused"):
    """This Idempotency-Key was used for another request; choose a new one."""


class KeyInProgress(Conflict, code="idempotency-in-progress"):
    """The first request with this Idempotency-Key is still running; repeat it in a second."""


class AnswerErased(Conflict, code="answer-erased"):
    """This was done already; its answer was erased since, together with the texts in it."""


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────


class BadEmail(Invalid, code="bad-email"):
    """This is not an e-mail address."""


class EmailTaken(Conflict, code="email-taken"):
    """An account with this e-mail address exists already."""


class SessionEnded(Unauthenticated, code="invalid-token"):
    """You are signed out; sign in again."""


class WrongCredentials(Unauthenticated, code="invalid-credentials"):
    """The e-mail address or the password is wrong."""


class TooManyTokens(Conflict, code="too-many-tokens"):
    """You have as many personal tokens as an account can have; delete one first."""


# ── Stores ───────────────────────────────────────────────────────────────────────────────────────


class Overloaded(Unavailable, code="temporarily-overloaded"):
    """We are busy; repeat the request in a second."""


class BadSettings(Invalid, code="bad-settings"):
    """The server cannot start with these settings."""


# ── Imports ──────────────────────────────────────────────────────────────────────────────────────


class BadFile(Invalid, code="bad-file"):
    """This file is not an export that we can read."""
