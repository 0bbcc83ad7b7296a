"""The bank's own parts (`make bank` runs it, `make bank-broken` shows that it can see)."""

import pytest

from tests.bank.broken import BUILDS, Broken, built
from tests.bank.stream import stream


@pytest.mark.parametrize("broken", BUILDS, ids=lambda broken: broken.name)
def test_every_build_can_still_be_broken(broken: Broken) -> None:
    with built(broken) as folder:
        assert broken.ledger.__name__ in (folder / "clearsplit_pg" / "store.py").read_text()


def test_a_seed_replays_the_stream() -> None:
    assert stream(1, 500).digest == stream(1, 500).digest != stream(2, 500).digest
