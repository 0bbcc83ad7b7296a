"""Rows to domain values and back: the only place that knows both shapes."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from clearsplit_core.group import Event, Group
from clearsplit_core.journal import Entry, GroupId, Head, MemberId, Posting
from clearsplit_core.plain import from_plain, texts_in, to_plain
from clearsplit_core.ports import Caller, Receipt, Sealed, Standing
from clearsplit_core.records import (
    Account,
    AccountId,
    Expense,
    Member,
    PersonalToken,
    Role,
    Scope,
    SessionId,
    TokenId,
)
from clearsplit_core.records import Session as SessionRecord
from clearsplit_core.text import Text

Row = Mapping[str, Any]
Params = dict[str, Any]


# ── Out of the database ──────────────────────────────────────────────────────────────────────────


def group_of(group_id: GroupId, row: Row, details: Row | None = None) -> Group:
    """The group in `row`; its members, balances and expenses are in `details` or in `row` too."""
    inside = row if details is None else details
    texts = texts_of(inside["texts"])
    return Group(
        id=group_id,
        head=Head(row["seq"], row["head"].hex()),
        name=_text(row["name"], texts),
        currency=row["currency"],
        version=row["version"],
        created_at=row["created_at"],
        now=row["changed_at"],
        members=_members(inside["members"], texts),
        balances=balances_of(inside["balances"]),
        expenses={e.id: e for e in expenses_of(inside)} if details is not None else {},
        actor_id=inside["actor_id"],
    )


def standing_of(row: Row) -> Standing:
    return Standing(Head(row["seq"], row["head"].hex()), balances_of(row["balances"]))


def balances_of(told: Sequence[tuple[str, str, int]] | None) -> dict[tuple[MemberId, str], int]:
    return {(MemberId(UUID(who)), currency): minor for who, currency, minor in told or ()}


def expenses_of(row: Row) -> list[Expense]:
    texts = texts_of(row["texts"])
    return [from_plain(Expense, body, texts) for body in row["expenses"] or ()]


def texts_of(told: Sequence[tuple[str, str, str]] | None) -> dict[str, Text]:
    return {
        commitment: Text(words, bytes.fromhex(salt), commitment)
        for commitment, words, salt in told or ()
    }


def entry_of(group_id: GroupId, row: Row) -> Entry:
    legs = zip(
        row["leg_members"], row["leg_currencies"], row["leg_dates"], row["leg_amounts"], strict=True
    )
    return Entry(
        group_id=group_id,
        seq=row["seq"],
        at=row["at"],
        actor_id=row["actor_id"],
        event=row["event"],
        postings=tuple(Posting(*leg) for leg in legs),
        previous=row["previous"].hex(),
        hash=row["hash"].hex(),
    )


def sealed_of(row: Row) -> Sealed:
    headers = tuple((name, value) for name, value in row["headers"])
    return Sealed(row["status"], headers, row["body"], replayed=True)


def account_of(row: Row) -> Account:
    return Account(
        id=row["account_id"],
        email=row["email"],
        name=row["name"],
        password_hash=row["password_hash"],
        version=row["version"],
        created_at=row["created_at"],
        sessions=tuple(map(_session, row["sessions"] or ())),
        tokens=tuple(map(_token, row["tokens"] or ())),
    )


def token_of(row: Row) -> PersonalToken:
    return PersonalToken(
        id=TokenId(row["token_id"]),
        name=row["name"],
        scope=Scope(row["scope"]),
        digest=row["digest"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )


def _token(told: Row) -> PersonalToken:
    return token_of(_from_json(told, "token_id", "created_at", "expires_at"))


def _session(told: Row) -> SessionRecord:
    row = _from_json(told, "session_id", "started_at", "rotated_at", "expires_at")
    return SessionRecord(
        id=SessionId(row["session_id"]),
        refresh=row["refresh"],
        parent=row["parent"],
        started_at=row["started_at"],
        rotated_at=row["rotated_at"],
        expires_at=row["expires_at"],
        ended=row["ended"],
    )


def _from_json(told: Row, id_name: str, *time_names: str) -> Row:
    """A row that was told as JSON, which knows neither UUIDs nor times."""
    times = {name: datetime.fromisoformat(told[name]) for name in time_names}
    return {**told, id_name: UUID(told[id_name]), **times}


def _members(
    told: Sequence[Sequence[Any]] | None, texts: Mapping[str, Text]
) -> dict[MemberId, Member]:
    members = (
        Member(
            id=MemberId(UUID(member_id)),
            name=_text(name, texts),
            role=Role(role),
            active=active,
            account=None if account is None else _text(account, texts),
            version=version,
        )
        for member_id, name, role, active, account, version in told or ()
    )
    return {member.id: member for member in members}


def _text(commitment: str, texts: Mapping[str, Text]) -> Text:
    return texts.get(commitment) or Text.erased(commitment)


# ── Into the database ────────────────────────────────────────────────────────────────────────────


def who(caller: Caller, now: datetime) -> Params:
    return {"account_id": caller.account_id, "session_id": caller.session_id, "now": now}


def key_number(group_id: GroupId, account_id: AccountId, key: str) -> int:
    """A signed 64-bit number for an advisory lock on one idempotency key."""
    digest = hashlib.sha256(f"{group_id}/{account_id}/{key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def append_params(before: Group, after: Group, event: Event, entry: Entry) -> Params:
    """What APPEND takes: the entry, its texts, and what differs between the two groups."""
    return _entry(entry, after) | _texts(event) | _changes(before, after)


def answer_params(caller: Caller, receipt: Receipt[Any] | None, sealed: Sealed | None) -> Params:
    if receipt is None or sealed is None:
        names = ("key", "fingerprint", "status", "headers", "body")
        return dict.fromkeys(names) | {"account_id": caller.account_id}
    return {
        "account_id": caller.account_id,
        "key": receipt.key,
        "fingerprint": receipt.fingerprint,
        "status": sealed.status,
        "headers": Jsonb([list(header) for header in sealed.headers]),
        "body": sealed.body,
    }


def account_params(account: Account) -> Params:
    names = ("email", "name", "password_hash", "version", "created_at")
    return {"account_id": account.id} | {name: getattr(account, name) for name in names}


def session_params(account_id: AccountId, session: SessionRecord) -> Params:
    names = ("refresh", "parent", "started_at", "rotated_at", "expires_at", "ended")
    ids = {"session_id": session.id, "account_id": account_id}
    return ids | {name: getattr(session, name) for name in names}


def token_params(account_id: AccountId, token: PersonalToken) -> Params:
    names = ("name", "digest", "created_at", "expires_at")
    ids = {"account_id": account_id, "token_id": token.id, "scope": token.scope.value}
    return ids | {name: getattr(token, name) for name in names}


def _entry(entry: Entry, after: Group) -> Params:
    legs = entry.postings
    return {
        "group_id": entry.group_id,
        "seq": entry.seq,
        "at": entry.at,
        "actor_id": entry.actor_id,
        "event": Jsonb(entry.event),
        "leg_members": [leg.member_id for leg in legs],
        "leg_currencies": [leg.currency for leg in legs],
        "leg_dates": [leg.effective_date for leg in legs],
        "leg_amounts": [leg.amount_minor for leg in legs],
        "leg_balances": [after.balances[leg.member_id, leg.currency] for leg in legs],
        "previous": bytes.fromhex(entry.previous),
        "hash": bytes.fromhex(entry.hash),
    }


def _changes(before: Group, after: Group) -> Params:
    seats = [m for m in after.members.values() if before.members.get(m.id) is not m]
    expenses = [e for e in after.expenses.values() if before.expenses.get(e.id) is not e]
    return {
        "name": after.name.commitment,
        "currency": after.currency,
        "version": after.version,
        "created_at": after.created_at,
        "members": Jsonb([_member(member) for member in seats]),
        "expenses": Jsonb([to_plain(expense) for expense in expenses]),
    }


def _member(member: Member) -> Params:
    account_id = member.account_id
    return {
        "member_id": str(member.id),
        "name": member.name.commitment,
        "role": member.role.value,
        "active": member.active,
        "account": member.account and member.account.commitment,
        "account_id": account_id and str(account_id),
        "version": member.version,
    }


def _texts(event: Event) -> Params:
    told = list(texts_in(event))
    return {
        "commitments": [text.commitment for text in told],
        "words": [text.words for text in told],
        "salts": [text.salt for text in told],
    }
