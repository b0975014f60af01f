"""Format counts as CloudWatch metrics: a function prints documents in the embedded metric format.

Metrics are few: totals per configuration set. A metric costs about $0.30 a month per name and dimension value, so
per-tag numbers stay in the counters. Metrics are printed after a commit: they may miss what a stopped function counted,
and never count it twice (but where it stopped while it moved a count to another hour, which takes copies that differ in
the time of sending). Anything that acts on numbers reads the counters.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aftersend.contract import METRICS_DIMENSIONS, METRICS_NAMESPACE
from aftersend.counting import CONFIGURATION_SET, Counts
from aftersend.metrics.summary import summarize


def emf_documents(counts: Counts, environment: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a document for each configuration set with counts, with all its groups of measures.

    What only moves between hours is no new count: a copy that names another time of sending replaces an earlier one.
    """
    by_set: dict[str, Counter[str]] = {}
    for (row, measure), count in counts.items():
        if row.tag == CONFIGURATION_SET:
            by_set.setdefault(row.value, Counter())[measure] += count
    for name, measures in by_set.items():
        if positive := +summarize(measures):
            yield emf_document(positive, dict(zip(METRICS_DIMENSIONS, (environment, name), strict=True)), now)


def emf_document(measures: Mapping[str, float], dimensions: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return a document that makes metrics of measures, under one set of dimensions."""
    metrics = [{"Name": measure, "Unit": "Count"} for measure in measures]
    directive = {"Namespace": METRICS_NAMESPACE, "Dimensions": [[*dimensions]], "Metrics": metrics}
    metadata = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": metadata, **dimensions, **measures}
