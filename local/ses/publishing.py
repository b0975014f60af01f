"""Publish records to SNS topics and Firehose streams: late, out of order and some of them twice, as SES may."""

import gzip
import heapq
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.ses.records import new_id

MAX_DELAY_SECONDS = 0.5
"""Each record is published up to so late: long enough to be overtaken by many later ones, too short to wait for."""

DUPLICATE_SHARE = 0.1
"""The share of records that are published twice."""

RECORDS_PER_OBJECT, SECONDS_PER_OBJECT = 150, 0.5
"""An object is stored when it has so many records or is so old: Firehose, too, buffers by size and by time."""

PUBLISHER_THREADS = 4


class Outbox:
    """Publications that wait for a random delay, and the threads that perform them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._scheduled: list[tuple[float, int, Callable[[], None]]] = []
        self._unfinished = 0
        self._closed = False
        self._changed = threading.Condition()
        for _ in range(PUBLISHER_THREADS):
            threading.Thread(target=self._publish_until_closed, daemon=True).start()

    def schedule(self, publish: Callable[[], None]) -> None:
        """Call `publish` after a random delay, and some of them twice."""
        with self._changed:
            for _ in range(2 if self._rng.random() < DUPLICATE_SHARE else 1):
                due = time.monotonic() + self._rng.uniform(0, MAX_DELAY_SECONDS)
                heapq.heappush(self._scheduled, (due, self._rng.getrandbits(64), publish))
                self._unfinished += 1
            self._changed.notify_all()

    def wait_until_empty(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._unfinished == 0)

    def close(self) -> None:
        """Stop the threads. What is still scheduled is not published."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _publish_until_closed(self) -> None:
        while publish := self._wait_for_next():
            try:
                publish()
            except Exception as error:  # noqa: BLE001  the next record is published all the same
                if not self._closed:
                    print(f"The local SES could not publish a record: {error!r}", file=sys.stderr)
            finally:
                with self._changed:
                    self._unfinished -= 1
                    self._changed.notify_all()

    def _wait_for_next(self) -> Callable[[], None] | None:
        """Return the next publication when it is due, or None when the outbox is closed."""
        with self._changed:
            while not self._closed and (not self._scheduled or self._scheduled[0][0] > time.monotonic()):
                self._changed.wait(self._scheduled[0][0] - time.monotonic() if self._scheduled else None)
            return None if self._closed else heapq.heappop(self._scheduled)[2]


class Publisher:
    """Publishes records through the emulator and counts them.

    The emulator's Firehose writes an object per record. Only the first records go through it; the others are collected
    and stored as AWS's Firehose stores them: many records to an object, one per line, compressed with gzip.
    """

    def __init__(self, emulator_client: Callable[[str], Any], rng: random.Random, max_through_firehose: int) -> None:
        self._client, self._rng = emulator_client, rng
        self._max_through_firehose = max_through_firehose
        self.published: Counter[tuple[str, str]] = Counter()
        """Number of records by route (SNS, Firehose, identity notification, setup message) and event type or text."""
        self.records_through_firehose = self.records_in_objects = 0
        self._collected: dict[str, list[str]] = {}
        self._closed = False
        self._lock, self._storing = threading.Lock(), threading.Lock()

    def publish_to_topic(self, topic: str, text: str, counted_as: tuple[str, str]) -> None:
        self._client("sns").publish(TopicArn=topic, Message=text, Subject="Amazon SES Email Event Notification")
        self.count(counted_as)

    def put_into_stream(self, stream: str, record: str, counted_as: tuple[str, str]) -> None:
        with self._lock:
            through_firehose = self.records_through_firehose < self._max_through_firehose
            self.records_through_firehose += through_firehose
            full = None if through_firehose else self._collect(stream, record)
        if through_firehose:
            data = (record + "\n").encode()
            self._client("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data}])
        elif full:
            self.store_object(stream, full, datetime.now(UTC))
        self.count(counted_as)

    def store_collected(self) -> None:
        """Store the records that do not fill an object. Objects that are being stored are stored on return."""
        with self._storing:
            with self._lock:
                collected, self._collected = self._collected, {}
            for stream, records in collected.items():
                self.store_object(stream, records, datetime.now(UTC))

    def close(self) -> None:
        """Expect that the emulator ends: what cannot be stored any more is not reported."""
        self._closed = True

    def _store_in_time(self) -> None:
        try:
            self.store_collected()
        except Exception as error:  # noqa: BLE001  a line instead of a thread's traceback
            if not self._closed:
                print(f"The local SES could not store records: {error!r}", file=sys.stderr)

    def count(self, counted_as: tuple[str, str]) -> None:
        with self._lock:
            self.published[counted_as] += 1

    def store_object(self, stream: str, records: list[str], now: datetime) -> None:
        """Store records as Firehose stores them at that time."""
        answer = self._client("firehose").describe_delivery_stream(DeliveryStreamName=stream)
        [destination] = answer["DeliveryStreamDescription"]["Destinations"]
        s3 = destination["ExtendedS3DestinationDescription"]
        unique = new_id(now, self._rng)[17:53]
        self._client("s3").put_object(
            Bucket=s3["BucketARN"].rpartition(":")[2],
            Key=f"{s3.get('Prefix', '')}{now:%Y/%m/%d/%H}/{stream}-1-{now:%Y-%m-%d-%H-%M-%S}-{unique}.gz",
            Body=gzip.compress("".join(record + "\n" for record in records).encode(), compresslevel=1),
        )
        with self._lock:
            self.records_in_objects += len(records)

    def _collect(self, stream: str, record: str) -> list[str] | None:
        """Add a record to the next object of a stream; return the object's records if it is full."""
        if not self._collected:
            timer = threading.Timer(SECONDS_PER_OBJECT, self._store_in_time)
            timer.daemon = True
            timer.start()
        records = self._collected.setdefault(stream, [])
        records.append(record)
        return self._collected.pop(stream) if len(records) >= RECORDS_PER_OBJECT else None
