"""A look at a database before money is trusted to it: what it is, and what to mend.

`Facts` is what it says of itself, `Schema` what was migrated there. From these, purely: `faults` is
what forbids serving on it, `dangers` what does so outside tests, `advice` what should be better.
The server looks when it starts (`require_fit`); `clearsplit check-db` shows everything. Nothing
here holds or repeats a password.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, LiteralString, TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from clearsplit_core.errors import Conflict, Unavailable
from clearsplit_pg.schema import APPLIED, required

Connection: TypeAlias = AsyncConnection[TupleRow]

VERSION_NUM_MIN: Final = 140_000
"""PostgreSQL 14, as Postgres counts."""


class DatabaseUnfit(Conflict, code="database-unfit"):
    """This database must not be trusted with money yet."""


class DatabaseUnreachable(Unavailable, code="database-unreachable"):
    """The database cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a database says of itself and of the role that asks."""

    database: str
    role: str
    version: str
    version_num: int
    encoding: str
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    synchronous_standby_names: str
    data_checksums: str
    read_only: bool
    encrypted: bool
    local: bool
    may_change_journal: bool


FACTS: Final[LiteralString] = """
select current_database()                          as database,
       current_user                                as role,
       current_setting('server_version')           as version,
       current_setting('server_version_num')::int  as version_num,
       current_setting('server_encoding')          as encoding,
       current_setting('fsync')                    as fsync,
       current_setting('full_page_writes')         as full_page_writes,
       current_setting('synchronous_commit')       as synchronous_commit,
       current_setting('synchronous_standby_names')  as synchronous_standby_names,
       current_setting('data_checksums')           as data_checksums,
       current_setting('transaction_read_only') = 'on'  as read_only,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)  as encrypted,
       coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1', true)  as local,
       coalesce(has_table_privilege(to_regclass('entries'), 'UPDATE, DELETE, TRUNCATE'), false)
                                                   as may_change_journal
"""


@dataclass(frozen=True, slots=True)
class Schema:
    """The ids of the migrations that a database has; none are known to a role that may not look."""

    applied: frozenset[str] | None

    @property
    def missing(self) -> list[str]:
        return sorted(required() - (self.applied or frozenset()))

    def __str__(self) -> str:
        if self.applied is None:
            return "unknown"
        if self.missing:
            return f"lacks {', '.join(self.missing)}"
        newer = sorted(self.applied - required())
        return f"newer, with {', '.join(newer)}" if newer else "up to date"


def faults(facts: Facts, schema: Schema) -> Iterator[str]:
    """What must change before the server may keep a journal here, one sentence each."""
    if facts.version_num < VERSION_NUM_MIN:
        yield f"PostgreSQL {facts.version} is too old; ClearSplit needs 14 or newer."
    if facts.encoding != "UTF8":
        yield (
            f"The database's encoding is {facts.encoding}; make a new one with"
            " `create database … encoding 'UTF8' template template0`."
        )
    if facts.read_only:
        yield "The database is read-only: a standby, or default_transaction_read_only is on."
    if schema.applied is None:
        yield "This role may not read the schema's version: `clearsplit migrate --app-role`."
    elif schema.missing:
        yield "The schema is old: run `clearsplit migrate`."


def dangers(facts: Facts) -> Iterator[str]:
    """What must change before a write is safe once it is confirmed, one sentence each."""
    if facts.fsync != "on":
        yield (
            "fsync is off, so a crash can destroy the whole database; set `fsync = on` in"
            " postgresql.conf and reload."
        )
    if facts.synchronous_commit == "off":
        yield (
            "synchronous_commit is off, so a crash can lose writes that were confirmed; set it to"
            " on (`alter database … set synchronous_commit = on`, or the role's setting)."
        )


def advice(facts: Facts) -> Iterator[str]:
    """What works, and should be different in production."""
    if facts.may_change_journal:
        yield (
            f"The role {facts.role} has the right to change the journal; give the server a role of"
            " its own (`clearsplit migrate --app-role`)."
        )
    if facts.synchronous_standby_names and facts.synchronous_commit == "local":
        yield (
            "synchronous_commit is local, so the standby of synchronous_standby_names may lack"
            " writes that were confirmed; set it to on."
        )
    if not facts.encrypted and not facts.local:
        yield "The connection is not encrypted; add sslmode=verify-full to DATABASE_URL."
    if facts.full_page_writes != "on":
        yield "full_page_writes is off, which only a file system such as ZFS makes safe."
    if facts.data_checksums != "on":
        yield "Data checksums are off; enable them with pg_checksums while Postgres is stopped."


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────


async def look(connection: Connection) -> tuple[Facts, Schema]:
    """What the database says of itself, asked outside any transaction."""
    async with connection.cursor(row_factory=class_row(Facts)) as cursor:
        facts = await (await cursor.execute(FACTS)).fetchone()
    assert facts is not None, "a query without a table always answers with one row"
    return facts, Schema(await _applied(connection))


async def _applied(connection: Connection) -> frozenset[str] | None:
    try:
        rows = await (await connection.execute(APPLIED)).fetchall()
    except psycopg.errors.UndefinedTable:
        return frozenset()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return frozenset(migration_id for (migration_id,) in rows)


async def require_fit(connection: Connection, *, unsafe: bool) -> None:
    """The server may keep a journal here. Raises DatabaseUnfit, which names all that is wrong.

    `unsafe`: a crash may take what was confirmed with it.
    """
    facts, schema = await look(connection)
    wrong = list(faults(facts, schema))
    if not unsafe:
        wrong.extend(dangers(facts))
    if wrong:
        raise DatabaseUnfit("\n  ".join(["The database cannot be used:", *wrong]))


def unreachable(error: psycopg.Error) -> DatabaseUnreachable:
    """libpq's words, which name the host and the user and never a password, and what to do."""
    message = str(error).strip()
    hints = [hint for fragment, hint in _HINTS if fragment in message]
    lines = [line.strip() for line in message.splitlines()]
    return DatabaseUnreachable("\n  ".join([*lines, *hints[:1]]))


_HINTS: Final = (
    ("refused", "Is Postgres running there, and is the port the right one?"),
    ("resolve host", "Is the host's name right? In Compose it is the name of the service."),
    ("timeout", "Does a firewall stand between, or is the host's name another machine's?"),
    ("authentication failed", "Is the user's password the right one, with @, / and ? escaped?"),
    ("no pg_hba.conf entry", "Allow this host and user in pg_hba.conf, perhaps with sslmode."),
    ("does not exist", "Make it first: `create role … login`, `create database …`."),
    ("too many", "Raise max_connections, or put PgBouncer between."),
    ("invalid page", "What is on the disk is not what was written: restore a backup."),
    ("startup parameter", "PgBouncer takes no limits from us: set DATABASE_STATEMENT_S=0."),
)
