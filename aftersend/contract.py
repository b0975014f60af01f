"""Name everything that the stacks and the functions must agree on. Both sides import it from here."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

# Tables

PARTITION_KEY, SORT_KEY, EXPIRES = "partition_key", "sort_key", "expires"
"""Attributes of every table: its key, and when an item may be removed (epoch seconds)."""

FORGOTTEN = "forgotten"
"""The partition of the suppressions table with the tombstones of recipients whose data was erased; also the reason and
the rule they are suppressed for."""

GUARD_PARTITION = "guard"
"""The partition of the counters table with what the guard remembers about configuration sets (docs/reputation.md)."""

SUPPRESSION_LIST_PARTITION = "suppression-list"
"""The partition of the counters table with the size of the suppression list, which sweep_suppressions counts."""

SCHEMA_ATTRIBUTE, SCHEMA = "schema", 1
"""Version of the layout of ledger items, suppression entries and tombstones; items without one have the first."""

FEEDBACK_DAY = "feedback_day"
"""Attribute of the ledger's items of feedback. DynamoDB indexes only items that have both keys of an index, so that
the indexes have no other items."""

FEEDBACK_BY_MESSAGE, FEEDBACK_BY_DAY = "feedback-by-message", "feedback-by-day"
FEEDBACK_INDEXES = {FEEDBACK_BY_MESSAGE: ("message_id", FEEDBACK_DAY), FEEDBACK_BY_DAY: (FEEDBACK_DAY, "sent_at")}
"""The global secondary indexes of the ledger, and the attributes that are their partition and sort keys."""

# The archive bucket

EVENTS_PREFIX = "events/"
"""Objects that Firehose writes; the only prefix whose objects are announced."""

FIREHOSE_ERRORS_PREFIX = "firehose-failed/"
"""Records that Firehose could not process."""

QUARANTINE_PREFIX = "quarantine/"
"""Lines of archive objects that could not be parsed."""


class QuarantinedLine(msgspec.Struct, frozen=True):
    """A line that could not be parsed, as it is stored: one JSON object per line."""

    object: str
    line: int
    """From 1."""
    reason: str
    detail: str
    record: str
    """The line, cut where it is too long to be parsed, with bytes that are not UTF-8 replaced. The object has the
    original."""


FAILED_BATCHES_PREFIX = "aws/lambda/"
"""Batches of a table's stream for which Lambda stopped retrying. Lambda chooses the prefix."""

REDRIVEN_SUFFIX = ".redriven.gz"
"""End of the keys of objects below EVENTS_PREFIX that `aftersend failures redrive` has written."""

IDENTITIES_PREFIX = "identities/"
"""The notification settings that were deployed, an object per identity."""

ACCOUNT_LIST_PREFIX = "account-list/"
"""How far sync_account_list has read SES's account suppression list, and the addresses of import jobs."""

IMPORTS_PREFIX = f"{ACCOUNT_LIST_PREFIX}imports/"
"""The addresses of import jobs, which SES reads."""

REPORTS_PREFIX = "reports/"
"""Results of `aftersend report`, which contain addresses."""

# Reports over the archive

RECORDS_TABLE, RECORD_COLUMN, ARRIVED_COLUMN = "records", "record", "arrived"
"""The table of the queries in aftersend/reports/: a record as text, and the hour in which it arrived."""

# Metrics

METRICS_NAMESPACE = "Aftersend"
ENVIRONMENT_DIMENSION = "Environment"
CONFIGURATION_SET_DIMENSION, TAG_DIMENSIONS = "ConfigurationSet", ("Tag", "Value")
METRICS_DIMENSIONS = (ENVIRONMENT_DIMENSION, CONFIGURATION_SET_DIMENSION)
"""Metrics of an environment as a whole have the first dimension alone; those of configuration sets and of values of
counted tags have their own in addition."""

QUARANTINED_LINES, UNCOUNTABLE_RECORDS = "quarantined_lines", "uncountable_records"
"""Metrics of record_archive and count_tags for the whole environment."""

UNPUBLISHABLE_CHANGES = "unpublishable_changes"
"""Metric of publish_suppressions for the whole environment."""

FAILED_OBJECTS_METRICS = {
    "quarantine_objects": QUARANTINE_PREFIX,
    "failed_batches": FAILED_BATCHES_PREFIX,
    "firehose_error_objects": FIREHOSE_ERRORS_PREFIX,
}
"""Metrics of check_identities that count the objects below a prefix of the archive bucket."""

CHECK_METRICS = (
    "identity_check_runs",
    "check_errors",
    "identities_unverified",
    "identities_drifted",
    "identities_failed",
    "identities_dkim_failed",
    "identities_mail_from_failed",
    "sending_paused",
    "account_under_review",
    "quota_used_percent",
    *FAILED_OBJECTS_METRICS,
)
"""Every metric of check_identities, with ENVIRONMENT_DIMENSION; its other counts are only logged. Each run of a
scheduled function emits its first metric, which is 1, and of the others only those that are not zero: a metric costs by
the hours with data. `check_errors` counts what failed, and `quota_used_percent` is emitted from 50 on."""

ACCOUNT_LIST_METRICS = ("account_list_runs", "account_list_unavailable", "account_list_drift")
"""Every metric of sync_account_list, with the dimension Environment. `account_list_unavailable` is 1 if SES does not
let the list be read or, where wanted, changed."""

SWEEP_METRICS = ("sweep_runs", "sweep_failed", "mass_suppression_percent")
"""Every metric of sweep_suppressions, with the dimension Environment."""

COUNT_CHECK_METRICS = (
    "count_check_runs",
    "counts_missing_percent",
    "silent_sets",
    "unseen_percent",
    "tags_over_values",
)
"""Every metric of check_counts, with the dimension Environment."""

CANARY_METRICS = ("canary_runs", "canary_missing", "canary_failed")
"""Every metric of send_canary, with the dimension Environment: `canary_missing` counts events, the last messages."""

RATES_EVERY_MINUTES = 5
"""How often watch_rates runs."""

GUARD_WOULD_PAUSE = "guard_would_pause"
"""The metric of watch_rates that no alarm watches: how many configuration sets the guard would pause."""

RATES_METRICS = ("rates_runs", "rates_warning", "rates_critical", "guard_paused", "guard_errors", GUARD_WOULD_PAUSE)
"""Every metric of watch_rates with the dimension Environment. `rates_runs` is always 1; the others are emitted only if
they are not 0."""

RATE_METRICS = ("bounce_rate", "complaint_rate")
"""Metrics of watch_rates with METRICS_DIMENSIONS: the rates of 24 hours in percent, for sets with enough mail."""

RUNBOOK = "docs/operations.md"
"""The page with a section for each alarm, whose anchor is the alarm's id in lower case."""

# Functions


class CountCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tell check_counts what to compare."""

    configuration_sets: tuple[str, ...]
    """Those whose sends are published to CloudWatch and to Aftersend."""
    tags: tuple[str, ...]
    """Tags whose values are counted: message tags by their names, link tags by those of their counters."""
    max_tag_values: int
    dollars_per_tag_value: float
    """What a value of each day costs at least a month."""
    tag_metric_values: int = 0
    """How many values of each message tag have metrics on a day."""


class CostTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold the cost estimate at several volumes, between which it is nearly linear."""

    messages: tuple[int, ...]
    """Messages a month, from none on."""
    parts: dict[str, tuple[float, ...]]
    """Dollars a month of each part at these volumes."""
    basis: str
    """The Region and the date of the prices."""


class Variable(StrEnum):
    """Name the environment variables of the functions. Those marked JSON hold a value of the type given."""

    ENVIRONMENT = "ENVIRONMENT"
    LEDGER_TABLE = "LEDGER_TABLE"
    SUPPRESSIONS_TABLE = "SUPPRESSIONS_TABLE"
    COUNTERS_TABLE = "COUNTERS_TABLE"
    ARCHIVE_BUCKET = "ARCHIVE_BUCKET"
    RETENTION = "RETENTION"  # JSON: retention.Retention
    POLICY = "POLICY"  # JSON: suppression.Policy
    PARSING = "PARSING"  # JSON: parsing.Options
    TRACKED = "TRACKED"  # JSON: dashboard.tracking.Tracked
    COUNTED = "COUNTED"  # JSON: counting.Counted
    RESTORE_DRIFT = "RESTORE_DRIFT"  # JSON: bool
    HASH_KEY_SECRET = "HASH_KEY_SECRET"  # noqa: S105 (the ARN of the secret with the hash key of forgotten recipients)
    EVENT_BUS = "EVENT_BUS"
    INCLUDE_ADDRESS = "INCLUDE_ADDRESS"  # JSON: bool
    EMULATED = "EMULATED"  # set, to whatever value, only on the emulator, which names no shards
    PACE_SECONDS = "PACE_SECONDS"  # JSON: float
    CONFIGURATION_SETS = "CONFIGURATION_SETS"  # JSON: tuple[str, ...]
    REPUTATION = "REPUTATION"  # JSON: metrics.reputation.Reputation
    SETTLING_SECONDS = "SETTLING_SECONDS"  # JSON: int
    COUNT_CHECK = "COUNT_CHECK"  # JSON: CountCheck
    CANARY_FROM_ADDRESS = "CANARY_FROM_ADDRESS"
    CANARY_CONFIGURATION_SET = "CANARY_CONFIGURATION_SET"
    CHANGE_FUNCTION = "CHANGE_FUNCTION"  # the ARN of change_suppressions
    RUNBOOK_URL = "RUNBOOK_URL"  # a URL, or the path RUNBOOK
    COSTS = "COSTS"  # JSON: CostTable


ONLY_SHARD = "the-only-shard"
"""The shard whose checkpoints count on the emulator, which names none to the function. AWS names it because the event
source mapping has a window."""


class FunctionSize(NamedTuple):
    """Give a function's memory and the longest time one invocation may take."""

    memory_mebibytes: int
    timeout_seconds: int


FUNCTIONS = {
    "record_feedback": FunctionSize(512, 60),
    "record_archive": FunctionSize(1024, 300),
    "count_tags": FunctionSize(512, 120),
    "publish_suppressions": FunctionSize(512, 120),
    "set_identity_notifications": FunctionSize(256, 300),
    "check_identities": FunctionSize(256, 900),
    "sync_account_list": FunctionSize(512, 900),
    "sweep_suppressions": FunctionSize(1769, 900),
    "watch_rates": FunctionSize(512, 300),
    "check_counts": FunctionSize(512, 300),
    "send_canary": FunctionSize(256, 300),
    "show_widgets": FunctionSize(1769, 60),
    "change_suppressions": FunctionSize(512, 60),
}
"""The size of every function, by the name of its file in lambdas/. The stacks and the cost estimate use it."""

# Custom resources


class CustomResource(StrEnum):
    """Name the types of the custom resources that manage an identity's notification settings."""

    PREVIOUS_IDENTITY_NOTIFICATIONS = "Custom::PreviousIdentityNotifications"
    IDENTITY_NOTIFICATIONS = "Custom::IdentityNotifications"


class Property(StrEnum):
    """Name the properties of the custom resources; those marked JSON hold a value of the type given."""

    IDENTITY = "Identity"
    WANTED = "Wanted"  # JSON: NotificationSettings
    PREVIOUS = "Previous"  # JSON: NotificationSettings


SETTINGS_ATTRIBUTE = "Settings"
"""The attribute of PREVIOUS_IDENTITY_NOTIFICATIONS that becomes PREVIOUS of IDENTITY_NOTIFICATIONS."""


NOTIFICATION_TYPES = ("Bounce", "Complaint", "Delivery")
"""`NotificationType` of the SES API v1."""


class NotificationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Describe how SES notifies about an identity. The defaults are SES's own."""

    topics: dict[str, str] = {}
    """Notification type → ARN of the topic; types that are not published are left out."""
    headers: tuple[str, ...] = ()
    """Notification types that carry the original headers; only types with a topic can."""
    forwarding: bool = True
    """Whether feedback is also mailed to the sender. SES stops only where bounces and complaints have topics."""
