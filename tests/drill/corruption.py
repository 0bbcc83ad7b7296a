"""The drill of a byte that is another: wherever it is flipped, somebody says so and says where.

In a base backup pg_verifybackup finds it. In a table of a stopped Postgres its page's checksum no
longer fits: Postgres refuses the page, and `clearsplit verify` says which groups cannot be read and
which file is broken. What a superuser writes fits every checksum: there the hash chain finds the
entry, and the journal the balance.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.bank.clients import SETTINGS, WORKERS, opened, run_beside
from tests.drill.backup import base_backup, verify_backup
from tests.drill.clusters import asked, flipped, folder_of, ordered, tried
from tests.drill.servers import postgres, served
from tests.drill.told import Told, verified

OPS: Final = 500
ENTRY: Final = """
select group_id || ' ' || seq from entries
 where event ->> 'kind' = 'expense-recorded' order by md5(group_id::text || seq) limit 1
"""
BALANCE: Final = """
select group_id || ' ' || member_id || ' ' || currency from balances
 where balance_minor <> 0 order by md5(group_id::text || member_id) limit 1
"""
DATE: Final = """
set session_replication_role = replica;
update entries
   set event = replace(event::text, '"date": "{old}', '"date": "{new}')::jsonb
 where (group_id::text, seq) = ('{group}', {seq})
"""
"""The guards of the journal are off for this session, as a superuser can have it."""


def drill(told: Told, *, flip: Callable[[Path, int], None] = flipped, write: bool = True) -> None:
    """A `flip` that flips nothing, and nothing to `write`, show how the drill goes red."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-corruption-") as name, postgres() as live:
        with served(live.url, WORKERS, SETTINGS) as server:
            asyncio.run(_write(server.port))
        _in_the_backup(told, live, Path(name) / "base", flip)
        _in_a_table(told, live, flip)
        _in_an_entry(told, live, write=write)
        _in_a_balance(told, live, write=write)
        told.verify(live.url)


async def _write(port: int) -> None:
    await run_beside(await opened(1, OPS, port))


# ── Where a checksum finds it ────────────────────────────────────────────────────────────────────


def _in_the_backup(
    told: Told, live: EmbeddedPostgres, backup: Path, flip: Callable[[Path, int], None]
) -> None:
    base_backup(live, backup)
    verify_backup(told, backup)
    table = asked(live.url, "select pg_relation_filepath('entries')")
    flip(backup / table, 9_000)

    since = time.monotonic()
    done = tried("pg_verifybackup", str(backup))
    told.step(f"a byte flipped in the backup: {done.stderr.strip()}", since)
    told.promise(
        "pg_verifybackup names the file", held=done.returncode == 1 and table in done.stderr
    )


def _in_a_table(told: Told, live: EmbeddedPostgres, flip: Callable[[Path, int], None]) -> None:
    """The second page of the journal, 5,000 bytes into it; afterwards it is as it was."""
    ordered(live.url, "checkpoint")
    table = asked(live.url, "select pg_relation_filepath('entries')")
    groups = asked(
        live.url, "select count(distinct group_id) from entries where (ctid::text::point)[0] = 1"
    )
    file = folder_of(live) / table
    live.stop()
    flip(file, 8_192 + 5_000)

    since = time.monotonic()
    checked = tried("pg_checksums", "--check", "--pgdata", str(folder_of(live)))
    told.step(f"a byte flipped in a table: {_first(checked.stderr)}", since)
    told.promise(
        "pg_checksums names the file", held=checked.returncode == 1 and table in checked.stderr
    )
    live.start()
    since = time.monotonic()
    status, said = verified(live.url)
    named = set(re.findall(r"group (\S+)", said))
    first, *others = said.splitlines()
    told.step(f"clearsplit verify: {first}", since)
    for line in [*others[:1], *others[1:][-1:]]:
        told.note(line)
    told.promise(
        "clearsplit verify names every group on the page, and the file",
        held=status == 1
        and len(named) == int(groups)
        and f'block 1 of relation "{table}"' in first,
    )
    live.stop()
    flip(file, 8_192 + 5_000)
    live.start()


# ── Where no checksum does ───────────────────────────────────────────────────────────────────────


def _in_an_entry(told: Told, live: EmbeddedPostgres, *, write: bool) -> None:
    group, seq = asked(live.url, ENTRY).split()
    january, february = "2026-01-", "2026-02-"
    if write:
        ordered(live.url, DATE.format(group=group, seq=seq, old=january, new=february))
    since = time.monotonic()
    status, said = verified(live.url)
    told.step(f"a superuser changed an entry's date: {_first(said)}", since)
    told.promise(
        "clearsplit verify names the group and the entry",
        held=status == 1 and f"WRONG  group {group}  entry {seq} " in said,
    )
    if write:
        ordered(live.url, DATE.format(group=group, seq=seq, old=february, new=january))


def _in_a_balance(told: Told, live: EmbeddedPostgres, *, write: bool) -> None:
    group, member, currency = asked(live.url, BALANCE).split()
    one_more = (
        "update balances set balance_minor = balance_minor + {}"
        f" where (group_id, member_id, currency) = ('{group}', '{member}', '{currency}')"
    )
    if write:
        ordered(live.url, one_more.format(1))
    since = time.monotonic()
    status, said = verified(live.url)
    told.step(f"a superuser changed a balance by a cent: {_first(said)}", since)
    told.promise(
        "clearsplit verify names the group, the member and the currency",
        held=status == 1
        and f"WRONG  group {group} " in said
        and f"balances: {member} {currency} is" in said,
    )
    if write:
        ordered(live.url, one_more.format(-1))


def _first(said: str) -> str:
    return said.strip().splitlines()[0] if said.strip() else "nothing"
