"""Refusals: one class, one stable code, one kind and one sentence per reason."""

import copy
import pickle
import re

import pytest

from clearsplit_core import errors
from clearsplit_core.errors import Invalid, Refusal, UnknownCurrency, WrongTotal

KINDS = [
    errors.Unreadable,
    errors.Invalid,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.Stale,
    errors.Conflict,
    errors.Unavailable,
]
REFUSALS = [
    told
    for told in vars(errors).values()
    if isinstance(told, type) and issubclass(told, Refusal) and told is not Refusal
]
REASONS = [refusal for refusal in REFUSALS if refusal not in KINDS]


def test_the_kinds_are_what_stands_right_under_refusal() -> None:
    assert [refusal for refusal in REFUSALS if refusal.__bases__[0] is Refusal] == KINDS


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_listed_under_its_own_code(reason: type[Refusal]) -> None:
    assert "code" in vars(reason)
    assert Refusal.by_code[reason.code] is reason


@pytest.mark.parametrize("reason", REASONS)
def test_a_code_is_made_of_words_and_hyphens(reason: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason.code)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_of_exactly_one_kind(reason: type[Refusal]) -> None:
    assert [issubclass(reason, kind) for kind in KINDS].count(True) == 1


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_says_one_sentence_that_can_be_read_aloud(reason: type[Refusal]) -> None:
    assert "__doc__" in vars(reason)
    assert re.fullmatch(r"[A-Z][^\n]{10,100}[^.]\.", reason().message)
    assert ". " not in reason().message


@pytest.mark.parametrize("kind", [Refusal, *KINDS])
def test_a_kind_alone_is_no_reason(kind: type[Refusal]) -> None:
    with pytest.raises(TypeError, match="raise one of its reasons"):
        kind()


def test_a_code_is_given_once() -> None:
    with pytest.raises(TypeError, match="'wrong-total' is taken"):
        type("Another", (Invalid,), {}, code="wrong-total")
    assert Refusal.by_code["wrong-total"] is WrongTotal


def test_a_refusal_can_say_more_and_name_the_field() -> None:
    refusal = WrongTotal("One cent too little.", field="/payers")
    assert (str(refusal), refusal.message) == ("One cent too little.",) * 2
    assert refusal.field == "/payers"


def test_a_refusal_without_a_field_points_nowhere() -> None:
    assert WrongTotal().field == ""
    assert str(WrongTotal()) == "The parts do not add up to the amount."


def test_an_invalid_value_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="in capitals"):
        raise UnknownCurrency


@pytest.mark.parametrize("reason", REASONS)
def test_a_refusal_comes_whole_out_of_another_process(reason: type[Refusal]) -> None:
    refusal = reason("Why.", field="/amount_minor")
    for arrived in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert type(arrived) is reason
        assert (arrived.message, arrived.field) == ("Why.", "/amount_minor")
