"""Show that a burst of bounces suppresses every recipient. `make chaos` does the same with 20,000."""

import pytest

from tests.world.burst import lost_in_burst


@pytest.mark.parametrize("seed", range(2))
def test_burst_of_bounces_suppresses_every_recipient(seed: int):
    lost, _ = lost_in_burst(300, seed)
    assert lost == set()
