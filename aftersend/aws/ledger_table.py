"""Write events to the ledger in DynamoDB and read them back. Keys and attributes are defined in aftersend/ledger.py."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.clients import error_code
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.events import Event

MAX_BATCH_ITEMS = 25
"""Puts in one BatchWriteItem."""

BATCH_ATTEMPTS = 10

RANK = "copy_rank"

IF_RANKS_HIGHER = f"attribute_not_exists({PARTITION_KEY}) OR {RANK} < :rank"
"""Keep the higher-ranking copy of an event, whichever comes first. An item without a rank (from a batch) stays."""


class Throttled(Exception):
    """DynamoDB left items unprocessed in every attempt."""


class LedgerTable:
    """Read and write the events of each recipient."""

    def __init__(
        self, dynamodb: Any, table: str, retention: ledger.Retention, *, attempts: Attempts = attempts
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention
        self._attempts = attempts

    def record(self, events: Iterable[Event]) -> None:
        """Write events; writing one again changes nothing.

        Raises:
            Throttled, ClientError: if DynamoDB did not accept all of them; recording all of them again is safe.
        """
        with self.writer() as write:
            for event in events:
                write(event)

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        """Open a block that gives a function to write events with, as `record` does; it fills batches of volume, and
        writes the last one when the block ends."""
        batch: dict[ledger.Key, Item] = {}

        def write(event: Event) -> None:
            if ledger.group(event) is ledger.Group.FEEDBACK or not ledger.has_tags(event):
                self._put_if_ranks_higher(event)
                return
            key = ledger.key(event)
            batch[key] = self._item(key, event)  # DynamoDB rejects a batch with a key that occurs twice
            if len(batch) == MAX_BATCH_ITEMS:
                self._put_batch(list(batch.values()))
                batch.clear()

        yield write
        if batch:
            self._put_batch(list(batch.values()))

    def feedback_for(self, recipient: str) -> list[Event]:
        """Return the recipient's events that decide about suppression, all that were written before this call."""
        condition = f" AND begins_with({SORT_KEY}, :group)"
        return self._events(condition, {":recipient": recipient, ":group": f"{ledger.Group.FEEDBACK}#"})

    def events_for(self, recipient: str) -> list[Event]:
        """Return all events of a recipient that have not expired. Opens of messages with several recipients belong to
        the message and are not included."""
        return self._events("", {":recipient": recipient})

    def _events(self, condition: str, values: dict[str, str]) -> list[Event]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"{PARTITION_KEY} = :recipient{condition}",
            ExpressionAttributeValues=serialize(values),
        )
        return [ledger.event_from_attributes(deserialize(item)) for page in pages for item in page["Items"]]

    def _item(self, key: ledger.Key, event: Event) -> Item:
        expiry = ledger.expires_at(event, self._retention)
        expires = {EXPIRES: int(expiry.timestamp())} if expiry else {}
        return serialize(ledger.attributes(event) | expires | {PARTITION_KEY: key.partition, SORT_KEY: key.sort})

    def _put_if_ranks_higher(self, event: Event) -> None:
        rank = serialize({RANK: ledger.rank(event)})
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=self._item(ledger.key(event), event) | rank,
                ConditionExpression=IF_RANKS_HIGHER,
                ExpressionAttributeValues={":rank": rank[RANK]},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def _put_batch(self, items: list[Item]) -> None:
        try:
            self._put_until_processed(items)
        except ClientError as error:
            if error_code(error) != "ValidationException" or len(items) == 1:
                raise
            self._put_one_by_one(items)

    def _put_until_processed(self, items: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": item}} for item in items]
        for _ in self._attempts(BATCH_ATTEMPTS):
            response = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
            requests = response.get("UnprocessedItems", {}).get(self._table)
            if not requests:
                return
        raise Throttled(f"DynamoDB left {len(requests)} of {len(items)} items unprocessed.")

    def _put_one_by_one(self, items: list[Item]) -> None:
        """Write the valid items of a batch that DynamoDB rejected, then raise the error of an invalid one."""
        errors = []
        for item in items:
            try:
                self._put_until_processed([item])
            except ClientError as error:
                errors.append(error)
        if errors:
            raise errors[0]
