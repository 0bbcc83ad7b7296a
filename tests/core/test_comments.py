"""Comments: what is said about an expense moves no money and is never changed."""

from typing import Final

import pytest

from clearsplit_core.comments import COMMENT_MAX, AddComment
from clearsplit_core.errors import AlreadyExists, BadText, InsufficientRole, ThingNotFound
from clearsplit_core.group import replay
from clearsplit_core.questions import Book, Comments, TheComment
from clearsplit_core.records import Role
from tests.literals import (
    TRIP,
    Story,
    comment,
    comment_called,
    expense,
    expense_called,
    founding,
    member,
    seat,
    story,
    text,
    void,
)

DINNER: Final = story(
    founding("ann"), seat("bob"), seat("vic", Role.VIEWER), expense("Dinner", among="ann bob")
)


def said_about(told: Story, title: str) -> list[str | None]:
    book = Book(group=told.group, entries=told.entries, texts=told.texts)
    found = Comments(TRIP, expense_called(title)).answer(book)
    return [each.said.words for each in found]


def test_a_comment_says_who_said_what_and_when() -> None:
    told = DINNER.then(comment("Dinner", "With wine?"), by="bob")
    said = told.group.comments[comment_called("With wine?")]
    assert (said.said.words, said.said_by) == ("With wine?", member("bob"))
    assert (said.said_at, said.recorded_seq) == (told.group.now, told.group.head.seq)
    assert said.expense_id == expense_called("Dinner")


def test_a_comment_moves_nothing_and_leaves_the_expense_as_it_is() -> None:
    told = DINNER.then(comment("Dinner", "With wine?"))
    assert told.entries[-1].postings == ()
    assert told.group.balances == DINNER.group.balances
    assert told.group.expenses == DINNER.group.expenses


def test_comments_are_read_in_the_order_in_which_they_were_said() -> None:
    told = DINNER.then(comment("Dinner", "With wine?")).then(comment("Dinner", "Yes."), by="bob")
    assert said_about(told, "Dinner") == ["With wine?", "Yes."]


def test_a_voided_expense_can_be_talked_about() -> None:
    assert said_about(DINNER.then(void("Dinner")).then(comment("Dinner", "Why?")), "Dinner")


def test_an_expense_that_is_not_there_cannot_be_talked_about() -> None:
    with pytest.raises(ThingNotFound):
        DINNER.then(comment("Taxi", "Which?"))
    with pytest.raises(ThingNotFound):
        said_about(DINNER, "Taxi")


def test_a_viewer_looks_on_and_a_stranger_finds_nothing() -> None:
    with pytest.raises(InsufficientRole):
        DINNER.then(comment("Dinner", "Nice."), by="vic")
    with pytest.raises(ThingNotFound):
        DINNER.then(comment("Dinner", "Nice."), by="zoe")


def test_a_comment_is_made_once() -> None:
    told = DINNER.then(comment("Dinner", "Nice."))
    with pytest.raises(AlreadyExists):
        told.then(comment("Dinner", "Nice."))


def test_a_comment_is_found_with_its_own_expense_alone() -> None:
    told = DINNER.then(expense("Taxi", among="ann bob")).then(comment("Dinner", "Nice."))
    book = Book(group=told.group, entries=told.entries, texts=told.texts)
    question = TheComment(TRIP, expense_called("Dinner"), comment_called("Nice."))
    assert question.answer(book).said.words == "Nice."
    with pytest.raises(ThingNotFound):
        TheComment(TRIP, expense_called("Taxi"), comment_called("Nice.")).answer(book)


@pytest.mark.parametrize("words", ["", " ", "\u202eevil", "x" * (COMMENT_MAX + 1), "\x07"])
def test_a_comment_can_be_shown(words: str) -> None:
    with pytest.raises(BadText) as refused:
        comment("Dinner", words)
    assert refused.value.field == "/text"


def test_a_comment_may_have_lines_and_be_long() -> None:
    long = AddComment(
        group_id=TRIP,
        expense_id=expense_called("Dinner"),
        comment_id=comment_called("long"),
        said=text("line\n" * (COMMENT_MAX // 5)),
    )
    assert DINNER.then(long).group.comments


def test_an_erased_comment_is_still_there() -> None:
    told = DINNER.then(comment("Dinner", "With wine?"))
    gone = {mark: said for mark, said in told.texts.items() if said.words != "With wine?"}
    again = replay(TRIP, told.entries, gone)
    (said,) = again.comments.values()
    assert (said.said.words, said.said_by) == (None, member("ann"))
