"""Amounts in foreign files: read exactly, in either decimal mark, or not at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.imports.amounts import (
    AMOUNT_CHARACTERS_MAX,
    DECIMALS_MAX,
    Mark,
    grains_per_minor,
    habit_of,
    reading,
    written,
)

amounts = st.decimals(-(10**12), 10**12, allow_nan=False, places=4)


def euros(text: str, habit: Mark | None = None) -> Fraction | None:
    """What `text` comes to in major units of a currency with two decimals."""
    grains = reading(text).amount("EUR", habit)
    return None if grains is None else Fraction(grains, 10**DECIMALS_MAX)


@given(amounts, st.sampled_from([",", " ", "'", "\N{NARROW NO-BREAK SPACE}"]))
def test_an_amount_is_read_back_with_any_gap_between_its_thousands(
    amount: Decimal, gap: str
) -> None:
    assert euros(f"{amount:,.4f}".replace(",", gap), ".") == amount


@given(amounts)
def test_a_decimal_comma_says_what_a_decimal_point_says(amount: Decimal) -> None:
    swapped = f"{amount:,.4f}".translate({ord("."): ",", ord(","): "."})
    assert euros(swapped, ",") == amount


@given(st.text(max_size=AMOUNT_CHARACTERS_MAX))
def test_a_text_is_an_amount_only_if_it_has_ascii_digits_or_nothing(text: str) -> None:
    says_something = reading(text).with_point is not None or reading(text).with_comma is not None
    assert not says_something or not text or any("0" <= character <= "9" for character in text)


@given(amounts)
def test_what_we_write_can_be_read_back(amount: Decimal) -> None:
    grains = int(Fraction(amount) * 10**DECIMALS_MAX)
    assert reading(written(grains, "EUR").removesuffix(" EUR")).amount("EUR", ".") == grains


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7,2", "7.2"),
        ("--3,60", "-3.60"),
        ("\N{MINUS SIGN}3.60", "-3.60"),
        ("1.234,50", "1234.50"),
        ("1,234,567", "1234567"),
        ("0.00", "0"),
        ("", "0"),
        ("923.5950", "923.595"),
        ("12345", "12345"),
    ],
)
def test_these_can_be_read_in_one_way(text: str, expected: str) -> None:
    assert euros(text) == Fraction(expected)


@pytest.mark.parametrize(
    "text",
    ["abc", "1e3", "=1+1", "+5", "---5", "1,23,456", "12 34", "1.", ".5", "1'234 567", "٣", "-"],
)
def test_these_are_no_amounts(text: str) -> None:
    assert euros(text, ".") is None


def test_an_amount_has_at_most_sixty_characters() -> None:
    assert euros("0" * (AMOUNT_CHARACTERS_MAX - 1) + "5") == 5
    assert euros("0" * AMOUNT_CHARACTERS_MAX + "5") is None


def test_three_digits_behind_one_mark_are_a_thousand_or_a_part_as_the_rest_of_the_file_writes() -> (
    None
):
    assert euros("1,234", habit_of(["66.66", "1,234"])) == 1234
    assert euros("1,234", habit_of(["66,66", "1,234"])) == Fraction("1.234")
    assert euros("1,234", habit_of(["1,234", "500"])) is None
    assert euros("1,234", habit_of(["66,66", "66.66"])) is None


def test_without_a_habit_yen_are_whole_and_dinars_have_three_decimals() -> None:
    assert reading("1,234").amount("JPY", None) == 1234 * grains_per_minor("JPY")
    assert reading("1,234").amount("KWD", None) == 1234 * grains_per_minor("KWD")
    assert reading("1.234").amount("JPY", None) == 1234 * grains_per_minor("JPY")
