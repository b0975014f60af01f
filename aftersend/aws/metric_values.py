"""Read metrics from CloudWatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

PERIOD_SECONDS = 300


class Metric(NamedTuple):
    """A metric with at most one dimension."""

    namespace: str
    name: str
    dimension: tuple[str, str] | None = None


def metric_values(
    cloudwatch: Any, metrics: Mapping[str, Metric], statistic: str, start: datetime, end: datetime
) -> dict[str, list[float]]:
    """Return the values of each metric in a time range, the oldest first; none if there is no data."""
    queries = [_query(f"m{number}", metric, statistic) for number, metric in enumerate(metrics.values())]
    if not queries:
        return {}
    answer = cloudwatch.get_metric_data(
        StartTime=start, EndTime=end, MetricDataQueries=queries, ScanBy="TimestampAscending"
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: values.get(f"m{number}", []) for number, name in enumerate(metrics)}


def _query(id: str, metric: Metric, statistic: str) -> dict[str, Any]:
    dimensions = [dict(zip(("Name", "Value"), metric.dimension, strict=True))] if metric.dimension else []
    described = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": id, "MetricStat": {"Metric": described, "Period": PERIOD_SECONDS, "Stat": statistic}}
