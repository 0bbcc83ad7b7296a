"""The drill of a bad DELETE: the ledger comes back as it stood just before it.

A superuser takes the guards off and deletes a group's journal while people write. The base backup
and the archived WAL are replayed up to that transaction, which pg_waldump finds in the archive.
Kept if every entry that was acknowledged before the DELETE began is back.
"""

import asyncio
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.bank.audit import missing
from tests.bank.clients import SETTINGS, WORKERS, Bank, opened, run_beside
from tests.drill.backup import base_backup
from tests.drill.clusters import asked, folder_of, ordered, recovered, restored, tried
from tests.drill.servers import postgres, served
from tests.drill.told import Told, verified

OPS: Final = 1_200
DELETE_AT: Final = 0.6
DELETE: Final = (
    "set session_replication_role = replica",
    "delete from entries where group_id = (select min(group_id::text)::uuid from entries)",
)
ARCHIVED_S_MAX: Final = 30


def archiving(archive: Path) -> Mapping[str, str]:
    """The guide's settings, for that folder."""
    return {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "archive_timeout": "300",
    }


def recovering(archive: Path, transaction: str) -> Mapping[str, str]:
    """The guide's settings to stop just before a transaction."""
    return {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_xid": transaction,
        "recovery_target_inclusive": "off",
        "recovery_target_action": "promote",
    }


def drill(told: Told, *, keep_wal: bool = True) -> None:
    """Without its WAL (`keep_wal`) it goes red."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-recovery-") as name:
        archive, backup, data_dir = (Path(name) / each for each in ("wal", "base", "restored"))
        archive.mkdir()
        with postgres(settings=archiving(archive)) as live:
            since = time.monotonic()
            base_backup(live, backup)
            told.step("pg_basebackup", since)
            with served(live.url, WORKERS, SETTINGS) as server:
                bank, before = asyncio.run(_deleted(told, live, server.port))
            _see_it(told, live)
            transaction = _found(told, live, archive)
        if not keep_wal:
            for segment in archive.iterdir():
                segment.unlink()

        since = time.monotonic()
        again = restored(backup, data_dir, recovering(archive, transaction))
        (folder_of(again) / "recovery.signal").touch()
        with again:
            recovered(again)
            told.step("restored, and the WAL replayed up to just before it", since)
            lost = missing(bank, again.url, bank.acknowledged[:before])
            told.note(f"of {before} entries acknowledged before the DELETE {lost} are lost")
            told.promise("what was acknowledged before the DELETE is back", held=not lost)
            told.verify(again.url)


async def _deleted(told: Told, live: EmbeddedPostgres, port: int) -> tuple[Bank, int]:
    """The bank when all is done, and how many entries were acknowledged before the DELETE."""
    bank = await opened(1, OPS, port)
    before = 0

    def delete() -> None:
        nonlocal before
        before, since = len(bank.acknowledged), time.monotonic()
        ordered(live.url, *DELETE)
        told.step("a superuser deleted the journal of a group, its guards off", since)

    await run_beside(bank, (DELETE_AT, delete))
    after = len(bank.acknowledged) - before
    told.note(f"{before} changes were acknowledged before it, and {after} after it")
    told.promise("people write before the DELETE and after it", held=before > 0 and after > 0)
    return bank, before


def _see_it(told: Told, live: EmbeddedPostgres) -> None:
    since = time.monotonic()
    status, said = verified(live.url)
    told.step(f"clearsplit verify, on what is left: {said.strip().splitlines()[-1]}", since)
    told.promise("clearsplit verify sees that a journal is gone", held=status == 1)


def _found(told: Told, live: EmbeddedPostgres, archive: Path) -> str:
    """The transaction that deleted from the journal: nothing else ever does."""
    since = time.monotonic()
    last = asked(live.url, "select pg_walfile_name(pg_switch_wal())")
    deadline = since + ARCHIVED_S_MAX
    while not (archive / last).exists():
        assert time.monotonic() < deadline, "the WAL is not archived"
        time.sleep(0.02)
    database, table = asked(
        live.url,
        "select oid || ' ' || pg_relation_filenode('entries')"
        " from pg_database where datname = current_database()",
    ).split()
    first = min(each.name for each in archive.iterdir() if len(each.name) == len(last))
    relation = f"--relation=1663/{database}/{table}"
    said = tried("pg_waldump", "--path", str(archive), relation, first, last).stdout
    deletes: list[str] = re.findall(r"tx: +(\d+).*DELETE", said)
    (transaction, rows), *others = Counter(deletes).most_common()
    assert not others, f"several transactions deleted: {deletes}"
    told.step(f"pg_waldump finds transaction {transaction}, which deleted {rows} entries", since)
    return transaction
