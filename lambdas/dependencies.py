"""Provide what every function uses: the log, and metrics of the environment as a whole."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from aftersend.contract import ENVIRONMENT_DIMENSION, Variable
from aftersend.metrics import emf_document
from lambdas.settings import text_setting

logger = Logger(service="aftersend")


def environment_document(counts: Mapping[str, int], metrics: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the document that makes metrics of counts of the environment as a whole, at this moment.

    Of all counts, or of those that `metrics` names and that are not zero: a metric costs $0.30 a month for the hours in
    which it has data, while the log has the others. A heartbeat is always 1.
    """
    measures = counts if metrics is None else {name: counts[name] for name in metrics if counts.get(name)}
    return emf_document(measures, {ENVIRONMENT_DIMENSION: text_setting(Variable.ENVIRONMENT)}, datetime.now(UTC))


def emit_metric(document: dict[str, Any]) -> None:
    """Print a document in the embedded metric format: CloudWatch extracts metrics from a function's output."""
    print(msgspec.json.encode(document).decode())
