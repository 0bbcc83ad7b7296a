"""The statement of one recorded expense, as pgbench can send it: ours, and nobody's copy.

Expenses are recorded by the store, over a connection that keeps what is sent; by the second the
store knows the group, and sends one statement. In the script each transaction sends the same, as an
expense of its own: another id, key and title, the next entry. Every client has a group of its own,
and all of these groups have the same members, so that what names a member stays as it was. The hash
stays too: here it is the head of each group before and after.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar, Final, Self, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncCursor
from psycopg.abc import Dumper, Params, Query
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.rows import DictRow, TupleRow

from clearsplit_core.ports import Caller, StoreOptions
from clearsplit_core.records import ExpenseId
from clearsplit_pg import rows
from clearsplit_pg.store import open_store
from tests.bench.serving.groups import TWINS, recording, twin
from tests.bench.serving.load import CONNECTIONS
from tests.bench.serving.pgbench import Script

Sent: TypeAlias = tuple[str, Params]

EXPENSES: Final = 100
"""Expenses that each group has before: the number of the next entry then is no other number."""
FIRST: Final = ExpenseId(UUID("eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"))
EXPENSE: Final = ExpenseId(UUID("eeeeeeee-eeee-4eee-8eee-000000000000"))
KEY: Final = "the key that pgbench sends"
NUMBER: Final = ":number::text"
"""Twelve digits, other ones in each transaction: what ids and hashes end with."""
DIGITS: Final = 12
PLACE: Final = r"%(?:\((\w+)\))?[sbt]"
"""A parameter in a statement of psycopg's."""
NUMBERS: Final = ("smallint", "integer", "bigint", "numeric")
TREES: Final = ("json", "jsonb")
PLACES: Final = "create table places (place int primary key, group_id uuid not null)"
BEFORE: Final = """
\\if :started = 0
select place.group_id as group_id, seq as seq
  from places as place join groups using (group_id) where place = :client_id \\gset
\\set started 1
\\endif
\\set seq :seq + 1
\\set number 100000000000 + :client_id * 1000000000 + :seq
"""


class _Keeping(AsyncCursor[DictRow]):
    """A cursor that keeps what it sends."""

    sent: ClassVar[list[Sent]] = []

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
    ) -> Self:
        assert isinstance(query, str), "the ledger's statements are text"
        self.sent.append((query, params or {}))
        return await super().execute(query, params, prepare=prepare, binary=binary)


async def recorded(url: str, caller: Caller) -> Script:
    """Groups for all clients, and what is sent to record an expense in one of them."""
    only_one = StoreOptions(connections_min=1, connections_max=1, unsafe=True)
    async with open_store(url, lambda: datetime.now(UTC), only_one) as store:
        *groups, last = [await twin(store, caller, EXPENSES) for _ in range(CONNECTIONS + 1)]
        async with store._pool.connection() as connection:
            connection.cursor_factory = _Keeping
        known, receipt = recording(last, FIRST, "the first key")
        await store.perform_once(known, caller=caller, receipt=receipt)
        _Keeping.sent.clear()
        command, receipt = recording(last, EXPENSE, KEY)
        await store.perform_once(command, caller=caller, receipt=receipt)
    ((statement, params),) = _Keeping.sent
    assert isinstance(params, Mapping), "the ledger's parameters have names"
    head = params["hash"]
    commitment = command.terms.title.commitment
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(PLACES.encode())
        for place, group in enumerate(groups):
            database.execute("insert into places values (%s, %s)", [place, group.id])
            database.execute("update groups set head = %s where group_id = %s", [head, group.id])
        marks = {
            str(last.id): ":group_id::text",
            last.id.hex: ":group_id::text",
            str(EXPENSE): _ending(str(EXPENSE)),
            EXPENSE.hex: _ending(EXPENSE.hex),
            commitment: _ending(commitment),
            KEY: _ending(KEY),
            str(rows.key_number(last.id, caller.account_id, KEY)): NUMBER,
        }
        writing = _Writing(database, marks, seq=len(TWINS) + EXPENSES + 2)
        said = writing.statement(statement, {**params, "previous": head}).strip()
    return Script(f"{BEFORE}{said};\n", {name: text for text, name in writing.values.items()})


def _ending(text: str) -> str:
    """`text` with other digits at its end."""
    return f"'{text[:-DIGITS]}'::text || {NUMBER}"


@dataclass
class _Writing:
    """A script that is being written: what stands for what, and the values that it will need."""

    database: psycopg.Connection[TupleRow]
    marks: Mapping[str, str]
    seq: int
    values: dict[str, str] = field(default_factory=dict)
    """The name of each text that pgbench is given."""

    def statement(self, sent: str, params: Params) -> str:
        """The statement with an expression of that type in each parameter's place."""
        named = re.findall(PLACE, sent)
        given = [
            params[name] if isinstance(params, Mapping) else params[place]
            for place, name in enumerate(named)
        ]
        types = iter(self._types(sent, given))
        values = iter(given)
        written = re.sub(PLACE, lambda _: self._expression(next(values), next(types)), sent)
        return written.replace("%%", "%")

    def _types(self, sent: str, given: Sequence[Any]) -> Sequence[str]:
        """What Postgres takes each parameter for, told what psycopg would tell it."""
        numbers = count(1)
        numbered = re.sub(PLACE, lambda _: f"${next(numbers)}", sent).replace("%%", "%")
        connection = self.database.pgconn
        oids = [0 if value is None else self._dumper(value).oid for value in given]
        prepared = connection.prepare(b"", numbered.encode(), oids)
        assert prepared.status == ExecStatus.COMMAND_OK, prepared.error_message
        told = connection.describe_prepared(b"")
        return [self._name(told.param_type(place)) for place in range(len(given))]

    def _dumper(self, value: object) -> Dumper:
        return Transformer.from_context(self.database).get_dumper(value, PyFormat.TEXT)

    def _name(self, oid: int) -> str:
        row = self.database.execute("select %s::oid::regtype::text", [oid]).fetchone()
        assert row is not None
        name: str = row[0]
        return name

    def _expression(self, value: object, of_type: str) -> str:
        if value is None:
            return f"null::{of_type}"
        text = bytes(self._dumper(value).dump(value) or b"").decode()
        if text == str(self.seq) and of_type in NUMBERS:
            return ":seq::bigint"  # it grows past what the first one needed
        marked = "|".join(map(re.escape, self.marks))
        if of_type in TREES:
            marked += rf"|(?<=[:,\[ ]){self.seq}(?=[,}}\]])"
        parts = re.split(f"({marked})", text)
        if len(parts) == 1:
            return f":{self._named(text)}::{of_type}"
        said = [self._part(part) for part in parts if part]
        return f"({' || '.join(said)})::{of_type}"

    def _part(self, part: str) -> str:
        if part == str(self.seq):
            return ":seq::text"
        return self.marks.get(part) or f":{self._named(part)}::text"

    def _named(self, text: str) -> str:
        """The name under which pgbench is given that text."""
        return self.values.setdefault(text, f"p{len(self.values)}")
