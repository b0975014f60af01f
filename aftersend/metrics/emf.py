"""CloudWatch metrics, as documents in the embedded metric format: what a function prints, CloudWatch makes metrics of.

Few and of fixed number: totals per configuration set. A metric costs about $0.30 a month per name and dimension value,
so per-tag numbers stay in the counters. Printed after a commit, a metric may miss what a stopped function counted; it
never doubles. Whatever acts on numbers reads the counters.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aftersend.contract import METRICS_DIMENSIONS, METRICS_NAMESPACE
from aftersend.counting import CONFIGURATION_SET, Counts


def documents(counts: Counts, environment: str, now: datetime) -> Iterator[dict[str, Any]]:
    """A document for each configuration set that counted anything, with all its measures."""
    by_set: dict[str, dict[str, int]] = {}
    for (row, measure), count in counts.items():
        if row.tag == CONFIGURATION_SET and count > 0:
            measures = by_set.setdefault(row.value, {})
            measures[measure] = measures.get(measure, 0) + count
    for name, measures in by_set.items():
        yield document(measures, dict(zip(METRICS_DIMENSIONS, (environment, name), strict=True)), now)


def document(measures: Mapping[str, int], dimensions: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Counts as metrics of one set of dimensions."""
    metrics = [{"Name": measure, "Unit": "Count"} for measure in measures]
    directive = {"Namespace": METRICS_NAMESPACE, "Dimensions": [[*dimensions]], "Metrics": metrics}
    about = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": about, **dimensions, **measures}
