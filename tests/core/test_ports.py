"""Ports: what a command says that it must see."""

from dataclasses import fields

import pytest

from clearsplit_core.ports import Needs
from clearsplit_core.records import CommentId, ExpenseId, InviteId, PaymentId, SettlementId
from tests.literals import TRIP

MORE = {
    "names": Needs(names=True),
    "comments": Needs(comments=frozenset({CommentId(TRIP)})),
    "payments": Needs(payments=frozenset({PaymentId(TRIP)})),
    "pending": Needs(pending=True),
    "settlements": Needs(settlements=frozenset({SettlementId(TRIP)})),
    "latest_settlement": Needs(latest_settlement=True),
    "debts": Needs(debts=True),
    "invites": Needs(invites=frozenset({InviteId(TRIP)})),
    "open_invites": Needs(open_invites=True),
}


def test_a_group_and_some_expenses_are_few_needs() -> None:
    few = [Needs(), Needs(founds=True), Needs(expenses=frozenset({ExpenseId(TRIP)}))]
    assert [each.few for each in few] == [True, True, True]


def test_every_other_need_is_named_here() -> None:
    assert MORE.keys() == {field.name for field in fields(Needs)} - {"founds", "expenses"}


@pytest.mark.parametrize("name", MORE)
def test_any_other_need_is_more_than_few(name: str) -> None:
    assert not MORE[name].few
