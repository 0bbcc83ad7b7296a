"""Access: who may use a route at all, as far as it decides what a caller is told.

The rules stand in the core and are applied again by every command. A route names the one that is
its door, so that a stranger who also sends a broken body learns no more than that there is nothing
here (the order of statuses in the HTTP contract).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol, TypeAlias
from uuid import UUID

from clearsplit_core.comments import expense_to_comment_on
from clearsplit_core.errors import Refusal, VersionMismatch
from clearsplit_core.expenses import expense_to_change
from clearsplit_core.group import Group, Right
from clearsplit_core.invites import invite_on_offer, invite_to_manage
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.members import seat_to_give_up, seat_to_manage
from clearsplit_core.payments import payment_to_confirm, payment_to_void
from clearsplit_core.ports import Needs
from clearsplit_core.records import (
    CommentId,
    ExpenseId,
    InviteId,
    PaymentId,
    SessionId,
    Settlement,
    SettlementId,
    TokenId,
    TransferId,
)
from clearsplit_core.settlements import settlement_to_record_in
from clearsplit_http.preconditions import Tag


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids in a request's path."""

    by_name: Mapping[str, UUID]

    @property
    def group_id(self) -> GroupId:
        return GroupId(self.by_name["group_id"])

    @property
    def member_id(self) -> MemberId:
        return MemberId(self.by_name["member_id"])

    @property
    def expense_id(self) -> ExpenseId:
        return ExpenseId(self.by_name["expense_id"])

    @property
    def comment_id(self) -> CommentId:
        return CommentId(self.by_name["comment_id"])

    @property
    def payment_id(self) -> PaymentId:
        return PaymentId(self.by_name["payment_id"])

    @property
    def invite_id(self) -> InviteId:
        return InviteId(self.by_name["invite_id"])

    @property
    def settlement_id(self) -> SettlementId:
        return SettlementId(self.by_name["settlement_id"])

    @property
    def transfer_id(self) -> TransferId:
        return TransferId(self.by_name["transfer_id"])

    @property
    def session_id(self) -> SessionId:
        return SessionId(self.by_name["session_id"])

    @property
    def token_id(self) -> TokenId:
        return TokenId(self.by_name["token_id"])

    @property
    def needs(self) -> Needs:
        """What a door must see of the group to judge."""
        return Needs(
            founds="group_id" not in self.by_name,
            expenses=frozenset(map(ExpenseId, self._named("expense_id"))),
            payments=frozenset(map(PaymentId, self._named("payment_id"))),
            invites=frozenset(map(InviteId, self._named("invite_id"))),
            settlements=frozenset(map(SettlementId, self._named("settlement_id"))),
        )

    def _named(self, name: str) -> Sequence[UUID]:
        """The id of that name, if the path has it."""
        return [self.by_name[name]] if name in self.by_name else []


class Versioned(Protocol):
    """What an If-Match header can be about."""

    @property
    def version(self) -> int: ...


def tag_of(thing: Versioned) -> Tag:
    """The ETag of a record."""
    return Tag(thing.version, thing.revision if isinstance(thing, Settlement) else 0)


Door: TypeAlias = Callable[[Group, Ids], Versioned]
"""Answers what a change would be about, or raises the refusal that keeps the caller out."""


def anybody(group: Group, _ids: Ids) -> Versioned:
    """Whoever is signed in: there is nothing to protect yet."""
    return group


def members(group: Group, _ids: Ids) -> Versioned:
    """Raises ThingNotFound."""
    group.require(Right.READ)
    return group


def recorders(group: Group, _ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    group.require(Right.RECORD)
    return group


def managers(group: Group, _ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    group.require(Right.MANAGE)
    return group


def readers_of_the_member(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound."""
    group.require(Right.READ)
    return group.member(ids.member_id)


def readers_of_the_expense(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound."""
    group.require(Right.READ)
    return group.expense(ids.expense_id)


def commenters_on_the_expense(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return expense_to_comment_on(group, ids.expense_id)


def managers_of_the_member(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return seat_to_manage(group, ids.member_id)


def removers_of_the_member(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return seat_to_give_up(group, ids.member_id)


def managers_of_the_invite(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return invite_to_manage(group, ids.invite_id)


def invited(group: Group, ids: Ids) -> Versioned:
    """Whoever brings the secret of an invite that is good. Raises ThingNotFound."""
    return invite_on_offer(group, ids.invite_id)


def changers_of_the_expense(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return expense_to_change(group, ids.expense_id)


def confirmers_of_the_payment(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return payment_to_confirm(group, ids.payment_id)


def voiders_of_the_payment(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return payment_to_void(group, ids.payment_id)


def payers_of_the_transfer(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    settlement = settlement_to_record_in(group, ids.settlement_id)
    settlement.transfer(ids.transfer_id)
    return settlement


def voiders_of_the_settlement(group: Group, ids: Ids) -> Versioned:
    """Raises ThingNotFound, InsufficientRole."""
    return settlement_to_record_in(group, ids.settlement_id)


ROLELESS: Final = frozenset(
    {anybody, members, invited, readers_of_the_member, readers_of_the_expense}
)
"""The doors at which no role is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse a request that was found wrong before any store was asked.

    As a command it is refused in the right order: first whatever a store finds (an ended session, a
    key that was used before), then whoever may not come in, then a version that is not the present
    one, and only then for what is wrong.
    """

    group_id: GroupId
    needs: Needs
    door: Door
    ids: Ids
    expected: Tag | None = None
    refusal: Refusal

    def decide(self, group: Group) -> NoReturn:
        concerned = self.door(group, self.ids)
        present = tag_of(concerned)
        if self.expected not in (None, present):
            raise VersionMismatch(version=present.version, revision=present.revision)
        raise self.refusal
