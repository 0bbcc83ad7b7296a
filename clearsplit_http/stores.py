"""Which store a URL names: adapters register theirs by scheme, as entry points (clearsplit.stores).

This is how the server gets its store without knowing any adapter.
"""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Final

from clearsplit_core.errors import BadSettings
from clearsplit_core.ports import AsyncStore, Clock, OpenStore, StoreOptions

REGISTRY: Final = "clearsplit.stores"
_SPELLINGS: Final = {"postgres": "postgresql"}


def store_at(
    url: str, clock: Clock, options: StoreOptions
) -> AbstractAsyncContextManager[AsyncStore]:
    """The store at `url`, not opened yet.

    Raises BadSettings where no adapter knows the scheme, and what the adapter says of the rest.
    """
    return _opener(url)(url, clock, options)


def require_readable(url: str, options: StoreOptions) -> None:
    """Nothing is wrong with the URL itself. Raises what `store_at` raises."""
    store_at(url, lambda: datetime.now(UTC), options)


def _opener(url: str) -> OpenStore:
    scheme = url.partition(":")[0].partition("+")[0]
    found = entry_points(group=REGISTRY, name=_SPELLINGS.get(scheme, scheme))
    if not found:
        known = ", ".join(sorted(entry_points(group=REGISTRY).names))
        raise BadSettings(f"It begins with one of: {known}.")
    opener: OpenStore = next(iter(found)).load()
    return opener
