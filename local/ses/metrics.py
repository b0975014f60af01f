"""Publish SES's own metrics to the emulator's CloudWatch: of the account, and of CloudWatch event destinations."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from local.ses.records import Message

NAMESPACE = "AWS/SES"
FLUSH_SECONDS = 5.0
"""How long events are collected: a request per message would slow the demo down."""
MAX_METRICS = 1_000
"""Metrics that one PutMetricData takes."""

Metric = tuple[str, datetime, tuple[tuple[str, str], ...]]
"""Name, minute, and dimensions with their values."""


class SendingMetrics:
    """Count events by metric and minute, each once: unlike records, SES publishes no metric twice."""

    def __init__(self, emulator_client: Callable[[str], Any]) -> None:
        self._client = emulator_client
        self._counts: Counter[Metric] = Counter()
        self._flushed_at = time.monotonic()
        self._lock = threading.Lock()

    def add(self, event_type: str, message: Message, destinations: Iterable[dict[str, Any]]) -> None:
        """Count an event for the account and for the event destinations that publish it to CloudWatch."""
        name, minute = event_type.replace(" ", ""), message.sent_at.replace(second=0, microsecond=0)
        dimensions = [each["CloudWatchDestination"]["DimensionConfigurations"] for each in destinations]
        with self._lock:
            self._counts.update([(name, minute, ()), *((name, minute, _values(each, message)) for each in dimensions)])
            is_due = time.monotonic() - self._flushed_at > FLUSH_SECONDS
        if is_due:
            self.flush()

    def flush(self) -> None:
        """Publish what is collected."""
        with self._lock:
            counts, self._counts = list(self._counts.items()), Counter()
            self._flushed_at = time.monotonic()
        for start in range(0, len(counts), MAX_METRICS):
            data = [_datum(metric, number) for metric, number in counts[start : start + MAX_METRICS]]
            self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _values(dimensions: Iterable[dict[str, str]], message: Message) -> tuple[tuple[str, str], ...]:
    """Return dimensions with their values: only message tags have others than the default here."""
    tags = message.tags | {"ses:configuration-set": [message.configuration_set or ""]}
    names = ((each["DimensionName"], each["DefaultDimensionValue"]) for each in dimensions)
    return tuple((name, tags.get(name, [default])[0]) for name, default in names)


def _datum(metric: Metric, number: int) -> dict[str, Any]:
    name, minute, dimensions = metric
    described = [dict(zip(("Name", "Value"), each, strict=True)) for each in dimensions]
    return {"MetricName": name, "Timestamp": minute, "Value": float(number), "Dimensions": described, "Unit": "Count"}
