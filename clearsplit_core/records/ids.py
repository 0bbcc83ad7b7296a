"""What tells one record from another, and the largest amount that one may name."""

from typing import Final, NewType
from uuid import UUID

from clearsplit_core.errors import AmountOutOfRange, AmountZero
from clearsplit_core.money import require_integer

AccountId = NewType("AccountId", UUID)
CommentId = NewType("CommentId", UUID)
ExpenseId = NewType("ExpenseId", UUID)
InviteId = NewType("InviteId", UUID)
PaymentId = NewType("PaymentId", UUID)
SessionId = NewType("SessionId", UUID)
SettlementId = NewType("SettlementId", UUID)
TokenId = NewType("TokenId", UUID)
TransferId = NewType("TransferId", UUID)

AMOUNT_MINOR_MAX: Final = 10**15
"""The largest amount of one expense or payment, in minor units, of either sign."""


def require_amount(amount_minor: int) -> None:
    """An amount that can be recorded. Raises NotAnInteger, AmountZero, AmountOutOfRange."""
    require_integer(amount_minor, field="/amount_minor")
    if amount_minor == 0:
        raise AmountZero(field="/amount_minor")
    if abs(amount_minor) > AMOUNT_MINOR_MAX:
        raise AmountOutOfRange(field="/amount_minor")
