"""An audit: every journal holds, and what stands beside it is what it tells.

A group is audited in one read-only transaction, so from one moment, while others go on writing. Its
journal is streamed and told again by the core, entry by entry: the chain, the sums, what each event
leads to, the texts. Then every table that is kept beside it is streamed and held against the group
that came of it. What is in memory is that group, never the journal.

A fault in the journal ends the audit of its group, since nothing after it can be trusted; so does
a page or a file that Postgres refuses to read. The other groups are audited all the same.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, LiteralString, TypeAlias, TypeVar

from psycopg import Connection, Error, IsolationLevel
from psycopg.errors import DataCorrupted, IndexCorrupted, IoError, UndefinedFile
from psycopg.rows import DictRow, dict_row

from clearsplit_core.errors import JournalBroken, Refusal, ThingNotFound
from clearsplit_core.group import Group, told_again
from clearsplit_core.journal import Entry, GroupId, Head
from clearsplit_core.journal_file import entry_line, first_line
from clearsplit_core.plain import Texts
from clearsplit_pg import rows
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import audit as sql
from clearsplit_pg.urls import normalise

FAULTS_MAX: Final = 20
"""Faults that are named for one group; there may be more."""
ROWS_AT_ONCE: Final = 500
"""Rows that are fetched in one round trip."""

DAMAGED: Final = (DataCorrupted, IndexCorrupted, IoError, UndefinedFile)
"""What Postgres says of a disk that does not give back what was written."""

K = TypeVar("K", bound=tuple[object, ...])
R = TypeVar("R")
Database: TypeAlias = Connection[DictRow]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold, and the first entry that it is about, where one can say."""

    group_id: GroupId
    seq: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Audited:
    """A group that was audited: where its journal ends, and what does not hold."""

    group_id: GroupId
    head: Head
    faults: tuple[Fault, ...]


def connected(url: str) -> Database:
    """A connection whose every transaction reads from one moment and writes nothing."""
    connection = Database.connect(normalise(url), row_factory=dict_row, client_encoding="UTF8")
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def group_ids(database: Database) -> list[GroupId]:
    """All groups that there are, in the order of their ids. Raises the errors of DAMAGED."""
    with database.transaction():
        return [GroupId(row["group_id"]) for row in database.execute(sql.GROUP_IDS)]


def group_ids_listed(database: Database) -> list[GroupId]:
    """Those that have a row of their own, for when the journal cannot be read to its end."""
    with database.transaction():
        return [GroupId(row["group_id"]) for row in database.execute(sql.GROUP_IDS_LISTED)]


def audited(database: Database, group_id: GroupId) -> Audited:
    """What an audit of one group finds."""
    audit, faults = _Audit(database, group_id), list[Fault]()
    try:
        with database.transaction(), closing(audit.faults()) as found:
            for fault in islice(found, FAULTS_MAX):
                faults.append(fault)
    except DAMAGED as error:
        faults.append(audit.unreadable(error))
    return Audited(group_id, audit.group.head, tuple(faults))


def exported(database: Database, group_id: GroupId, *, texts: bool) -> Iterator[str]:
    """The lines of a journal's file, from one moment. Raises ThingNotFound."""
    params = {"group_id": group_id}
    with database.transaction():
        row = database.execute(sql.GROUP, params).fetchone()
        if row is None:
            raise ThingNotFound(f"There is no group {group_id} in this database.")
        yield first_line(group_id, Head(row["seq"], row["head"]))
        with database.cursor(name="export") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for told in cursor.execute(sql.ENTRIES, params):
                (entry,) = rows.entries_of(group_id, [told["entry"]])
                yield entry_line(entry, rows.texts_of(told["texts"]) if texts else {})


@dataclass(slots=True)
class _Audit:
    """One group on its way through its journal."""

    database: Database
    group_id: GroupId
    group: Group = field(init=False)
    joined: dict[str, int] = field(default_factory=dict[str, int])
    """Which entry made each seat."""
    named: set[str] = field(default_factory=set[str])
    """The commitments of the texts that entries brought."""
    told: bool = False
    """Whether the journal was read to its end."""

    def __post_init__(self) -> None:
        self.group = Group.unfounded(self.group_id, rows.BEFORE)

    def faults(self) -> Generator[Fault]:
        try:
            yield from self._journal()
        except JournalBroken as broken:
            yield self._fault(broken.seq, broken.message)
            return
        self.told = True
        for found in (self._texts, self._members, self._balances, self._debts):
            yield from found()
        for shelf in self._shelves():
            yield from self._rows_that_differ(*shelf)

    def unreadable(self, error: Error) -> Fault:
        """What ended the audit, in Postgres' words, which quote nothing that people wrote."""
        seq = None if self.told else self.group.head.seq + 1
        words = error.diag.message_primary
        return self._fault(seq, f"Postgres cannot read on: {words}. Restore a backup.")

    def _fault(self, seq: int | None, said: str) -> Fault:
        return Fault(self.group_id, seq, said)

    # ── The journal ──────────────────────────────────────────────────────────────────────────────

    def _journal(self) -> Iterator[Fault]:
        """Tells it again. Raises JournalBroken; postings that differ are faults and no more."""
        postings = self._stream(sql.POSTINGS)
        waiting = next(postings, None)
        for row in self._stream(sql.ENTRIES):
            entry, texts = self._entry(row)
            self.group = told_again(self.group, entry, texts)
            self.named |= texts.keys()
            self._note_seats(entry.seq)
            kept = list[tuple[object, ...]]()
            while waiting is not None and waiting["seq"] <= entry.seq:
                kept.append(tuple(waiting.values()))
                waiting = next(postings, None)
            if kept != self._postings(entry):
                yield self._fault(entry.seq, f"Entry {entry.seq}: its postings are not its legs.")
        yield from self._head()
        if waiting is not None:
            yield self._fault(waiting["seq"], f"There are postings of {waiting['seq']}, no entry.")

    def _entry(self, row: Row) -> tuple[Entry, Texts]:
        seq = self.group.head.seq + 1
        try:
            (entry,) = rows.entries_of(self.group_id, [row["entry"]])
            return entry, rows.texts_of(row["texts"])
        except (Refusal, ValueError) as error:
            raise JournalBroken(f"Entry {seq} is broken: {error}", seq=seq) from error

    def _postings(self, entry: Entry) -> list[tuple[object, ...]]:
        return [
            (
                entry.seq,
                leg.member_id,
                leg.currency,
                leg.effective_date,
                leg.amount_minor,
                self.group.balances[leg.member_id, leg.currency],
            )
            for leg in entry.postings
        ]

    def _note_seats(self, seq: int) -> None:
        if len(self.joined) < len(self.group.members):
            for member_id in self.group.members:
                self.joined.setdefault(str(member_id), seq)

    # ── What stands beside it ────────────────────────────────────────────────────────────────────

    def _head(self) -> Iterator[Fault]:
        """The group's own row, by which a journal that was cut short is found."""
        seq = self.group.head.seq
        found = list(self._stream(sql.GROUP))
        if len(found) != 1:
            yield self._fault(None, f"groups: there are {len(found)} rows, not 1.")
            return
        (kept,) = found
        if kept["seq"] != seq:
            first = min(seq, kept["seq"]) + 1
            yield self._fault(first, f"The group's row counts {kept['seq']} entries, not {seq}.")
        elif kept["head"] != self.group.head.hash:
            yield self._fault(seq, f"The group's row has another head than entry {seq}.")
        elif kept != rows.group_row(self.group):
            yield self._fault(None, "groups: the row is not what the journal tells.")

    def _texts(self) -> Iterator[Fault]:
        for row in self._stream(sql.TEXTS):
            if row["commitment"] not in self.named:
                yield self._fault(None, f"texts: no entry names {row['commitment']}.")

    def _members(self) -> Iterator[Fault]:
        expected = {
            str(seat.id): rows.member_row(seat) | {"joined_seq": self.joined[str(seat.id)]}
            for seat in self.group.members.values()
        }
        yield from self._rows_that_differ("members", sql.MEMBERS, expected)

    def _balances(self) -> Iterator[Fault]:
        kept = {
            (row["member_id"], row["currency"]): row["balance_minor"]
            for row in self._stream(sql.BALANCES)
        }
        yield from self._sums_that_differ("balances", kept, self.group.balances)

    def _debts(self) -> Iterator[Fault]:
        kept = {
            (row["debtor_id"], row["creditor_id"], row["currency"]): row["debt_minor"]
            for row in self._stream(sql.DEBTS)
        }
        yield from self._sums_that_differ("debts", kept, self.group.debts)

    def _shelves(self) -> Iterator[tuple[str, LiteralString, Mapping[str, Row]]]:
        """The tables of records that have a body, and what they should hold."""
        group = self.group
        yield "expenses", sql.EXPENSES, _bodies(group.expenses, "recorded_seq", "version", "voided")
        yield "comments", sql.COMMENTS, _bodies(group.comments, "expense_id", "recorded_seq")
        yield (
            "invites",
            sql.INVITES,
            _bodies(group.invites, "recorded_seq", "expires_at", "state", "version"),
        )
        settlements = _bodies(group.settlements, "version", "revision", "voided")
        yield "settlements", sql.SETTLEMENTS, settlements
        payments: dict[str, Row] = {
            key: {**row, **rows.transfer_paid(row["body"])}
            for key, row in _bodies(group.payments, "recorded_seq", "version", "state").items()
        }
        yield "payments", sql.PAYMENTS, payments

    def _rows_that_differ(
        self, table: str, statement: LiteralString, expected: Mapping[str, Row]
    ) -> Iterator[Fault]:
        missing = dict(expected)
        for row in self._stream(statement):
            key = str(row.pop("id"))
            told = missing.pop(key, None)
            if told is None:
                yield self._fault(None, f"{table}: the journal tells of no {key}.")
            elif row != told:
                seq = rows.seq_of(told)
                yield self._fault(seq, f"{table}: {key} is not what the journal tells.")
        for key, told in missing.items():
            yield self._fault(rows.seq_of(told), f"{table}: {key} is missing.")

    def _sums_that_differ(
        self, table: str, kept: Mapping[K, int], told: Mapping[K, int]
    ) -> Iterator[Fault]:
        for key in {**kept, **told}:
            if kept.get(key) != told.get(key):
                name = " ".join(map(str, key))
                yield self._fault(
                    None, f"{table}: {name} is {kept.get(key)}, the journal tells {told.get(key)}."
                )

    def _stream(self, statement: LiteralString) -> Iterator[DictRow]:
        """The rows of a statement, a few at a time."""
        with self.database.cursor(name=f"audit {id(statement)}") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(statement, {"group_id": self.group_id})
            yield from cursor


def _bodies(records: Mapping[R, object], *columns: str) -> dict[str, Row]:
    """What each record's row should say: the columns that repeat it, and its body."""
    return {str(key): rows.body_row(record, columns) for key, record in records.items()}
