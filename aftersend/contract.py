"""Names that the stacks and the functions must agree on."""

PARTITION_KEY, SORT_KEY, EXPIRES = "partition_key", "sort_key", "expires"
"""Attributes of every table: its key, and when an item may be removed (epoch seconds)."""

EVENTS_PREFIX = "events/"
"""What Firehose writes to the archive; the only prefix that triggers anything."""

FIREHOSE_ERRORS_PREFIX = "firehose-failed/"
"""What Firehose could not process."""

QUARANTINE_PREFIX = "quarantine/"
"""Where lines of the archive are kept that nobody understood."""

FAILED_BATCHES_PREFIX = "aws/lambda/"
"""Where Lambda puts batches of the ledger's stream that failed however often they were tried; the name is Lambda's."""

IDENTITIES_PREFIX = "identities/"
"""Where the bucket of the archive keeps which notification settings were deployed."""

METRICS_NAMESPACE = "Aftersend"
METRICS_DIMENSIONS = ("Environment", "ConfigurationSet")
