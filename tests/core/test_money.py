"""Money: what may be one, how it is read and written, how it is divided and converted."""

from dataclasses import FrozenInstanceError
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import (
    BadRate,
    BadWeights,
    CurrencyMismatch,
    NotADecimal,
    NotAnInteger,
    TooPrecise,
    UnknownCurrency,
)
from clearsplit_core.money import (
    DECIMAL_DIGITS_MAX,
    Money,
    allocate,
    convert,
    parse_decimal,
    require_integer,
)
from tests.strategies import (
    DINNER,
    LUNCH,
    amounts_minor,
    currencies,
    expense_ids,
    m,
    money,
    not_integers,
    rates,
    weights,
)

# ── Read and written ─────────────────────────────────────────────────────────────────────────────


@given(money())
def test_what_is_written_reads_back_the_same(amount: Money) -> None:
    assert Money.parse(amount.major, amount.currency) == amount


@given(money())
def test_written_money_has_exactly_the_decimals_of_its_currency(amount: Money) -> None:
    _, _, part = amount.major.partition(".")
    assert len(part) == decimals(amount.currency)


@given(money())
def test_written_money_is_worth_its_minor_units(amount: Money) -> None:
    assert Fraction(amount.major) * 10 ** decimals(amount.currency) == amount.amount_minor


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1234, "EUR"), "12.34 EUR"),
        (Money(1230, "EUR"), "12.30 EUR"),
        (Money(5, "EUR"), "0.05 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(0, "EUR"), "0.00 EUR"),
        (Money(7, "JPY"), "7 JPY"),
        (Money(-7, "JPY"), "-7 JPY"),
        (Money(0, "JPY"), "0 JPY"),
        (Money(1, "KWD"), "0.001 KWD"),
        (Money(-12345, "KWD"), "-12.345 KWD"),
        (Money(12345, "CLF"), "1.2345 CLF"),
    ],
)
def test_money_is_written_in_full(amount: Money, text: str) -> None:
    assert str(amount) == text
    assert m(text) == amount


def test_an_amount_with_more_decimals_than_its_currency_is_refused() -> None:
    assert Money.parse("100.104", "KWD") == Money(100_104, "KWD")
    with pytest.raises(TooPrecise, match="EUR has 2 decimals"):
        Money.parse("100.104", "EUR")
    with pytest.raises(TooPrecise, match="JPY has 0 decimals"):
        Money.parse("0.5", "JPY")


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("12", "EUR", 1200),
        ("12.3", "EUR", 1230),
        ("12.340", "EUR", 1234),  # zeros say nothing more: other products write 100.00 for yen
        ("100.00", "JPY", 100),
        ("007.00", "EUR", 700),
        ("-0.00", "EUR", 0),  # spreadsheets write a zero balance so
    ],
)
def test_text_that_can_mean_only_one_amount_is_accepted(
    text: str, currency: str, amount_minor: int
) -> None:
    assert Money.parse(text, currency) == Money(amount_minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".",
        "1.",  # half typed: the cents may have been lost on the way
        ".5",  # half typed, or a 12.5 that lost its head
        "+1",  # nobody writes a sign that says nothing; one amount, one spelling of its sign
        " 1",  # trimming is for whoever read the cell
        "1 ",
        "1\n",
        "1e3",  # a spreadsheet's rounding of a longer number
        "1E3",
        "1_000",  # Python's own spelling; int() would take it
        "1,5",  # one and a half in Berlin
        "1,000",  # a thousand in London
        "1.2.3",
        "--1",
        "1-",
        "(1)",
        "0x10",
        "1/2",
        "12.34 EUR",
        "€12",
        "NaN",
        "Infinity",
        "\u0661\u0662",  # Arabic digits; int() would take them
        "\uff11",  # a full-width one
        "\u00b2",
        "\u2212" + "1",  # a typographic minus
        "1\0",
    ],
)
def test_text_that_could_mean_two_amounts_or_none_is_refused(text: str) -> None:
    with pytest.raises(NotADecimal):
        Money.parse(text, "EUR")


@given(st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", fullmatch=True))
def test_a_plain_decimal_is_read_exactly(text: str) -> None:
    assert parse_decimal(text) == Fraction(text)


@given(st.text("-.0123456789"), st.characters(exclude_characters="-.0123456789"), st.text())
def test_one_foreign_character_spoils_a_decimal(before: str, foreign: str, after: str) -> None:
    with pytest.raises(NotADecimal):
        parse_decimal(before + foreign + after)


@given(st.text(st.characters(categories=["Nd"], min_codepoint=128), min_size=1))
def test_only_the_ten_ascii_digits_are_digits(text: str) -> None:
    with pytest.raises(NotADecimal):
        parse_decimal(text)


@pytest.mark.parametrize("number", [12.34, 12, True, None, b"12", Fraction(1, 2)])
def test_a_decimal_is_text_and_never_a_number(number: Any) -> None:
    with pytest.raises(NotADecimal):
        Money.parse(number, "EUR")


def test_a_decimal_has_a_longest_form() -> None:
    longest = "9" * DECIMAL_DIGITS_MAX
    assert parse_decimal(f"{longest}.{longest}") < 10**DECIMAL_DIGITS_MAX
    assert parse_decimal(f"-{longest}") == -(10**DECIMAL_DIGITS_MAX) + 1
    with pytest.raises(NotADecimal):
        parse_decimal(f"{longest}9")
    with pytest.raises(NotADecimal):
        parse_decimal(f"0.{longest}9")


# ── What may be money ────────────────────────────────────────────────────────────────────────────


@given(not_integers)
def test_nothing_but_an_integer_is_an_amount(amount: Any) -> None:
    with pytest.raises(NotAnInteger) as refused:
        Money(amount, "EUR")
    assert refused.value.field == "/amount_minor"


@given(st.integers())
def test_every_integer_is_an_amount(amount_minor: int) -> None:
    require_integer(amount_minor)
    assert Money(amount_minor, "EUR").amount_minor == amount_minor


def test_money_is_in_a_currency_that_exists() -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, "eur")
    with pytest.raises(UnknownCurrency):
        Money.parse("1", "XAU")


def test_money_cannot_be_changed() -> None:
    price = m("12.34 EUR")
    with pytest.raises(FrozenInstanceError):
        price.amount_minor = 1  # type: ignore[misc]  # that it may not is the claim


def test_money_of_one_currency_adds_up() -> None:
    assert m("0.10 EUR") + m("0.20 EUR") == m("0.30 EUR")
    assert m("0.10 EUR") - m("0.20 EUR") == m("-0.10 EUR")
    assert -m("5 JPY") == m("-5 JPY")


def test_money_of_two_currencies_does_not_add_up() -> None:
    with pytest.raises(CurrencyMismatch, match="EUR and USD"):
        m("1.00 EUR") + m("1.00 USD")
    with pytest.raises(CurrencyMismatch):
        m("1.00 EUR") - m("1.00 USD")


# ── Divided ──────────────────────────────────────────────────────────────────────────────────────


@given(amounts_minor, weights(), expense_ids)
def test_parts_sum_to_the_whole(amount: int, weight: dict[str, int], spare: UUID) -> None:
    assert sum(allocate(amount, weight, spare_key=spare).values()) == amount


@given(amounts_minor, weights(), expense_ids)
def test_a_part_is_less_than_one_unit_from_exact(
    amount: int, weight: dict[str, int], spare: UUID
) -> None:
    parts = allocate(amount, weight, spare_key=spare)
    total = sum(weight.values())
    assert all(abs(parts[who] * total - amount * weight[who]) < total for who in weight)


@given(amounts_minor, weights(), expense_ids)
def test_no_weight_no_part(amount: int, weight: dict[str, int], spare: UUID) -> None:
    parts = allocate(amount, weight, spare_key=spare)
    assert [parts[who] for who in weight if weight[who] == 0] == [0] * [*weight.values()].count(0)


@given(amounts_minor, weights(), expense_ids)
def test_a_larger_weight_never_gets_a_smaller_part(
    amount: int, weight: dict[str, int], spare: UUID
) -> None:
    parts = allocate(abs(amount), weight, spare_key=spare)
    by_weight = sorted(weight, key=lambda who: (weight[who], parts[who]))
    assert [parts[who] for who in by_weight] == sorted(parts.values())


@given(amounts_minor, weights(), expense_ids)
def test_a_negative_amount_is_divided_as_its_mirror(
    amount: int, weight: dict[str, int], spare: UUID
) -> None:
    parts = allocate(amount, weight, spare_key=spare)
    assert allocate(-amount, weight, spare_key=spare) == {who: -parts[who] for who in parts}


@given(amounts_minor, weights(), expense_ids, st.randoms(use_true_random=False))
def test_the_order_of_the_weights_matters_to_nobody(
    amount: int, weight: dict[str, int], spare: UUID, luck: Any
) -> None:
    mixed = dict(luck.sample([*weight.items()], len(weight)))
    assert allocate(amount, mixed, spare_key=spare) == allocate(amount, weight, spare_key=spare)


@given(amounts_minor, weights(), expense_ids, st.integers(1, 10**20))
def test_only_the_proportion_of_the_weights_counts(
    amount: int, weight: dict[str, int], spare: UUID, factor: int
) -> None:
    scaled = {who: count * factor for who, count in weight.items()}
    assert allocate(amount, scaled, spare_key=spare) == allocate(amount, weight, spare_key=spare)


@given(amounts_minor, weights(), expense_ids)
def test_an_id_counts_the_same_as_its_text(
    amount: int, weight: dict[str, int], spare: UUID
) -> None:
    by_text = allocate(amount, weight, spare_key=str(spare))
    assert by_text == allocate(amount, weight, spare_key=spare)


def test_the_largest_remainder_gets_the_spare_unit() -> None:
    # 10 in proportion 1 : 2 : 4 is 1.43, 2.86 and 5.71; two units are left, for .86 and .71.
    assert allocate(10, {"ann": 1, "bob": 2, "cem": 4}, spare_key=LUNCH) == {
        "ann": 1,
        "bob": 3,
        "cem": 6,
    }


def test_spare_units_go_round_from_a_place_that_the_expense_decides() -> None:
    thirds = {"ann": 1, "bob": 1, "cem": 1}
    assert allocate(4, thirds, spare_key=LUNCH) == {"ann": 2, "bob": 1, "cem": 1}
    assert allocate(5, thirds, spare_key=LUNCH) == {"ann": 2, "bob": 2, "cem": 1}
    assert allocate(4, thirds, spare_key=DINNER) == {"ann": 1, "bob": 2, "cem": 1}
    assert allocate(5, thirds, spare_key=DINNER) == {"ann": 1, "bob": 2, "cem": 2}


@pytest.mark.parametrize(
    "weight", [{}, {"ann": 0}, {"ann": 0, "bob": 0}, {"ann": -1}, {"ann": 3, "bob": -1}]
)
def test_weights_that_divide_nothing_are_refused(weight: dict[str, int]) -> None:
    with pytest.raises(BadWeights):
        allocate(100, weight, spare_key=LUNCH)


@given(not_integers)
def test_only_integers_are_divided(number: Any) -> None:
    with pytest.raises(NotAnInteger) as refused:
        allocate(number, {"ann": 1}, spare_key=LUNCH)
    assert refused.value.field == "/amount_minor"
    with pytest.raises(NotAnInteger):
        allocate(100, {"ann": 1, "bob": number}, spare_key=LUNCH)


# ── Converted ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("paid", "rate", "worth"),
    [
        ("100.00 EUR", "1.10", "110.00 USD"),
        ("1000 JPY", "0.00205", "2.050 KWD"),  # no decimals into three
        ("2.050 KWD", "487.80", "1000 JPY"),  # 999.99 yen, three decimals into none
        ("10.00 EUR", "158.256", "1583 JPY"),  # 1582.56
        ("1 JPY", "0.0062", "0.01 EUR"),  # 0.62 cents
        ("1.0000 CLF", "39000.4", "39000 CLP"),  # four decimals into none
        ("100 JPY", "0.0000123", "0.0012 CLF"),  # 0.00123
        ("-100.00 EUR", "1.10", "-110.00 USD"),
    ],
)
def test_a_rate_is_in_major_units_whatever_the_decimals(paid: str, rate: str, worth: str) -> None:
    amount = m(paid)
    assert Money(convert(amount.amount_minor, amount.currency, rate, worth[-3:]), worth[-3:]) == m(
        worth
    )


@pytest.mark.parametrize(
    ("amount_minor", "converted"),
    [(1, 2), (3, 4), (5, 8), (7, 10), (-1, -2), (-3, -4), (-5, -8), (-7, -10)],
)
def test_an_exact_half_goes_to_the_even_neighbour(amount_minor: int, converted: int) -> None:
    # At 1.5 they are worth 1.5, 4.5, 7.5 and 10.5 cents.
    assert convert(amount_minor, "EUR", "1.5", "USD") == converted


def test_a_hair_beside_the_half_goes_to_its_own_side() -> None:
    assert convert(1, "EUR", "2.5000000000000000000000000000000000000001", "USD") == 3
    assert convert(1, "EUR", "2.5", "USD") == 2
    assert convert(1, "EUR", "3.4999999999999999999999999999999999999999", "USD") == 3
    assert convert(1, "EUR", "3.5", "USD") == 4


@given(amounts_minor, currencies, rates, currencies)
def test_a_conversion_is_at_most_half_a_unit_from_exact(
    amount: int, currency: str, rate: str, into: str
) -> None:
    exact = amount * Fraction(rate) * Fraction(10) ** (decimals(into) - decimals(currency))
    assume(abs(exact) > Fraction(1, 2))
    assert abs(convert(amount, currency, rate, into) - exact) <= Fraction(1, 2)


@given(st.integers(-100, 100), currencies, rates, currencies)
def test_half_a_unit_or_less_is_nothing_and_refused(
    amount: int, currency: str, rate: str, into: str
) -> None:
    exact = amount * Fraction(rate) * Fraction(10) ** (decimals(into) - decimals(currency))
    assume(abs(exact) <= Fraction(1, 2))
    with pytest.raises(BadRate, match=f"no {into} at all"):
        convert(amount, currency, rate, into)


@given(amounts_minor.filter(bool), currencies)
def test_at_one_to_one_nothing_changes(amount: int, currency: str) -> None:
    assert convert(amount, currency, "1", currency) == amount


@pytest.mark.parametrize("rate", ["0", "-1", "0.00", "", "1e3", " 1", "NaN", 1.1, 2, None])
def test_a_rate_is_a_decimal_above_zero(rate: Any) -> None:
    with pytest.raises(BadRate, match="is a decimal above zero") as refused:
        convert(100, "EUR", rate, "USD")
    assert refused.value.field == "/fx/rate"


@pytest.mark.parametrize("amount_minor", [1, -1])
def test_a_conversion_to_nothing_is_refused(amount_minor: int) -> None:
    assert convert(100 * amount_minor, "EUR", "0.0051", "USD") == amount_minor
    with pytest.raises(BadRate, match="no USD at all"):
        convert(amount_minor, "EUR", "0.5", "USD")


@given(not_integers)
def test_only_integers_are_converted(amount: Any) -> None:
    with pytest.raises(NotAnInteger) as refused:
        convert(amount, "EUR", "1.1", "USD")
    assert refused.value.field == "/amount_minor"


def test_both_currencies_of_a_conversion_exist() -> None:
    with pytest.raises(UnknownCurrency) as refused:
        convert(100, "EURO", "1.1", "USD")
    assert refused.value.field == "/currency"
    with pytest.raises(UnknownCurrency) as refused:
        convert(100, "EUR", "1.1", "DOLLAR")
    assert refused.value.field == "/fx/currency"
