"""The table of attempts stays small, names nobody, and is not paid for in the log."""

import hashlib
from typing import Final

from clearsplit_core.limits import Quota
from clearsplit_pg.store import open_store
from tests.literals import Clock
from tests.pg.test_schema import rows
from tests.postgres import FORGETFUL

THREE: Final = Quota("knock", 3, 60)


async def test_windows_that_are_over_are_deleted_as_others_begin(database_url: str) -> None:
    clock = Clock()
    async with open_store(database_url, clock, FORGETFUL) as store:
        for number in range(100):
            clock.turn(seconds=6.1)
            await store.attempt(THREE, f"ann {number}")
        assert 9 <= len(rows(database_url, "select bucket from attempts")) <= 11


async def test_a_row_says_a_digest_and_no_address(database_url: str) -> None:
    async with open_store(database_url, Clock(), FORGETFUL) as store:
        await store.attempt(THREE, "192.0.2.1")
    found = rows(database_url, "select bucket from attempts")
    assert found == [(hashlib.sha256(b"knock\x00192.0.2.1").digest(),)]


def test_the_table_is_unlogged(database_url: str) -> None:
    found = rows(
        database_url, "select relpersistence::text from pg_class where relname = 'attempts'"
    )
    assert found == [("u",)]
