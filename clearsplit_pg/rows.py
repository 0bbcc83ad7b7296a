"""Rows to domain values and back: the only place that knows both shapes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from operator import attrgetter, is_
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from clearsplit_core.debts import Debts
from clearsplit_core.group import Event, Group
from clearsplit_core.journal import Entry, GroupId, Head, MemberId, Posting
from clearsplit_core.plain import (
    Plain,
    Texts,
    from_plain,
    id_of,
    text_of_id,
    texts_in,
    to_plain,
    to_plain_like,
)
from clearsplit_core.ports import Caller, Command, Needs, Receipt, Sealed
from clearsplit_core.questions import Link, MyBalance, Standing
from clearsplit_core.questions.reasons import Happened, said_in, words_of
from clearsplit_core.records import (
    Account,
    AccountId,
    Comment,
    Expense,
    ExpenseId,
    Invite,
    Member,
    Payment,
    PersonalToken,
    Role,
    Scope,
    SessionId,
    Settlement,
    SettlementNow,
    TokenId,
)
from clearsplit_core.records import Session as SessionRecord
from clearsplit_core.text import Text

R = TypeVar("R")
T = TypeVar("T")
Row = Mapping[str, Any]
Params = dict[str, Any]

BEFORE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""A time before the first entry of any journal."""
SETTINGS: Final = (
    "archived",
    "deleted",
    "simplify",
    "payments_need_confirmation",
    "latest_settlement_id",
    "moved_seq",
    "strayed_seq",
)
"""What a group's row says under the names that the group has for it."""


# ── Out of the database ──────────────────────────────────────────────────────────────────────────


def group_of(group_id: GroupId, row: Row, inside: Row) -> Group:
    """The group in `row`, whose members, balances and texts are `inside`, bare of all else."""
    texts = texts_of(inside["texts"])
    settings = {name: row[name] for name in SETTINGS}
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
        actor_id=inside["actor_id"],
        **settings,
    )


def loaded(group_id: GroupId, row: Row, more: Row | None) -> Group:
    """The group as a command needs it: `row` has members and expenses, `more` the rest."""
    expenses = {each.id: each for each in expenses_of(row)}
    if more is None:
        return replace(group_of(group_id, row, row), expenses=expenses)
    texts = texts_of(more["texts"])
    return replace(
        group_of(group_id, row, {**row, "texts": more["texts"]}),
        expenses=expenses,
        debts=debts_of(more["debts"]),
        payments=_by_id(records_of(Payment, more["payments"], texts)),
        settlements=_by_id(records_of(Settlement, more["settlements"], texts)),
        invites=_by_id(records_of(Invite, more["invites"], texts)),
        comments=_by_id(records_of(Comment, more["comments"], texts)),
    )


def _by_id(records: Iterable[T]) -> dict[Any, T]:
    return {each.id: each for each in records}  # type: ignore[attr-defined]  # every record has one


def records_of(shape: type[T], bodies: Sequence[object] | None, texts: Texts) -> list[T]:
    """The records whose plain trees are `bodies`."""
    return [from_plain(shape, body, texts) for body in bodies or ()]


def debts_of(told: Sequence[tuple[str, str, str, int]] | None) -> Debts:
    return {
        (MemberId(id_of(debtor)), MemberId(id_of(creditor)), currency): minor
        for debtor, creditor, currency, minor in told or ()
    }


def standing_of(row: Row) -> Standing:
    return Standing(Head(row["seq"], row["head"].hex()), balances_of(row["balances"]))


def my_balance_of(row: Row) -> MyBalance:
    return MyBalance(GroupId(row["group_id"]), row["currency"], row["balance_minor"])


def link_of(row: Row) -> Link:
    return Link(GroupId(row["group_id"]), row["needs_owner"])


def balances_of(told: Sequence[tuple[str, str, int]] | None) -> dict[tuple[MemberId, str], int]:
    return {(MemberId(id_of(who)), currency): minor for who, currency, minor in told or ()}


def expenses_of(row: Row) -> list[Expense]:
    return records_of(Expense, row["expenses"], texts_of(row["texts"]))


def payments_of(row: Row) -> list[Payment]:
    return records_of(Payment, row["payments"], texts_of(row["texts"]))


def settlements_of(row: Row) -> list[SettlementNow]:
    """The settlements, each with whether it is stale by now."""
    seqs = {"moved_seq": row["moved_seq"], "strayed_seq": row["strayed_seq"]}
    found = records_of(Settlement, row["settlements"], texts_of(row["texts"]))
    return [SettlementNow(each, stale=each.is_stale(**seqs)) for each in found]


def group_to_settle_of(group_id: GroupId, row: Row) -> Group:
    """The group with who owes whom and with its latest settlement."""
    texts = texts_of(row["settlement_texts"])
    return replace(
        group_of(group_id, row, row),
        debts=debts_of(row["debts"]),
        settlements=_by_id(records_of(Settlement, row["settlements"], texts)),
    )


def texts_of(told: Sequence[tuple[str, str, str]] | None) -> dict[str, Text]:
    return {
        commitment: Text(words, bytes.fromhex(salt), commitment)
        for commitment, words, salt in told or ()
    }


def invites_of(row: Row) -> list[Invite]:
    return records_of(Invite, row["invites"], {})


def entries_of(group_id: GroupId, told: Sequence[Sequence[Any]] | None) -> list[Entry]:
    return [_entry_of(group_id, *entry) for entry in told or ()]


def _entry_of(
    group_id: GroupId,
    seq: int,
    at: str,
    actor_id: str | None,
    event: Plain,
    leg_members: Sequence[str],
    leg_currencies: Sequence[str],
    leg_dates: Sequence[str],
    leg_amounts: Sequence[int],
    previous: str,
    hash_: str,
) -> Entry:
    legs = zip(leg_members, leg_currencies, leg_dates, leg_amounts, strict=True)
    return Entry(
        group_id=group_id,
        seq=seq,
        at=datetime.fromisoformat(at).astimezone(UTC),
        actor_id=None if actor_id is None else MemberId(id_of(actor_id)),
        event=event,
        postings=tuple(
            Posting(MemberId(id_of(member)), currency, date.fromisoformat(day), minor)
            for member, currency, day, minor in legs
        ),
        previous=previous,
        hash=hash_,
    )


def happened_of(row: Row) -> dict[int, Happened]:
    """What is needed to explain each entry, by its seq."""
    texts = texts_of(row["texts"])
    names = {MemberId(id_of(who)): words_of(_text(name, texts)) for who, name in row["names"] or ()}
    return {told[0]: _happened(texts, names, *told) for told in row["happened"] or ()}


def _happened(
    texts: Texts,
    names: Mapping[MemberId, str],
    seq: int,
    at: str,
    actor_id: str | None,
    event: Plain,
    before: Plain,
    payment: object,
) -> Happened:
    said_before = said_in(before, texts)
    return Happened(
        seq=seq,
        at=datetime.fromisoformat(at).astimezone(UTC),
        actor_id=None if actor_id is None else MemberId(id_of(actor_id)),
        event=event,
        before=said_before,
        after=said_in(event, texts) or said_before,
        payment=None if payment is None else from_plain(Payment, payment, texts),
        names=names,
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
            id=MemberId(id_of(member_id)),
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


# ── As the database should have it ───────────────────────────────────────────────────────────────


def group_row(group: Group) -> Row:
    """The group's own row, its head in hex."""
    settings = {name: getattr(group, name) for name in SETTINGS}
    return settings | {
        "name": group.name.commitment,
        "currency": group.currency,
        "version": group.version,
        "created_at": group.created_at,
        "changed_at": group.now,
        "seq": group.head.seq,
        "head": group.head.hash,
    }


def member_row(member: Member) -> Params:
    """A member's row but for its id, and for when the seat was made."""
    told = _member(member)
    return {name: told[name] for name in told if name != "member_id"}


def body_row(record: object, columns: Sequence[str]) -> Row:
    """The row of a record that is kept as a body: that, and the columns that repeat it."""
    body = to_plain(record)
    assert isinstance(body, dict), "records are dataclasses"
    return {name: body[name] for name in columns} | {"body": body}


def transfer_paid(body: Row) -> Row:
    """Which transfer of which settlement a payment's body says that it pays."""
    return body["pays"] or {"settlement_id": None, "transfer_id": None}


def seq_of(row: Row) -> int | None:
    """The entry that first told of a row."""
    recorded: int | None = row.get("recorded_seq", row.get("joined_seq"))
    return recorded


# ── Into the database ────────────────────────────────────────────────────────────────────────────


def who(caller: Caller, now: datetime) -> Params:
    return {"account_id": caller.account_id, "session_id": caller.session_id, "now": now}


def lock_params(command: Command[R], caller: Caller, receipt: Receipt[R] | None) -> Params:
    """What LOCK_AND_READ takes, but for the times and the session."""
    group_id, account_id = command.group_id, caller.account_id
    return {
        "group_id": group_id,
        "expense_ids": _array(map(text_of_id, command.needs.expenses)),
        "key": receipt and receipt.key,
        "key_number": receipt and key_number(group_id, account_id, receipt.key),
    }


def needs_params(group_id: GroupId, needs: Needs, now: datetime) -> Params:
    """What READ_MORE_FOR_DECISION takes."""
    return {
        "now": now,
        "group_id": group_id,
        "names": needs.names,
        "payment_ids": list(needs.payments),
        "pending": needs.pending,
        "settlement_ids": list(needs.settlements),
        "latest_settlement": needs.latest_settlement,
        "invite_ids": list(needs.invites),
        "open_invites": needs.open_invites,
        "comment_ids": list(needs.comments),
        "debts": needs.debts,
    }


def forget_params(group_id: GroupId, member_id: MemberId) -> Params:
    return {"group_id": group_id, "member_id": member_id}


def key_number(group_id: GroupId, account_id: AccountId, key: str) -> int:
    """A signed 64-bit number for an advisory lock on one idempotency key."""
    place = f"{text_of_id(group_id)}/{text_of_id(account_id)}/{key}"
    digest = hashlib.sha256(place.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def found_params(before: Group, after: Group) -> Params:
    """What FOUND takes: the group as its first entry made it, with the head of before."""
    return {
        "group_id": after.id,
        "name": after.name.commitment,
        "currency": after.currency,
        "at": after.created_at,
        "previous": bytes.fromhex(before.head.hash),
    }


def append_params(before: Group, after: Group, event: Event, entry: Entry) -> Params:
    """What APPEND takes: the entry, its texts, and what differs between the two groups."""
    return {
        **_entry(entry, after),
        **_debts(before.debts, after.debts),
        **_expenses(before.expenses, after.expenses, event, entry.event),
        "texts": _texts(event),
        "moved_seq": after.moved_seq,
        "strayed_seq": after.strayed_seq,
    }


LOOKED_AT: Final[Params] = dict.fromkeys(("key_number", "session_id", "now", "new_key"))
"""What APPEND takes under a lock, where the session and the key were looked at."""


def look_params(caller: Caller, group_id: GroupId, key: str | None, now: datetime) -> Params:
    """What APPEND takes where it is to look at the session and the key itself."""
    return {
        "key_number": key and key_number(group_id, caller.account_id, key),
        "session_id": caller.session_id,
        "now": now,
        "new_key": key,
    }


def answer_params(caller: Caller, receipt: Receipt[Any] | None, sealed: Sealed | None) -> Params:
    if receipt is None or sealed is None:
        names = ("key", "fingerprint", "status", "headers", "body")
        return dict.fromkeys(names) | {"account_id": caller.account_id}
    return {
        "account_id": caller.account_id,
        "key": receipt.key,
        "fingerprint": receipt.fingerprint,
        "status": sealed.status,
        "headers": _json(sealed.headers),
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
        "event": _json(entry.event),
        "leg_members": _array([text_of_id(leg.member_id) for leg in legs]),
        "leg_currencies": _array([leg.currency for leg in legs]),
        "leg_dates": _array([leg.effective_date.isoformat() for leg in legs]),
        "leg_amounts": _array([str(leg.amount_minor) for leg in legs]),
        "leg_balances": _array([str(after.balances[leg.member_id, leg.currency]) for leg in legs]),
        "previous": bytes.fromhex(entry.previous),
        "hash": bytes.fromhex(entry.hash),
    }


def _expenses(
    before: Mapping[ExpenseId, Expense],
    after: Mapping[ExpenseId, Expense],
    event: Event,
    tree: Plain,
) -> Params:
    """What an expense was and came to stands in its event mostly, which is a tree already."""
    assert isinstance(tree, dict), "events are dataclasses"
    changed = _changed(before, after)
    return {
        "expenses": _json([to_plain_like(expense, event, tree) for expense in changed]),
        "added": _array([text_of_id(each.id) for each in changed if each.id not in before]),
    }


def more_params(before: Group, after: Group) -> Params | None:
    """What KEEP_MORE takes; None where there is nothing to keep."""
    if all(map(is_, _more(before), _more(after))):
        return None
    bodies = {shelf: _bodies(getattr(before, shelf), getattr(after, shelf)) for shelf in _SHELVES}
    seats = _json([_member(seat) for seat in _changed(before.members, after.members)])
    settings = {name: getattr(after, name) for name in _SET}
    return (
        bodies
        | settings
        | {
            "group_id": after.id,
            "seq": after.head.seq,
            "members": seats,
            "name": after.name.commitment,
        }
    )


_SET: Final = (
    "version",
    "archived",
    "deleted",
    "simplify",
    "payments_need_confirmation",
    "latest_settlement_id",
)
_SHELVES: Final = ("payments", "settlements", "invites", "comments")
_more: Final = attrgetter(*_SHELVES, "members", "name", *_SET)


def _bodies(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> str:
    return _json([to_plain(record) for record in _changed(before, after)])


def _changed(before: Mapping[Any, T], after: Mapping[Any, T]) -> list[T]:
    """What is not the very same object as before: records are frozen, so identity tells."""
    if before is after:
        return []
    return [record for key, record in after.items() if before.get(key) is not record]


def _debts(before: Debts, after: Debts) -> Params:
    """By how much each debt grew. Those of before need not be all there are."""
    more: Debts = {}
    if before is not after:
        more = after if not before else {
            pair: minor - before.get(pair, 0)
            for pair, minor in after.items()
            if pair not in before or minor != before[pair]
        }  # fmt: skip
    return {
        "debtors": _array([text_of_id(debtor) for debtor, _, _ in more]),
        "creditors": _array([text_of_id(creditor) for _, creditor, _ in more]),
        "debt_currencies": _array([currency for _, _, currency in more]),
        "debts_more": _array(map(str, more.values())),
    }


def _array(items: Iterable[str]) -> str:
    """A Postgres array of ids, currencies, dates or numbers, none of which needs quotes. psycopg
    writes any list, one item at a time: that takes it longer than all the rest of an entry."""
    return "{" + ",".join(items) + "}"


def _json(tree: object) -> str:
    """As text, which Postgres reads as jsonb where it expects that; psycopg's own `Jsonb` takes
    twice as long."""
    return msgspec.json.encode(tree).decode()


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


def _texts(event: Event) -> str:
    return _json(
        [
            {
                "commitment": text.commitment,
                "words": text.words,
                "salt": text.salt and text.salt.hex(),
            }
            for text in texts_in(event)
        ]
    )
