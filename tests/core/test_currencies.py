"""The currency table, held against a package that follows ISO 4217."""

import iso4217
import pytest

from clearsplit_core.currencies import DECIMALS, WITHDRAWN, decimals
from clearsplit_core.errors import UnknownCurrency

PUBLISHED = {
    currency.code: currency.exponent
    for currency in iso4217.Currency
    if currency.exponent is not None
}


def test_the_table_is_iso_4217_and_what_was_withdrawn_lately() -> None:
    withdrawn = {"ANG": 2, "BGN": 2, "CUC": 2, "HRK": 2, "SLL": 2, "ZWL": 2}
    assert dict(DECIMALS) == PUBLISHED | withdrawn
    assert withdrawn.keys() == WITHDRAWN


def test_a_withdrawn_code_is_no_longer_published() -> None:
    assert WITHDRAWN.isdisjoint(PUBLISHED)


@pytest.mark.parametrize(
    ("currency", "places"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("HRK", 2)]
)
def test_a_currency_knows_its_decimals(currency: str, places: int) -> None:
    assert decimals(currency) == places


@pytest.mark.parametrize(
    "code",
    ["", "eur", "Eur", "EURO", "EU", " EUR", "EUR ", "EUR\n", "€", "978", "ABC", "ＥＵＲ"],  # noqa: RUF001
)
def test_a_code_is_three_capitals_that_iso_4217_knows(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        decimals(code)


@pytest.mark.parametrize("code", ["XAU", "XDR", "XTS", "XXX"])
def test_gold_and_tests_cannot_be_owed(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        decimals(code)


def test_an_unknown_currency_says_which_field_is_to_blame() -> None:
    with pytest.raises(UnknownCurrency) as refused:
        decimals("EURO")
    assert refused.value.field == "/currency"
    with pytest.raises(UnknownCurrency) as refused:
        decimals("EURO", field="/fx/currency")
    assert refused.value.field == "/fx/currency"
