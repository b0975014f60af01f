"""The counters in DynamoDB, and beside them the checkpoints up to which the ledger's stream has been counted."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from aftersend.aws.clients import attempts
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.counting import Counts, Row
from aftersend.ledger import Retention, digest

CHECKPOINT_DAYS = 7
"""A shard's records live for 24 hours; its checkpoints are of no use after."""

CHECKPOINT = "checkpoint"


RETRIED = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why DynamoDB cancels a transaction that may succeed when it is tried again."""

MOST_ATTEMPTS = 8


class CheckpointMoved(Exception):
    """Another invocation counted this slot in the meantime: read the checkpoints and see what is left."""


class CountersTable:
    """Per-tag counters, packed: an item per row, an attribute per measure."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        *,
        kept_days: int = Retention().counters_days,
        shard_suffixes: int = 1,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Rows are kept from the hour their messages were sent in, and spread over `shard_suffixes` items, so that a
        large campaign does not make one item hot."""
        self._dynamodb = dynamodb
        self._table = table
        self._kept = timedelta(days=kept_days)
        self._suffixes = shard_suffixes
        self._now = now

    def checkpoints(self, shard: str) -> dict[int, str]:
        """How far each slot of a shard has been counted."""
        answer = self._dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"{PARTITION_KEY} = :shard",
            ExpressionAttributeValues=serialize({":shard": _checkpoint_partition(shard)}),
        )
        return {int(found[SORT_KEY]["S"]): found[CHECKPOINT]["S"] for found in answer["Items"]}

    def commit(self, shard: str, slot: int, expected: str | None, checkpoint: str, counts: Counts) -> None:
        """Add counts and move the slot's position from the one that was read: all of it or nothing.

        Raises:
            CheckpointMoved: if the slot's position is not the one that was read any more.
        """
        actions = [self._move(shard, slot, expected, checkpoint), *self._additions(shard, counts)]
        for attempt in attempts(MOST_ATTEMPTS):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
                return
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
                if "ConditionalCheckFailed" in reasons:
                    raise CheckpointMoved from error
                if attempt == MOST_ATTEMPTS or not reasons & RETRIED:
                    raise

    def rows(self) -> Iterator[tuple[Row, dict[str, int]]]:
        """Every row with its measures, the suffixes summed up by whoever asks; in no order."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for found in page["Items"]:
                if CHECKPOINT not in found:
                    yield (
                        _row(found),
                        {name: count for name, count in deserialize(found).items() if name not in NOT_MEASURES},
                    )

    def _move(self, shard: str, slot: int, expected: str | None, checkpoint: str) -> dict[str, Any]:
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
        by_row: dict[Row, dict[str, int]] = {}
        for (row, measure), count in counts.items():
            by_row.setdefault(row, {})[measure] = count
        suffix = int(digest(shard), 16) % self._suffixes
        for row, measures in by_row.items():
            expires = int((row.hour + self._kept).timestamp())
            additions = ", ".join(f"#{measure} :{measure}" for measure in measures)
            yield {
                "Update": {
                    "TableName": self._table,
                    "Key": _row_key(row, suffix),
                    "UpdateExpression": f"ADD {additions} SET {EXPIRES} = :expires",
                    "ExpressionAttributeNames": {f"#{measure}": measure for measure in measures},
                    "ExpressionAttributeValues": serialize(
                        {f":{measure}": count for measure, count in measures.items()} | {":expires": expires}
                    ),
                }
            }


NOT_MEASURES = {PARTITION_KEY, SORT_KEY, EXPIRES}


def _checkpoint_partition(shard: str) -> str:
    return f"checkpoint#{shard}"


def _row_key(row: Row, suffix: int) -> Item:
    return serialize({PARTITION_KEY: f"{row.tag}#{row.hour:%Y-%m-%d}", SORT_KEY: f"{row.value}#{row.hour:%H}#{suffix}"})


def _row(found: Item) -> Row:
    tag, day = found[PARTITION_KEY]["S"].rsplit("#", 1)
    value, hour, _ = found[SORT_KEY]["S"].rsplit("#", 2)
    return Row(tag, value, datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H").replace(tzinfo=UTC))
