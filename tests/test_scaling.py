"""What docs/scaling.md reckons follows from the figures that stand above it."""

from tests.bench.capacity import DOCUMENT, need, told, written


def test_the_model_is_that_of_its_figures() -> None:
    document = DOCUMENT.read_text()
    assert written(document) == document


def test_other_figures_make_another_model() -> None:
    given = told(DOCUMENT.read_text())
    more = given | {"an expense among six": 10 * given["an expense among six"]}
    assert need(100_000_000, more).machines > need(100_000_000, given).machines
