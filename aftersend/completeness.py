"""Compare the sends that were counted with those that SES counts itself.

SES publishes two metrics of its own: the sends of each configuration set, and those of the account. An event that is
lost on its way reduces the counters, but neither of these. Aftersend counts a message once per recipient; whether SES's
metric does so too is not documented. Therefore a surplus is no problem, and only what is missing is measured.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

HOUR = timedelta(hours=1)

COMPARED_HOURS = 24

FEWEST_SENDS = 20
"""Fewer sends that are missing, or unseen, are no share: a few are a large part of little mail."""

Sends = Mapping[datetime, int]
"""Sends by the hour (UTC) in which they happened."""


class SetComparison(NamedTuple):
    """Hold what is compared of one configuration set."""

    configuration_set: str
    missing_percent: int
    """What share of its sends is not counted."""
    is_silent: bool
    """Whether it sends, and nothing of it is counted."""


class Window(NamedTuple):
    """Name a span of full hours."""

    start: datetime
    end: datetime

    def total(self, sends: Sends) -> int:
        """Add up the sends within it."""
        return sum(number for hour, number in sends.items() if self.start <= hour < self.end)

    @property
    def days(self) -> list[date]:
        """Return the days that it touches."""
        first = self.start.date()
        return [first + timedelta(days=number) for number in range((self.end.date() - first).days + 1)]

    def widened(self) -> "Window":
        """Return the span with an hour more at both ends."""
        return Window(self.start - HOUR, self.end + HOUR)


def last_hour(now: datetime) -> Window:
    """Return the last hour that ended at least an hour ago, so that its events have been archived and counted."""
    end = now.replace(minute=0, second=0, microsecond=0) - HOUR
    return Window(end - HOUR, end)


def watched_hours(now: datetime) -> Window:
    """Return every hour that a comparison needs, the one that has begun included."""
    return Window(_day(now).widened().start, now)


def _hour(now: datetime) -> Window:
    """Return the last hour that still has a full hour after it that ended an hour ago."""
    start, end = last_hour(now)
    return Window(start - HOUR, end - HOUR)


def _day(now: datetime) -> Window:
    end = _hour(now).end
    return Window(end - COMPARED_HOURS * HOUR, end)


def compare(published: Mapping[str, Sends], counted: Mapping[str, Sends], now: datetime) -> list[SetComparison]:
    """Compare SES's sends of each configuration set with those that were counted: over a day, and over an hour."""
    windows, comparisons = (_hour(now), _day(now)), []
    for name, sends in published.items():
        own = counted.get(name, {})
        missing = max(missing_percent(sends, own, window) for window in windows)
        comparisons.append(SetComparison(name, missing, is_silent(sends, own, now)))
    return comparisons


def unseen_percent(account: Sends, published: Mapping[str, Sends], now: datetime) -> int:
    """Return the share of the account's mail of a day that named none of the configuration sets, rounded up."""
    named = Counter[datetime]()
    for sends in published.values():
        named.update(sends)
    return missing_percent(account, named, _day(now))


def missing_percent(published: Sends, counted: Sends, window: Window) -> int:
    """Return what share of the sends is not counted, rounded up.

    A message that is sent at the end of an hour may be in the next one for SES. Therefore only what is also missing in
    the span that is an hour longer at both ends counts.
    """
    shares = []
    for span in (window, window.widened()):
        total = span.total(published)
        shares.append(_share(total - span.total(counted), total))
    return min(shares)


def is_silent(published: Sends, counted: Sends, now: datetime) -> bool:
    """Tell whether SES has sent within the last hour that is complete, and nothing was counted around it."""
    hour = last_hour(now)
    return hour.total(published) > 0 and Window(hour.start - HOUR, now).total(counted) == 0


def _share(part: int, whole: int) -> int:
    """Return a part as a percentage, rounded up; 0 if it is small."""
    return -(-100 * part // whole) if part >= FEWEST_SENDS else 0
