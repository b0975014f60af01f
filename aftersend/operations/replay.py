"""Plan a replay: the keys of a time range, the notifications that announce them, and the cost."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote_plus

from aftersend.config import cost, prices
from aftersend.config.volume import COUNTING
from aftersend.contract import EVENTS_PREFIX, FUNCTIONS
from aftersend.operations.failures import StoredObject
from aftersend.retention import Retention

EVENTS_PER_SECOND = 2_000
"""The default pace: half of the 4,000 write units a second that a new on-demand table takes at once ("Amazon DynamoDB:
burst and adaptive capacity, on-demand initial throughput"), so that live events keep the other half."""

BATCH_MESSAGES = 10
"""Messages that SendMessageBatch accepts."""

PLAIN_EVENT_BYTES = 1_500
"""An event in an object that is not compressed: assumed, as cost.ARCHIVED_BYTES is for those that are."""

HOUR = timedelta(hours=1)

MAX_BUFFERED = timedelta(minutes=15)
"""How long Firehose collects records for an object, at the most. The first of them decides on its key ("Amazon S3
object name format" in the Amazon Data Firehose guide)."""


class HourRange(NamedTuple):
    """Whole hours (UTC): Firehose arranges objects by the hour in which the first of their records arrived."""

    first: datetime
    end: datetime
    """The first hour that is not included."""

    @property
    def start_after(self) -> str:
        """Return the key after which the objects of the first hour begin."""
        return f"{EVENTS_PREFIX}{self.first:%Y/%m/%d/%H}"

    def includes(self, key: str) -> bool:
        return self.start_after < key < f"{EVENTS_PREFIX}{self.end:%Y/%m/%d/%H}"


class Estimate(NamedTuple):
    """The size of a replay."""

    objects: int
    size_bytes: int
    events: int

    @property
    def dollars(self) -> float:
        """Estimate the cost if every event is missing: recorded and counted in large batches, with one invocation per
        object, at the prices of us-east-1."""
        memory_gb = FUNCTIONS["record_archive"].memory_mebibytes / 1024
        event = (cost.EVENT_UNITS + COUNTING[-1].write_units) * prices.N_VIRGINIA.write_unit
        event += cost.EVENT_SECONDS * memory_gb * prices.GB_SECOND
        object_ = prices.N_VIRGINIA.object_get + cost.MESSAGE_REQUESTS * prices.QUEUE_REQUEST + prices.INVOCATION
        object_ += cost.INVOCATION_SECONDS * memory_gb * prices.GB_SECOND
        return self.events * event + self.objects * object_


def whole_hours(first: datetime, end: datetime) -> HourRange:
    """Extend a time range of arrival to the whole hours whose objects may have its records."""
    floor = (first - MAX_BUFFERED).replace(minute=0, second=0, microsecond=0)
    ceiling = end.replace(minute=0, second=0, microsecond=0)
    return HourRange(floor, ceiling if ceiling == end else ceiling + HOUR)


def events_in(stored: StoredObject) -> int:
    """Estimate how many events an object has, by its size."""
    size = cost.ARCHIVED_BYTES if stored.key.endswith(".gz") else PLAIN_EVENT_BYTES
    return max(1, round(stored.size_bytes / size))


def estimate(objects: Iterable[StoredObject]) -> Estimate:
    """Add up objects, their sizes and the events estimated in them."""
    count = size_bytes = events = 0
    for stored in objects:
        count, size_bytes, events = count + 1, size_bytes + stored.size_bytes, events + events_in(stored)
    return Estimate(count, size_bytes, events)


def batches(objects: Iterable[StoredObject], events_per_second: int) -> Iterator[list[StoredObject]]:
    """Group objects into requests of at most one second's events, or of a single object that has more."""
    batch: list[StoredObject] = []
    events = 0
    for stored in objects:
        if batch and (len(batch) == BATCH_MESSAGES or events + events_in(stored) > events_per_second):
            yield batch
            batch, events = [], 0
        batch.append(stored)
        events += events_in(stored)
    if batch:
        yield batch


def object_notification(bucket: str, key: str) -> str:
    """Return the notification by which Amazon S3 announces an object, with its URL-encoded key."""
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    return json.dumps(
        {"Records": [record | {"s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}}}]}
    )


def retention_notice(hours: HourRange, retention: Retention, now: datetime) -> str | None:
    """Describe the events of the range that are ignored because their ledger items have expired; None if none are."""
    notices = []
    for days, events in (
        (retention.volume_days, "sends, deliveries, opens, clicks, delays, rejects and rendering failures"),
        (retention.feedback_days, "bounces, complaints and subscriptions"),
    ):
        oldest = now - timedelta(days=days)
        if hours.first < oldest:
            notices.append(f"{events} from before {oldest:%Y-%m-%d %H:%M} UTC (older than {days} days)")
    if not notices:
        return None
    return f"Ignored on replay, because they may have been counted and removed before: {'; '.join(notices)}."
