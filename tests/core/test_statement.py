"""The statement: whatever happened, it adds up to the balance, and each line says why."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.expenses import Changes
from clearsplit_core.group import replay
from clearsplit_core.plain import Texts
from clearsplit_core.questions import Book, Statement, StatementLine
from clearsplit_core.records import Fx
from clearsplit_core.splits import Equal
from tests.literals import (
    TOMORROW,
    TRIP,
    Story,
    expense,
    expense_called,
    founding,
    group,
    guest,
    member,
    members,
    parts,
    restore,
    revise,
    story,
    text,
    void,
)
from tests.stories import stories
from tests.strategies import NAMES


def statement(
    told: Story, name: str, *, latest_first: bool = False, currency: str | None = None
) -> Sequence[StatementLine]:
    asked = Statement(
        group_id=TRIP,
        member_id=member(name),
        latest_first=latest_first,
        currency=currency,
        limit=10_000,
    )
    return asked.answer(book(told))


def book(told: Story, texts: Texts | None = None) -> Book:
    return Book(
        group=told.group, entries=told.entries, texts=told.texts if texts is None else texts
    )


def reasons(told: Story, name: str) -> list[str]:
    return [line.reason for line in statement(told, name)]


# ── It adds up ───────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25)
@given(stories(), st.sampled_from(NAMES))
def test_the_last_line_of_each_currency_is_the_balance(told: Story, name: str) -> None:
    last = {line.currency: line.balance_after_minor for line in statement(told, name)}
    assert last == {
        currency: minor for (who, currency), minor in told.group.balances.items()
        if who == member(name)
    }  # fmt: skip


@settings(max_examples=25)
@given(stories(), st.sampled_from(NAMES))
def test_each_balance_is_the_one_before_and_the_amount(told: Story, name: str) -> None:
    reached: dict[str, int] = {}
    for line in statement(told, name):
        assert line.balance_after_minor == reached.get(line.currency, 0) + line.amount_minor
        reached[line.currency] = line.balance_after_minor


@settings(max_examples=25)
@given(stories())
def test_every_posting_stands_in_one_line(told: Story) -> None:
    lines = {(name, line.seq, line.currency) for name in NAMES for line in statement(told, name)}
    assert len(lines) == sum(len(statement(told, name)) for name in NAMES)
    assert {(member(name), seq, currency) for name, seq, currency in lines} == {
        (leg.member_id, entry.seq, leg.currency) for entry in told.entries for leg in entry.postings
    }


@settings(max_examples=25)
@given(stories(), st.sampled_from(NAMES), st.integers(1, 3), st.booleans())
def test_pages_of_any_size_are_the_whole(
    told: Story,
    name: str,
    limit: int,
    latest_first: bool,  # noqa: FBT001
) -> None:
    whole = statement(told, name, latest_first=latest_first)
    found: list[StatementLine] = []
    for _ in range(len(whole) + 1):
        after = found[-1] if found else None
        page = Statement(
            group_id=TRIP,
            member_id=member(name),
            latest_first=latest_first,
            after_seq=after.seq if after else None,
            after_currency=after.currency if after else "",
            limit=limit,
        )
        found += page.answer(book(told))
    assert found == list(whole)


@settings(max_examples=25)
@given(stories(), st.sampled_from(NAMES))
def test_latest_first_is_the_other_way_round(told: Story, name: str) -> None:
    assert statement(told, name, latest_first=True) == list(statement(told, name))[::-1]


@settings(max_examples=25)
@given(stories(), st.sampled_from(NAMES))
def test_every_line_can_be_read_on_one_line_also_when_every_text_is_gone(
    told: Story, name: str
) -> None:
    erased = replay(TRIP, told.entries, {})
    for texts, whole in ((told.texts, told.group), ({}, erased)):
        asked = Statement(group_id=TRIP, member_id=member(name))
        for line in asked.answer(Book(group=whole, entries=told.entries, texts=texts)):
            assert line.reason
            assert "None" not in line.reason
            assert len(line.reason.splitlines()) == 1


def test_nobody_has_the_statement_of_somebody_who_is_not_there() -> None:
    with pytest.raises(ThingNotFound):
        statement(group(), "zoe")


# ── It says why ──────────────────────────────────────────────────────────────────────────────────

DINNER = group().then(expense("Dinner", "60.00 EUR", by="ann", among="ann bob cem"))


def test_an_expense_says_what_was_paid_and_what_was_had() -> None:
    assert reasons(DINNER, "ann") == [
        "ann recorded Dinner (60.00 EUR, paid by ann): paid 60.00; share 20.00"
    ]
    assert reasons(DINNER, "bob") == ["ann recorded Dinner (60.00 EUR, paid by ann): share 20.00"]
    (line,) = statement(DINNER, "bob")
    assert (line.amount_minor, line.balance_after_minor) == (-2000, -2000)
    assert (line.kind, line.expense_id) == ("expense-recorded", expense_called("Dinner"))
    assert (line.actor_id, line.payment_id) == (member("ann"), None)


def test_several_payers_are_counted() -> None:
    told = group().then(expense("Flat", "60.00 EUR", by=parts("ann 20.00, bob 40.00")))
    assert reasons(told, "bob") == [
        "ann recorded Flat (60.00 EUR, paid by ann and 1 more): paid 40.00; share 20.00"
    ]


def test_a_refund_says_who_received_it() -> None:
    told = group().then(expense("Deposit", "-30.00 EUR", by="ann"))
    assert reasons(told, "ann") == [
        "ann recorded Deposit (30.00 EUR, received by ann): received 30.00; share 10.00"
    ]


def test_a_rate_shows_both_currencies() -> None:
    told = group().then(expense("Taxi", "10.00 USD", by="bob", fx=Fx("EUR", "0.90")))
    assert reasons(told, "bob") == [
        "ann recorded Taxi (10.00 USD, paid by bob): paid 9.00 EUR; share 3.00 EUR"
    ]


def test_a_correction_says_what_was_before() -> None:
    changes = Changes(amount_minor=7500, title=text("Supper"))
    told = DINNER.then(revise("Dinner", changes))
    assert reasons(told, "ann")[1:] == [
        "ann changed Supper (75.00 EUR, paid by ann): paid 75.00, was 60.00; share 25.00, was 20.00"
    ]
    assert reasons(told, "bob")[1:] == [
        "ann changed Supper (75.00 EUR, paid by ann): share 25.00, was 20.00"
    ]


def test_who_is_taken_out_of_an_expense_reads_that() -> None:
    told = DINNER.then(revise("Dinner", Changes(split=Equal(members("ann bob")))))
    assert reasons(told, "cem")[1:] == [
        "ann changed Dinner (60.00 EUR, paid by ann): share 0.00, was 20.00"
    ]


def test_a_new_title_alone_is_no_line() -> None:
    assert len(reasons(DINNER.then(revise("Dinner", Changes(title=text("Supper")))), "ann")) == 1


def test_another_day_is_a_line_that_leaves_the_balance() -> None:
    told = DINNER.then(revise("Dinner", Changes(date=TOMORROW)))
    _, line = statement(told, "bob")
    assert (line.amount_minor, line.balance_after_minor) == (0, -2000)
    assert line.reason == (
        "ann changed Dinner (60.00 EUR, paid by ann), moved from 2026-01-31 to 2026-02-01:"
        " share 20.00"
    )


def test_another_currency_is_two_lines() -> None:
    told = DINNER.then(revise("Dinner", Changes(currency="CHF")))
    assert [(line.currency, line.reason) for line in statement(told, "bob")[1:]] == [
        ("CHF", "ann changed Dinner (60.00 CHF, paid by ann): share 20.00, was 0.00"),
        ("EUR", "ann changed Dinner (60.00 CHF, paid by ann): share 0.00 EUR, was 20.00"),
    ]


def test_voiding_takes_back_and_restoring_brings_back() -> None:
    told = DINNER.then(void("Dinner")).then(restore("Dinner"))
    assert reasons(told, "bob")[1:] == [
        "ann voided Dinner (60.00 EUR, paid by ann): share 20.00 taken back",
        "ann restored Dinner (60.00 EUR, paid by ann): share 20.00",
    ]


def test_an_erased_title_and_name_leave_a_line_that_can_be_read() -> None:
    without = {
        mark: said for mark, said in DINNER.texts.items() if said.words not in ("Dinner", "ann")
    }
    told = replay(TRIP, DINNER.entries, without)
    asked = Statement(group_id=TRIP, member_id=member("bob"))
    (line,) = asked.answer(Book(group=told, entries=DINNER.entries, texts=without))
    assert line.reason == (
        "somebody recorded an expense (60.00 EUR, paid by somebody): share 20.00"
    )


def test_one_currency_can_be_read_alone() -> None:
    told = DINNER.then(expense("Museum", "21.00 CHF", by="cem"))
    assert [line.currency for line in statement(told, "bob", currency="CHF")] == ["CHF"]
    assert statement(told, "bob", currency="JPY") == []


def test_yen_have_no_decimals() -> None:
    told = story(founding("ann", "JPY"), guest("bob")).then(
        expense("Ramen", "1000 JPY", by="ann", among="ann bob")
    )
    assert reasons(told, "bob") == ["ann recorded Ramen (1000 JPY, paid by ann): share 500"]
