"""Divide the dashboard's time range into whole hours, and these into the steps of charts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

HOUR = timedelta(hours=1)
MAX_HOURS = 31 * 24
"""A longer range is cut: each day takes eight queries, and as many for the period before."""
MAX_HOURLY = 72
"""Up to so many hours, a step of a chart is an hour; beyond, a day."""


class Step(NamedTuple):
    """A part of the range that a chart shows as one bar or point."""

    hours: Sequence[datetime]
    text: str
    """Its time, for people."""

    def measures(self, by_hour: Mapping[datetime, Mapping[str, int]]) -> Counter[str]:
        """Return the sum of each measure."""
        total: Counter[str] = Counter()
        for hour in self.hours:
            total.update(by_hour.get(hour, {}))
        return total


class Span(NamedTuple):
    """The hours (UTC) in which messages were sent that a panel is about."""

    hours: Sequence[datetime]
    is_cut: bool
    """Whether the dashboard's time range is longer, so that these are its last hours."""

    @property
    def previous(self) -> list[datetime]:
        """Return as many hours before."""
        return [hour - len(self.hours) * HOUR for hour in self.hours]

    @property
    def begin(self) -> datetime:
        """Return the beginning of the first hour."""
        return self.hours[0]

    @property
    def end(self) -> datetime:
        """Return the end of the last hour."""
        return self.hours[-1] + HOUR

    @property
    def text(self) -> str:
        """Describe the range."""
        cut = f" (the last {MAX_HOURS // 24} days of the time range)" if self.is_cut else ""
        return f"{self.begin:%d %b %H:%M} to {self.end:%d %b %Y %H:%M} UTC{cut}"

    def steps(self) -> list[Step]:
        """Return the hours, or the days of a longer range."""
        if len(self.hours) <= MAX_HOURLY:
            return [Step([hour], f"{hour:%d %b %H:%M}") for hour in self.hours]
        days = groupby(self.hours, key=datetime.date)
        return [Step([*hours], f"{day:%d %b}") for day, hours in days]


def span_of(begin: datetime, end: datetime) -> Span:
    """Return the hours that a time range touches, or the last of them."""
    first = begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    number = max(1, -((first - end) // HOUR))
    hours = [first + index * HOUR for index in range(max(0, number - MAX_HOURS), number)]
    return Span(hours, is_cut=number > MAX_HOURS)
