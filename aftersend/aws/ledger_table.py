"""The ledger in DynamoDB. Keys and attributes are aftersend/ledger.py's; here is how they are written."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.clients import attempts, error_code
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.events import Event

BATCH = 25
"""Puts in one BatchWriteItem."""

RANK = "copy_rank"

IF_RANKS_HIGHER = f"attribute_not_exists({PARTITION_KEY}) OR {RANK} < :rank"
"""Whichever copy of a fact comes first, the greater stays. An item written in a batch has no rank: it stays as well."""


class Throttled(Exception):
    """DynamoDB left items unprocessed however often they were offered."""


class LedgerTable:
    """The table of everything that happened, by recipient."""

    def __init__(self, dynamodb: Any, table: str, retention: ledger.Retention) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention

    def record(self, events: Iterable[Event]) -> None:
        """Write events; writing one again changes nothing.

        Raises:
            Throttled, ClientError: if DynamoDB would not take them; recording all of them again is safe.
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
            batch[key] = self._item(key, event)  # a batch that names a key twice is refused
            if len(batch) == BATCH:
                self._put_batch(list(batch.values()))
                batch.clear()

        yield write
        if batch:
            self._put_batch(list(batch.values()))

    def feedback_for(self, recipient: str) -> list[Event]:
        """The facts that decide about a recipient, every one that was written before this call."""
        begins = f" AND begins_with({SORT_KEY}, :group)"
        return self._events(begins, {":recipient": recipient, ":group": f"{ledger.Group.FEEDBACK}#"})

    def events_for(self, recipient: str) -> list[Event]:
        """All that the ledger still has about a recipient. Opens of messages to several are the message's alone."""
        return self._events("", {":recipient": recipient})

    def _events(self, condition: str, values: dict[str, str]) -> list[Event]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"{PARTITION_KEY} = :recipient{condition}",
            ExpressionAttributeValues=serialize(values),
        )
        return [ledger.event_from_attributes(deserialize(found)) for page in pages for found in page["Items"]]

    def _item(self, key: ledger.Key, event: Event) -> Item:
        expiry = ledger.expires_at(event, self._retention)
        bookkeeping = {EXPIRES: int(expiry.timestamp())} if expiry else {}
        return serialize(ledger.attributes(event) | bookkeeping | {PARTITION_KEY: key.partition, SORT_KEY: key.sort})

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
            self._put_unprocessed(items)
        except ClientError as error:
            if error_code(error) != "ValidationException" or len(items) == 1:
                raise
            self._put_singly(items)

    def _put_unprocessed(self, items: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": found}} for found in items]
        for _ in attempts(10):
            answer = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table)
            if not requests:
                return
        raise Throttled(f"{len(requests)} items of {len(items)} were left unprocessed.")

    def _put_singly(self, items: list[Item]) -> None:
        """DynamoDB refuses a batch for one bad item: write the others, then say what is wrong with that one."""
        refusals = []
        for found in items:
            try:
                self._put_unprocessed([found])
            except ClientError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
