"""Read metrics from CloudWatch."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

PERIOD_SECONDS, HOUR_SECONDS = 300, 3600

Key = TypeVar("Key")


class Metric(NamedTuple):
    """A metric with at most one dimension."""

    namespace: str
    name: str
    dimension: tuple[str, str] | None = None


def metric_values(
    cloudwatch: Any, metrics: Mapping[Key, Metric], statistic: str, start: datetime, end: datetime
) -> dict[Key, list[float]]:
    """Return the values of each metric in a time range, the oldest first; none if there is no data."""
    queries = [_query(f"m{number}", metric, statistic) for number, metric in enumerate(metrics.values())]
    if not queries:
        return {}
    answer = cloudwatch.get_metric_data(
        StartTime=start, EndTime=end, MetricDataQueries=queries, ScanBy="TimestampAscending"
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: values.get(f"m{number}", []) for number, name in enumerate(metrics)}


def hourly_sums(
    cloudwatch: Any, metrics: Mapping[Key, Metric], start: datetime, end: datetime
) -> dict[Key, dict[datetime, int]]:
    """Return the sum of each metric by hour (UTC), of at most 500 metrics; hours without data are missing.

    500 is what GetMetricData takes. A stack has not enough resources for a hundred configuration sets.
    """
    queries = [_query(f"m{number}", metric, "Sum", HOUR_SECONDS) for number, metric in enumerate(metrics.values())]
    sums: dict[str, dict[datetime, int]] = {query["Id"]: {} for query in queries}
    pages = cloudwatch.get_paginator("get_metric_data")
    for page in pages.paginate(StartTime=start, EndTime=end, MetricDataQueries=queries):
        for result in page["MetricDataResults"]:
            hours = (time.astimezone(UTC) for time in result["Timestamps"])
            sums[result["Id"]] |= dict(zip(hours, map(int, result["Values"]), strict=True))
    return dict(zip(metrics, sums.values(), strict=True))


def _query(id: str, metric: Metric, statistic: str, period: int = PERIOD_SECONDS) -> dict[str, Any]:
    dimensions = [dict(zip(("Name", "Value"), metric.dimension, strict=True))] if metric.dimension else []
    described = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": id, "MetricStat": {"Metric": described, "Period": period, "Stat": statistic}}


def labelled_values(
    cloudwatch: Any, queries: Sequence[Mapping[str, Any]], start: datetime, end: datetime
) -> list[tuple[str, list[tuple[datetime, float]]]]:
    """Return label and points, the oldest first, of each result of some queries; an expression may have several."""
    results: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        StartTime=start, EndTime=end, MetricDataQueries=queries, ScanBy="TimestampAscending"
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            points = results.setdefault((result["Id"], result["Label"]), [])
            points += zip(result["Timestamps"], result["Values"], strict=True)
    return [(label, points) for (_, label), points in results.items()]
