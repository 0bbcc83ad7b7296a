"""Records: what a store holds, as frozen values: what stands in a group, and accounts.

A record of a group is what the journal's events add up to; the commands and events that make it
stand in the file of its noun (`clearsplit_core/members.py`, `expenses.py` …). Expenses and payments
know the legs that they put in the journal; no record knows of stores, requests or the clock.
"""

from clearsplit_core.records.accounts import Account, PersonalToken, Scope, Session
from clearsplit_core.records.comments import Comment
from clearsplit_core.records.expenses import (
    PAYERS_MAX,
    Expense,
    Fx,
    Outcome,
    Posted,
    Terms,
    outcome_of,
    posted_of,
)
from clearsplit_core.records.ids import (
    AMOUNT_MINOR_MAX,
    AccountId,
    CommentId,
    ExpenseId,
    InviteId,
    PaymentId,
    SessionId,
    SettlementId,
    TokenId,
    TransferId,
    require_amount,
)
from clearsplit_core.records.members import Invite, InviteState, Member, Role
from clearsplit_core.records.payments import OfPlan, Payment, PaymentState
from clearsplit_core.records.settlements import (
    CurrencyPlan,
    PlannedTransfer,
    Settlement,
    SettlementNow,
    Strategy,
    TransferState,
)

__all__ = [
    # groups
    "Member", "Role", "Invite", "InviteState",
    "Expense", "Terms", "Fx", "Outcome", "Posted", "outcome_of", "posted_of",
    "PAYERS_MAX",
    "Comment",
    "Payment", "PaymentState", "OfPlan",
    "Settlement", "SettlementNow", "Strategy", "PlannedTransfer", "TransferState", "CurrencyPlan",
    # accounts
    "Account", "Session", "PersonalToken", "Scope",
    # what tells them apart
    "AccountId", "CommentId", "ExpenseId", "InviteId", "PaymentId", "SessionId", "SettlementId",
    "TokenId", "TransferId",
    "AMOUNT_MINOR_MAX", "require_amount",
]  # fmt: skip
