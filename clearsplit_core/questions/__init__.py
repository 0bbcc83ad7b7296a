"""Questions: what can be asked of a group, and what the answer is.

A **question** is a frozen value about one group with a reference `answer`: pure, and plain rather
than quick, over a `Book`, the group with its whole journal. The memory store answers with just
that; a store with indexes answers the same from them, and one law holds it to it. So what a read
means stands here once, whoever gives it.

A page goes on from a `seq`, since entries never move: what stood there when the first page was read
comes exactly once, whatever others add meanwhile.
"""

from clearsplit_core.questions.balances import MyBalance, Standing, TheStanding
from clearsplit_core.questions.book import PAGE_MAX, Book, Question
from clearsplit_core.questions.comments import Comments, TheComment
from clearsplit_core.questions.expenses import Categories, Category, Expenses, TheExpense
from clearsplit_core.questions.groups import Link, TheGroup, bare
from clearsplit_core.questions.history import ExpenseHistory, ExpenseVersion
from clearsplit_core.questions.invites import Invites, TheInvite
from clearsplit_core.questions.journal import Entries, Feed, ToldEntry
from clearsplit_core.questions.payments import Payments, ThePayment
from clearsplit_core.questions.settlements import (
    Settlements,
    TheLatestSettlement,
    TheSettlement,
    ToSettle,
)
from clearsplit_core.questions.statement import Statement, StatementLine

__all__ = [
    "Question", "Book", "PAGE_MAX",
    "TheGroup", "Link", "bare",
    "TheInvite", "Invites",
    "TheStanding", "Standing", "MyBalance",
    "Statement", "StatementLine",
    "Entries", "Feed", "ToldEntry",
    "TheExpense", "Expenses", "ExpenseHistory", "ExpenseVersion", "Categories", "Category",
    "TheComment", "Comments",
    "ThePayment", "Payments",
    "TheSettlement", "TheLatestSettlement", "Settlements", "ToSettle",
]  # fmt: skip
