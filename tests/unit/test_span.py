from datetime import datetime, timedelta

import pytest

from aftersend.dashboard.span import MAX_HOURS, span_of
from tests.counter_widgets import HOUR, NOW, ONE_HOUR, mail


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (NOW, NOW + timedelta(minutes=1), [HOUR]),
        (HOUR, HOUR + ONE_HOUR, [HOUR]),
        (NOW, NOW + ONE_HOUR, [HOUR, HOUR + ONE_HOUR]),
    ],
)
def test_range_has_the_hours_that_it_touches(begin: datetime, end: datetime, hours: list[datetime]):
    assert span_of(begin, end).hours == hours


def test_long_range_is_cut_to_its_end_and_says_so():
    span = span_of(NOW - timedelta(days=90), NOW)
    assert (len(span.hours), span.hours[-1], span.is_cut) == (MAX_HOURS, HOUR, True)
    assert "the last 31 days of the time range" in span.text


def test_period_before_is_as_long_and_ends_where_the_range_begins():
    span = span_of(NOW - timedelta(days=2), NOW)
    assert len(span.previous) == len(span.hours)
    assert span.previous[-1] + ONE_HOUR == span.begin


def test_steps_are_hours_up_to_three_days_and_days_beyond():
    short, long = span_of(HOUR - 71 * ONE_HOUR, NOW), span_of(HOUR - 72 * ONE_HOUR, NOW)
    assert len(short.steps()) == 72
    assert [step.text for step in long.steps()] == ["11 Mar", "12 Mar", "13 Mar", "14 Mar"]
    assert [hour for step in long.steps() for hour in step.hours] == long.hours


def test_step_adds_up_its_hours():
    [*_, last] = span_of(HOUR - 96 * ONE_HOUR, NOW).steps()
    by_hour = {HOUR: mail(3), HOUR - ONE_HOUR: mail(4, 1), HOUR - 24 * ONE_HOUR: mail(9)}
    assert last.measures(by_hour) == mail(7, 1)
