"""Announce objects of the archive again."""

from collections.abc import Iterator
from typing import Any

from aftersend.aws.stored_objects import list_objects
from aftersend.contract import EVENTS_PREFIX
from aftersend.operations.failures import StoredObject
from aftersend.operations.replay import HourRange, object_notification


class NotAnnounced(Exception):
    """SQS refused messages that announce objects."""


class Announcer:
    """Announces objects of the archive to its queue, as Amazon S3 does."""

    def __init__(self, s3: Any, sqs: Any, bucket: str, queue: str) -> None:
        self._s3, self._sqs, self._bucket, self._queue = s3, sqs, bucket, queue

    def objects(self, hours: HourRange, after: str | None) -> Iterator[StoredObject]:
        """List the objects of a time range in the order of their keys, or those after one of them."""
        start_after = max(hours.start_after, after or "")
        for stored in list_objects(self._s3, self._bucket, EVENTS_PREFIX, start_after):
            if not hours.includes(stored.key):
                return
            yield stored

    def announce(self, objects: list[StoredObject]) -> None:
        """Send a message for each object, in one request.

        Raises:
            NotAnnounced: if SQS refused any.
        """
        entries = [
            {"Id": str(number), "MessageBody": object_notification(self._bucket, stored.key)}
            for number, stored in enumerate(objects)
        ]
        if refused := self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries).get("Failed"):
            raise NotAnnounced(f"SQS refused {len(refused)} messages ({refused[0]['Code']}).")
