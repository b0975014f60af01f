"""Choose the values of counted tags that have CloudWatch metrics, at most a stated number of each tag on a day.

A metric is paid for by the hours in which it has data, so it is their number on a day that is bounded. The largest
values of the last full day have their places for the whole day; places that they leave are given to the largest of
today, and not taken again until tomorrow. So a new campaign has metrics within an hour if there is room.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

OTHER_VALUES = "other"
"""The value of the metrics of all values that have none of their own."""

MAX_DIMENSION_CHARACTERS = 1_024
"""CloudWatch takes so many ASCII characters as a value of a dimension ("Dimension" in the CloudWatch API reference)."""

LASTS = timedelta(days=1)
"""How long after their day values have metrics if no others are chosen, as where none are wanted any more."""


class Published(msgspec.Struct, frozen=True):
    """Hold the values that have metrics on a day, by tag; tags that are not listed have no metrics at all."""

    day: date | None = None
    values: dict[str, tuple[str, ...]] = {}

    def has_expired(self, day: date) -> bool:
        """Return whether the values have no metrics any more on a day."""
        return self.day is not None and day - self.day > LASTS


def choose_values(
    published: Published,
    day: date,
    *,
    tags: Iterable[str],
    yesterday: Mapping[str, Mapping[str, int]],
    today: Mapping[str, Mapping[str, int]],
    limit: int,
) -> Published:
    """Return the values that have metrics on a day, so many of each tag, given the sends of each tag's values.

    A day that is over is not chosen for again: a schedule that is late would take today's places away.
    """
    if published.day is not None and day < published.day:
        return published
    values: dict[str, tuple[str, ...]] = {}
    for tag in tags:
        kept = published.values.get(tag, ()) if published.day == day else _largest(yesterday.get(tag, {}))
        added = (value for value in _largest(today.get(tag, {})) if value not in kept)
        values[tag] = (*kept, *added)[:limit]
    return Published(day, values)


def _largest(sends: Mapping[str, int]) -> tuple[str, ...]:
    """Return the values that CloudWatch takes and that no other metric is called, the largest first."""
    return tuple(sorted(filter(_is_publishable, sends), key=lambda value: (-sends[value], value)))


def _is_publishable(value: str) -> bool:
    printable = value.isascii() and value.isprintable() and bool(value.strip())
    return printable and len(value) <= MAX_DIMENSION_CHARACTERS and value != OTHER_VALUES
