"""Routes of a group's expenses."""

import msgspec

from clearsplit_core.errors import (
    AlreadyExists,
    AlreadyVoided,
    AmountOutOfRange,
    AmountZero,
    BadRate,
    BadText,
    BadWeights,
    BalanceOutOfRange,
    CurrencyMismatch,
    InactiveMember,
    NamedTwice,
    NobodyNamed,
    NotADecimal,
    NotInSplit,
    NotVoided,
    TooMany,
    UnknownCurrency,
    UnknownMember,
    WrongSign,
    WrongTotal,
)
from clearsplit_core.expenses import RestoreExpense, VoidExpense
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Categories, ExpenseHistory, Expenses, TheExpense
from clearsplit_http.access import (
    changers_of_the_expense,
    members,
    readers_of_the_expense,
    recorders,
)
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId, PayersUnclear
from clearsplit_http.wire.expenses import (
    CategoriesAnswer,
    ExpenseAnswer,
    ExpenseChanges,
    ExpenseVersionAnswer,
    NewExpense,
)
from clearsplit_http.wire.resources import Nothing, Page

TERMS_REFUSALS = (
    AmountOutOfRange,
    AmountZero,
    BadRate,
    BadText,
    BadWeights,
    BalanceOutOfRange,
    CurrencyMismatch,
    InactiveMember,
    NamedTwice,
    NobodyNamed,
    NotADecimal,
    NotInSplit,
    PayersUnclear,
    TooMany,
    UnknownCurrency,
    UnknownMember,
    WrongSign,
    WrongTotal,
)


@operation(
    "POST",
    "/groups/{group_id}/expenses",
    takes=NewExpense,
    gives=ExpenseAnswer,
    status=201,
    door=recorders,
    refuses=(AlreadyExists, BadId, *TERMS_REFUSALS),
)
async def record_expense(asked: Asked[NewExpense]) -> Sealed:
    """Put what somebody paid for others into the journal."""
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.record(asked.group_id)),
        caller=asked.caller,
        receipt=asked.receipt(ExpenseAnswer.of),
    )


@operation(
    "GET",
    "/groups/{group_id}/expenses",
    takes=Nothing,
    gives=Page[ExpenseAnswer],
    door=members,
    query=PAGE_QUERY,
)
async def list_expenses(asked: Asked[Nothing]) -> Sealed:
    """The group's expenses, the latest recorded first; voided ones are left out."""
    before = asked.position()
    return asked.page(
        await asked.read(
            Expenses(
                asked.group_id, before_seq=int(before) if before else None, limit=asked.limit + 1
            )
        ),
        ExpenseAnswer.of,
        lambda expense: str(expense.recorded_seq),
    )


@operation(
    "GET",
    "/groups/{group_id}/expenses/{expense_id}",
    takes=Nothing,
    gives=ExpenseAnswer,
    door=members,
)
async def get_expense(asked: Asked[Nothing]) -> Sealed:
    """An expense, also one that was voided."""
    return asked.found(
        ExpenseAnswer.of(await asked.read(TheExpense(asked.group_id, asked.ids.expense_id)))
    )


@operation(
    "PATCH",
    "/groups/{group_id}/expenses/{expense_id}",
    takes=ExpenseChanges,
    gives=ExpenseAnswer,
    door=changers_of_the_expense,
    versioned=True,
    refuses=(AlreadyVoided, *TERMS_REFUSALS),
)
async def revise_expense(asked: Asked[ExpenseChanges]) -> Sealed:
    """Correct an expense. What does not touch the amounts leaves every share as it was."""
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.revise(asked.group_id, asked.ids.expense_id, asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(ExpenseAnswer.of),
    )


@operation(
    "DELETE",
    "/groups/{group_id}/expenses/{expense_id}",
    takes=Nothing,
    gives=ExpenseAnswer,
    door=changers_of_the_expense,
    versioned=True,
    refuses=(AlreadyVoided, BalanceOutOfRange),
)
async def void_expense(asked: Asked[Nothing]) -> Sealed:
    """Take an expense out of every balance. Its history stays, and it can be restored."""
    return await asked.store.perform_once(
        asked.command(
            lambda: VoidExpense(
                group_id=asked.group_id,
                expense_id=asked.ids.expense_id,
                expected_version=asked.expected_version,
            )
        ),
        caller=asked.caller,
        receipt=asked.receipt(ExpenseAnswer.of),
    )


@operation(
    "POST",
    "/groups/{group_id}/expenses/{expense_id}/restore",
    takes=Nothing,
    gives=ExpenseAnswer,
    door=changers_of_the_expense,
    versioned=True,
    refuses=(NotVoided, BalanceOutOfRange),
)
async def restore_expense(asked: Asked[Nothing]) -> Sealed:
    """Put a voided expense back into the balances, as it was."""
    return await asked.store.perform_once(
        asked.command(
            lambda: RestoreExpense(
                group_id=asked.group_id,
                expense_id=asked.ids.expense_id,
                expected_version=asked.expected_version,
            )
        ),
        caller=asked.caller,
        receipt=asked.receipt(ExpenseAnswer.of),
    )


@operation(
    "GET",
    "/groups/{group_id}/expenses/{expense_id}/history",
    takes=Nothing,
    gives=Page[ExpenseVersionAnswer],
    door=readers_of_the_expense,
    query=PAGE_QUERY,
)
async def get_expense_history(asked: Asked[Nothing]) -> Sealed:
    """Every version of an expense: who made it, when, and what it changed, field by field."""
    return asked.page(
        await asked.read(
            ExpenseHistory(
                asked.group_id,
                asked.ids.expense_id,
                after_seq=int(asked.position() or 0),
                limit=asked.limit + 1,
            )
        ),
        ExpenseVersionAnswer.of,
        lambda version: str(version.seq),
    )


@operation(
    "GET", "/groups/{group_id}/categories", takes=Nothing, gives=CategoriesAnswer, door=members
)
async def list_categories(asked: Asked[Nothing]) -> Sealed:
    """Categories to choose from. An expense may also have another one, or none."""
    used = await asked.read(Categories(asked.group_id))
    return Sealed(200, (), msgspec.json.encode(CategoriesAnswer.of(used)))


ROUTES = (
    record_expense,
    list_expenses,
    get_expense,
    revise_expense,
    void_expense,
    restore_expense,
    get_expense_history,
    list_categories,
)
