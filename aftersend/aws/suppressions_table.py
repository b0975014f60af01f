"""Read and write the suppression list in DynamoDB: an entry per recipient and scope.

Every write is conditional on the version that was read.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from aftersend.aws.attempts import attempts
from aftersend.aws.conditional_put import put_if
from aftersend.aws.ledger_table import Throttled
from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.aws.suppression_reader import ATTRIBUTES, MAX_BATCH_KEYS
from aftersend.aws.table_query import query_items
from aftersend.contract import FORGOTTEN, PARTITION_KEY, SCHEMA, SCHEMA_ATTRIBUTE, SORT_KEY
from aftersend.ledger import NewerSchema
from aftersend.recorder import Conflict
from aftersend.suppression import EVERYWHERE, Entry, entry_from_attributes

SEGMENTS = 16
"""Parts of the table that can be read one by one. Each has at least one request."""

BATCH_ATTEMPTS = 10

VERSION = "version"
IF_UNCHANGED = f"{VERSION} = :expected"
IF_NEW = f"attribute_not_exists({PARTITION_KEY})"


class SuppressionsTable:
    """Read and write suppression entries. Senders read the same table before they send."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def entries_of(self, recipient: str) -> dict[str, Entry]:
        """Return the recipient's entries, in force or not, by scope, as they are at this moment."""
        condition, values = f"{PARTITION_KEY} = :recipient", {":recipient": recipient}
        items = query_items(self._dynamodb, self._table, condition, values, ConsistentRead=True)
        return {entry.scope: entry for entry in map(_entry, items)}

    def replace(self, expected: Entry | None, new: Entry) -> None:
        """Replace the entry that was read by a new one.

        Raises:
            Conflict: if the stored entry is not the expected one.
        """
        version = expected.version if expected else 0
        attributes = msgspec.to_builtins(msgspec.structs.replace(new, version=version + 1))
        condition: dict[str, Any] = {"ConditionExpression": IF_NEW}
        if expected:
            condition = {
                "ConditionExpression": IF_UNCHANGED,
                "ExpressionAttributeValues": serialize({":expected": version}),
            }
        keys = {PARTITION_KEY: new.recipient, SORT_KEY: new.scope, SCHEMA_ATTRIBUTE: SCHEMA}
        if not put_if(self._dynamodb, TableName=self._table, Item=serialize(keys | attributes), **condition):
            raise Conflict

    def entries_for(self, recipients: Iterable[str]) -> dict[str, Entry]:
        """Return the entries for all mail of many recipients, in force or not, by recipient."""
        entries = self.entries_at((recipient, EVERYWHERE) for recipient in recipients)
        return {recipient: entry for (recipient, _), entry in entries.items()}

    def entries_at(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
        """Return the entries of many recipients and scopes, in force or not, by recipient and scope."""
        return {(entry.recipient, entry.scope): entry for entry in map(_entry, self._items_at(keys))}

    def forgotten_among(self, hashes: Iterable[str]) -> set[str]:
        """Return which of the keyed hashes are those of forgotten recipients."""
        return {item[SORT_KEY]["S"] for item in self._items_at((FORGOTTEN, each) for each in hashes)}

    def _items_at(self, keys: Iterable[tuple[str, str]]) -> Iterator[Item]:
        unique = [serialize({PARTITION_KEY: partition, SORT_KEY: sort}) for partition, sort in dict.fromkeys(keys)]
        for start in range(0, len(unique), MAX_BATCH_KEYS):
            yield from self._get_batch(unique[start : start + MAX_BATCH_KEYS])

    def _get_batch(self, keys: list[Item]) -> Iterator[Item]:
        for _ in attempts(BATCH_ATTEMPTS):
            request = {self._table: {"Keys": keys, "ConsistentRead": True}}
            response = self._dynamodb.batch_get_item(RequestItems=request)
            yield from response["Responses"][self._table]
            keys = response.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return
        raise Throttled(f"DynamoDB left {len(keys)} keys unprocessed.")

    def entries(self) -> Iterator[Entry]:
        """Return every entry, in force or not, those of a recipient together. Forgotten recipients have none."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            yield from (_entry(item) for item in page["Items"] if item[PARTITION_KEY]["S"] != FORGOTTEN)

    def outlines(self, segments: Iterable[int]) -> Iterator[Entry | None]:
        """Return every entry of some segments without its evidence and version; None for an item that is no entry.

        Forgotten recipients have none. What was written within about the last second may be missing.
        """
        for segment in segments:
            for page in self._outline_pages(Segment=segment, TotalSegments=SEGMENTS):
                yield from page

    def beginning_with(self, beginning: str, *, max_pages: int, max_entries: int) -> tuple[list[Entry], bool]:
        """Return entries of recipients that begin with a text, without their evidence, and whether these are all.

        No key is sorted by recipient: the first pages of the table are searched.
        """
        pages = self._outline_pages(
            FilterExpression=f"begins_with({PARTITION_KEY}, :beginning)",
            ExpressionAttributeValues=serialize({":beginning": beginning}),
        )
        entries = [entry for page in islice(pages, max_pages) for entry in page if entry]
        return entries[:max_entries], next(pages, None) is None and len(entries) <= max_entries

    def _outline_pages(self, **options: Any) -> Iterator[list[Entry | None]]:
        names = {f"#{name}": name for name in ATTRIBUTES}
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names, **options
        )
        for page in pages:
            yield [_outline(item) for item in page["Items"] if item[PARTITION_KEY]["S"] != FORGOTTEN]


def _entry(item: Item) -> Entry:
    return entry_from_attributes(deserialize(item))


def _outline(item: Item) -> Entry | None:
    try:
        return _entry(item)
    except (msgspec.ValidationError, NewerSchema):
        return None
