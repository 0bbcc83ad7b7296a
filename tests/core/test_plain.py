"""Plain trees: what a value becomes when it is stored, hashed and read again."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, TypeAlias
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearsplit_core.comments import CommentAdded
from clearsplit_core.errors import JournalBroken
from clearsplit_core.expenses import (
    ExpenseRecorded,
    ExpenseRestored,
    ExpenseRevised,
    ExpenseVoided,
)
from clearsplit_core.group import Event, event_of
from clearsplit_core.groups import GroupCreated, GroupDeleted, GroupRestored, GroupRevised
from clearsplit_core.invites import InviteAccepted, InviteMade, InviteRevoked
from clearsplit_core.journal import MemberId
from clearsplit_core.members import (
    MemberAdded,
    MemberDeactivated,
    MemberRevised,
    MemberUnlinked,
)
from clearsplit_core.payments import PaymentConfirmed, PaymentRecorded, PaymentVoided
from clearsplit_core.plain import (
    Plain,
    Texts,
    Written,
    canonical,
    from_plain,
    text_of_id,
    texts_in,
    to_plain,
    to_plain_like,
)
from clearsplit_core.records import (
    Account,
    CommentId,
    Member,
    OfPlan,
    Outcome,
    PaymentState,
    Posted,
    Role,
    Session,
    SettlementId,
    Strategy,
    Terms,
    TransferId,
    outcome_of,
)
from clearsplit_core.settlements import SettlementComputed, SettlementVoided
from clearsplit_core.splits import (
    Adjustment,
    Equal,
    Exact,
    Item,
    Itemised,
    Percentage,
    PercentPart,
    Shares,
    SharesPart,
    Split,
)
from clearsplit_core.text import Text
from tests.literals import (
    NOON,
    TODAY,
    account,
    expense,
    expense_called,
    group,
    invite_called,
    linked,
    member,
    members,
    parts,
    payment,
    payment_called,
    session,
    settlement,
    terms,
    text,
)
from tests.stories import any_terms

Tree: TypeAlias = Plain

trees: Final[st.SearchStrategy[Tree]] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

TAXI: Final = ExpenseRecorded(
    expense_id=expense_called("Taxi"),
    terms=terms("Taxi", "12.00 EUR", category="travel", memo="late\nand wet"),
    outcome=outcome_of(terms("Taxi", "12.00 EUR"), expense_called("Taxi")),
)
PLAN: Final = group().then(expense("Dinner")).then(settlement()).settlement()
EVENTS: Final[Mapping[str, Event]] = {
    "comment-added": CommentAdded(
        comment_id=CommentId(UUID(int=1)), expense_id=expense_called("Taxi"), said=text("Why?")
    ),
    "group-created": GroupCreated(name=text("Trip"), currency="EUR", founder=linked("ann")),
    "group-revised": GroupRevised(
        name=text("Trip"), archived=True, simplify=False, payments_need_confirmation=True
    ),
    "group-deleted": GroupDeleted(),
    "group-restored": GroupRestored(),
    "member-added": MemberAdded(member=linked("bob", Role.VIEWER, active=False)),
    "member-revised": MemberRevised(member=linked("bob"), ended=(invite_called("Bob"),)),
    "member-deactivated": MemberDeactivated(member=linked("bob", active=False), ended=()),
    "member-unlinked": MemberUnlinked(member=replace(linked("bob"), account=None), ended=()),
    "invite-made": InviteMade(
        invite_id=invite_called("Bob"), member_id=None, role=Role.VIEWER, expires_at=NOON
    ),
    "invite-revoked": InviteRevoked(invite_id=invite_called("Bob")),
    "invite-accepted": InviteAccepted(
        invite_id=invite_called("Bob"), member=linked("bob"), ended=(invite_called("Cem"),)
    ),
    "expense-recorded": TAXI,
    "expense-revised": ExpenseRevised(
        expense_id=TAXI.expense_id, terms=TAXI.terms, outcome=TAXI.outcome
    ),
    "expense-voided": ExpenseVoided(expense_id=TAXI.expense_id),
    "expense-restored": ExpenseRestored(expense_id=TAXI.expense_id),
    "payment-recorded": PaymentRecorded(
        payment_id=payment_called("Cash"),
        from_member_id=member("bob"),
        to_member_id=member("ann"),
        amount_minor=2000,
        currency="EUR",
        date=TODAY,
        memo=text("at the door"),
        state=PaymentState.PENDING,
        pays=OfPlan(SettlementId(member("plan")), TransferId(member("transfer"))),
    ),
    "settlement-computed": SettlementComputed(
        settlement_id=PLAN.id,
        strategy=Strategy.FEWEST,
        transfers=PLAN.transfers,
        by_currency=PLAN.by_currency,
    ),
    "settlement-voided": SettlementVoided(settlement_id=PLAN.id, reason=text("Another way.")),
    "payment-confirmed": PaymentConfirmed(payment_id=payment_called("Cash")),
    "payment-voided": PaymentVoided(payment_id=payment_called("Cash"), reason=text("It bounced.")),
}
"""One event of each kind."""

SIGNED_IN: Final = Session(
    id=session("phone"),
    refresh="ab" * 32,
    parent=None,
    started_at=NOON,
    rotated_at=NOON,
    expires_at=NOON + timedelta(days=30),
    ended=False,
)
RECORDS: Final[Mapping[str, object]] = {
    "a member": linked("ann", Role.OWNER),
    "a guest": group("ann bob").group.members[member("bob")],
    "an expense": group().then(expense("Dinner")).expense("Dinner"),
    "a settlement": replace(
        PLAN, by_currency=(replace(PLAN.by_currency[0], optimal=None, proof="{}"),)
    ),
    "a payment": group().then(payment(allow_overpay=True)).payment(),
    "a converted outcome": Outcome(
        parts("ann 10.00"), Posted(parts("ann 9.20"), parts("bob 9.20"))
    ),
    "a session": SIGNED_IN,
    "an account": Account(
        id=account("ann"),
        email="ann@example.org",
        name="Ann",
        password_hash="$2b$…",
        version=3,
        created_at=NOON,
        sessions=(SIGNED_IN,),
    ),
}
SPLITS: Final[Mapping[str, Split[MemberId]]] = {
    "equal": Equal(members("ann bob")),
    "exact": Exact(parts("ann 4.00, bob 6.00")),
    "percentage": Percentage(
        (PercentPart(member("ann"), "33.34"), PercentPart(member("bob"), "66.66"))
    ),
    "shares": Shares((SharesPart(member("ann"), 2), SharesPart(member("bob"), 0))),
    "adjustment": Adjustment(members("ann bob"), parts("bob 5.00")),
    "itemised": Itemised(
        (Item(800, members("ann bob"), text("Soup")), Item(200, members("bob"))), 30, 20, 50
    ),
}


def stored(value: object, luck: random.Random) -> object:
    """`value` as it comes back from a store: through JSON, the keys in any order."""
    return json.loads(json.dumps(_shuffled(to_plain(value), luck)))


def _shuffled(tree: Tree, luck: random.Random) -> Tree:
    if isinstance(tree, list):
        return [_shuffled(item, luck) for item in tree]
    if isinstance(tree, dict):
        keys = luck.sample(sorted(tree), len(tree))
        return {key: _shuffled(tree[key], luck) for key in keys}
    return tree


def texts_of(value: object) -> Texts:
    return {found.commitment: found for found in texts_in(value)}


def exactly(tree: Tree) -> str:
    """Trees that differ anywhere, in type as in value, differ in this."""
    return json.dumps(tree, sort_keys=True)


# ── The bytes that a hash covers ─────────────────────────────────────────────────────────────────


def decoded(content: bytes) -> Tree:
    """What `canonical` wrote, by a reader that shares nothing with it."""
    tree, rest = _read(content)
    assert rest == b""
    return tree


def _read(content: bytes) -> tuple[Tree, bytes]:
    mark, content = content[:1], content[1:]
    if mark in (b"n", b"t", b"f"):
        return {b"n": None, b"t": True, b"f": False}[mark], content
    digits, _, content = content.partition(b":")
    length = int(digits)
    if mark == b"s":
        return content[:length].decode(), content[length:]
    if mark == b"i":
        return int(content[:length]), content[length:]
    if mark == b"l":
        return _read_list(length, content)
    assert mark == b"d"
    return _read_dict(length, content)


def _read_list(length: int, content: bytes) -> tuple[list[Tree], bytes]:
    items: list[Tree] = []
    for _ in range(length):
        item, content = _read(content)
        items.append(item)
    return items, content


def _read_dict(length: int, content: bytes) -> tuple[dict[str, Tree], bytes]:
    pairs, content = _read_list(2 * length, content)
    keys = [key for key in pairs[::2] if isinstance(key, str)]
    return dict(zip(keys, pairs[1::2], strict=True)), content


@given(trees)
def test_canonical_bytes_can_be_read_back_so_no_two_trees_share_them(tree: Tree) -> None:
    assert exactly(decoded(canonical(tree))) == exactly(tree)


@given(trees, st.randoms(use_true_random=False))
def test_canonical_bytes_do_not_depend_on_the_order_of_keys(
    tree: Tree, luck: random.Random
) -> None:
    assert canonical(_shuffled(tree, luck)) == canonical(tree)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, "n"),
        (True, 1),
        (False, 0),
        (1, "1"),
        ("", []),
        ([], {}),
        (["ab"], ["a", "b"]),
        ([["a"], "b"], [["a", "b"]]),
        ({"a": "b"}, ["a", "b"]),
        ("i1:1", 1),
    ],
)
def test_trees_that_look_alike_have_different_bytes(one: Tree, other: Tree) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize("number", [0.0, 1.0, 1.5])
def test_a_float_has_no_canonical_bytes(number: float) -> None:
    with pytest.raises(JournalBroken, match="holds no float"):
        canonical({"amount_minor": number})  # type: ignore[dict-item]  # what a type checker refuses


def test_canonical_bytes_are_today_what_they_were_on_the_first_day() -> None:
    tree: Tree = {"é": [1, -20, None], "a": {"yes": True, "no": False}, "z": ""}
    written = "d3:s1:ad2:s2:nofs3:yests1:zs0:s2:él3:i1:1i3:-20n"
    assert canonical(tree) == written.encode()


@given(trees, trees)
def test_what_is_written_already_stands_in_a_tree_as_it_is(one: Tree, other: Tree) -> None:
    assert canonical([one, Written(canonical(other).decode())]) == canonical([one, other])


# ── Events and records ───────────────────────────────────────────────────────────────────────────


def test_every_kind_of_event_has_an_example_here() -> None:
    assert EVENTS.keys() == Event.by_kind.keys()


@pytest.mark.parametrize("kind", EVENTS)
@given(luck=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_an_event_comes_back_from_a_store_as_it_was(kind: str, luck: random.Random) -> None:
    event = EVENTS[kind]
    assert event_of(_plain(stored(event, luck)), texts_of(event)) == event


def _plain(tree: object) -> dict[str, Tree]:
    assert isinstance(tree, dict)
    return tree


@pytest.mark.parametrize("name", RECORDS)
@given(luck=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_a_record_comes_back_from_a_store_as_it_was(name: str, luck: random.Random) -> None:
    record = RECORDS[name]
    assert from_plain(type(record), stored(record, luck), texts_of(record)) == record


@pytest.mark.parametrize("kind", SPLITS)
def test_every_split_keeps_its_inputs_in_a_store(kind: str) -> None:
    said = terms("Bill", "10.00 EUR", among=SPLITS[kind])
    assert from_plain(Terms, stored(said, random.Random(1)), texts_of(said)) == said


@given(any_terms(), st.randoms(use_true_random=False))
def test_terms_come_back_from_a_store_as_they_were(said: Terms, luck: random.Random) -> None:
    assert from_plain(Terms, stored(said, luck), texts_of(said)) == said


@given(any_terms())
def test_a_plain_tree_says_no_word_that_a_person_wrote(said: Terms) -> None:
    title = said.title.words
    assert title is not None
    assert json.dumps(title) not in json.dumps(to_plain(said))


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("kind", EVENTS)
def test_a_records_tree_is_the_same_beside_the_tree_of_any_event(name: str, kind: str) -> None:
    record, event = RECORDS[name], EVENTS[kind]
    assert to_plain_like(record, event, _plain(to_plain(event))) == to_plain(record)


def test_what_an_event_has_as_well_is_taken_from_its_tree() -> None:
    (event,) = expense("Dinner").decide(group().group).events
    recorded = group().then(expense("Dinner")).expense("Dinner")
    assert isinstance(event, ExpenseRecorded)
    dinner = replace(recorded, terms=event.terms)
    told: dict[str, Tree] = {"terms": "as it was told", "outcome": "an equal one"}
    expected = {**_plain(to_plain(dinner)), "terms": "as it was told"}
    assert to_plain_like(dinner, event, told) == expected


@given(st.uuids())
def test_the_text_of_an_id_is_what_str_says(value: UUID) -> None:
    assert (text_of_id(value), text_of_id(UUID(int=value.int))) == (str(value), str(value))


def test_an_event_says_its_kind_and_all_its_fields() -> None:
    plain = to_plain(MemberAdded(member=linked("bob")))
    assert plain == {
        "kind": "member-added",
        "member": {
            "id": str(member("bob")),
            "name": text("bob").commitment,
            "role": "member",
            "active": True,
            "account": text(str(account("bob"))).commitment,
            "version": 1,
        },
    }


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (UUID("11111111-1111-4111-8111-111111111111"), "11111111-1111-4111-8111-111111111111"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "2026-01-31T23:59:00.000000Z"),
        (
            datetime(2026, 1, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5))),
            "2026-02-01T04:59:00.000000Z",
        ),
        (datetime(999, 1, 1, tzinfo=UTC), "0999-01-01T00:00:00.000000Z"),
        (date(999, 1, 1), "0999-01-01"),
        (Role.OWNER, "owner"),
        ((1, None, True), [1, None, True]),
    ],
)
def test_a_value_has_one_plain_form(value: object, plain: Tree) -> None:
    assert exactly(to_plain(value)) == exactly(plain)


_MEMBER: Final = {
    "id": str(member("ann")), "name": "", "role": "member", "active": True, "account": None,
    "version": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        "member",
        {},
        {**_MEMBER, "more": 1},
        {**_MEMBER, "version": "1"},
        {**_MEMBER, "version": True},
        {**_MEMBER, "version": 1.0},
        {**_MEMBER, "active": 1},
        {**_MEMBER, "role": "king"},
        {**_MEMBER, "role": []},
        {**_MEMBER, "id": "ann"},
        {**_MEMBER, "id": 7},
        {**_MEMBER, "id": None},
        {**_MEMBER, "name": None},
        {**_MEMBER, "name": 7},
        {**_MEMBER, "account": 7},
    ],
)
def test_a_tree_of_another_shape_is_refused(tree: object) -> None:
    with pytest.raises(JournalBroken):
        from_plain(Member, tree, {})


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "king", "members": []},
        {"kind": [], "members": []},
        {"members": [str(member("ann"))]},
        {"kind": "exact", "members": [str(member("ann"))]},
        {"kind": "equal", "members": str(member("ann"))},
        [],
        None,
    ],
)
def test_a_split_that_nobody_knows_is_refused(split: object) -> None:
    tree = to_plain(terms("Bill", "10.00 EUR"))
    assert isinstance(tree, dict)
    with pytest.raises(JournalBroken):
        from_plain(Terms, {**tree, "split": split}, {})


@pytest.mark.parametrize(
    "share",
    [
        None,
        7,
        "ab",
        ["ann", 7],
        {"member_id": str(member("ann"))},
        {"member_id": str(member("ann")), "share_minor": 7},
        {"member_id": str(member("ann")), "amount_minor": 7, "kind": "part"},
        {"member_id": str(member("ann")), "amount_minor": True},
        {"member_id": str(member("ann")), "amount_minor": "7"},
        {"member_id": "ann", "amount_minor": 7},
        {"member_id": 7, "amount_minor": 7},
    ],
)
def test_one_share_of_another_shape_is_refused_among_good_ones(share: object) -> None:
    good = {"member_id": str(member("bob")), "amount_minor": 7}
    with pytest.raises(JournalBroken):
        from_plain(Outcome, {"shares": [good, share], "posted": None}, {})


def test_stored_terms_that_do_not_add_up_are_refused() -> None:
    tree = to_plain(terms("Bill", "10.00 EUR"))
    assert isinstance(tree, dict)
    with pytest.raises(JournalBroken):
        from_plain(Terms, {**tree, "amount_minor": 999}, {})


@pytest.mark.parametrize(
    "tree", [None, [], "group-created", {}, {"kind": "king"}, {"kind": None}, {"kind": []}]
)
def test_an_event_of_a_kind_that_nobody_knows_is_refused(tree: Tree) -> None:
    with pytest.raises(JournalBroken):
        event_of(tree, {})


# ── Texts ────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_was_erased_comes_back_erased_and_the_rest_as_it_was() -> None:
    bill = Item(1_000, members("ann bob"), text("Oysters"))
    said = terms("Dinner", "10.00 EUR", among=Itemised((bill,)), memo="for Bob")
    left = {key: kept for key, kept in texts_of(said).items() if kept.words == "for Bob"}

    read = from_plain(Terms, to_plain(said), left)

    assert (read.title, read.memo) == (Text.erased(text("Dinner").commitment), text("for Bob"))
    assert to_plain(read) == to_plain(said)
    assert list(texts_in(read)) == [text("for Bob")]


@given(any_terms())
def test_texts_are_found_wherever_they_stand(said: Terms) -> None:
    items = said.split.items if isinstance(said.split, Itemised) else ()
    all_texts = [said.title, said.category, said.memo, *(item.title for item in items)]
    assert texts_of(said) == {found.commitment: found for found in all_texts if found}
