"""Format counts as CloudWatch metrics: a function prints documents in the embedded metric format.

Metrics are few, for each costs about $0.30 a month: of each configuration set, and of a stated number of values of each
counted tag, those of `Published`; the others' together are the value `other`. What is added is printed after it was
committed, and what is taken back (a richer copy of an event names another tag) before. So metrics may miss what a
stopped function counted, and never exceed the counters. Anything that acts on numbers reads the counters.

Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from aftersend.contract import CONFIGURATION_SET_DIMENSION, ENVIRONMENT_DIMENSION, METRICS_NAMESPACE, TAG_DIMENSIONS
from aftersend.counting import CONFIGURATION_SET, Counts
from aftersend.metrics.published_values import OTHER_VALUES, Published
from aftersend.metrics.summary import summarize

Dimensions = tuple[tuple[str, str], ...]
"""Names and values of dimensions, besides the environment's."""

Changes = dict[Dimensions, Counter[str]]
"""By how much the groups of measures move, in which dimensions."""


def metric_changes(counts: Counts, published: Published) -> Changes:
    """Return what counts change in the metrics. What only moves between hours changes nothing."""
    measures: dict[Dimensions, Counter[str]] = {}
    for (row, measure), count in counts.items():
        if row.tag == CONFIGURATION_SET:
            measures.setdefault(((CONFIGURATION_SET_DIMENSION, row.value),), Counter())[measure] += count
        elif (values := published.values.get(row.tag)) is not None:
            value = row.value if row.value in values else OTHER_VALUES
            measures.setdefault(tuple(zip(TAG_DIMENSIONS, (row.tag, value), strict=True)), Counter())[measure] += count
    return {dimensions: summarize(each) for dimensions, each in measures.items()}


def decreases(changes: Changes) -> Changes:
    """Return what is to be printed before a commit: negative numbers alone."""
    return {dimensions: taken for dimensions, groups in changes.items() if (taken := _negative(groups))}


def _negative(groups: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in groups.items() if count < 0})


def add_increases(total: Changes, changes: Changes) -> None:
    """Add to a total what is to be printed after a commit: positive numbers alone."""
    for dimensions, groups in changes.items():
        if added := +groups:
            total.setdefault(dimensions, Counter()).update(added)


def emf_documents(changes: Changes, environment: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a document for each configuration set and tag value, with all its groups of measures."""
    for dimensions, groups in changes.items():
        yield emf_document(groups, {ENVIRONMENT_DIMENSION: environment, **dict(dimensions)}, now)


def emf_document(measures: Mapping[str, float], dimensions: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Return a document that makes metrics of measures, under one set of dimensions."""
    metrics = [{"Name": measure, "Unit": "Count"} for measure in measures]
    directive = {"Namespace": METRICS_NAMESPACE, "Dimensions": [[*dimensions]], "Metrics": metrics}
    metadata = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": metadata, **dimensions, **measures}
