"""Format numbers and times for people. All times are in UTC."""

from datetime import UTC, datetime

from aftersend.operations.status import duration

UNKNOWN = "-"
"""Shown in the place of a number that is not known, or not known yet."""


def count(number: int) -> str:
    """Return a number with separators of thousands."""
    return f"{number:,}"


def percent(part: int, whole: int, decimals: int = 1) -> str:
    """Return a share; a dash where the whole is not counted yet, so that the share would exceed 100 %."""
    return f"{100 * part / whole:.{decimals}f} %" if 0 < whole >= part else UNKNOWN


def moment(time: datetime | None) -> str:
    """Return a time to the minute."""
    return f"{time.astimezone(UTC):%d %b %Y %H:%M}" if time else "unknown"


def ago(now: datetime, time: datetime) -> str:
    """Return how long ago a time was."""
    return f"{duration((now - time).total_seconds())} ago"


def dollars(amount: float) -> str:
    """Return an amount of US dollars."""
    return f"${amount:,.2f}"
