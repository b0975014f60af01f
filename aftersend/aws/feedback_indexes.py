"""Read feedback from the indexes of the ledger: by message, and by when the message was sent.

Indexes are eventually consistent: what was recorded within the last second may be missing.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import merge
from typing import Any

from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.clients import error_code
from aftersend.aws.counters_table import Each
from aftersend.aws.deployment import Unavailable
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.aws.table_query import query_items
from aftersend.contract import FEEDBACK_BY_DAY, FEEDBACK_BY_MESSAGE, FEEDBACK_DAY
from aftersend.events import Event
from aftersend.suppression import EARLIEST

DAY = timedelta(days=1)

BY_DAY = f"{FEEDBACK_DAY} = :day AND sent_at BETWEEN :first AND :end"

NEWEST_PAGES = 3
"""How many pages of a partition are read for the newest feedback about a tag: each has 1 MB, about 1,000 events."""

REFUSALS = ("ValidationException", "ResourceNotFoundException")
"""Codes of errors about an index that does not exist or is not built yet: the first is AWS's, the second moto's."""


class FeedbackIndexes:
    """Read the bounces, complaints and subscriptions of all recipients.

    Raises:
        Unavailable: if the ledger does not have the index that is read, or it is not built yet.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of_message(self, message_id: str) -> Iterator[Event]:
        """Yield the feedback about a message, in the order in which it occurred."""
        items = self._items(FEEDBACK_BY_MESSAGE, "message_id = :message", {":message": message_id})
        yield from sorted(map(_event, items), key=lambda event: event.occurred_at or EARLIEST)

    def sent_within(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Yield the feedback about messages sent from one time (in UTC, to the second) until before another, in the
        order in which they were sent. A page of each partition of one day is in memory."""
        # Stored times may have a fraction, which these have not, so that a time of that second is never before its
        # text: "09:26:53" < "09:26:53.5Z" < "09:26:53Z".
        first, end = (f"{time:%Y-%m-%dT%H:%M:%S}" for time in (since, until))
        for number in range((until.date() - since.date()).days + 1):
            partitions = ledger.day_partitions(since.date() + number * DAY)
            values = ({":day": partition, ":first": first, ":end": end} for partition in partitions)
            streams = [self._items(FEEDBACK_BY_DAY, BY_DAY, each) for each in values]
            yield from map(_event, merge(*streams, key=_sent_at))

    def newest(
        self, tag: tuple[str, str], since: datetime, until: datetime, limit: int, *, each: Each = map
    ) -> tuple[list[Event], bool]:
        """Return the feedback about the messages with a tag that were sent last within a time of one day, the newest
        first, and whether there is no more of it.

        At most NEWEST_PAGES of each partition are looked through.
        """
        partitions = ledger.day_partitions(since.date())
        answers = [*each(lambda partition: self._newest(partition, tag, since, until, limit), partitions)]
        items = sorted((item for found, _ in answers for item in found), key=_sent_at, reverse=True)
        return [_event(item) for item in items[:limit]], len(items) <= limit and all(whole for _, whole in answers)

    def _newest(
        self, partition: str, tag: tuple[str, str], since: datetime, until: datetime, limit: int
    ) -> tuple[list[Item], bool]:
        """Return the last items of a partition with a tag, and whether these are all."""
        first, end = (f"{time:%Y-%m-%dT%H:%M:%S}" for time in (since, until))
        values = {":day": partition, ":first": first, ":end": end, ":value": tag[1]}
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=FEEDBACK_BY_DAY,
            KeyConditionExpression=BY_DAY,
            FilterExpression="contains(tags.#tag, :value)",
            ExpressionAttributeNames={"#tag": tag[0]},
            ExpressionAttributeValues=serialize(values),
            ScanIndexForward=False,
        )
        items: list[Item] = []
        with _existing(FEEDBACK_BY_DAY, self._table):
            for number, page in enumerate(pages, 1):
                items += page["Items"]
                if "LastEvaluatedKey" not in page:
                    return items, True
                if number == NEWEST_PAGES or len(items) > limit:
                    break
        return items, False

    def _items(self, index: str, condition: str, values: dict[str, str]) -> Iterator[Item]:
        with _existing(index, self._table):
            yield from query_items(self._dynamodb, self._table, condition, values, IndexName=index)


@contextmanager
def _existing(index: str, table: str) -> Generator[None]:
    """Explain the error of a query of an index that is not there."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in REFUSALS or "index" not in str(error):
            raise
        raise Unavailable(
            f"The ledger {table} has no index {index}, or it is not built yet: create it, as the "
            "section Feedback of docs/operations.md says, and wait until it is ACTIVE."
        ) from error


def _sent_at(item: Item) -> str:
    return item["sent_at"]["S"]


def _event(item: Item) -> Event:
    return ledger.event_from_attributes(deserialize(item))
