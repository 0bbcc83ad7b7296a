"""ClearSplit's rules: money, splits, the journal and settling up. Standard library only.

    >>> from clearsplit_core import settle
    >>> settle({"ana": 5000, "bo": -3000, "cy": -2000}).transfers
    (Transfer(debtor='bo', creditor='ana', amount_minor=3000), ...)

Start reading at `journal.py`; then `group.py`, `expenses.py` and `ports.py` tell how a wish becomes
an entry.
"""

from clearsplit_core.accounts import EndSession, OpenAccount, RotateSession, Rotation, StartSession
from clearsplit_core.comments import AddComment
from clearsplit_core.errors import Refusal
from clearsplit_core.expenses import (
    Changes,
    RecordExpense,
    RestoreExpense,
    ReviseExpense,
    VoidExpense,
)
from clearsplit_core.group import Group, replay
from clearsplit_core.groups import CreateGroup, DeleteGroup, RestoreGroup, ReviseGroup
from clearsplit_core.invites import AcceptInvite, MakeInvite, RevokeInvite
from clearsplit_core.journal import Entry, GroupId, Head, MemberId, Posting, verify
from clearsplit_core.members import AddGuest, DeactivateMember, ReviseMember, UnlinkMember
from clearsplit_core.memory import AsyncMemoryStore, MemoryStore
from clearsplit_core.money import Money, allocate, convert
from clearsplit_core.payments import ConfirmPayment, RecordPayment, VoidPayment
from clearsplit_core.ports import Caller
from clearsplit_core.records import (
    AccountId,
    Expense,
    ExpenseId,
    Fx,
    InviteId,
    Member,
    Payment,
    PaymentId,
    PaymentState,
    Role,
    SessionId,
    Settlement,
    SettlementId,
    Strategy,
    Terms,
    TransferId,
)
from clearsplit_core.settlement import Plan, Transfer, settle
from clearsplit_core.settlements import (
    PayTransfer,
    RecordSettlement,
    VoidSettlement,
    problems,
    solve,
)
from clearsplit_core.splits import (
    Adjustment,
    Equal,
    Exact,
    Item,
    Itemised,
    Part,
    Percentage,
    PercentPart,
    Shares,
    SharesPart,
)
from clearsplit_core.text import Text

__all__ = [
    # settling up
    "settle", "Plan", "Transfer",
    # money and splits
    "Money", "allocate", "convert",
    "Equal", "Exact", "Percentage", "Shares", "Adjustment", "Itemised",
    "Part", "PercentPart", "SharesPart", "Item",
    # the journal
    "Entry", "Posting", "Head", "Text", "verify", "replay",
    # what a group holds
    "Group", "Member", "Role", "Expense", "Terms", "Fx",
    "Payment", "PaymentState", "Settlement", "Strategy",
    "AccountId", "ExpenseId", "GroupId", "MemberId", "PaymentId", "SessionId",
    "SettlementId", "TransferId",
    # commands and stores
    "CreateGroup", "ReviseGroup", "DeleteGroup", "RestoreGroup",
    "AddGuest", "ReviseMember", "DeactivateMember", "UnlinkMember",
    "MakeInvite", "RevokeInvite", "AcceptInvite", "InviteId",
    "RecordExpense", "ReviseExpense", "VoidExpense", "RestoreExpense", "Changes",
    "AddComment",
    "RecordPayment", "ConfirmPayment", "VoidPayment",
    "problems", "solve", "RecordSettlement", "PayTransfer", "VoidSettlement",
    "OpenAccount", "StartSession", "RotateSession", "Rotation", "EndSession",
    "Caller", "MemoryStore", "AsyncMemoryStore",
    "Refusal",
]  # fmt: skip
