"""Test what counts as mass suppression."""

from datetime import UTC, datetime, timedelta

import pytest

from aftersend.suppression import mass_suppression_percent, watched_hours
from aftersend.suppression.mass_suppression import FEWEST_SUPPRESSED

NOW = datetime(2026, 3, 14, 0, 20, tzinfo=UTC)


def test_measured_hours_are_the_present_one_and_the_one_before():
    assert watched_hours(NOW) == [NOW.replace(minute=0), NOW.replace(minute=0) - timedelta(hours=1)]


@pytest.mark.parametrize(
    ("suppressed", "sends", "percent"),
    [
        (0, 0, 0),
        (FEWEST_SUPPRESSED - 1, 0, 0),
        (FEWEST_SUPPRESSED - 1, 100, 0),
        (FEWEST_SUPPRESSED, 0, 100),
        (FEWEST_SUPPRESSED, 100, 50),
        (FEWEST_SUPPRESSED, 30, 100),
        (FEWEST_SUPPRESSED, 1_000_000, 0),
        (109, 1_000, 10),
    ],
)
def test_percentage_is_of_sends_unless_few_are_suppressed(suppressed: int, sends: int, percent: int):
    assert mass_suppression_percent(suppressed, sends) == percent
