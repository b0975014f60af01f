"""Store the counters in DynamoDB, and beside them the checkpoints up to which the ledger's stream was counted."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.counting import Counts, Row
from aftersend.ledger import digest
from aftersend.retention import Retention

CHECKPOINT_DAYS = 7
"""Days after which a checkpoint expires. The stream keeps a shard's records for 24 hours."""

CHECKPOINT = "checkpoint"

NOT_MEASURES = {PARTITION_KEY, SORT_KEY, EXPIRES}

RETRYABLE_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Cancellation reasons of a transaction that may succeed when it is tried again."""

COMMIT_ATTEMPTS = 8


class CheckpointMoved(Exception):
    """Another invocation advanced this slot's checkpoint: read the checkpoints and count what is left."""


class CountersTable:
    """Read and write per-tag counters. They are packed: an item per row, an attribute per measure."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        *,
        retention_days: int = Retention().counters_days,
        shard_suffixes: int = 1,
        now: Callable[[], float] = time.time,
        attempts: Attempts = attempts,
    ) -> None:
        """Rows expire `retention_days` after the hour their messages were sent in. They are spread over
        `shard_suffixes` items, so that a large campaign does not make one item hot."""
        self._dynamodb = dynamodb
        self._table = table
        self._retention = timedelta(days=retention_days)
        self._suffixes = shard_suffixes
        self._now = now
        self._attempts = attempts

    def checkpoints(self, shard: str) -> dict[int, str]:
        """Return the checkpoint of each slot of a shard: the sequence number up to which it was counted."""
        response = self._dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"{PARTITION_KEY} = :shard",
            ExpressionAttributeValues=serialize({":shard": _checkpoint_partition(shard)}),
        )
        return {int(item[SORT_KEY]["S"]): item[CHECKPOINT]["S"] for item in response["Items"]}

    def commit(self, shard: str, slot: int, expected: str | None, checkpoint: str, counts: Counts) -> None:
        """Add counts and advance the slot's checkpoint from the expected one, both or neither.

        Raises:
            CheckpointMoved: if the slot's checkpoint is not the expected one.
        """
        actions = [self._advance_checkpoint(shard, slot, expected, checkpoint), *self._additions(shard, counts)]
        for attempt in self._attempts(COMMIT_ATTEMPTS):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
                return
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
                if "ConditionalCheckFailed" in reasons:
                    raise CheckpointMoved from error
                if attempt == COMMIT_ATTEMPTS or not reasons & RETRYABLE_REASONS:
                    raise

    def rows(self) -> Iterator[tuple[Row, dict[str, int]]]:
        """Return every item's row and measures, unordered; a row spread over several items occurs repeatedly."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                if CHECKPOINT not in item:
                    values = deserialize(item)
                    yield _row(item), {name: count for name, count in values.items() if name not in NOT_MEASURES}

    def total(self, tag: str, measure: str, hours: Iterable[datetime]) -> int:
        """Return the sum of a measure over all values of a tag, for messages sent within some hours."""
        wanted = set(hours)
        items = chain.from_iterable(self._items_of(tag, day) for day in {hour.date() for hour in wanted})
        return sum(deserialize(item).get(measure, 0) for item in items if _row(item).hour in wanted)

    def _items_of(self, tag: str, day: date) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=f"{PARTITION_KEY} = :day",
            ExpressionAttributeValues=serialize({":day": f"{tag}#{day}"}),
        )
        for page in pages:
            yield from page["Items"]

    def latest_hour(self, tag: str, value: str, day: date) -> datetime | None:
        """Return the latest hour of a day for which a tag's value was counted."""
        response = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression=f"{PARTITION_KEY} = :day AND begins_with({SORT_KEY}, :value)",
            ExpressionAttributeValues=serialize({":day": f"{tag}#{day}", ":value": f"{value}#"}),
            ScanIndexForward=False,
            Limit=1,
        )
        return next((_row(item).hour for item in response["Items"]), None)

    def _advance_checkpoint(self, shard: str, slot: int, expected: str | None, checkpoint: str) -> dict[str, Any]:
        """Return the action that puts a checkpoint on condition that the present one is the expected one."""
        key = {PARTITION_KEY: _checkpoint_partition(shard), SORT_KEY: str(slot)}
        expires = int(self._now()) + CHECKPOINT_DAYS * 86_400
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": serialize(key | {CHECKPOINT: checkpoint, EXPIRES: expires}),
            "ConditionExpression": f"attribute_not_exists({PARTITION_KEY})",
        }
        if expected is not None:
            put |= {
                "ConditionExpression": f"{CHECKPOINT} = :expected",
                "ExpressionAttributeValues": serialize({":expected": expected}),
            }
        return {"Put": put}

    def _additions(self, shard: str, counts: Counts) -> Iterator[dict[str, Any]]:
        """Return the actions that add counts, one per row."""
        measures_by_row: dict[Row, dict[str, int]] = {}
        for (row, measure), count in counts.items():
            measures_by_row.setdefault(row, {})[measure] = count
        suffix = int(digest(shard), 16) % self._suffixes
        for row, measures in measures_by_row.items():
            additions = ", ".join(f"#{measure} :{measure}" for measure in measures)
            values = {f":{measure}": count for measure, count in measures.items()}
            expires = int((row.hour + self._retention).timestamp())
            yield {
                "Update": {
                    "TableName": self._table,
                    "Key": _row_key(row, suffix),
                    "UpdateExpression": f"ADD {additions} SET {EXPIRES} = :expires",
                    "ExpressionAttributeNames": {f"#{measure}": measure for measure in measures},
                    "ExpressionAttributeValues": serialize(values | {":expires": expires}),
                }
            }


def _checkpoint_partition(shard: str) -> str:
    return f"checkpoint#{shard}"


def _row_key(row: Row, suffix: int) -> Item:
    return serialize({PARTITION_KEY: f"{row.tag}#{row.hour:%Y-%m-%d}", SORT_KEY: f"{row.value}#{row.hour:%H}#{suffix}"})


def _row(item: Item) -> Row:
    tag, day = item[PARTITION_KEY]["S"].rsplit("#", 1)
    value, hour, _ = item[SORT_KEY]["S"].rsplit("#", 2)
    return Row(tag, value, datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H").replace(tzinfo=UTC))
