"""The contract suite asks every store the same questions: `rig` is each of them in turn."""

from collections.abc import AsyncGenerator

import pytest

from tests.contract.rigs import RIGS, Rig


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest) -> AsyncGenerator[Rig]:
    async with RIGS[request.param](request) as opened:
        yield opened
