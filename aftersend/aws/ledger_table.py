"""Write events to the ledger in DynamoDB and read them back. Keys and attributes are defined in aftersend/ledger.py.

One item is no event: the history of the retention settings (aftersend/retention.py).
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby, islice
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend import ledger
from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.clients import error_code
from aftersend.aws.conditional_put import put_if
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.aws.table_query import query_items
from aftersend.contract import EXPIRES, PARTITION_KEY, SCHEMA, SCHEMA_ATTRIBUTE, SORT_KEY
from aftersend.events import Event
from aftersend.recorder import Feedback, Refused
from aftersend.retention import Retention, RetentionHistory, expires_at

MAX_BATCH_ITEMS = 25
"""Puts in one BatchWriteItem."""

BATCH_ATTEMPTS, HISTORY_ATTEMPTS = 10, 10

MAX_EVENTS_READ = 1_000
"""Events that one decision reads, to bound its time: about 1 MB, one page, 0.1 seconds of CPU. Nobody has that many in
400 days but addresses that a broken sender repeats."""

RANK = "copy_rank"

IF_RANKS_HIGHER = f"attribute_not_exists({PARTITION_KEY}) OR {RANK} < :rank"
"""Keep the higher-ranking copy of an event, whichever comes first. An item without a rank (from a batch) stays."""


HISTORY_KEY = ledger.Key(f"{ledger.OWN_PARTITION}retention", "history")
HISTORY, VERSION = "history", "version"


class Throttled(Exception):
    """DynamoDB left items unprocessed in every attempt."""


class LedgerTable:
    """Read and write the events of each recipient."""

    def __init__(self, dynamodb: Any, table: str, retention: Retention, *, attempts: Attempts = attempts) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._retention = retention
        self._attempts = attempts

    def record(self, events: Iterable[Event]) -> None:
        """Write events; writing one again changes nothing.

        Raises:
            Throttled, ClientError, Refused: if DynamoDB did not accept all of them; recording them again is safe.
        """
        with self.writer() as write:
            for event in events:
                write(event)

    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        """Open a block that gives a function to write events with, as `record` does; it fills batches of volume, and
        writes the last one when the block ends. Items that DynamoDB refuses keep no other from being written."""
        batch: dict[ledger.Key, Item] = {}
        refused: list[ClientError] = []

        def write(event: Event) -> None:
            if ledger.group(event) is ledger.Group.FEEDBACK or not ledger.is_complete(event):
                refused.extend(_refusals(self._put_if_ranks_higher, event))
                return
            key = ledger.key(event)
            batch[key] = self._item(key, event)  # DynamoDB rejects a batch with a key that occurs twice
            if len(batch) == MAX_BATCH_ITEMS:
                refused.extend(self._put_batch(list(batch.values())))
                batch.clear()

        yield write
        if batch:
            refused.extend(self._put_batch(list(batch.values())))
        if refused:
            raise Refused(f"DynamoDB refused {len(refused)} items; the first: {refused[0]}") from refused[0]

    def feedback_for(self, recipient: str) -> Feedback:
        """Return the recipient's events that decide about suppression, all that were written before this call; of more
        than MAX_EVENTS_READ those with the greatest message ids: operators' acts and, as SES numbers its messages by
        time, the newest."""
        events = list(islice(self._newest_of(recipient, ledger.Group.FEEDBACK), MAX_EVENTS_READ + 1))
        return Feedback(events[:MAX_EVENTS_READ], is_complete=len(events) <= MAX_EVENTS_READ)

    def deliveries_for(self, recipient: str) -> list[Event]:
        """Return the deliveries to a recipient, of more than MAX_EVENTS_READ those of the newest messages: any of them
        resets whatever came before, so that older ones make no difference."""
        return list(islice(self._newest_of(recipient, ledger.Group.DELIVERY), MAX_EVENTS_READ))

    def _newest_of(self, recipient: str, group: ledger.Group) -> Iterator[Event]:
        condition = f" AND begins_with({SORT_KEY}, :group)"
        values = {":recipient": recipient, ":group": f"{group}#"}
        return self._events(condition, values, ScanIndexForward=False)

    def events_for(self, recipient: str) -> list[Event]:
        """Return all events of a recipient that have not expired. Opens of messages with several recipients belong to
        the message and are not included."""
        return list(self._events("", {":recipient": recipient}))

    def newest_for(self, recipient: str, number: int) -> list[Event]:
        """Return events of a recipient as `events_for` does, of each group those of the newest messages, so many."""
        return [event for group in ledger.Group for event in islice(self._newest_of(recipient, group), number)]

    def recipients_with_feedback(self) -> Iterator[str]:
        """Return every recipient with an event that may decide about suppression. This reads the whole table."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ProjectionExpression=PARTITION_KEY,
            FilterExpression=f"begins_with({SORT_KEY}, :group)",
            ExpressionAttributeValues=serialize({":group": f"{ledger.Group.FEEDBACK}#"}),
        )
        partitions = (item[PARTITION_KEY]["S"] for page in pages for item in page["Items"])
        # A scan returns the items of one partition together.
        return (key for key, _ in groupby(partitions) if not key.startswith(ledger.MESSAGE_PARTITION))

    def items(self) -> Iterator[list[Item]]:
        """Return all items, events or not, a page at a time: each as it is when its page is read, or later."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            yield page["Items"]

    def mark(self, key: ledger.Key, expires: int) -> None:
        """Write an item that is no event."""
        self._put(serialize({PARTITION_KEY: key.partition, SORT_KEY: key.sort, EXPIRES: expires}))

    def size_bytes(self) -> int:
        """Return the size of the table; DynamoDB determines it about every six hours."""
        return self._dynamodb.describe_table(TableName=self._table)["Table"]["TableSizeBytes"]

    def retention_history(self, now: datetime) -> RetentionHistory:
        """Return every retention setting that was ever in force, the table's own last; it is stored if it is new."""
        for _ in self._attempts(HISTORY_ATTEMPTS):
            version, stored = self._stored_history()
            history = stored.with_setting(self._retention, now)
            if history is stored or self._replace_history(version, history):
                return history
        raise Throttled(f"The history of retention settings changed during each of {HISTORY_ATTEMPTS} attempts.")

    def _stored_history(self) -> tuple[int, RetentionHistory]:
        response = self._dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=f"{PARTITION_KEY} = :partition",
            ExpressionAttributeValues=serialize({":partition": HISTORY_KEY.partition}),
        )
        for item in map(deserialize, response["Items"]):
            return item[VERSION], msgspec.convert(item[HISTORY], RetentionHistory)
        return 0, RetentionHistory()

    def _replace_history(self, version: int, history: RetentionHistory) -> bool:
        """Replace the stored history if it has this version, 0 if there is none; return whether it had."""
        key = {PARTITION_KEY: HISTORY_KEY.partition, SORT_KEY: HISTORY_KEY.sort}
        condition: dict[str, Any] = {"ConditionExpression": f"attribute_not_exists({PARTITION_KEY})"}
        if version:
            condition = {
                "ConditionExpression": f"{VERSION} = :expected",
                "ExpressionAttributeValues": serialize({":expected": version}),
            }
        return self._put(serialize(key | {VERSION: version + 1, HISTORY: msgspec.to_builtins(history)}), **condition)

    def _events(self, condition: str, values: dict[str, str], **options: Any) -> Iterator[Event]:
        condition = f"{PARTITION_KEY} = :recipient{condition}"
        items = query_items(self._dynamodb, self._table, condition, values, ConsistentRead=True, **options)
        return (ledger.event_from_attributes(deserialize(item)) for item in items)

    def _item(self, key: ledger.Key, event: Event) -> Item:
        expiry = expires_at(event, self._retention)
        expires = {EXPIRES: int(expiry.timestamp())} if expiry else {}
        own = {PARTITION_KEY: key.partition, SORT_KEY: key.sort, SCHEMA_ATTRIBUTE: SCHEMA}
        return serialize(ledger.attributes(event) | ledger.index_attributes(event) | expires | own)

    def _put_if_ranks_higher(self, event: Event) -> None:
        rank = serialize({RANK: ledger.rank(event)})
        self._put(
            self._item(ledger.key(event), event) | rank,
            ConditionExpression=IF_RANKS_HIGHER,
            ExpressionAttributeValues={":rank": rank[RANK]},
        )

    def _put(self, item: Item, **condition: Any) -> bool:
        """Put an item and return whether its condition held."""
        return put_if(self._dynamodb, TableName=self._table, Item=item, **condition)

    def _put_batch(self, items: list[Item]) -> list[ClientError]:
        """Write a batch; if DynamoDB refuses it, write its items one by one, and return the refusals of single ones."""
        if not (refusals := _refusals(self._put_until_processed, items)):
            return []
        if len(items) == 1:
            return refusals
        return [refusal for item in items for refusal in _refusals(self._put_until_processed, [item])]

    def _put_until_processed(self, items: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": item}} for item in items]
        for _ in self._attempts(BATCH_ATTEMPTS):
            response = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
            requests = response.get("UnprocessedItems", {}).get(self._table)
            if not requests:
                return
        raise Throttled(f"DynamoDB left {len(requests)} of {len(items)} items unprocessed.")


def _refusals(put: Callable[[Any], None], what: Any) -> list[ClientError]:
    """Call a function that writes, and return the error if DynamoDB refuses what it writes as invalid."""
    try:
        put(what)
    except ClientError as error:
        if error_code(error) != "ValidationException":
            raise
        return [error]
    return []
