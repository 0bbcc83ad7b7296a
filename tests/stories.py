"""Hypothesis strategies for what can happen in a group: terms of every kind, and whole journals.

Everybody in `strategies.NAMES` has a seat; ann founded the group.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeAlias

from hypothesis import strategies as st

from clearsplit_core.comments import AddComment
from clearsplit_core.errors import Refusal
from clearsplit_core.expenses import (
    Changes,
    RecordExpense,
    RestoreExpense,
    ReviseExpense,
    VoidExpense,
)
from clearsplit_core.group import Group
from clearsplit_core.groups import DeleteGroup, RestoreGroup, ReviseGroup
from clearsplit_core.journal import MemberId
from clearsplit_core.keep import KEEP
from clearsplit_core.members import UnlinkMember
from clearsplit_core.payments import ConfirmPayment, RecordPayment, VoidPayment
from clearsplit_core.ports import Command
from clearsplit_core.records import (
    CommentId,
    Expense,
    ExpenseId,
    Fx,
    Member,
    Payment,
    PaymentId,
    PaymentState,
    Role,
    Settlement,
    SettlementId,
    Strategy,
    Terms,
    TransferState,
)
from clearsplit_core.settlements import PayTransfer, VoidSettlement
from clearsplit_core.splits import (
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
)
from clearsplit_core.text import Text
from tests.literals import (
    TODAY,
    TOMORROW,
    TRIP,
    Cautious,
    Settle,
    Story,
    accepting,
    deleting,
    expense,
    founding,
    group,
    guest,
    inviting,
    leaving,
    linked,
    member,
    restoring,
    revising,
    seat,
    setting,
    story,
    uninviting,
)
from tests.strategies import NAMES

Someone: TypeAlias = MemberId

EVERYBODY: Final = group(" ".join(NAMES), "EUR")
AMOUNT_MINOR_MAX: Final = 10**6

dates: Final = st.sampled_from([TODAY, TOMORROW, TODAY.replace(year=2025)])
texts: Final = st.builds(
    Text.of,
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)
    .map(lambda words: f"{words}."),
    st.binary(min_size=32, max_size=32),
)  # fmt: skip
_someones: Final = st.lists(
    st.sampled_from(NAMES).map(member), unique=True, min_size=1, max_size=5
).map(tuple)
_currencies: Final = st.sampled_from(
    [("EUR", None), ("USD", None), ("USD", Fx("EUR", "0.92")), ("JPY", Fx("EUR", "0.0061"))]
)


# ── Terms ────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    """What an expense may say: every kind of split, several payers, refunds, two currencies."""
    size, sign = draw(st.integers(1, AMOUNT_MINOR_MAX)), draw(st.sampled_from([1, -1]))
    currency, fx = draw(_currencies)
    return Terms(
        title=draw(texts),
        amount_minor=sign * size,
        currency=currency,
        date=draw(dates),
        payers=draw(_cut(size, sign, max_parts=3)),
        split=draw(splits(size, sign)),
        category=draw(st.none() | texts),
        memo=draw(st.none() | texts),
        fx=fx,
    )


def splits(size: int, sign: int) -> st.SearchStrategy[Split[Someone]]:
    """Rules by which `sign * size` minor units can be shared."""
    return st.one_of(
        st.builds(Equal, _someones),
        st.builds(Exact, _cut(size, sign)),
        _percentages(),
        _shares(),
        _adjustments(size, sign),
        _itemised(size, sign),
    )


@st.composite
def _cut(
    draw: st.DrawFn, size: int, sign: int = 1, max_parts: int = 5
) -> tuple[Part[Someone], ...]:
    """`sign * size` in one part for each of some members; a part may be zero."""
    those = draw(_someones)[:max_parts]
    cuts = sorted(draw(st.integers(0, size)) for _ in those[1:])
    bounds = pairwise([0, *cuts, size])
    return tuple(
        Part(who, sign * (end - start)) for who, (start, end) in zip(those, bounds, strict=True)
    )


@st.composite
def _percentages(draw: st.DrawFn) -> Split[Someone]:
    hundredths = draw(_cut(10_000))
    return Percentage(
        tuple(
            PercentPart(one.member_id, f"{one.amount_minor // 100}.{one.amount_minor % 100:02}")
            for one in hundredths
        )
    )


@st.composite
def _shares(draw: st.DrawFn) -> Split[Someone]:
    first, *others = draw(_someones)
    some = [SharesPart(first, draw(st.integers(1, 9)))]
    return Shares((*some, *(SharesPart(who, draw(st.integers(0, 9))) for who in others)))


@st.composite
def _adjustments(draw: st.DrawFn, size: int, sign: int) -> Split[Someone]:
    those = draw(_someones)
    more = [Part(who, sign * draw(st.integers(0, size // len(those)))) for who in those]
    return Adjustment(those, tuple(draw(st.lists(st.sampled_from(more), unique=True))))


@st.composite
def _itemised(draw: st.DrawFn, size: int, sign: int) -> Split[Someone]:
    """The last item carries the rest, tax and tip are taken off again by the discount."""
    had = draw(_cut(size, sign))
    tax, tip = draw(st.integers(0, size)), draw(st.integers(0, size))
    items = [Item(one.amount_minor, draw(_someones), draw(st.none() | texts)) for one in had]
    return Itemised(tuple(items), sign * tax, sign * tip, sign * (tax + tip))


# ── Commands and journals ────────────────────────────────────────────────────────────────────────


def recording(number: int) -> st.SearchStrategy[RecordExpense]:
    """Recording the expense of that number, whatever it says."""
    return st.builds(
        RecordExpense,
        group_id=st.just(TRIP),
        expense_id=st.just(ExpenseId(member(f"expense {number}"))),
        terms=any_terms(),
    )


def correcting(expense: Expense) -> st.SearchStrategy[Command[Expense]]:
    """Whatever may be done to `expense` as it stands."""
    if expense.voided:
        return st.just(
            RestoreExpense(group_id=TRIP, expense_id=expense.id, expected_version=expense.version)
        )
    return st.one_of(
        st.just(
            VoidExpense(group_id=TRIP, expense_id=expense.id, expected_version=expense.version)
        ),
        st.builds(
            ReviseExpense,
            group_id=st.just(TRIP),
            expense_id=st.just(expense.id),
            expected_version=st.just(expense.version),
            changes=changes(),
        ),
    )


def changes() -> st.SearchStrategy[Changes]:
    """A new title, another day, or new terms altogether."""
    return st.one_of(
        st.builds(Changes, title=texts),
        st.builds(Changes, date=dates),
        any_terms().map(
            lambda said: Changes(
                amount_minor=said.amount_minor,
                currency=said.currency,
                payers=said.payers,
                split=said.split,
                fx=said.fx,
                memo=said.memo,
            )
        ),
    )


@st.composite
def paying(draw: st.DrawFn, number: int) -> Command[Payment]:
    """Recording the payment of that number, in a group that asks for confirmation or does not."""
    payer, receiver = draw(st.permutations(NAMES))[:2]
    recorded = RecordPayment(
        group_id=TRIP,
        payment_id=PaymentId(member(f"payment {number}")),
        from_member_id=member(payer),
        to_member_id=member(receiver),
        amount_minor=draw(st.integers(1, AMOUNT_MINOR_MAX)),
        currency=draw(st.sampled_from(["EUR", "USD"])),
        date=draw(dates),
        memo=draw(st.none() | texts),
        allow_overpay=True,
    )
    return draw(st.sampled_from([recorded, Cautious(recorded)]))


def deciding_on(payment: Payment) -> st.SearchStrategy[Command[Payment]]:
    """Whatever may be done to `payment` as it stands, unless it is voided."""
    voiding = st.builds(
        VoidPayment,
        group_id=st.just(TRIP),
        payment_id=st.just(payment.id),
        expected_version=st.just(payment.version),
        reason=st.none() | texts,
    )
    if payment.state is not PaymentState.PENDING:
        return voiding
    confirming = ConfirmPayment(
        group_id=TRIP,
        payment_id=payment.id,
        expected_version=payment.version,
        allow_overpay=True,
    )
    return st.one_of(st.just(confirming), voiding)


def commenting(number: int, expense: Expense) -> st.SearchStrategy[AddComment]:
    """Saying something about `expense`, voided or not."""
    return st.builds(
        AddComment,
        group_id=st.just(TRIP),
        expense_id=st.just(expense.id),
        comment_id=st.just(CommentId(member(f"comment {number}"))),
        said=texts,
    )


def settling(group: Group, number: int) -> Sequence[st.SearchStrategy[Command[object]]]:
    """Computing a settlement, and whatever may be done with the latest one."""
    computing = st.builds(
        Settle,
        group_id=st.just(TRIP),
        settlement_id=st.just(SettlementId(member(f"settlement {number}"))),
        strategy=st.none() | st.sampled_from(Strategy),
    )
    latest = group.latest_settlement
    if latest is None or latest.voided:
        return [computing]
    voiding = st.builds(
        VoidSettlement,
        group_id=st.just(TRIP),
        settlement_id=st.just(latest.id),
        expected_version=st.just(latest.version),
        expected_revision=st.just(latest.revision),
        reason=texts,
    )
    return [computing, voiding, *_transfers(group, latest, number)]


def _transfers(
    group: Group, latest: Settlement, number: int
) -> Sequence[st.SearchStrategy[Command[Payment]]]:
    """Paying one of the transfers that are open, in a group that asks for confirmation or not."""
    payable = [each for each in latest.transfers if each.state is TransferState.OPEN]
    if not payable or group.is_stale(latest):
        return []
    paid = st.builds(
        PayTransfer,
        group_id=st.just(TRIP),
        settlement_id=st.just(latest.id),
        transfer_id=st.sampled_from([each.id for each in payable]),
        payment_id=st.just(PaymentId(member(f"payment {number}"))),
        date=st.none() | dates,
        memo=st.none() | texts,
    )
    return [paid, paid.map(Cautious)]


@st.composite
def stories(draw: st.DrawFn, *, steps_max: int = 6) -> Story:
    """A group in which expenses, payments and settlements were recorded, and itself changed."""
    told = EVERYBODY
    for number in range(draw(st.integers(1, steps_max))):
        told = told.then(draw(_next(told, number)))
    return told


def _next(told: Story, number: int) -> st.SearchStrategy[Command[object]]:
    if told.group.deleted or told.group.archived:
        return reopening(told.group)
    known = told.group.expenses.values()
    expenses = [correcting(expense) for expense in known]
    comments = [commenting(number, expense) for expense in known]
    payments = [
        deciding_on(payment)
        for payment in told.group.payments.values()
        if payment.state is not PaymentState.VOIDED
    ]
    return st.one_of(
        recording(number),
        paying(number),
        housekeeping(told.group),
        *expenses,
        *comments,
        *payments,
        *settling(told.group, number),
    )


def housekeeping(group: Group) -> st.SearchStrategy[Command[object]]:
    """Whatever may be done to an open group itself."""
    return st.one_of(
        st.builds(
            ReviseGroup,
            group_id=st.just(TRIP),
            expected_version=st.just(group.version),
            name=st.just(KEEP) | texts,
            archived=st.just(KEEP) | st.booleans(),
            simplify=st.just(KEEP) | st.booleans(),
            payments_need_confirmation=st.just(KEEP) | st.booleans(),
        ),
        st.just(DeleteGroup(group_id=TRIP, expected_version=group.version)),
    )


def reopening(group: Group) -> st.SearchStrategy[Command[object]]:
    """What may be done to a group that takes nothing else."""
    if group.deleted:
        return st.just(RestoreGroup(group_id=TRIP, expected_version=group.version))
    return st.just(ReviseGroup(group_id=TRIP, expected_version=group.version, archived=False))


def open_stories() -> st.SearchStrategy[Story]:
    """The same, open at the end, in a group that does not ask for payments to be confirmed."""
    return stories().map(_opened)


def _opened(told: Story) -> Story:
    if told.group.deleted:
        told = told.then(RestoreGroup(group_id=TRIP, expected_version=told.group.version))
    return told.then(
        ReviseGroup(
            group_id=TRIP,
            expected_version=told.group.version,
            archived=False,
            payments_need_confirmation=False,
        )
    )


# ── Coming and going ─────────────────────────────────────────────────────────────────────────────

PEOPLE: Final = ("ann", "bob", "cem", "dee")
INVITES: Final = ("Card", "Note", "Call")
_Wish: TypeAlias = Callable[[Group, str, Role], Command[object]]


def _seat_of(group: Group, name: str) -> Member:
    """The seat called `name`, or one that nobody has."""
    return group.members.get(member(name)) or linked("nobody")


def _accepting_some(group: Group, name: str) -> Command[object]:
    """Accepting the invite made last of those that are open, or one that nobody made."""
    live = [invite.id for invite in group.live_invites]
    return replace(accepting(name), invite_id=live[-1]) if live else accepting(name)


_WISHES: Final[Sequence[_Wish]] = (
    lambda _, name, role: guest(name, role if role is not Role.OWNER else Role.MEMBER),
    lambda group, name, role: revising(name, role=role, version=_seat_of(group, name).version),
    lambda group, name, _: revising(name, returns=True, version=_seat_of(group, name).version),
    lambda group, name, _: leaving(name, version=_seat_of(group, name).version),
    lambda _, name, role: inviting(INVITES[len(name + role) % 3], role=role),
    lambda _, name, role: inviting(INVITES[len(role) % 3], to=name, role=role),
    lambda _, name, role: uninviting(INVITES[len(name + role) % 3]),
    lambda group, name, _: _accepting_some(group, name),
    lambda group, name, _: _accepting_some(group, name),
    lambda _, name, __: expense("Dinner", by=name, among=name),
    lambda group, _, role: setting(archived=role is Role.VIEWER, version=group.version),
    lambda group, _, __: deleting(version=group.version),
    lambda group, _, __: restoring(version=group.version),
    lambda _, __, ___: UnlinkMember(group_id=TRIP),
)


@st.composite
def comings_and_goings(draw: st.DrawFn) -> list[Story]:
    """What became of a group in which everybody tried whatever they could think of, step by step.

    Most of it they may not do, and then nothing happens.
    """
    told = [story(founding("ann"), seat("bob"), guest("cem"))]
    for _ in range(draw(st.integers(1, 25))):
        wish = draw(st.sampled_from(_WISHES))
        name, by = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(PEOPLE))
        try:
            command = wish(told[-1].group, name, draw(st.sampled_from(Role)))
            told.append(told[-1].then(command, by=by))
        except Refusal:
            continue
    return told
