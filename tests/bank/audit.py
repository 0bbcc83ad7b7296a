"""The audit: what stands in the database after a run, held against what the clients were told."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

import httpx
import msgspec
import psycopg
from psycopg.errors import RestrictViolation
from psycopg.rows import TupleRow

from tests.bank.answers import Balances, Page
from tests.bank.clients import Acknowledged, Bank
from tests.bank.stream import GUESTS
from tests.drill.told import Told, verified

Database: TypeAlias = psycopg.Connection[TupleRow]

KINDS: Final = {
    "record": "expense-recorded",
    "revise": "expense-revised",
    "void": "expense-voided",
    "restore": "expense-restored",
    "pay": "payment-recorded",
    "unpay": "payment-voided",
    "settle": "settlement-computed",
}
ENTRIES: Final = """
select seq, encode(hash, 'hex'), event ->> 'kind',
       coalesce(event ->> 'expense_id', event ->> 'payment_id', event ->> 'settlement_id')::uuid,
       leg_members, leg_currencies, leg_amounts
  from entries
 where group_id = %s
 order by seq
"""


@dataclass(frozen=True)
class Entry:
    seq: int
    hash: str
    kind: str
    thing: UUID | None
    members: list[UUID]
    currencies: list[str]
    amounts: list[int]

    def tells(self, told: Acknowledged) -> bool:
        return self.kind == KINDS[told.operation.kind] and self.thing == told.thing


@dataclass
class Findings:
    """What the audit found; everything in `wrong` is a promise that was broken."""

    acknowledged: int = 0
    unknown: int = 0
    unknown_but_committed: int = 0
    missing: int = 0
    extra: int = 0
    entries: int = 0
    reads: int = 0
    machine: str = ""
    wrong: list[str] = field(default_factory=list)


def audit(bank: Bank, url: str, server_url: str) -> Findings:
    """Everything that is promised and can be seen afterwards. The database's owner asks."""
    found = Findings(len(bank.acknowledged), len(bank.unknown), reads=len(bank.reads))
    found.wrong += bank.wrong
    with psycopg.connect(url, autocommit=True) as database:
        for place, group in enumerate(bank.stream.groups):
            entries = _entries(database, group.id)
            found.entries += len(entries)
            found.wrong += _gaps(place, entries)
            _account(found, place, entries, bank)
            found.wrong += _reads(entries, [told for where, told in bank.reads if where == place])
        found.wrong += _changeable(database)
    found.wrong += _shares(bank, server_url)
    found.wrong += _verified(url)
    if found.missing or found.extra:
        found.wrong.append(f"{found.missing} entries are missing, {found.extra} too many")
    return found


async def hold(told: Told, bank: Bank, url: str) -> None:
    """The step of a drill in which all that the bank was told is held against the database."""
    found = await asyncio.to_thread(audit, bank, url, f"http://127.0.0.1:{bank.port}")
    for said in found.wrong[:3]:
        told.note(said[:160])
    told.note(
        f"{found.acknowledged} changes acknowledged, {found.missing} missing, {found.extra} extra;"
        f" {bank.counts['retries with the same bytes']} retries answered with the same bytes"
    )
    told.promise("no acknowledged change is lost, none made twice", held=not found.wrong)


def missing(bank: Bank, url: str, told: Sequence[Acknowledged]) -> int:
    """How many of those acknowledgements are of no entry that stands in the database."""
    with psycopg.connect(url) as database:
        there = [
            {entry.seq: entry for entry in _entries(database, group.id)}
            for group in bank.stream.groups
        ]
    return sum(not _stands(there[each.operation.group].get(each.seq), each) for each in told)


def _entries(database: Database, group_id: UUID) -> list[Entry]:
    return [Entry(*row) for row in database.execute(ENTRIES, [group_id])]


def _gaps(place: int, entries: list[Entry]) -> Iterator[str]:
    if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
        yield f"the journal of group {place} has a gap"


def _account(found: Findings, place: int, entries: list[Entry], bank: Bank) -> None:
    """Every acknowledged write is one entry; every other entry is a write of an unknown end."""
    by_seq = {entry.seq: entry for entry in entries}
    told = [each for each in bank.acknowledged if each.operation.group == place]
    claims = Counter(each.seq for each in told)
    for each in told:
        if claims[each.seq] > 1 or not _stands(by_seq.get(each.seq), each):
            found.missing += 1
            found.wrong.append(f"entry {each.seq} of group {place} was acknowledged, and is not it")
    unknown: dict[tuple[str, UUID | None], int] = defaultdict(int)
    for operation in bank.unknown:
        if operation.group == place:
            unknown[KINDS[operation.kind], operation.thing] += 1
    for entry in entries[1 + GUESTS :]:
        if entry.seq in claims:
            continue
        named = (entry.kind, entry.thing)
        asked = named if unknown[named] else (entry.kind, None)
        if unknown[asked]:
            unknown[asked] -= 1
            found.unknown_but_committed += 1
        else:
            found.extra += 1
            found.wrong.append(f"group {place}: nobody asked for entry {entry.seq} ({entry.kind})")


def _stands(entry: Entry | None, told: Acknowledged) -> bool:
    return entry is not None and entry.hash == told.head and entry.tells(told)


def _reads(entries: list[Entry], reads: list[Balances]) -> Iterator[str]:
    """Each read told the balances after just the entry that it named."""
    by_seq = defaultdict[int, list[Balances]](list)
    for told in reads:
        by_seq[told.journal.seq].append(told)
    balances = Counter[tuple[UUID, str]]()
    for entry in entries:
        for member, currency, amount in zip(
            entry.members, entry.currencies, entry.amounts, strict=True
        ):
            balances[member, currency] += amount
        for told in by_seq.pop(entry.seq, []):
            said = {(b.member_id, b.currency): b.balance_minor for b in told.balances}
            if told.journal.head != entry.hash or any(
                said.get(whose, 0) != minor for whose, minor in balances.items()
            ):
                yield f"a read at entry {entry.seq} told other balances than those of that entry"
    for seq in by_seq:
        yield f"a read told entry {seq}, which there is not"


def _changeable(database: Database) -> Iterator[str]:
    """Nobody changes the journal, not even the owner of its table."""
    last = "where (group_id, seq) in (select group_id, seq from groups)"
    for statement in (f"update entries set event = event {last}", f"delete from entries {last}"):
        try:
            with database.transaction(force_rollback=True):
                database.execute(statement.encode())
        except RestrictViolation:
            continue
        yield f"the journal takes `{statement}`"


def _shares(bank: Bank, server_url: str) -> Iterator[str]:
    """Over HTTP: the shares of every expense sum to its amount."""
    for group, token in zip(bank.stream.groups, bank.tokens, strict=True):
        path: str | None = f"/groups/{group.id}/expenses?limit=100"
        while path:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.get(server_url + path, headers=headers, timeout=60)
            yield from msgspec.json.decode(answer.content, type=Page).flaws()
            link = answer.links.get("next")
            path = link["url"] if link else None


def _verified(url: str) -> Iterator[str]:
    """`clearsplit verify`: every chain, every sum, every table against a rebuild."""
    status, said = verified(url)
    if status:
        yield f"clearsplit verify: {said}"
