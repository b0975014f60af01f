"""Measure mass suppression: how much of recent mail suppressed its recipients.

One mistake of a sender's or of a mailbox provider can make thousands of servers refuse mail, as if its recipients did
not exist. The measure only informs people: no decision uses it.
"""

from datetime import datetime, timedelta

FEWEST_SUPPRESSED = 50
"""Below so many there is no mass suppression: a few bounces are a large share of little mail."""

WATCHED_HOURS = 2
"""The hour that has begun and the one before: one alone has hardly any mail in its first minutes."""


def watched_hours(now: datetime) -> list[datetime]:
    """Return the beginnings of the hours that are measured, the latest first."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return [hour - timedelta(hours=number) for number in range(WATCHED_HOURS)]


def mass_suppression_percent(suppressed: int, sends: int) -> int:
    """Return what suppressed as a percentage of what was sent in the same hours, 100 at most; 0 if it is little."""
    if suppressed < FEWEST_SUPPRESSED:
        return 0
    return min(100, 100 * suppressed // sends) if sends else 100
