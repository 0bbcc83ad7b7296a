"""A look at a database before money is trusted to it: what it is, and what to mend.

`Facts` is what it says of itself, in one row; `faults` is pure and says what forbids serving on it,
`advice` what only should be different. Nothing here holds or repeats a password.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, LiteralString

VERSION_NUM_MIN: Final = 140_000
"""PostgreSQL 14, as Postgres counts."""


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
       current_setting('data_checksums')           as data_checksums,
       current_setting('transaction_read_only') = 'on'  as read_only,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)  as encrypted,
       coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1', true)  as local,
       coalesce(has_table_privilege(to_regclass('entries'), 'UPDATE, DELETE, TRUNCATE'), false)
                                                   as may_change_journal
"""


def faults(facts: Facts) -> Iterator[str]:
    """What must change before the server may keep a journal here, one sentence each."""
    if facts.version_num < VERSION_NUM_MIN:
        yield f"PostgreSQL {facts.version} is too old; ClearSplit needs 14 or newer."
    if facts.encoding != "UTF8":
        yield (
            f"The database's encoding is {facts.encoding}; make a new one with"
            " `create database … encoding 'UTF8' template template0`."
        )
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
    if facts.read_only:
        yield "The database is read-only: a standby, or default_transaction_read_only is on."


def advice(facts: Facts) -> Iterator[str]:
    """What works, and should be different in production."""
    if facts.may_change_journal:
        yield (
            f"The role {facts.role} has the right to change the journal; give the server a role of"
            " its own (`clearsplit migrate --app-role`)."
        )
    if not facts.encrypted and not facts.local:
        yield "The connection is not encrypted; add sslmode=verify-full to DATABASE_URL."
    if facts.full_page_writes != "on":
        yield "full_page_writes is off, which only a file system such as ZFS makes safe."
    if facts.data_checksums != "on":
        yield "Data checksums are off; enable them with pg_checksums while Postgres is stopped."
