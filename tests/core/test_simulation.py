"""A few seeds of the simulation (`make simulate` does thousands)."""

import pytest

from tests.simulation import simulated


@pytest.mark.parametrize("seed", range(5))
def test_a_group_whose_clients_and_store_crash_is_what_its_seed_makes_it(seed: int) -> None:
    assert simulated(seed) == simulated(seed)
