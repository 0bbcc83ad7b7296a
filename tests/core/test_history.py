"""The history of an expense: every version, who made it, and what it changed."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.expenses import Changes
from clearsplit_core.plain import Texts
from clearsplit_core.questions import Book, ExpenseHistory, ExpenseVersion
from clearsplit_core.records import ExpenseId
from clearsplit_core.splits import Equal, Item, Itemised, Percentage
from clearsplit_core.text import Text
from tests.literals import (
    TOMORROW,
    TRIP,
    Story,
    comment,
    expense,
    expense_called,
    founding,
    group,
    member,
    members,
    restore,
    revise,
    seat,
    story,
    text,
    void,
)
from tests.stories import stories

DINNER = group().then(expense("Dinner", "60.00 EUR", by="ann", category="food"))


def history(
    told: Story, about: ExpenseId | None = None, texts: Texts | None = None
) -> Sequence[ExpenseVersion]:
    asked = ExpenseHistory(TRIP, about or expense_called("Dinner"), limit=10_000)
    left = told.texts if texts is None else texts
    return asked.answer(Book(group=told.group, entries=told.entries, texts=left))


def changes(told: Story, texts: Texts | None = None) -> list[list[str]]:
    return [list(version.changed) for version in history(told, texts=texts)]


@given(stories())
@settings(max_examples=25)
def test_the_last_version_is_the_expense_as_it_stands(told: Story) -> None:
    for standing in told.group.expenses.values():
        versions = history(told, standing.id)
        assert versions[-1].after == standing
        assert [version.after.version for version in versions] == [*range(1, standing.version + 1)]
        assert [version.before for version in versions[1:]] == [v.after for v in versions[:-1]]
        assert versions[0].before is None


@given(stories())
@settings(max_examples=25)
def test_a_version_is_made_by_whoever_made_its_entry(told: Story) -> None:
    for standing in told.group.expenses.values():
        for version in history(told, standing.id):
            entry = told.entries[version.seq - 1]
            assert (version.at, version.actor_id) == (entry.at, entry.actor_id)


def test_the_first_version_has_every_field_that_was_said() -> None:
    assert changes(DINNER) == [
        ["title", "amount_minor", "currency", "date", "payers", "split", "category", "shares"]
    ]


def test_a_version_names_what_it_changed_and_nothing_else() -> None:
    told = (
        DINNER.then(revise("Dinner", Changes(title=text("Supper"))))
        .then(revise("Dinner", Changes(amount_minor=9000, date=TOMORROW), version=2))
        .then(revise("Dinner", Changes(category=None), version=3))
        .then(revise("Dinner", Changes(split=Equal(members("ann bob"))), version=4))
    )
    assert changes(told)[1:] == [
        ["title"],
        ["amount_minor", "date", "payers", "shares"],
        ["category"],
        ["split", "shares"],
    ]
    second = history(told)[1]
    assert second.before is not None
    assert (second.before.terms.title.words, second.after.terms.title.words) == ("Dinner", "Supper")


def test_voiding_and_restoring_are_versions() -> None:
    told = DINNER.then(void("Dinner")).then(restore("Dinner"))
    assert changes(told)[1:] == [["voided"], ["voided"]]
    assert [version.kind for version in history(told)] == [
        "expense-recorded",
        "expense-voided",
        "expense-restored",
    ]


def test_each_version_says_who_made_it() -> None:
    told = story(founding("ann"), seat("bob")).then(expense("Dinner", among="ann bob"))
    told = told.then(void("Dinner"), by="bob")
    assert [version.actor_id for version in history(told)] == [member("ann"), member("bob")]


def test_a_comment_is_no_version() -> None:
    assert len(history(DINNER.then(comment("Dinner", "Nice.")))) == 1


def test_the_same_words_again_are_no_change() -> None:
    """A client that sends everything back gives each text another salt."""
    bill = Itemised((Item(6000, members("ann bob"), text("Soup")),))
    told = group().then(expense("Dinner", "60.00 EUR", among=bill))
    other = Text.of("Dinner", b"another salt of thirty-two bytes")
    soup = Text.of("Soup", b"another salt of thirty-two bytes")
    again = Itemised((Item(6000, members("ann bob"), soup),))
    told = told.then(revise("Dinner", Changes(title=other, split=again)))
    assert changes(told)[1:] == [[]]


def test_another_title_of_an_item_is_a_change_of_the_split() -> None:
    soup, fish = (Itemised((Item(6000, members("ann bob"), text(w)),)) for w in ("Soup", "Fish"))
    told = group().then(expense("Dinner", "60.00 EUR", among=soup))
    told = told.then(revise("Dinner", Changes(split=fish)))
    assert changes(told)[1:] == [["split"]]


def test_an_erased_text_that_was_changed_is_a_change_without_words() -> None:
    told = DINNER.then(revise("Dinner", Changes(title=text("Supper"))))
    second = history(told, texts={})[1]
    assert list(second.changed) == ["title"]
    assert second.after.terms.title.words is None


def test_a_split_in_percent_stays_as_it_was_said() -> None:
    quarters = Percentage.of({member("ann"): "25", member("bob"): "25", member("cem"): "50"})
    told = group().then(expense("Dinner", "60.01 EUR", among=quarters))
    before = told.expense("Dinner")
    told = told.then(revise("Dinner", Changes(title=text("Supper"), split=quarters)))
    assert told.expense("Dinner").terms.split == quarters
    assert told.expense("Dinner").outcome == before.outcome
    assert changes(told)[1:] == [["title"]]


def test_what_is_not_there_has_no_history() -> None:
    with pytest.raises(ThingNotFound):
        history(group())
