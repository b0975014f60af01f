"""List the AWS prices behind the cost estimate, in US dollars, with their unit and the AWS page they are from."""

REGION_AND_DATE = "us-east-1, November 2026"
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6  # a request unit: "Amazon DynamoDB pricing", on demand
TABLE_STORAGE = 0.25 + 0.20  # a GB-month and its point-in-time recovery: "Amazon DynamoDB pricing"
PUBLISH = 0.50e-6  # a message of up to 64 KB; delivery to SQS is free: "Amazon SNS pricing", standard topics
QUEUE_REQUEST = 0.40e-6  # a request of up to 64 KB: "Amazon SQS pricing", standard queues
STREAM_INGEST = 0.029  # a GB: "Amazon Data Firehose pricing", Direct PUT
OBJECT_STORAGE, OBJECT_PUT, OBJECT_GET = 0.023, 5e-6, 0.4e-6  # a GB-month, a request: "Amazon S3 pricing", Standard
INVOCATION, GB_SECOND = 0.20e-6, 13.3334e-6  # "AWS Lambda pricing", arm64
METRIC = 0.30  # a metric-month, prorated by the hours with data: "Amazon CloudWatch pricing", the first 10,000
DASHBOARD, ALARM, LOGS = 3.00, 0.10, 0.50  # one a month, one a month, a GB written: "Amazon CloudWatch pricing"
KEY, KEY_REQUEST = 1.00, 3e-6  # a customer managed key a month, a request: "AWS Key Management Service pricing"

GB, HOURS, DAYS = 2**30, 730, 365 / 12
"""Bytes in a GB as AWS bills it; hours and days in a month."""
SECONDS = HOURS * 3600
