"""Every store answers each question as its `answer` in core does, whatever happened before."""

from collections.abc import Mapping
from typing import Final

import pytest

from clearsplit_core.expenses import Changes
from clearsplit_core.group import Group, replay
from clearsplit_core.ports import Command
from clearsplit_core.questions import (
    Book,
    Categories,
    Comments,
    Entries,
    ExpenseHistory,
    Expenses,
    Feed,
    Invites,
    Payments,
    Question,
    Settlements,
    Statement,
    TheComment,
    TheExpense,
    TheGroup,
    TheInvite,
    TheLatestSettlement,
    ThePayment,
    TheSettlement,
    TheStanding,
    ToSettle,
)
from clearsplit_core.records import Fx, PaymentState, Role, Strategy
from clearsplit_pg.readings import READINGS
from tests.contract.questions import journal, of_no_moment
from tests.contract.rigs import Rig
from tests.literals import (
    NOON,
    TODAY,
    TOMORROW,
    TRIP,
    caller,
    comment,
    comment_called,
    deleting,
    expense,
    expense_called,
    founding,
    guest,
    invite_called,
    inviting,
    member,
    pay,
    payment,
    payment_called,
    pending,
    restore,
    restoring,
    revise,
    revising,
    seat,
    setting,
    settlement,
    settlement_called,
    solved,
    story,
    take_back,
    tear_up,
    text,
    uninviting,
    void,
)

BEFORE: Final[tuple[Command[object], ...]] = (
    founding("ann"),
    guest("bob"),
    guest("cem"),
    seat("vic", Role.VIEWER),
    expense("Dinner", "60.00 EUR", by="ann"),
    expense("Taxi", "10.00 USD", by="bob", fx=Fx("EUR", "0.92")),
    expense("Museum", "21.00 CHF", by="cem", on=TOMORROW),
    revise("Dinner", Changes(date=TOMORROW, title=text("Supper"))),
    void("Taxi"),
    expense("Boat", "9.99 EUR", by="cem", among="ann bob"),
    restore("Taxi"),
    revise("Museum", Changes(currency="EUR", amount_minor=2100)),
    payment("Cash", "5.00 EUR", by="bob", to="cem", memo="Thanks"),
    pending("Cheque", "1.00 EUR", by="bob", to="cem"),
    take_back("Cash", reason="It was Cem who paid."),
    payment("Card", "2.00 USD", by="bob", to="cem", allow_overpay=True),
    comment("Taxi", "Was that the one to the airport?"),
    void("Taxi", version=3),
    comment("Taxi", "It was."),
    comment("Dinner", "With wine."),
    expense("Tram", "3.00 EUR", by="ann", category="transport"),
    expense("Train", "30.00 EUR", by="ann", category="transport"),
    expense("Opera", "90.00 EUR", by="ann", category="culture"),
)
STORY: Final[tuple[Command[object], ...]] = (
    *BEFORE,
    solved(story(*BEFORE), "First", Strategy.DIRECT),
    pay(0, of="First"),
    tear_up("First", revision=2),
    settlement("Second"),
    pay(1, of="Second"),
    expense("Bus", "3.00 EUR", by="bob"),
    inviting("Card", to="cem"),
    inviting("Note", days=1),
    uninviting("Note"),
    revising("bob", called="Robert"),
    setting(version=5, name="Oslo", confirming=True),
    deleting(version=6),
    restoring(version=7),
    setting(version=8, archived=True, simplify=False),
)
"""A bit of everything; ann does it all."""

QUESTIONS: Final[Mapping[str, Question[object]]] = {
    "the group": TheGroup(TRIP),
    "balances": TheStanding(TRIP),
    "balances today": TheStanding(TRIP, as_of_date=TODAY),
    "balances tomorrow": TheStanding(TRIP, as_of_date=TOMORROW),
    "balances long ago": TheStanding(TRIP, as_of_date=TODAY.replace(year=1999)),
    **{f"balances after entry {seq}": TheStanding(TRIP, as_of_seq=seq) for seq in (0, 4, 5, 8, 11)},
    **{
        f"the statement of {name}{', latest first' if latest else ''}": Statement(
            group_id=TRIP, member_id=member(name), latest_first=latest
        )
        for name in ("ann", "bob", "cem", "vic")
        for latest in (False, True)
    },
    **{
        f"a page of a statement {seq} {currency} {latest}": Statement(
            group_id=TRIP,
            member_id=member("ann"),
            latest_first=latest,
            after_seq=seq,
            after_currency=currency,
            limit=2,
        )
        for seq, currency in ((5, "EUR"), (12, "CHF"), (12, "EUR"))
        for latest in (False, True)
    },
    "a statement in euros": Statement(group_id=TRIP, member_id=member("ann"), currency="EUR"),
    "a statement in yen": Statement(group_id=TRIP, member_id=member("ann"), currency="JPY"),
    "an invite": TheInvite(TRIP, invite_called("Card")),
    "a revoked invite": TheInvite(TRIP, invite_called("Note")),
    "invites": Invites(TRIP),
    "a page of invites": Invites(TRIP, before_seq=17, limit=1),
    "the journal": Entries(TRIP),
    "a page of the journal": Entries(TRIP, after_seq=3, limit=4),
    "an expense": TheExpense(TRIP, expense_called("Dinner")),
    "a voided expense": TheExpense(TRIP, expense_called("Taxi")),
    "expenses": Expenses(TRIP),
    "a page of expenses": Expenses(TRIP, before_seq=8, limit=2),
    **{
        f"the history of {title} after {seq}": ExpenseHistory(
            TRIP, expense_called(title), after_seq=seq, limit=limit
        )
        for title in ("Dinner", "Taxi", "Museum")
        for seq, limit in ((0, 100), (0, 1), (6, 2), (9, 1), (11, 5), (99, 5))
    },
    "categories": Categories(TRIP),
    "the latest category": Categories(TRIP, latest=1),
    "a comment": TheComment(TRIP, expense_called("Taxi"), comment_called("It was.")),
    "comments": Comments(TRIP, expense_called("Taxi")),
    "a page of comments": Comments(TRIP, expense_called("Taxi"), after_seq=17, limit=1),
    "no comments": Comments(TRIP, expense_called("Museum")),
    "the feed": Feed(TRIP),
    "a page of the feed": Feed(TRIP, after_seq=5, limit=3),
    "a payment": ThePayment(TRIP, payment_called("Card")),
    "a voided payment": ThePayment(TRIP, payment_called("Cash")),
    "payments": Payments(TRIP),
    "a page of payments": Payments(TRIP, before_seq=15, limit=1),
    "pending payments": Payments(TRIP, PaymentState.PENDING),
    "a settlement": TheSettlement(TRIP, settlement_called("Second")),
    "a voided settlement": TheSettlement(TRIP, settlement_called("First")),
    "the latest settlement": TheLatestSettlement(TRIP),
    "settlements": Settlements(TRIP),
    "a page of settlements": Settlements(TRIP, before_version=2, limit=1),
    "what is to be settled": ToSettle(TRIP),
    "voided payments": Payments(TRIP, PaymentState.VOIDED),
}
"""Each question in the forms that make a difference."""


def test_every_question_that_postgres_can_answer_is_asked_here() -> None:
    assert {type(question) for question in QUESTIONS.values()} == set(READINGS)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_store_answers_as_the_reference_does(rig: Rig, question: str) -> None:
    for command in STORY:
        await rig.do("ann", command)
    entries, texts = await journal(rig), story(*STORY).texts
    told = replay(TRIP, entries, texts).seen_by(caller("ann").account_id, NOON)
    book = Book(group=told, entries=entries, texts=texts)

    answer = await rig.store.read(QUESTIONS[question], caller=caller("ann"))

    assert of_no_clock(answer) == of_no_clock(QUESTIONS[question].answer(book))


def of_no_clock(answer: object) -> object:
    return of_no_moment(answer) if isinstance(answer, Group) else answer
