"""Splits: every kind turns an amount into shares that sum to it, fairly, and keeps its inputs."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core.errors import (
    BadWeights,
    Invalid,
    NamedTwice,
    NobodyNamed,
    NotADecimal,
    NotAnInteger,
    NotInSplit,
    TooMany,
    WrongSign,
    WrongTotal,
)
from clearsplit_core.splits import (
    ITEMS_MAX,
    SHARES_MAX,
    Adjustment,
    Equal,
    Exact,
    Item,
    Itemised,
    Part,
    Percentage,
    PercentPart,
    Shares,
    SharesPart,
    Split,
    require_one_sign,
    require_total,
)
from tests.strategies import (
    DINNER,
    LUNCH,
    NAMES,
    Bill,
    bills,
    exact_shares,
    expense_ids,
    item,
    m,
    mirrored,
    names,
    not_integers,
    shuffled,
)

# ── Laws of every kind ───────────────────────────────────────────────────────────────────────────


@given(bills, expense_ids)
def test_shares_sum_to_the_amount(bill: Bill, expense: UUID) -> None:
    assert sum(bill.split.shares(bill.amount_minor, expense).values()) == bill.amount_minor


@given(bills, expense_ids)
def test_a_share_is_less_than_one_minor_unit_from_exact(bill: Bill, expense: UUID) -> None:
    shares, exact = bill.split.shares(bill.amount_minor, expense), exact_shares(bill)
    assert all(abs(shares[who] - exact[who]) < 1 for who in exact)


@given(bills, expense_ids)
def test_everybody_named_has_a_share_in_the_order_given(bill: Bill, expense: UUID) -> None:
    shares = bill.split.shares(bill.amount_minor, expense)
    assert tuple(shares) == bill.split.members == tuple(exact_shares(bill))


@given(bills, expense_ids)
def test_no_share_points_the_other_way_than_the_amount(bill: Bill, expense: UUID) -> None:
    shares = bill.split.shares(bill.amount_minor, expense)
    assert all(share * bill.amount_minor >= 0 for share in shares.values())


@given(bills, expense_ids, st.randoms(use_true_random=False))
def test_the_order_of_the_input_matters_to_nobody(
    bill: Bill, expense: UUID, luck: random.Random
) -> None:
    shares = bill.split.shares(bill.amount_minor, expense)
    assert shuffled(bill, luck).split.shares(bill.amount_minor, expense) == shares


@given(bills, expense_ids)
def test_a_refund_mirrors_the_expense_of_the_same_id(bill: Bill, expense: UUID) -> None:
    refund = mirrored(bill)
    refunded = refund.split.shares(refund.amount_minor, expense)
    shares = bill.split.shares(bill.amount_minor, expense)
    assert refunded == {who: -share for who, share in shares.items()}


@given(bills, expense_ids)
def test_the_same_expense_is_always_split_the_same(bill: Bill, expense: UUID) -> None:
    shares = bill.split.shares(bill.amount_minor, expense)
    assert bill.split.shares(bill.amount_minor, str(expense)) == shares


@given(bills, expense_ids)
def test_splitting_leaves_the_inputs_as_they_were_given(bill: Bill, expense: UUID) -> None:
    written = repr(bill.split)
    bill.split.shares(bill.amount_minor, expense)
    assert repr(bill.split) == written


@given(bills, not_integers)
def test_only_an_integer_can_be_split(bill: Bill, amount: Any) -> None:
    with pytest.raises(NotAnInteger) as refused:
        bill.split.shares(amount, LUNCH)
    assert refused.value.field == "/amount_minor"


@given(bills.filter(lambda bill: isinstance(bill.split, Exact | Itemised)), st.integers(1))
def test_an_amount_that_the_parts_miss_is_refused(bill: Bill, missing: int) -> None:
    with pytest.raises(WrongTotal, match=f": {missing} too little"):
        bill.split.shares(bill.amount_minor + missing, LUNCH)
    with pytest.raises(WrongTotal, match=f": {missing} too much"):
        bill.split.shares(bill.amount_minor - missing, LUNCH)


# ── Nobody is favoured ───────────────────────────────────────────────────────────────────────────

EXPENSES = 10_000
OFF_MAX_MINOR = 200
"""Five standard deviations of a fair draw, 2.00 in most currencies."""


def off_by(expenses: Iterable[tuple[UUID, Bill]]) -> dict[str, Fraction]:
    """By member: how much more than exactly they were given, in minor units, over all expenses."""
    off: Counter[str] = Counter()
    for expense, bill in expenses:
        off.update(bill.split.shares(bill.amount_minor, expense))
        off.subtract(exact_shares(bill))
    return {who: Fraction(minor) for who, minor in off.items()}


def random_expenses(split: Split[str]) -> Iterator[tuple[UUID, Bill]]:
    luck = random.Random(repr(split))
    for _ in range(EXPENSES):
        yield UUID(int=luck.getrandbits(128), version=4), Bill(luck.randint(-5000, 50_000), split)


@pytest.mark.parametrize(
    "split",
    [
        Equal(names("ann bob")),
        Equal(names("ann bob cem")),
        Equal(names("ann bob cem dee eve")),
        Equal(NAMES[:7]),
        Shares.of({"ann": 1, "bob": 1, "cem": 2}),  # only ann and bob can tie for one spare cent
        Shares.of({"ann": 3, "bob": 1, "cem": 1, "dee": 1}),
        Shares.of({"ann": 1, "bob": 2, "cem": 3}),
        Percentage.of({"ann": "50", "bob": "25", "cem": "25"}),
        Percentage.of({"ann": "33.33", "bob": "33.33", "cem": "33.34"}),
        Adjustment.of(names("ann bob cem"), {"bob": 3}),
    ],
    ids=repr,
)
def test_over_ten_thousand_expenses_nobody_is_favoured(split: Split[str]) -> None:
    off = off_by(random_expenses(split))
    assert max(map(abs, off.values())) <= OFF_MAX_MINOR


def test_nobody_is_favoured_when_the_same_cent_is_over_each_time() -> None:
    rent = Bill(100_00, Equal(names("ann bob cem")))
    off = off_by((expense, rent) for expense, _ in random_expenses(rent.split))
    assert max(map(abs, off.values())) <= OFF_MAX_MINOR


def test_nobody_is_favoured_when_ids_follow_one_another() -> None:
    coffee = Bill(5_01, Equal(names("ann bob")))
    off = off_by((UUID(int=number, version=4), coffee) for number in range(EXPENSES))
    assert max(map(abs, off.values())) <= OFF_MAX_MINOR


def test_nobody_is_favoured_when_each_time_others_take_part() -> None:
    luck = random.Random("each time others take part")
    off = off_by(
        (expense, Bill(bill.amount_minor, Equal(tuple(luck.sample(NAMES, luck.randint(2, 7))))))
        for expense, bill in random_expenses(Equal(NAMES))
    )
    assert max(map(abs, off.values())) <= OFF_MAX_MINOR


def test_the_spare_cent_goes_by_the_expense_and_not_by_the_place_in_the_list() -> None:
    for_lunch = Equal(names("cem bob ann")).shares(100_00, LUNCH)
    for_dinner = Equal(names("cem bob ann")).shares(100_00, DINNER)
    assert for_lunch == {"cem": 33_33, "bob": 33_33, "ann": 33_34}
    assert for_dinner == {"cem": 33_33, "bob": 33_34, "ann": 33_33}


# ── Worked by hand; LUNCH gives the first spare cent of two or three equals to ann ───────────────


def shared(amount: str, split: Split[str]) -> str:
    """The shares for lunch, in minor units and in the order given: "3334 3333 3333"."""
    return " ".join(map(str, split.shares(m(amount).amount_minor, LUNCH).values()))


@pytest.mark.parametrize(
    ("amount", "members", "shares"),
    [
        ("90.00 EUR", "ann bob cem", "3000 3000 3000"),
        ("100.00 EUR", "ann bob cem", "3334 3333 3333"),
        ("-100.00 EUR", "ann bob cem", "-3334 -3333 -3333"),
        ("0.01 EUR", "ann bob cem", "1 0 0"),
        ("0.02 EUR", "ann bob cem", "1 1 0"),
        ("-0.01 EUR", "ann bob cem", "-1 0 0"),
        ("0.00 EUR", "ann bob cem", "0 0 0"),
        ("10.00 EUR", "ann", "1000"),
        ("1 JPY", "ann bob", "1 0"),
        ("100 JPY", "ann bob cem", "34 33 33"),
        ("10.000 KWD", "ann bob cem", "3334 3333 3333"),
        # 940000 / 7 = 134285 and 5 over, which go round from cem.
        (
            "9400.00 EUR",
            "ann bob cem dee eve fay gus",
            "134285 134285 134286 134286 134286 134286 134286",
        ),
    ],
)
def test_equal(amount: str, members: str, shares: str) -> None:
    assert shared(amount, Equal(names(members))) == shares


@pytest.mark.parametrize(
    ("amount", "percents", "shares"),
    [
        ("100.00 EUR", {"ann": "33.33", "bob": "33.33", "cem": "33.34"}, "3333 3333 3334"),
        ("10.00 EUR", {"ann": "33.33", "bob": "33.33", "cem": "33.34"}, "333 333 334"),
        # 1.6665, 1.6665, 1.667: a cent for cem, and one more for ann or bob.
        ("0.05 EUR", {"ann": "33.33", "bob": "33.33", "cem": "33.34"}, "2 1 2"),
        # 124.875, 374.625, 499.5: two cents over, for .875 and .625.
        ("9.99 EUR", {"ann": "12.5", "bob": "37.5", "cem": "50"}, "125 375 499"),
        ("-9.99 EUR", {"ann": "12.5", "bob": "37.5", "cem": "50"}, "-125 -375 -499"),
        ("0.01 EUR", {"ann": "50", "bob": "50"}, "1 0"),
        ("1.00 EUR", {"ann": "0.5", "bob": "99.5"}, "1 99"),  # both a half over
        ("12.34 EUR", {"ann": "100", "bob": "0"}, "1234 0"),
        ("999 JPY", {"ann": "10", "bob": "90"}, "100 899"),  # 99.9 and 899.1
    ],
)
def test_percentage(amount: str, percents: dict[str, str], shares: str) -> None:
    assert shared(amount, Percentage.of(percents)) == shares


@pytest.mark.parametrize(
    ("amount", "counts", "shares"),
    [
        ("60.00 EUR", {"ann": 1, "bob": 2, "cem": 3}, "1000 2000 3000"),
        # 16.83, 33.67, 50.5: two cents over, for .83 and .67.
        ("1.01 EUR", {"ann": 1, "bob": 2, "cem": 3}, "17 34 50"),
        # 1662.17, 3324.33, 4986.5: one over, for the half.
        ("99.73 EUR", {"ann": 1, "bob": 2, "cem": 3}, "1662 3324 4987"),
        ("-0.07 EUR", {"ann": 1, "bob": 2, "cem": 3}, "-1 -2 -4"),
        ("10.00 EUR", {"ann": 2, "bob": 0, "cem": 1}, "667 0 333"),
        ("0.01 EUR", {"ann": 1, "bob": SHARES_MAX}, "0 1"),
    ],
)
def test_shares(amount: str, counts: dict[str, int], shares: str) -> None:
    assert shared(amount, Shares.of(counts)) == shares


@pytest.mark.parametrize(
    ("amount", "adjustments", "shares"),
    [
        ("100.00 EUR", {}, "3334 3333 3333"),
        ("100.00 EUR", {"bob": 10_00}, "3000 4000 3000"),
        ("-100.00 EUR", {"bob": -10_00}, "-3000 -4000 -3000"),
        ("30.00 EUR", {"cem": -6_00}, "1200 1200 600"),
        ("30.00 EUR", {"cem": -15_00}, "1500 1500 0"),  # cem pays nothing: the furthest it goes
        ("30.00 EUR", {"ann": 10_00, "cem": 20_00}, "1000 0 2000"),  # nothing is left to share
        # 950 / 3 = 316 and two over, for ann and bob.
        ("10.00 EUR", {"ann": 50}, "367 317 316"),
    ],
)
def test_adjustment(amount: str, adjustments: dict[str, int], shares: str) -> None:
    assert shared(amount, Adjustment.of(names("ann bob cem"), adjustments)) == shares


@pytest.mark.parametrize(
    ("amount", "adjustments"),
    [
        ("10.00 EUR", {"ann": 10_01}),  # more than there is
        ("10.00 EUR", {"ann": 6_00, "bob": 6_00, "cem": 6_00}),  # together more than there is
        ("30.00 EUR", {"cem": -15_02}),  # cem would be paid for coming
        ("-10.00 EUR", {"ann": -10_01}),
        ("0.00 EUR", {"ann": 5, "bob": -5}),  # a payment from ann to bob, not an expense
    ],
)
def test_adjustments_that_leave_less_than_nothing_are_refused(
    amount: str, adjustments: dict[str, int]
) -> None:
    split = Adjustment.of(names("ann bob cem"), adjustments)
    with pytest.raises(WrongSign) as refused:
        split.shares(m(amount).amount_minor, LUNCH)
    assert refused.value.field == "/split/adjustments"


@pytest.mark.parametrize(
    ("amount", "bill", "shares"),
    [
        ("20.00 EUR", Itemised((item(12_00, "ann"), item(8_00, "bob"))), "1200 800"),
        # Tax and tip are 30 % of the items.
        ("26.00 EUR", Itemised((item(12_00, "ann"), item(8_00, "bob")), 2_00, 4_00), "1560 1040"),
        # 3.00 each of the starter; with 10 % tax on 23, 13 and 15.
        (
            "56.10 EUR",
            Itemised(
                (
                    item(9_00, "ann bob cem"),
                    item(20_00, "ann"),
                    item(10_00, "bob"),
                    item(12_00, "cem"),
                ),
                tax_minor=5_10,
            ),
            "2530 1430 1650",
        ),
        # A tenth off.
        (
            "36.00 EUR",
            Itemised((item(30_00, "ann"), item(10_00, "bob")), discount_minor=4_00),
            "2700 900",
        ),
        # 1033.33 each.
        (
            "31.00 EUR",
            Itemised(tuple(item(10_00, who) for who in ("ann", "bob", "cem")), tip_minor=1_00),
            "1034 1033 1033",
        ),
        # 3.33 and a third each, summed before rounding: 6.67, 6.67, 6.67, and one cent too many.
        ("20.00 EUR", Itemised((item(10_00, "ann bob cem"),) * 2), "667 667 666"),
        ("5.00 EUR", Itemised((item(5_00, "ann"), item(0, "bob"))), "500 0"),
        # A line that takes something off: bob had 10.00 less 2.50.
        (
            "17.50 EUR",
            Itemised((item(10_00, "ann bob"), item(10_00, "bob"), item(-2_50, "bob"))),
            "500 1250",
        ),
        # A voucher for everything.
        ("0.00 EUR", Itemised((item(5_00, "ann"), item(7_00, "bob")), discount_minor=12_00), "0 0"),
        (
            "-26.00 EUR",
            Itemised((item(-12_00, "ann"), item(-8_00, "bob")), -2_00, -4_00),
            "-1560 -1040",
        ),
    ],
)
def test_itemised(amount: str, bill: Itemised[str], shares: str) -> None:
    assert shared(amount, bill) == shares


def test_exact() -> None:
    assert shared("100.00 EUR", Exact.of({"ann": 60_00, "bob": 40_00, "cem": 0})) == "6000 4000 0"
    assert shared("-0.03 EUR", Exact.of({"ann": -1, "bob": -2})) == "-1 -2"


@pytest.mark.parametrize(
    ("amount", "split"),
    [
        ("10.00 EUR", Exact.of({"ann": 11_00, "bob": -1_00})),
        ("-10.00 EUR", Exact.of({"ann": -11_00, "bob": 1_00})),
        ("0.00 EUR", Exact.of({"ann": 1, "bob": -1})),
        ("10.00 EUR", Itemised((item(11_00, "ann"), item(-1_00, "bob")))),
        ("-1.00 EUR", Itemised((item(11_00, "ann"),), discount_minor=12_00)),
    ],
)
def test_a_part_that_points_the_other_way_is_refused(amount: str, split: Split[str]) -> None:
    with pytest.raises(WrongSign):
        split.shares(m(amount).amount_minor, LUNCH)


# ── Inputs are kept ──────────────────────────────────────────────────────────────────────────────


def test_what_was_typed_is_what_is_kept() -> None:
    split = Percentage.of({"bob": "33.330", "ann": "66.67"})
    assert split.parts == (PercentPart("bob", "33.330"), PercentPart("ann", "66.67"))
    assert split.members == ("bob", "ann")


def test_the_short_form_says_the_same_as_the_long_one() -> None:
    assert Exact.of({"ann": 1}) == Exact((Part("ann", 1),))
    assert Percentage.of({"ann": "100"}) == Percentage((PercentPart("ann", "100"),))
    assert Shares.of({"ann": 1}) == Shares((SharesPart("ann", 1),))
    assert Adjustment.of(["ann"], {"ann": 1}) == Adjustment(("ann",), (Part("ann", 1),))


@pytest.mark.parametrize("kind", [Equal, Exact, Percentage, Shares, Adjustment, Itemised])
def test_a_kind_is_called_by_its_lower_case_name(kind: type[Split[str]]) -> None:
    assert kind.kind == kind.__name__.lower()


@pytest.mark.parametrize(
    "kept",
    [
        Equal(("ann",)),
        Exact.of({"ann": 1}),
        Percentage.of({"ann": "100"}),
        Shares.of({"ann": 1}),
        Adjustment.of(["ann"], {}),
        Itemised((item(1, "ann"),)),
        Part("ann", 1),
        PercentPart("ann", "100"),
        SharesPart("ann", 1),
        item(1, "ann"),
    ],
    ids=lambda kept: type(kept).__name__,
)
def test_what_was_given_cannot_be_changed(kept: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(kept, fields(kept)[0].name, ())


# ── Refusals name the field ──────────────────────────────────────────────────────────────────────


def split_of(body: dict[str, Any]) -> Split[str]:
    """The split that a request's `split` describes."""
    match body:
        case {"kind": "equal", "members": members}:
            return Equal(tuple(members))
        case {"kind": "exact", "parts": parts}:
            return Exact(tuple(Part(**part) for part in parts))
        case {"kind": "percentage", "parts": parts}:
            return Percentage(tuple(PercentPart(**part) for part in parts))
        case {"kind": "shares", "parts": parts}:
            return Shares(tuple(SharesPart(**part) for part in parts))
        case {"kind": "adjustment", "members": members, "adjustments": adjustments}:
            return Adjustment(tuple(members), tuple(Part(**part) for part in adjustments))
        case {"kind": "itemised", "items": items, **extras}:
            lines = tuple(Item(i["amount_minor"], tuple(i["members"])) for i in items)
            return Itemised(lines, **extras)
    raise AssertionError(body)


def pointed_at(body: Any, pointer: str) -> Any:
    """What the JSON pointer points at. Raises KeyError or IndexError where there is nothing."""
    for step in pointer.split("/")[1:]:
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def part(member_id: str, amount_minor: Any) -> dict[str, Any]:
    return {"member_id": member_id, "amount_minor": amount_minor}


def percent(member_id: str, text: Any) -> dict[str, Any]:
    return {"member_id": member_id, "percent": text}


def count(member_id: str, shares: Any) -> dict[str, Any]:
    return {"member_id": member_id, "shares": shares}


def line(amount_minor: Any, *members: str) -> dict[str, Any]:
    return {"title": "Soup", "amount_minor": amount_minor, "members": [*members]}


REFUSED = [
    (NobodyNamed, "/split/members", {"kind": "equal", "members": []}),
    (NobodyNamed, "/split/parts", {"kind": "exact", "parts": []}),
    (NobodyNamed, "/split/parts", {"kind": "percentage", "parts": []}),
    (NobodyNamed, "/split/parts", {"kind": "shares", "parts": []}),
    (NobodyNamed, "/split/members", {"kind": "adjustment", "members": [], "adjustments": []}),
    (NobodyNamed, "/split/items", {"kind": "itemised", "items": []}),
    (NobodyNamed, "/split/items/0/members", {"kind": "itemised", "items": [line(100)]}),
    (
        NotInSplit,
        "/split/adjustments/1/member_id",
        {"kind": "adjustment", "members": ["ann"], "adjustments": [part("ann", 1), part("bob", 1)]},
    ),
    (NamedTwice, "/split/members/2", {"kind": "equal", "members": ["ann", "bob", "ann"]}),
    (NamedTwice, "/split/parts/1", {"kind": "exact", "parts": [part("ann", 50), part("ann", 50)]}),
    (
        NamedTwice,
        "/split/parts/1",
        {"kind": "percentage", "parts": [percent("ann", "50"), percent("ann", "50")]},
    ),
    (NamedTwice, "/split/parts/1", {"kind": "shares", "parts": [count("ann", 1), count("ann", 1)]}),
    (
        NamedTwice,
        "/split/members/1",
        {"kind": "adjustment", "members": ["ann", "ann"], "adjustments": []},
    ),
    (
        NamedTwice,
        "/split/adjustments/1",
        {"kind": "adjustment", "members": ["ann"], "adjustments": [part("ann", 1), part("ann", 1)]},
    ),
    (
        NamedTwice,
        "/split/items/1/members/1",
        {"kind": "itemised", "items": [line(50, "ann"), line(50, "bob", "bob")]},
    ),
    (WrongTotal, "/split/parts", {"kind": "exact", "parts": [part("ann", 60), part("bob", 41)]}),
    (
        WrongTotal,
        "/split/parts",
        {"kind": "percentage", "parts": [percent("ann", "50"), percent("bob", "49.99")]},
    ),
    (WrongTotal, "/split/items", {"kind": "itemised", "items": [line(90, "ann")], "tip_minor": 9}),
    (WrongSign, "/split/parts", {"kind": "exact", "parts": [part("ann", 101), part("bob", -1)]}),
    (
        WrongSign,
        "/split/adjustments",
        {"kind": "adjustment", "members": ["ann"], "adjustments": [part("ann", 101)]},
    ),
    (
        WrongSign,
        "/split/items",
        {"kind": "itemised", "items": [line(101, "ann"), line(-1, "bob")]},
    ),
    (
        WrongSign,
        "/split/discount_minor",
        {"kind": "itemised", "items": [line(100, "ann")], "discount_minor": 101},
    ),
    (BadWeights, "/split/parts", {"kind": "shares", "parts": [count("ann", 0), count("bob", 0)]}),
    (
        BadWeights,
        "/split/parts/1/shares",
        {"kind": "shares", "parts": [count("ann", 1), count("bob", -1)]},
    ),
    (
        BadWeights,
        "/split/parts/0/shares",
        {"kind": "shares", "parts": [count("ann", SHARES_MAX + 1)]},
    ),
    (
        BadWeights,
        "/split/parts/1/percent",
        {"kind": "percentage", "parts": [percent("ann", "101"), percent("bob", "-1")]},
    ),
    (
        BadWeights,
        "/split/items",
        {"kind": "itemised", "items": [line(0, "ann")], "tip_minor": 100},
    ),
    (
        NotADecimal,
        "/split/parts/1/percent",
        {"kind": "percentage", "parts": [percent("ann", "50"), percent("bob", "50%")]},
    ),
    (
        TooMany,
        "/split/items",
        {"kind": "itemised", "items": [line(1, "ann")] * (ITEMS_MAX + 1)},
    ),
]


@pytest.mark.parametrize(("refusal", "pointer", "split"), REFUSED)
def test_a_refusal_points_at_what_was_sent(
    refusal: type[Invalid], pointer: str, split: dict[str, Any]
) -> None:
    request = {"amount_minor": 100, "currency": "EUR", "split": split}
    with pytest.raises(refusal) as refused:
        split_of(split).shares(100, LUNCH)
    assert refused.value.field == pointer
    assert pointed_at(request, pointer) is not None


@pytest.mark.parametrize("number", [50.0, True, "50", None, Fraction(50)])
@pytest.mark.parametrize(
    ("pointer", "split"),
    [
        ("/parts/1/amount_minor", {"kind": "exact", "parts": [part("ann", 50), part("bob", 0)]}),
        ("/parts/0/shares", {"kind": "shares", "parts": [count("ann", 1), count("bob", 1)]}),
        (
            "/adjustments/0/amount_minor",
            {"kind": "adjustment", "members": ["ann"], "adjustments": [part("ann", 1)]},
        ),
        ("/items/0/amount_minor", {"kind": "itemised", "items": [line(50, "ann")]}),
        ("/tax_minor", {"kind": "itemised", "items": [line(50, "ann")], "tax_minor": 1}),
        ("/tip_minor", {"kind": "itemised", "items": [line(50, "ann")], "tip_minor": 1}),
        ("/discount_minor", {"kind": "itemised", "items": [line(50, "ann")], "discount_minor": 1}),
    ],
)
def test_a_number_that_is_not_an_integer_is_refused_where_it_stands(
    pointer: str, split: dict[str, Any], number: Any
) -> None:
    place, _, name = pointer.rpartition("/")
    body = deepcopy(split)
    pointed_at(body, place)[name] = number
    with pytest.raises(NotAnInteger) as refused:
        split_of(body)
    assert refused.value.field == f"/split{pointer}"


@pytest.mark.parametrize("number", [100, 100.0, True, None])
def test_a_percentage_is_text_and_never_a_number(number: Any) -> None:
    with pytest.raises(NotADecimal):
        Percentage.of({"ann": number})


@pytest.mark.parametrize(
    ("percents", "by_how_much"),
    [
        (["33.33"] * 3, "come to 99.99, not to 100: 0.01 too little"),
        (["33.34"] * 3, "come to 100.02, not to 100: 0.02 too much"),
        (["50", "40"], "come to 90, not to 100: 10 too little"),
        (["0"], "come to 0, not to 100: 100 too little"),
        # One unit in the fortieth decimal is said in full.
        (["100." + "0" * 39 + "1"], ": 0." + "0" * 39 + "1 too much"),
    ],
)
def test_percentages_that_miss_a_hundred_say_by_how_much(
    percents: list[str], by_how_much: str
) -> None:
    with pytest.raises(WrongTotal, match=by_how_much):
        Percentage.of(dict(zip(NAMES, percents, strict=False)))


def test_the_most_items_are_still_accepted() -> None:
    assert Itemised((item(1, "ann"),) * ITEMS_MAX).shares(ITEMS_MAX, LUNCH) == {"ann": ITEMS_MAX}


def test_parts_of_any_kind_are_held_against_their_amount() -> None:
    require_total(100, 100, field="/payers")
    with pytest.raises(WrongTotal, match="come to 99, the amount is 100: 1 too little") as refused:
        require_total(100, 99, field="/payers")
    assert refused.value.field == "/payers"


@pytest.mark.parametrize("parts", [[], [0], [1], [0, 5], [Fraction(1, 3)]])
def test_parts_of_any_kind_point_the_way_of_their_amount(parts: list[int | Fraction]) -> None:
    require_one_sign(7, parts, field="/payers")
    require_one_sign(-7, [-minor for minor in parts], field="/payers")
    require_one_sign(0, parts, field="/payers")
