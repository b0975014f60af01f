"""Test that a sample of the simulated month agrees with the whole, and the cost estimate with both."""

import msgspec
import pytest

from benchmarks.month.arrival import HOUR
from benchmarks.month.parameters import Parameters
from benchmarks.month.report import simulate_month
from benchmarks.month.simulation import WHOLE_DAY, Sampling

SMALL = 100_000
TOLERANCE = 0.15
"""By how much a sample may differ from the whole."""


def test_sample_agrees_with_the_whole_day():
    whole = simulate_month(SMALL, sampling=WHOLE_DAY)
    sample = simulate_month(SMALL, sampling=Sampling(strata=48, seconds=HOUR / 4))
    assert sample.counting.entries == pytest.approx(whole.counting.entries, rel=TOLERANCE)
    assert sample.counter_writes_per_thousand == pytest.approx(whole.counter_writes_per_thousand, rel=TOLERANCE)
    assert sample.counting.batches == pytest.approx(whole.counting.batches, rel=TOLERANCE)
    assert sample.dollars == pytest.approx(whole.dollars, rel=TOLERANCE)


@pytest.mark.parametrize("messages", [SMALL, 1_000_000])
def test_estimate_agrees_with_the_simulated_month(messages: int):
    month = simulate_month(messages, sampling=Sampling(strata=12, seconds=1_200))
    assert month.estimate_ratio == pytest.approx(1, rel=0.1)


def test_settings_can_be_varied():
    slow = simulate_month(SMALL, sampling=Sampling(6, 1_200), archive_interval_seconds=300)
    quick = simulate_month(SMALL, Parameters(), Sampling(6, 1_200))
    assert slow.counting.objects < quick.counting.objects / 2
    assert slow.counting.lag(99) > quick.counting.lag(99)
    assert msgspec.to_builtins(slow.parts)
