"""List the AWS prices behind the cost estimate, in US dollars, with their unit and the AWS page they are from.

Requests, messages, metrics, alarms and functions cost the same in all Regions listed here. What differs is in `Prices`.
"""

from typing import NamedTuple

DATE = "2026"
"""When the prices were read, from the AWS price list."""

PUBLISH = 0.50e-6  # a message of up to 64 KB; delivery to SQS is free: "Amazon SNS pricing", standard topics
QUEUE_REQUEST = 0.40e-6  # a request of up to 64 KB: "Amazon SQS pricing", standard queues
INVOCATION, GB_SECOND = 0.20e-6, 13.3334e-6  # "AWS Lambda pricing", arm64
METRIC = 0.30  # a metric-month, prorated by the hours with data: "Amazon CloudWatch pricing", the first 10,000
METRIC_READ = 0.01e-3  # a metric requested by GetMetricData: "Amazon CloudWatch pricing"
CUSTOM_EVENT = 1.00e-6  # an event of up to 64 KB: "Amazon EventBridge pricing", custom events
DASHBOARD, ALARM = 3.00, 0.10  # one a month: "Amazon CloudWatch pricing"
KEY, KEY_REQUEST = 1.00, 3e-6  # a customer managed key a month, a request: "AWS Key Management Service pricing"
SECRET = 0.40  # a month: "AWS Secrets Manager pricing"
SCANNED_TERABYTE = 5.00  # "Amazon Athena pricing", SQL queries; a report is no part of the monthly estimate

GB, TB, HOURS, DAYS = 2**30, 2**40, 730, 365 / 12
"""Bytes in a GB and a TB as AWS bills them; hours and days in a month."""
SECONDS = HOURS * 3600


class Prices(NamedTuple):
    """Hold the prices that differ between Regions."""

    write_unit: float  # a request unit: "Amazon DynamoDB pricing", on demand
    read_unit: float
    table_storage: float  # a GB-month
    table_recovery: float  # a GB-month of a table with point-in-time recovery, in addition
    stream_ingest: float  # a GB: "Amazon Data Firehose pricing", Direct PUT
    object_storage: float  # a GB-month: "Amazon S3 pricing", Standard
    object_put: float  # a request
    object_get: float
    logs: float  # a GB written: "Amazon CloudWatch pricing"


N_VIRGINIA = Prices(0.625e-6, 0.125e-6, 0.25, 0.20, 0.029, 0.023, 5e-6, 0.4e-6, 0.50)
PRICES = {
    **dict.fromkeys(("us-east-1", "us-east-2", "us-west-2"), N_VIRGINIA),
    "eu-west-1": Prices(0.705e-6, 0.1415e-6, 0.283, 0.22, 0.031, 0.023, 5e-6, 0.4e-6, 0.57),
    # Firehose is assumed.
    "eu-central-1": Prices(0.7625e-6, 0.1525e-6, 0.306, 0.2448, 0.033, 0.0245, 5.4e-6, 0.43e-6, 0.63),
}
"""Prices by Region."""

DEFAULT_REGION = "us-east-1"


def price_region(region: str) -> str:
    """Return the Region whose prices are used for a Region: itself, or DEFAULT_REGION if its prices are not listed."""
    return region if region in PRICES else DEFAULT_REGION
