"""Groups, their members, balances and journal on the wire."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.json import encode

from clearsplit_core.group import Group
from clearsplit_core.groups import NAME_MAX, CreateGroup, ReviseGroup
from clearsplit_core.journal import Entry, GroupId, MemberId, Posting
from clearsplit_core.keep import KEEP
from clearsplit_core.members import AddGuest, ReviseMember
from clearsplit_core.questions import MyBalance, Standing, StatementLine, ToldEntry
from clearsplit_core.records import Member, Role
from clearsplit_core.text import SALT_BYTES
from clearsplit_http.refusals import UnknownValue
from clearsplit_http.wire.resources import (
    Body,
    ChosenId,
    Currency,
    Journal,
    Resource,
    kept_or,
    new_id,
    new_text,
)

Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_MAX})]


class NewGroup(Body, frozen=True, kw_only=True):
    """A group to be; `currency` is the one that exchange rates lead to."""

    id: ChosenId | None = None
    name: Name
    currency: Currency

    def found(self, default_id: GroupId, founder_name: str) -> CreateGroup:
        """The command to create it. Raises BadId, BadText, UnknownCurrency."""
        return CreateGroup(
            group_id=default_id if self.id is None else GroupId(new_id(self.id)),
            name=new_text(self.name),
            currency=self.currency,
            founder_id=MemberId(new_id(None)),
            founder_name=new_text(founder_name),
            account_salt=secrets.token_bytes(SALT_BYTES),
        )


class GroupChanges(Body, frozen=True, kw_only=True):
    """What to change; what is left out stays as it is. An archived group can only be read, until
    `archived` is false again. `simplify`: settle in the fewest transfers, and not along who owes
    whom. `payments_need_confirmation`: a payment counts once somebody confirmed it.
    """

    name: Name | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    simplify: bool | UnsetType = UNSET
    payments_need_confirmation: bool | UnsetType = UNSET

    def revise(self, group_id: GroupId, expected_version: int) -> ReviseGroup:
        """The command to revise it. Raises BadText."""
        return ReviseGroup(
            group_id=group_id,
            expected_version=expected_version,
            name=KEEP if self.name is UNSET else new_text(self.name),
            archived=kept_or(self.archived),
            simplify=kept_or(self.simplify),
            payments_need_confirmation=kept_or(self.payments_need_confirmation),
        )


class NewMember(Body, frozen=True, kw_only=True):
    """A guest: somebody without an account, whose seat an account may claim later."""

    id: ChosenId | None = None
    name: Name
    role: Role = Role.MEMBER

    def add(self, group_id: GroupId) -> AddGuest:
        """The command to give them a seat. Raises BadId, BadText, GuestOwner."""
        return AddGuest(
            group_id=group_id,
            member_id=MemberId(new_id(self.id)),
            name=new_text(self.name),
            role=self.role,
        )


class MemberChanges(Body, frozen=True, kw_only=True):
    """What to change; what is left out stays as it is. `active: true` takes back a guest who
    had left.
    """

    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    def revise(self, group_id: GroupId, member_id: MemberId, expected_version: int) -> ReviseMember:
        """The command to revise them. Raises BadText, and UnknownValue for `active: false`."""
        if self.active is False:
            raise UnknownValue("To let a member go, DELETE them.", field="/active")
        return ReviseMember(
            group_id=group_id,
            member_id=member_id,
            expected_version=expected_version,
            name=KEEP if self.name is UNSET else new_text(self.name),
            role=kept_or(self.role),
            returns=self.active is True,
        )


class MemberAnswer(Resource, frozen=True, kw_only=True):
    """A seat in a group; a guest has no account."""

    name: str | None
    role: Role
    active: bool
    account_id: UUID | None

    @classmethod
    def of(cls, member: Member) -> Self:
        return cls(
            id=member.id,
            version=member.version,
            name=member.name.words,
            role=member.role,
            active=member.active,
            account_id=member.account_id,
        )


class GroupAnswer(Resource, frozen=True, kw_only=True):
    """A group and its members; the first of them created it."""

    name: str | None
    currency: str
    created_at: datetime | None
    archived: bool
    deleted: bool
    simplify: bool
    payments_need_confirmation: bool
    members: tuple[MemberAnswer, ...]

    @classmethod
    def of(cls, group: Group) -> Self:
        return cls(
            id=group.id,
            version=group.version,
            name=group.name.words,
            currency=group.currency,
            created_at=group.created_at,
            archived=group.archived,
            deleted=group.deleted,
            simplify=group.simplify,
            payments_need_confirmation=group.payments_need_confirmation,
            members=tuple(map(MemberAnswer.of, group.members.values())),
        )


class Balance(Struct, frozen=True, kw_only=True):
    """What the group owes a member in one currency; negative: what the member owes the group."""

    member_id: UUID
    currency: str
    balance_minor: int


class BalancesAnswer(Struct, frozen=True, kw_only=True):
    """Every member's balance in every currency that moved it; they sum to zero per currency."""

    journal: Journal
    balances: tuple[Balance, ...]

    @classmethod
    def of(cls, standing: Standing) -> Self:
        return cls(
            journal=Journal.of(standing.head),
            balances=tuple(
                Balance(member_id=member_id, currency=currency, balance_minor=minor)
                for (member_id, currency), minor in sorted(standing.balances.items(), key=_place)
            ),
        )


def _place(balance: tuple[tuple[MemberId, str], int]) -> tuple[int, str]:
    """By member and currency; ids are compared as numbers, which Python does faster."""
    (member_id, currency), _ = balance
    return member_id.int, currency


class StatementLineAnswer(Struct, frozen=True, kw_only=True):
    """What one entry did to a member's balance in one currency, and why: the amount is positive
    where the group owes the member more since. A line that moved an amount to another day alone
    has the amount 0.
    """

    seq: int
    at: datetime
    currency: str
    amount_minor: int
    balance_after_minor: int
    actor_id: UUID | None
    kind: str
    expense_id: UUID | None
    payment_id: UUID | None
    reason: str

    @classmethod
    def of(cls, line: StatementLine) -> Self:
        return cls(
            seq=line.seq,
            at=line.at,
            currency=line.currency,
            amount_minor=line.amount_minor,
            balance_after_minor=line.balance_after_minor,
            actor_id=line.actor_id,
            kind=line.kind,
            expense_id=line.expense_id,
            payment_id=line.payment_id,
            reason=line.reason,
        )


class MyBalanceAnswer(Struct, frozen=True, kw_only=True):
    """What a group owes you in one currency; negative: what you owe it."""

    group_id: UUID
    currency: str
    balance_minor: int

    @classmethod
    def of(cls, mine: MyBalance) -> Self:
        return cls(group_id=mine.group_id, currency=mine.currency, balance_minor=mine.balance_minor)


class PostingAnswer(Struct, frozen=True, kw_only=True):
    """What an entry moved: minor units, for one member, currency and day."""

    member_id: UUID
    currency: str
    effective_date: date
    amount_minor: int

    @classmethod
    def of(cls, posting: Posting) -> Self:
        return cls(
            member_id=posting.member_id,
            currency=posting.currency,
            effective_date=posting.effective_date,
            amount_minor=posting.amount_minor,
        )


class EntryAnswer(Struct, frozen=True, kw_only=True):
    """A line of the journal: who did what and when, what it moved, and its place in the chain.
    A text stands in the event as its commitment; `texts` has the words of those that were not
    erased.
    """

    seq: int
    at: datetime
    actor_id: UUID | None
    kind: str
    event: Raw
    texts: dict[str, str]
    postings: tuple[PostingAnswer, ...]
    previous: str
    hash: str

    @classmethod
    def of(cls, told: ToldEntry) -> Self:
        entry = told.entry
        return cls(
            seq=entry.seq,
            at=entry.at,
            actor_id=entry.actor_id,
            kind=_kind(entry),
            event=Raw(encode(entry.event)),
            texts={mark: text.words for mark, text in told.texts.items() if text.words is not None},
            postings=tuple(map(PostingAnswer.of, entry.postings)),
            previous=entry.previous,
            hash=entry.hash,
        )


def _kind(entry: Entry) -> str:
    assert isinstance(entry.event, Mapping), "an event is an object"
    return str(entry.event["kind"])
