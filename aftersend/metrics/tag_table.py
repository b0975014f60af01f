"""Make a table of tag values from their counters: numbers, rates and the verdict on each, the worst first."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from aftersend.metrics.reputation import Level, Reputation, figures, judge, judge_range
from aftersend.metrics.summary import summarize

ByHour = Mapping[datetime, Mapping[str, int]]


class Order(StrEnum):
    """Name what a table is sorted by."""

    WORST = "worst"
    SENDS = "sends"
    NAME = "name"


class TagRow(msgspec.Struct, frozen=True):
    """Hold the numbers of one value of a tag. Opens and clicks are people's, each message and recipient once."""

    tag: str
    value: str
    sends: int
    deliveries: int
    hard_bounces: int
    soft_bounces: int
    complaints: int
    opened: int
    clicked: int
    clicks: int
    """All of people: of a link tag's value, whose mail is unknown, there is nothing else."""
    machine_opens: int
    machine_clicks: int
    bounce_percent: float | None
    """As AWS counts it; None where sends are not counted yet, so that the rate would exceed 100 %."""
    complaint_percent: float | None
    level: str
    """The verdict on the mail of the last 24 hours, or of the range (`range_row`)."""
    severity: float
    """The higher of both rates, as a part of the rate that is critical."""


def tag_row(tag: str, value: str, by_hour: ByHour, since: datetime, now: datetime, reputation: Reputation) -> TagRow:
    """Add up the counters of a value for messages sent since an hour, and judge it."""
    added = {hour: measures for hour, measures in by_hour.items() if hour >= since}
    return _row(tag, value, added, judge(by_hour, now, reputation)[0].level, reputation)


def range_row(tag: str, value: str, by_hour: ByHour, hours: Sequence[datetime], reputation: Reputation) -> TagRow:
    """Add up the counters of a value for messages sent within successive hours, and judge them (`judge_range`)."""
    added = {hour: counts for hour, counts in by_hour.items() if hours[0] <= hour <= hours[-1]}
    return _row(tag, value, added, judge_range(by_hour, hours, reputation)[0].level, reputation)


def _row(tag: str, value: str, by_hour: ByHour, level: Level, reputation: Reputation) -> TagRow:
    measures: Counter[str] = Counter()
    for counts in by_hour.values():
        measures.update(counts)
    groups, (sends, bounces, complaints) = summarize(measures), figures(measures)
    rates = [_percent(number, sends) for number in (bounces, complaints)]
    critical = reputation.bounce_critical_percent, reputation.complaint_critical_percent
    return TagRow(
        tag=tag,
        value=value,
        sends=groups["send"],
        deliveries=groups["delivery"],
        hard_bounces=bounces,
        soft_bounces=groups["soft_bounce"],
        complaints=complaints,
        opened=groups["unique_opens"],
        clicked=groups["unique_clicks"],
        clicks=groups["click"],
        machine_opens=groups["machine_open"],
        machine_clicks=groups["machine_click"],
        bounce_percent=rates[0],
        complaint_percent=rates[1],
        level=level.word,
        severity=max((rate or 0) / limit for rate, limit in zip(rates, critical, strict=True)),
    )


def _percent(events: int, sends: int) -> float | None:
    return round(100 * events / sends, 3) if 0 < sends >= events else None


def sort_rows(rows: Iterable[TagRow], order: Order) -> list[TagRow]:
    """Return the rows in an order; names decide where they are equal."""
    return sorted(rows, key=lambda row: (_ORDERS[order](row), row.tag, row.value))


_LEVELS: Mapping[str, Level] = {level.word: level for level in Level}

_ORDERS: Mapping[Order, Callable[[TagRow], Any]] = {
    Order.WORST: lambda row: (-_LEVELS[row.level], -row.severity, -row.sends),
    Order.SENDS: lambda row: -row.sends,
    Order.NAME: lambda row: (row.tag, row.value),
}
