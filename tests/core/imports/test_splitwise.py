"""Splitwise exports: what they say, in whatever language and spelling, or which cell is wrong."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core.errors import BadFile
from clearsplit_core.imports import FILE_BYTES_MAX, FORMATS, Imported, read
from clearsplit_core.imports.splitwise import read as read_splitwise
from clearsplit_core.imports.table import ROWS_MAX
from clearsplit_core.money import Money

SAMPLES = Path(__file__).parent / "samples"
HEADER = "Date,Description,Category,Cost,Currency,Ana,Bo,Cy"


def export(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, "", *rows, ""]).encode()


def checked(*rows: str, header: str = HEADER) -> Imported:
    """The group in a file that needs no warning but for its missing totals."""
    group = read(export(*rows, header=header))
    assert all("no total" in warning for warning in group.warnings)
    return group


def refusal(data: bytes) -> str:
    with pytest.raises(BadFile) as refused:
        read(data)
    return refused.value.message


# ── Laws ─────────────────────────────────────────────────────────────────────────────────────────

names = st.text("abcdefgh éß李", min_size=1, max_size=6).map(str.strip).filter(bool)
members = st.lists(names, min_size=2, max_size=5, unique=True)
currencies = st.sampled_from(["EUR", "JPY", "KWD", "MKD"])
styles = st.sampled_from([".", ","])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
heads = st.sampled_from(
    ["Date,Description,Category,Cost,Currency", "Datum,Beschreibung,Kategorie,Kosten,Währung"]
)


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Members, and rows of a currency and whole nets that sum to zero."""
    who = draw(members)
    amounts = st.lists(st.integers(-(10**9), 10**9), min_size=len(who) - 1, max_size=len(who) - 1)
    nets = amounts.map(lambda first: [*first, -sum(first)])
    return who, draw(st.lists(st.tuples(currencies, nets), min_size=1, max_size=6))


def spelled(
    who: list[str],
    rows: list[tuple[str, list[int]]],
    *,
    head: str = "Date,Description,Category,Cost,Currency",
    mark: str = ".",
) -> str:
    lines = [",".join([head, *who]), ""]
    for currency, nets in rows:
        cells = [Money(net, currency).major.replace(".", mark) for net in nets]
        quoted = ",".join(f'"{cell}"' for cell in cells)
        lines.append(f"2026-01-05,Dinner,Dining out,1,{currency},{quoted}")
    return "\r\n".join(lines)


def nets_of(group: Imported) -> list[tuple[str, dict[str, int]]]:
    return [(expense.currency, dict(expense.nets_minor)) for expense in group.expenses]


@settings(max_examples=500)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-16")))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        read(data)
    except BadFile:
        return
    assert not data.startswith(b"\0")


@settings(max_examples=500)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["", " ", "EUR", "BTC", "1,5", "-1,5", "1.5", "--2", '"', "\0", "=1", "x"]
            ),
            max_size=9,
        ).map(",".join),
        max_size=6,
    )
)
def test_no_rows_under_a_good_header_do_more_than_be_refused(rows: list[str]) -> None:
    try:
        group = read(export(*rows))
    except BadFile:
        return
    assert all(sum(balances.values()) == 0 for balances in group.balances.values())


@given(groups(), heads, styles, encodings)
def test_a_group_comes_back_from_every_language_spelling_and_encoding(
    group: tuple[list[str], list[tuple[str, list[int]]]], head: str, mark: str, encoding: str
) -> None:
    who, rows = group
    # A dinar's three decimals need a second amount to show which mark the file has.
    spelled_out = spelled(
        who, [*rows, ("EUR", [1, -1, *[0] * (len(who) - 2)])], head=head, mark=mark
    )
    imported = read(spelled_out.encode(encoding))
    assert imported.members == tuple(who)
    assert nets_of(imported)[:-1] == [
        (currency, {name: net for name, net in zip(who, nets, strict=True) if net})
        for currency, nets in rows
    ]


@given(groups())
def test_every_currency_sums_to_zero(
    group: tuple[list[str], list[tuple[str, list[int]]]],
) -> None:
    balances = read(spelled(*group).encode()).balances
    assert [sum(of.values()) for of in balances.values()] == [0] * len(balances)


@given(groups(), st.permutations(range(5)))
def test_the_order_of_the_members_columns_does_not_matter(
    group: tuple[list[str], list[tuple[str, list[int]]]], permutation: list[int]
) -> None:
    who, rows = group
    order = [i for i in permutation if i < len(who)]
    turned = spelled(
        [who[i] for i in order], [(code, [nets[i] for i in order]) for code, nets in rows]
    )
    assert nets_of(read(turned.encode())) == nets_of(read(spelled(who, rows).encode()))


# ── The samples ──────────────────────────────────────────────────────────────────────────────────


def test_an_export_says_who_is_owed_for_each_line_and_who_owes() -> None:
    group = read((SAMPLES / "lisbon.csv").read_bytes())
    taxi = group.expenses[1]
    assert group.members == ("Ana Lima", "Bo Chen", "Cy Dorn")
    assert (taxi.row, taxi.date, taxi.description) == (4, "2026-01-06", "Taxi, airport")
    assert (taxi.category, taxi.cost_minor, taxi.currency) == ("Taxi", 4500, "EUR")
    assert taxi.nets_minor == {"Ana Lima": -1500, "Bo Chen": 3000, "Cy Dorn": -1500}
    assert group.balances == {"EUR": {"Ana Lima": 3166, "Bo Chen": 1667, "Cy Dorn": -4833}}
    assert group.warnings == ()


def test_a_german_export_with_two_currencies_and_decimal_commas_is_read_alike() -> None:
    group = read((SAMPLES / "lissabon.csv").read_bytes())
    assert group.balances == {
        "EUR": {"Ana Lima": 40017, "Bo Chen": 0, "高橋 さくら": -40017},
        "JPY": {"Ana Lima": -1000, "Bo Chen": -1000, "高橋 さくら": 2000},
    }
    assert group.warnings == ()


@pytest.mark.parametrize(("sample", "row"), [("lisbon.csv", 5), ("lissabon.csv", 5)])
def test_a_category_of_whole_debts_between_two_is_taken_for_payments(sample: str, row: int) -> None:
    group = read((SAMPLES / sample).read_bytes())
    assert [expense.row for expense in group.expenses if expense.is_payment] == [row]


def test_one_whole_debt_in_a_category_with_other_lines_is_no_payment() -> None:
    group = checked(
        "2026-01-05,Taxi,General,10.00,EUR,5.00,-5.00,0",
        "2026-01-06,Ticket,General,10.00,EUR,10.00,-10.00,0",
    )
    assert not any(expense.is_payment for expense in group.expenses)


# ── Quirks, one by one ───────────────────────────────────────────────────────────────────────────


def test_a_total_without_a_currency_is_that_of_the_only_one_and_two_minus_signs_are_one() -> None:
    group = read(
        export(
            '2025-03-11,Company,General,"7,2",EUR,"3,60","-3,60"',
            ',,,,,"3,60","--3,60"',
            header="Date,Description,Catégorie,Cost,Devise,user1,user2",
        )
    )
    assert group.balances == {"EUR": {"user1": 360, "user2": -360}}
    assert group.warnings == ()


def test_rows_of_commas_and_of_zeros_that_belong_to_nothing_are_no_rows() -> None:
    rows = ("2026-01-05,Taxi,Taxi,1,EUR,1,-1,0", ",,,,,,,", ",,,,,0.00,0.00,0.00")
    assert len(checked(*rows, "2026-01-05,Tea,Tea,1,CHF,1,-1,0").expenses) == 2


def test_an_expense_that_nobody_owes_for_is_kept() -> None:
    (expense,) = checked("2026-01-05,Own tea,General,4.00,EUR,0.00,0.00,0.00").expenses
    assert (expense.cost_minor, expense.nets_minor) == (400, {})


def test_a_cost_below_zero_is_income() -> None:
    (expense,) = checked("2026-01-05,Deposit,General,-30.00,EUR,10.00,10.00,-20.00").expenses
    assert (expense.cost_minor, expense.nets_minor["Cy"]) == (-3000, -2000)


def test_two_members_of_one_name_are_told_apart() -> None:
    header = "Date,Description,Category,Cost,Currency,Ana,Ana,Ana (2),Ana (removed)"
    group = checked("2026-01-05,Tea,Tea,2.00,EUR,1,1,-1,-1", header=header)
    assert group.members == ("Ana", "Ana (2)", "Ana (2) (2)", "Ana (removed)")


def test_one_name_in_two_unicode_spellings_is_one_name() -> None:
    header = "Date,Description,Category,Cost,Currency,Zo\u00eb,Zoe\u0308"
    group = checked("2026-01-05,Tea,Tea,2.00,EUR,1,-1", header=header)
    assert group.members == ("Zoë", "Zoë (2)")


def test_a_note_above_the_header_is_skipped_and_rows_are_counted_as_in_an_editor() -> None:
    note = f"Note: does not include group expenses\n\n{HEADER}"
    (expense,) = checked("2026-01-05,Tea,Tea,2.00,EUR,1,-1,0", header=note).expenses
    assert expense.row == 5


def test_a_description_over_two_lines_counts_as_two_rows() -> None:
    group = checked('2026-01-05,"Tea\nCake",Tea,2,EUR,1,-1,0', "2026-01-05,Tea,Tea,2,EUR,1,-1,0")
    assert [expense.row for expense in group.expenses] == [3, 5]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_may_have_saved_it_with_other_delimiters(delimiter: str) -> None:
    text = f"{HEADER}\n2026-01-05,Tea,Tea,2.00,EUR,1.00,-1.00,0".replace(",", delimiter)
    assert read(text.encode()).balances == {"EUR": {"Ana": 100, "Bo": -100, "Cy": 0}}


def test_a_blank_cell_is_a_net_of_zero() -> None:
    assert checked("2026-01-05,Tea,Tea,2.00,EUR,1.00,-1.00,").balances["EUR"]["Cy"] == 0


def test_cells_that_a_spreadsheet_would_run_are_text_like_any_other() -> None:
    group = checked(
        "2026-01-05,=1+1,@SUM(A1),2.00,EUR,1,-1",
        header="Date,Description,Category,Cost,Currency,\"=cmd|'/c calc'!A1\",+Bo",
    )
    assert group.members == ("=cmd|'/c calc'!A1", "+Bo")
    assert group.expenses[0].description == "=1+1"


def test_a_withdrawn_currency_is_still_read() -> None:
    assert checked("2022-01-05,Tea,Tea,2.00,HRK,1.00,-1.00,0").balances["HRK"]["Ana"] == 100


def test_an_export_without_a_row_is_a_group_without_expenses() -> None:
    assert read(export()).balances == {}


# ── Warnings ─────────────────────────────────────────────────────────────────────────────────────

TEA = "2026-01-05,Tea,Tea,2.00,EUR,1.00,-1.00,0.00"


def test_a_total_that_is_not_the_sum_of_its_rows_is_a_warning() -> None:
    group = read(export(TEA, "2026-01-31,Total balance, , ,EUR,1.01,-1.01,0.00"))
    assert group.warnings == (
        (
            "Row 4, column F (Ana): the total is 1.01 EUR, the rows come to 1.00 EUR "
            "(1 more differ); the balances are those of the rows."
        ),
    )
    assert group.balances["EUR"] == {"Ana": 100, "Bo": -100, "Cy": 0}


def test_a_total_of_a_currency_that_has_no_rows_is_a_warning_unless_it_is_zero() -> None:
    total = "2026-01-31,Total balance, , ,EUR,1.00,-1.00,0.00"
    zero = "2026-01-31,Total balance, , ,CHF,0.00,0.00,0.00"
    some = "2026-01-31,Total balance, , ,USD,5.00,-5.00,0.00"
    assert read(export(TEA, total, zero)).warnings == ()
    assert "5.00 USD" in read(export(TEA, total, zero, some)).warnings[0]


def test_a_file_without_its_total_may_be_cut_short() -> None:
    assert read(export(TEA)).warnings == (
        "EUR: the file has no total to check against; it may have been cut short.",
    )


def test_nets_that_miss_zero_by_a_rounding_are_a_warning_and_sum_to_zero() -> None:
    group = read(
        export(
            "2026-01-05,Tea,Tea,100.00,EUR,66.67,-33.33,-33.33",
            "2026-01-06,Tea,Tea,100.00,EUR,66.67,-33.33,-33.33",
            "2026-01-31,Total balance, , ,EUR,133.34,-66.66,-66.66",
        )
    )
    assert group.balances["EUR"] == {"Ana": 13332, "Bo": -6666, "Cy": -6666}
    assert group.warnings == (
        (
            "EUR: in 2 rows (the first is row 3) the nets miss zero by a rounding; "
            "the largest of them takes the difference."
        ),
    )


def test_nets_finer_than_a_cent_are_summed_exactly_and_rounded_once() -> None:
    quarter = "2026-08-26,Car,Car,1231.46,EUR,615.730,-307.865,-307.865"
    total = "2026-09-13,Total balance, , ,EUR,1231.46,-615.73,-615.73"
    group = read(export(quarter, quarter, total))
    assert group.balances["EUR"] == {"Ana": 123146, "Bo": -61573, "Cy": -61573}
    assert group.warnings == (
        (
            "EUR: in 2 rows (the first is row 3) nets are finer than 0.01 EUR; "
            "balances are the exact sums, rounded once."
        ),
    )


# ── Refusals: row, column, what was expected ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "2026-01-05,Tea,Tea,2.00,BTC,1,-1,0",
            (
                "Row 3, column E (Currency): expected an ISO 4217 currency code such as EUR, "
                "found 'BTC'."
            ),
        ),
        (
            "2026-01-05,Tea,Tea,2.00,EUR,1,minus one,0",
            "Row 3, column G (Bo): expected an amount such as 1234.50, found 'minus one'.",
        ),
        (
            "2026-01-05,Tea,Tea,?,EUR,1,-1,0",
            "Row 3, column D (Cost): expected an amount such as 1234.50, found '?'.",
        ),
        (
            '2026-01-05,Tea,Tea,2,EUR,"1,234",-617,-617',
            (
                "Row 3, column F (Ana): expected an amount that can be read in one way only, "
                "such as 1234.50, found '1,234'."
            ),
        ),
        (
            "2026-01-05,Tea,Tea,2,EUR,10000000000000.01,-10000000000000.01,0",
            (
                "Row 3, column F (Ana): expected an amount of at most 10^15 minor units, "
                "found '10000000000000.01'."
            ),
        ),
        (
            "2026-01-05,Tea,Tea,2.00,EUR,5.00,5.00,0",
            (
                "Row 3, columns F to H: expected nets that sum to 0.00 EUR, "
                "found a sum of 10.00 EUR."
            ),
        ),
        (
            "2026-01-05,Taxi, airport,Taxi,2.00,EUR,1,-1,0",
            (
                "Row 3: expected 8 columns as in the header, found 9; is the row cut short, "
                "or a comma not quoted?"
            ),
        ),
        (
            "2026-01-05,Tea,Tea,2.00,EUR",
            (
                "Row 3: expected 8 columns as in the header, found 5; is the row cut short, "
                "or a comma not quoted?"
            ),
        ),
    ],
)
def test_a_bad_row_is_refused_by_row_column_and_expectation(row: str, message: str) -> None:
    assert refusal(export(row, "2026-01-05,Tea,Tea,2,EUR,1,-1,0")) == message


def test_an_expense_without_a_currency_is_refused() -> None:
    assert "Row 4, column E (Currency): expected" in refusal(
        export(TEA, "2026-01-05,Tea,Tea,2.00,,1.00,-1.00,0")
    )


def test_a_total_without_a_currency_is_refused_where_there_are_several() -> None:
    chf = TEA.replace("EUR", "CHF")
    assert "column E (Currency)" in refusal(export(TEA, chf, ",,,,,2.00,-2.00,0"))


def test_two_totals_of_one_currency_are_refused() -> None:
    total = "2026-01-31,Total balance, , ,EUR,1.00,-1.00,0.00"
    assert refusal(export(TEA, total, total)) == (
        "Row 5, column E (Currency): expected one total for EUR, found a second after row 4."
    )


def test_an_amount_in_a_column_of_nobody_is_refused() -> None:
    header = "Date,Description,Category,Cost,Currency,Ana,,Bo"
    assert "Row 3, column G (no name): expected nothing" in refusal(
        export("2026-01-05,Tea,Tea,2.00,EUR,1,1,-2", header=header)
    )
    assert checked("2026-01-05,Tea,Tea,2.00,EUR,1,,-1", header=header).members == ("Ana", "Bo")


def test_column_twenty_seven_is_called_aa() -> None:
    header = "Date,Description,Category,Cost,Currency," + ",".join(map(str, range(22)))
    row = "2026-01-05,Tea,Tea,2,EUR," + "0," * 21 + "x"
    assert refusal(export(row, header=header)).startswith("Row 3, column AA (21): expected")


def test_a_member_has_a_name_of_bearable_length() -> None:
    assert "Row 1, column F" in refusal(export(TEA, header=HEADER.replace("Ana", "A" * 201)))


def test_a_group_has_members_and_not_too_many() -> None:
    nobody = "Date,Description,Category,Cost,Currency,,"
    assert "1 to 1000 members" in refusal(export("2026-01-05,Tea,Tea,2,EUR,,", header=nobody))
    crowd = ",".join(map(str, range(1001)))
    crowded = f"Date,Description,Category,Cost,Currency,{crowd}"
    assert "found 1001" in refusal(export(header=crowded))


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"hello\nworld\n", "none of the files that we can read: a Splitwise group export (CSV)"),
        (b"a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n", "none of the files"),
        (b"%PDF-1.7\n\xff\xd8", "Row 2: expected text in UTF-8"),
        (b"\xff\xfeA\x00\x00\xd8B\x00", "expected text in UTF-8"),
        (b"PK\x03\x04\x00\x00", "Row 1: expected text, found the character U+0000"),
        (
            export(TEA).replace(b"Tea", b'"Tea'),
            "Row 3: expected cells in which each quote is closed",
        ),
        (export(TEA).replace(b"Tea", b"x" * 10_001, 1), "Row 3: expected cells of at most 10000"),
        (export(TEA).replace(b"Tea", b"x" * 10_000_000), "Row 3: expected cells in which"),
        (b" " * (FILE_BYTES_MAX + 1), "longer than 32 MiB"),
    ],
)
def test_what_is_not_an_export_is_refused_in_a_sentence(data: bytes, part: str) -> None:
    assert part in refusal(data)


def test_a_text_with_an_unpaired_surrogate_is_refused() -> None:
    with pytest.raises(BadFile, match=r"Row 2: .*U\+D800"):
        read_splitwise(f"{HEADER}\n\ud800")


def test_there_are_at_most_so_many_rows() -> None:
    assert f"at most {ROWS_MAX} rows" in refusal(export("\n" * ROWS_MAX))


def test_the_message_for_an_unknown_file_names_every_format() -> None:
    assert all(name in refusal(b"hello") for name in FORMATS)
