"""Evaluate CloudWatch alarms over data points, as CloudWatch does.

Source: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user guide.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from tests.evaluators.templates import Resource

EXTRA_PERIODS = 2
"""CloudWatch looks at more periods than an alarm evaluates, and evaluates the latest that have data. How many more
depends on the period; in the examples of the user guide there are two."""

STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min, "Average": fmean}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class Metric(NamedTuple):
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    """CloudWatch matches all of them or none: a metric with more dimensions is another metric."""


@dataclass
class Metrics:
    """Data points by metric and minute."""

    points: dict[Metric, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def publish(self, minute: int, namespace: str, dimensions: Mapping[str, str], **values: float) -> None:
        for name, value in values.items():
            self.points[Metric(namespace, name, frozenset(dimensions.items()))][minute].append(value)

    def publish_document(self, minute: int, document: Mapping[str, Any]) -> None:
        """Extract the metrics of a document in the embedded metric format."""
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                values = {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
                self.publish(minute, directive["Namespace"], {name: document[name] for name in names}, **values)

    def values(self, metric: Metric, start: int, end: int) -> list[float]:
        """Return the data points from a minute until before another."""
        points = self.points.get(metric, {})
        return [value for minute in range(start, end) for value in points.get(minute, ())]


@dataclass(frozen=True)
class Alarm:
    id: str
    metric: Metric
    statistic: str
    period: int
    """In minutes."""
    evaluation_periods: int
    datapoints: int
    threshold: float
    comparison: str
    missing_data: str

    def state(self, metrics: Metrics, minute: int) -> str:
        """Return the state at a minute, from the periods that ended by then."""
        periods = [
            metrics.values(self.metric, minute - (number + 1) * self.period, minute - number * self.period)
            for number in range(self.evaluation_periods + EXTRA_PERIODS)
        ]
        return self.evaluate([STATISTICS[self.statistic](values) for values in periods if values])

    def evaluate(self, latest_first: list[float]) -> str:
        """Return the state, given a value for each period looked at that has data."""
        values = latest_first[: self.evaluation_periods]
        if not values and self.missing_data == "missing":
            return "INSUFFICIENT_DATA"
        breaching = sum(COMPARISONS[self.comparison](value, self.threshold) for value in values)
        missing = self.evaluation_periods - len(values)
        if self.missing_data == "breaching":
            breaching += missing
        needed = min(self.datapoints, len(values)) if self.missing_data == "missing" else self.datapoints
        return "ALARM" if breaching >= needed else "OK"


def alarms_of(resources: Iterable[Resource]) -> dict[str, Alarm]:
    """Return the alarms among resources by their logical ids.

    Raises:
        NotImplementedError: if one has properties that no alarm had until now.
    """
    alarms = [_alarm(each) for each in resources if each.type == "AWS::CloudWatch::Alarm"]
    return {alarm.id: alarm for alarm in alarms}


def _alarm(resource: Resource) -> Alarm:
    properties = resource.properties
    unknown = properties.keys() & {
        "Metrics",
        "ExtendedStatistic",
        "EvaluateLowSampleCountPercentile",
        "ThresholdMetricId",
    }
    if unknown or properties.get("TreatMissingData") == "ignore":
        raise NotImplementedError(f"{resource.name}: {', '.join(sorted(unknown)) or 'missing data is ignored'}")
    dimensions = frozenset((each["Name"], each["Value"]) for each in properties.get("Dimensions", ()))
    return Alarm(
        id=resource.logical_id,
        metric=Metric(properties["Namespace"], properties["MetricName"], dimensions),
        statistic=properties["Statistic"],
        period=properties["Period"] // 60,
        evaluation_periods=properties["EvaluationPeriods"],
        datapoints=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
        threshold=properties["Threshold"],
        comparison=properties["ComparisonOperator"],
        missing_data=properties.get("TreatMissingData", "missing"),
    )
