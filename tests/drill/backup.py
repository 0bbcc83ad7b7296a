"""The drill of a backup: it is taken while people write, and everything they were told is in it.

pg_basebackup from a Postgres under load, pg_verifybackup, a restore into a new data folder. Kept if
the backup verifies, and every entry that was acknowledged before the backup began stands there with
the hash that was told.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.bank.audit import missing
from tests.bank.clients import SETTINGS, WORKERS, Bank, opened, run_beside
from tests.drill.clusters import restored, tool, tried
from tests.drill.servers import postgres, served
from tests.drill.told import Told

OPS: Final = 2_000
BACKUP_AT: Final = 0.4
"""The part of the operations that is done when the backup begins."""


def drill(
    told: Told, *, backup_at: float = BACKUP_AT, spoil: Callable[[Path], None] = lambda _: None
) -> None:
    """`backup_at` and `spoil` (it gets the backup) are how the drill is shown to go red."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-backup-") as name:
        backup, data_dir = Path(name) / "base", Path(name) / "restored"
        with postgres() as live, served(live.url, WORKERS, SETTINGS) as server:
            bank, before = asyncio.run(_backed_up(told, live, server.port, backup, backup_at))
        spoil(backup)
        verify_backup(told, backup)

        since = time.monotonic()
        with restored(backup, data_dir) as again:
            told.step("restored into a new data folder and started", since)
            lost = missing(bank, again.url, bank.acknowledged[:before])
            told.note(f"of {before} entries acknowledged before the backup began {lost} are lost")
            told.promise("what was acknowledged before the backup is in it", held=not lost)
            told.verify(again.url)


async def _backed_up(
    told: Told, live: EmbeddedPostgres, port: int, backup: Path, backup_at: float
) -> tuple[Bank, int]:
    """The bank when all is done, and how many entries were acknowledged before the backup."""
    bank = await opened(1, OPS, port)
    before = 0

    def count() -> None:
        nonlocal before
        before = len(bank.acknowledged)

    def back_up() -> None:
        since, began = time.monotonic(), len(bank.acknowledged)
        base_backup(live, backup)
        meanwhile = len(bank.acknowledged) - began
        size_mb = sum(file.stat().st_size for file in backup.rglob("*")) / 10**6
        told.step(
            f"pg_basebackup, {size_mb:.0f} MB, while {meanwhile} changes were acknowledged", since
        )
        told.promise("people write while the backup is taken", held=meanwhile > 0)

    planned = sorted([(BACKUP_AT, count), (backup_at, back_up)], key=lambda one: one[0])
    await run_beside(bank, *planned)
    return bank, before


def base_backup(live: EmbeddedPostgres, backup: Path) -> None:
    """`pg_basebackup` into a folder that is not there yet."""
    tool("pg_basebackup", "--dbname", live.url, "--pgdata", str(backup), "--checkpoint=fast")


def verify_backup(told: Told, backup: Path) -> None:
    """The step in which `pg_verifybackup` finds every file as it was backed up."""
    since = time.monotonic()
    done = tried("pg_verifybackup", str(backup))
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    told.step(f"pg_verifybackup: {last.removeprefix('pg_verifybackup: ')}", since)
    told.promise("pg_verifybackup finds every file as it was", held=done.returncode == 0)
