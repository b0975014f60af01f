"""Read and write tombstones: the keyed hashes of forgotten recipients, in one partition of the suppressions table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aftersend.aws.serialization import Item, deserialize, serialize
from aftersend.aws.table_query import query_items
from aftersend.contract import FORGOTTEN, PARTITION_KEY, SCHEMA, SCHEMA_ATTRIBUTE, SORT_KEY
from aftersend.recipient_hash import ForgottenRecipients, keyed_hash


class Tombstones:
    """Tombstones outlive what they stand for: while one exists, its recipient is suppressed, and nothing is recorded
    about them."""

    def __init__(self, dynamodb: Any, table: str, key: Callable[[], str]) -> None:
        self._dynamodb, self._table, self._key = dynamodb, table, key

    def read(self) -> ForgottenRecipients:
        """Return all forgotten recipients, but for what was written in the last second: erasing waits for longer."""
        condition, values = f"{PARTITION_KEY} = :forgotten", {":forgotten": FORGOTTEN}
        items = query_items(self._dynamodb, self._table, condition, values)
        return ForgottenRecipients(frozenset(item[SORT_KEY]["S"] for item in items), self._key)

    def since(self, recipient: str) -> datetime | None:
        """Return when a recipient's tombstone was written; None if there is none."""
        response = self._dynamodb.get_item(TableName=self._table, Key=self._item(recipient), ConsistentRead=True)
        item = deserialize(response.get("Item", {}))
        return datetime.fromisoformat(item["since"]) if item else None

    def put(self, recipient: str, since: datetime, note: str = "") -> None:
        attributes = {"since": since.isoformat(timespec="milliseconds"), SCHEMA_ATTRIBUTE: SCHEMA}
        values = serialize(attributes | ({"note": note} if note else {}))
        self._dynamodb.put_item(TableName=self._table, Item=self._item(recipient) | values)

    def delete(self, recipient: str) -> None:
        self._dynamodb.delete_item(TableName=self._table, Key=self._item(recipient))

    def _item(self, recipient: str) -> Item:
        return serialize({PARTITION_KEY: FORGOTTEN, SORT_KEY: keyed_hash(recipient, self._key())})
