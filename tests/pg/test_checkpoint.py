"""Exports, checkpoints and erasing from the command line; and that nobody can rewrite the past."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from clearsplit_core.cli import main
from clearsplit_core.errors import BadFile
from clearsplit_pg import checkpoint, rows, signing
from clearsplit_pg.audit import Database, Fault
from clearsplit_pg.signing import BadSignature, KeyMissing
from clearsplit_pg.sql.audit import ENTRIES
from clearsplit_pg.store import open_store
from tests.literals import OFFICE, TRIP, Clock, caller, expense
from tests.mutations import with_a_change
from tests.pg.test_audit import LAST, ROUNDS, database, run, taken_back, tell, unguarded
from tests.postgres import FORGETFUL

__all__ = ["database", "unguarded"]  # fixtures


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    signing.make(folder)
    return folder


@pytest.fixture(scope="module")
def kept(unguarded: str, keys: Path) -> Path:
    """A checkpoint of the database as it was told."""
    file = keys / "checkpoint.jsonl"
    words = ["--database-url", unguarded, "--keys", str(keys), "--out", str(file)]
    assert main(["checkpoint", *words]) == 0
    return file


def faults(database: Database, file: Path, keys: Path) -> Sequence[Fault]:
    with file.open("rb") as opened:
        return list(checkpoint.faults(database, opened, keys))


# ── Checkpoints ──────────────────────────────────────────────────────────────────────────────────


def test_a_database_passes_through_its_checkpoint(
    unguarded: str, kept: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--checkpoint", str(kept), "--keys", str(keys), "--database-url", unguarded]
    assert main(["verify", *words]) == 0
    assert capsys.readouterr().out.endswith("everything holds.\n")
    assert main(["verify", *words, "--group", str(OFFICE)]) == 0


def test_a_journal_that_was_cut_short_is_found(database: Database, kept: Path, keys: Path) -> None:
    """Also where the group's row says that nothing is missing."""
    luck = random.Random(7)
    for _ in range(ROUNDS):
        with taken_back(database):
            last = luck.randint(0, LAST - 1)
            run(database, "delete from entries where group_id = %s and seq > %s", TRIP, last)
            run(database, "update groups set seq = %s where group_id = %s", last, TRIP)
            (fault,) = faults(database, kept, keys)
            assert (fault.group_id, fault.seq) == (TRIP, last + 1)


def test_a_journal_that_was_written_anew_is_found(
    database: Database, kept: Path, keys: Path
) -> None:
    """Every hash of it is as it should be."""
    luck = random.Random(7)
    told = [row["entry"] for row in database.execute(ENTRIES, {"group_id": TRIP})]
    entries = rows.entries_of(TRIP, told)
    for _ in range(ROUNDS // 10):
        with taken_back(database):
            first, before = luck.randint(1, LAST), ""
            for entry in entries[first - 1 :]:
                event = with_a_change(entry.event, luck) if entry.seq == first else entry.event
                again = replace(entry, event=event, previous=before or entry.previous, hash="")
                before = again.hash
                run(
                    database,
                    "update entries set event = %s, previous = %s, hash = %s"
                    " where group_id = %s and seq = %s",
                    Jsonb(again.event), bytes.fromhex(again.previous), bytes.fromhex(again.hash),
                    TRIP, again.seq,
                )  # fmt: skip
            (fault,) = faults(database, kept, keys)
            assert (fault.group_id, fault.seq) == (TRIP, LAST)


def test_a_group_that_is_gone_is_found(database: Database, kept: Path, keys: Path) -> None:
    run(database, "delete from entries where group_id = %s", OFFICE)
    run(database, "delete from groups where group_id = %s", OFFICE)
    (fault,) = faults(database, kept, keys)
    assert (fault.group_id, fault.seq) == (OFFICE, 1)


def test_a_journal_that_went_on_still_passes_through_its_checkpoint(
    database_url: str, keys: Path, tmp_path: Path
) -> None:
    async def go_on() -> None:
        async with open_store(database_url, Clock(), FORGETFUL) as store:
            await store.perform(expense("Pie", among="ann dee", of=OFFICE), caller=caller("ann"))

    asyncio.run(tell(database_url))
    file = tmp_path / "checkpoint.jsonl"
    words = ["--database-url", database_url, "--keys", str(keys)]
    assert main(["checkpoint", *words, "--out", str(file)]) == 0
    asyncio.run(go_on())
    assert main(["verify", *words, "--checkpoint", str(file)]) == 0


def test_whatever_is_changed_in_a_checkpoint_is_found(
    database: Database, kept: Path, keys: Path, tmp_path: Path
) -> None:
    luck = random.Random(7)
    written = kept.read_bytes()
    for _ in range(ROUNDS):
        changed = bytearray(written)
        changed[luck.randrange(len(changed))] ^= 1 << luck.randrange(8)
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises((BadFile, BadSignature, KeyMissing)):
            faults(database, tmp_path / "changed", keys)


def test_a_retired_key_is_still_good_for_what_it_signed(
    database: Database, unguarded: str, tmp_path: Path
) -> None:
    folder, file = tmp_path / "keys", tmp_path / "checkpoint.jsonl"
    words = ["--database-url", unguarded, "--keys", str(folder), "--out", str(file)]
    assert main(["checkpoint", "--new-key", *words]) == 0
    old = file.read_bytes()
    assert main(["checkpoint", "--new-key", *words]) == 0
    assert len(list(folder.glob("*.pem"))) == 3
    assert faults(database, file, folder) == []
    (tmp_path / "old").write_bytes(old)
    assert faults(database, tmp_path / "old", folder) == []
    (folder / "signing.pem").unlink()
    assert faults(database, file, folder) == []


def test_the_private_key_is_for_its_owner_alone(keys: Path) -> None:
    assert (keys / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_a_checkpoint_needs_a_key(
    unguarded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["checkpoint", "--database-url", unguarded]
    assert main([*words, "--keys", str(tmp_path), "--out", str(tmp_path / "file")]) == 1
    assert "signing.pem: No such file or directory." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(words) == 1
    assert "Set CHECKPOINT_KEYS_DIR or give --keys." in capsys.readouterr().err


# ── Export ───────────────────────────────────────────────────────────────────────────────────────


def test_what_is_exported_can_be_verified_anywhere(
    unguarded: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trip.jsonl"
    words = ["--database-url", unguarded, str(TRIP)]
    assert main(["export", *words, "--out", str(file)]) == 0
    assert main(["verify", str(file)]) == 0
    assert f"entries  {LAST}, all in their place" in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"With wine." in file.read_bytes()


def test_texts_can_stay_at_home(unguarded: str, tmp_path: Path) -> None:
    file = tmp_path / "trip.jsonl"
    words = ["--database-url", unguarded, str(TRIP), "--without-texts", "--out", str(file)]
    assert main(["export", *words]) == 0
    assert main(["verify", str(file)]) == 0
    assert b"With wine." not in file.read_bytes()


def test_a_group_that_is_not_there_leaves_no_file(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--database-url", database_url, str(TRIP), "--out", str(tmp_path / "file")]
    assert main(["export", *words]) == 1
    assert f"There is no group {TRIP}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ── Erasing ──────────────────────────────────────────────────────────────────────────────────────


def test_an_erased_text_is_gone_and_everything_still_holds(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(tell(database_url))
    file, where = tmp_path / "trip.jsonl", ["--database-url", database_url]
    assert main(["erase", *where, "--group", str(TRIP), "--seq", "5"]) == 0
    assert capsys.readouterr().out.startswith("erased the texts of entry 5")
    assert main(["export", *where, str(TRIP), "--out", str(file)]) == 0
    assert b'"Dinner"' not in file.read_bytes()
    assert main(["verify", *where]) == 0
    assert main(["verify", str(file)]) == 0


@pytest.mark.parametrize("seq", ["0", "-1", "1000"])
def test_what_is_not_there_cannot_be_erased(
    database_url: str, seq: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--database-url", database_url, "--group", str(TRIP), f"--seq={seq}"]
    assert main(["erase", *words]) == 1
    assert "There is no such entry" in capsys.readouterr().err
