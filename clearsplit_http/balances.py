"""Routes of what a group owes its members: balances, a member's statement, and the journal."""

import re
from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import UnknownCurrency
from clearsplit_core.journal import GroupId
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Feed, Statement, TheStanding
from clearsplit_http.access import members, readers_of_the_member
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY, read_number
from clearsplit_http.refusals import BadQuery
from clearsplit_http.wire.groups import (
    BalancesAnswer,
    EntryAnswer,
    MyBalanceAnswer,
    StatementLineAnswer,
)
from clearsplit_http.wire.resources import Nothing, Page

SEQ_MAX: Final = 2**53 - 1
ORDERS: Final = ("oldest", "latest")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@operation(
    "GET",
    "/groups/{group_id}/balances",
    takes=Nothing,
    gives=BalancesAnswer,
    door=members,
    query={
        "as_of_seq": "The balances as they were after this entry; 0 is before the first.",
        "as_of_date": "Without what is dated later than this day.",
    },
)
async def get_balances(asked: Asked[Nothing]) -> Sealed:
    """What the group owes each member (positive), or each member the group (negative).

    Every entry counts from the moment when it is recorded, also one that is dated in the future;
    as_of_date leaves out what is dated later than the day that you name. Give as_of_seq or
    as_of_date, not both.
    """
    standing = await asked.read(_standing(asked))
    return Sealed(200, (), msgspec.json.encode(BalancesAnswer.of(standing)))


@operation(
    "GET",
    "/groups/{group_id}/members/{member_id}/statement",
    takes=Nothing,
    gives=Page[StatementLineAnswer],
    door=readers_of_the_member,
    query=PAGE_QUERY
    | {
        "currency": "Only the lines in this currency.",
        "order": "oldest first, down to the balance of now, or latest first.",
    },
)
async def get_statement(asked: Asked[Nothing]) -> Sealed:
    """Why a member owes what they owe: every entry that moved their balance, and the reason.

    One line for each entry and currency, with the balance after it. In the order in which it
    happened the last line's balance is the balance of now.
    """
    return asked.page(
        await asked.read(_statement(asked)),
        StatementLineAnswer.of,
        lambda line: f"{line.seq} {line.currency}",
    )


@operation(
    "GET",
    "/groups/{group_id}/journal",
    takes=Nothing,
    gives=Page[EntryAnswer],
    door=members,
    query=PAGE_QUERY | {"after_seq": "Begin after this entry; 0 is before the first."},
)
async def list_entries(asked: Asked[Nothing]) -> Sealed:
    """The group's journal: every change, who made it and when, what it moved, and its hash.

    It is the activity feed, with the words of every text that was not erased; and the cursor for
    whoever keeps a copy: entries are numbered without a gap and never change, so asking again for
    those after the last seq that you have neither skips nor repeats any.
    """
    return asked.page(
        await asked.read(Feed(asked.group_id, after_seq=_after(asked), limit=asked.limit + 1)),
        EntryAnswer.of,
        lambda told: str(told.entry.seq),
    )


@operation("GET", "/balances", takes=Nothing, gives=Page[MyBalanceAnswer], query=PAGE_QUERY)
async def list_my_balances(asked: Asked[Nothing]) -> Sealed:
    """What each of your groups owes you (positive), or you it (negative)."""
    return asked.page(
        await asked.store.balances(
            caller=asked.caller, after=_place(asked.position()), limit=asked.limit + 1
        ),
        MyBalanceAnswer.of,
        lambda one: f"{one.group_id}/{one.currency}",
    )


ROUTES = (get_balances, list_my_balances, get_statement, list_entries)


def _standing(asked: Asked[Nothing]) -> TheStanding:
    """Raises BadQuery."""
    seq, day = asked.query.get("as_of_seq"), asked.query.get("as_of_date")
    if seq is not None and day is not None:
        raise BadQuery("Say as of when in one way: as_of_seq or as_of_date.")
    return TheStanding(
        asked.group_id,
        as_of_seq=None if seq is None else read_number(seq, "as_of_seq", 0, SEQ_MAX),
        as_of_date=None if day is None else _read_day(day, "as_of_date"),
    )


def _read_day(text: str, name: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 31st of February
    raise BadQuery(f"{name} is a day, such as 2026-01-31.")


def _statement(asked: Asked[Nothing]) -> Statement:
    """Raises BadQuery, BadCursor."""
    order = asked.query.get("order", ORDERS[0])
    if order not in ORDERS:
        raise BadQuery("order is oldest or latest.")
    seq, _, currency = (asked.position() or "").partition(" ")
    return Statement(
        group_id=asked.group_id,
        member_id=asked.ids.member_id,
        currency=_currency(asked),
        latest_first=order == "latest",
        after_seq=int(seq) if seq else None,
        after_currency=currency,
        limit=asked.limit + 1,
    )


def _place(position: str | None) -> tuple[GroupId, str] | None:
    """The group and the currency at which the page before stopped."""
    if position is None:
        return None
    group_id, _, currency = position.partition("/")
    return GroupId(UUID(group_id)), currency


def _currency(asked: Asked[Nothing]) -> str | None:
    code = asked.query.get("currency")
    try:
        if code is not None:
            decimals(code)
    except UnknownCurrency:
        raise BadQuery("currency is a code of ISO 4217 in capitals, such as EUR.") from None
    return code


def _after(asked: Asked[Nothing]) -> int:
    """Where to begin: the cursor's place or the one that is named. Raises BadQuery, BadCursor."""
    position = asked.position()
    if position is None:
        return read_number(asked.query.get("after_seq", "0"), "after_seq", 0, SEQ_MAX)
    if "after_seq" in asked.query:
        raise BadQuery("Say where to begin in one way: after_seq or cursor.")
    return int(position)
