"""Query what a metric widget of the dashboard shows: from CloudWatch, and in a local run from the counters.

The emulator makes no metrics of the lines that functions print. The counters have the same figures by hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_recorder import deployed_reputation
from aftersend.aws.deployment import Deployment
from aftersend.aws.metric_values import labelled_values
from aftersend.contract import CONFIGURATION_SET_DIMENSION, METRICS_NAMESPACE, RATE_METRICS
from aftersend.counting import ALL_MEASURES, CONFIGURATION_SET
from aftersend.dashboard.elements import Content, element
from aftersend.dashboard.graph import Point, Series, Source, graph, queries, sources, thresholds
from aftersend.metrics.reputation import Reputation, judge, rates, watched_hours
from aftersend.operations.status import duration

HOUR = timedelta(hours=1)
PERIODS = (timedelta(minutes=1), timedelta(minutes=5), HOUR, 6 * HOUR, 24 * HOUR)
MAX_POINTS = 300
"""Of a line: more cannot be told apart on a screen."""


def draw(
    deployment: Deployment, properties: Mapping[str, Any], begin: datetime, end: datetime, width: int
) -> list[Content]:
    """Return a metric widget's graph, marked as a stand-in for that of CloudWatch."""
    wanted, period = sources(properties), _period(end - begin)
    counted = [source for source in wanted if deployment.local_run and _is_counted(source)]
    series = _from_counters(deployment, counted, begin, end) if counted else []
    if others := [source for source in wanted if source not in counted]:
        found = labelled_values(deployment.client("cloudwatch"), queries(others, period), begin, end)
        series += [Series(label, points) for label, points in found]
    step = duration((HOUR if counted else period).total_seconds())
    mark = f"Stands in for CloudWatch's graph. Values are of {step} each, times in UTC."
    if deployment.local_run and not counted and not any(each.points for each in series):
        mark = "The emulator makes no metrics of what functions print; CloudWatch has this graph."
    drawn = graph(series, thresholds(properties), begin, end, title=properties.get("title", ""), width=width)
    return [drawn, element("p", mark, css="soft")]


def _period(length: timedelta) -> timedelta:
    return next((each for each in PERIODS if length / each <= MAX_POINTS), PERIODS[-1])


def _is_counted(source: Source) -> bool:
    of_set = source.namespace == METRICS_NAMESPACE and CONFIGURATION_SET_DIMENSION in source.dimensions
    return of_set and (source.name in ALL_MEASURES or source.name in RATE_METRICS)


def _from_counters(deployment: Deployment, wanted: Sequence[Source], begin: datetime, end: datetime) -> list[Series]:
    first = begin.replace(minute=0, second=0, microsecond=0)
    hours = [first + HOUR * number for number in range((end - first) // HOUR + 1)]
    sums = deployed_counters(deployment).sums(CONFIGURATION_SET, [*watched_hours(first), *hours])
    is_rate = any(source.name in RATE_METRICS for source in wanted)
    reputation = deployed_reputation(deployment) if is_rate else Reputation()

    def points(source: Source) -> list[Point]:
        by_hour = sums.get(source.dimensions[CONFIGURATION_SET_DIMENSION], {})
        if source.name in RATE_METRICS:
            return list(_rates(source.name, by_hour, hours, reputation))
        values = [(hour, float(by_hour.get(hour, {}).get(source.name, 0))) for hour in hours]
        return values if any(value for _, value in values) else []

    return [Series(source.label, points(source)) for source in wanted]


def _rates(
    name: str, by_hour: Mapping[datetime, Mapping[str, int]], hours: Sequence[datetime], reputation: Reputation
) -> Iterator[Point]:
    """Yield a rate at the end of each hour, as watch_rates emits it."""
    for hour in hours:
        measured = rates(
            judge({each: by_hour.get(each, {}) for each in watched_hours(hour)}, hour, reputation), reputation
        )
        if name in measured:
            yield hour, measured[name]
