"""Provide what every function uses: the log, and metrics of the environment as a whole."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from aftersend.contract import ENVIRONMENT_DIMENSION, Variable
from aftersend.metrics import emf_document
from lambdas.settings import text_setting

logger = Logger(service="aftersend")


def environment_document(measures: Mapping[str, int]) -> dict[str, Any]:
    """Return the document that makes metrics of measures of the environment as a whole, at this moment."""
    return emf_document(measures, {ENVIRONMENT_DIMENSION: text_setting(Variable.ENVIRONMENT)}, datetime.now(UTC))


def emit_metric(document: dict[str, Any]) -> None:
    """Print a document in the embedded metric format: CloudWatch extracts metrics from a function's output."""
    print(msgspec.json.encode(document).decode())
