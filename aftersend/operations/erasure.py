"""Say what an erasure cannot reach, and on which day it is gone. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    IMPORTS_PREFIX,
    QUARANTINE_PREFIX,
    REPORTS_PREFIX,
)

ARCHIVE = {
    "events in the archive": EVENTS_PREFIX,
    "quarantined lines": QUARANTINE_PREFIX,
    "records that Firehose could not process": FIREHOSE_ERRORS_PREFIX,
    "failed batches": FAILED_BATCHES_PREFIX,
    "import jobs of SES's account suppression list": IMPORTS_PREFIX,
    "results of reports": REPORTS_PREFIX,
}
"""What may name a recipient in the archive bucket, with its prefix."""

LIFECYCLE_DELAY_DAYS = 2
"""S3 rounds the end of each of two rules (expiry, then removal of the old version) up to the next midnight."""

OTHERS = {
    "messages in queues and dead-letter queues": 14,
    "backups of the tables (point-in-time recovery)": 35,
    "the stream of the ledger": 1,
}
"""What else may name a recipient, and for how many days ("Quotas" of SQS, "Point-in-time recovery" and "Change data
capture for DynamoDB Streams" in the developer guides)."""


class Remains(NamedTuple):
    """Name a place that may still name a recipient, and the day by which it does not; None if nothing expires there."""

    place: str
    gone_by: date | None


def remains(archive_days: Mapping[str, int], today: date) -> list[Remains]:
    """Return the places, given after how many days the bucket removes objects, by prefix."""
    archive = [
        Remains(place, today + timedelta(days=archive_days[prefix] + LIFECYCLE_DELAY_DAYS))
        if prefix in archive_days
        else Remains(place, None)
        for place, prefix in ARCHIVE.items()
    ]
    return [*archive, *(Remains(place, today + timedelta(days=days)) for place, days in OTHERS.items())]
