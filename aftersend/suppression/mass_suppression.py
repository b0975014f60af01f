"""Measure mass suppression: how many recipients of recent mail were suppressed.

One mistake of a sender's or of a mailbox provider can make thousands of servers refuse mail, as if its recipients did
not exist. The measure only informs people: no decision uses it.
"""

from datetime import datetime, timedelta

from aftersend.suppression.entry import Entry

WATCHED_REASONS = ("bounce", "complaint")
"""An operator's act is deliberate, and so is a recipient's subscription."""

FEWEST_SUPPRESSED = 50
"""Below so many new entries there is no mass suppression: a few bounces are a large share of little mail."""

WATCHED_HOURS = 2
"""The hour that has begun and the one before: one alone has hardly any mail in its first minutes."""


def watched_hours(now: datetime) -> list[datetime]:
    """Return the beginnings of the hours that are measured, the latest first."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return [hour - timedelta(hours=number) for number in range(WATCHED_HOURS)]


def is_new_suppression(entry: Entry, now: datetime) -> bool:
    """Tell whether feedback of the measured hours suppressed the recipient, who still is.

    The scope does not matter: with every scope, mail is not sent.
    """
    is_recent = entry.since is not None and entry.since >= watched_hours(now)[-1]
    return is_recent and entry.reason in WATCHED_REASONS and entry.is_in_force(now)


def mass_suppression_percent(suppressed: int, sends: int) -> int:
    """Return new suppressions as a percentage of what was sent in the same hours, 100 at most; 0 if they are few.

    Sends are counted a minute or two later than bounces suppress, so there may be none yet.
    """
    if suppressed < FEWEST_SUPPRESSED:
        return 0
    return min(100, 100 * suppressed // sends) if sends else 100
