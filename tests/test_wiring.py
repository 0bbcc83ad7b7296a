"""What the console script finds by name is there, and mypy sees the same wiring."""

import argparse
from importlib.metadata import EntryPoint, entry_points

import pytest

import clearsplit_pg.embedded
import clearsplit_pg.store
from clearsplit_core import memory
from clearsplit_core.ports import AsyncStore, OpenStore, Store

STORES: dict[str, OpenStore] = {
    "memory": memory.open_store,
    "postgresql": clearsplit_pg.store.open_store,
    "embedded": clearsplit_pg.embedded.open_store,
}


def protocols_are_kept(
    synchronous: memory.MemoryStore,
    asynchronous: memory.AsyncMemoryStore,
    postgres: clearsplit_pg.store.PostgresStore,
) -> tuple[Store, AsyncStore, AsyncStore]:
    """Never called: that it type-checks is the point."""
    return synchronous, asynchronous, postgres


def test_the_stores_are_those_that_mypy_holds_against_the_port() -> None:
    found = {entry.name: entry.load() for entry in entry_points(group="clearsplit.stores")}
    assert found == STORES


@pytest.mark.parametrize("entry", entry_points(group="clearsplit.commands"), ids=lambda e: e.name)
def test_every_command_can_be_loaded_and_says_what_it_is_for(entry: EntryPoint) -> None:
    command = entry.load()
    assert command.__doc__
    assert callable(command(argparse.ArgumentParser()))
