"""Provide a DynamoDB client in memory that answers BatchGetItem and counts its requests and read units."""

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from aftersend.aws.serialization import serialize
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.suppression import Entry

TABLE = "suppressions"


class FakeDynamoDB:
    """A client whose table holds entries and items. It refuses what DynamoDB refuses of BatchGetItem.

    `fails` is raised instead of an answer from a request on; `unprocessed` says how many keys of each answer are left
    unprocessed, answer by answer.
    """

    def __init__(self, *entries: Entry, items: Iterable[dict[str, Any]] = ()) -> None:
        self._items: dict[tuple[str, str], Any] = {}
        for entry in entries:
            key = {PARTITION_KEY: entry.recipient, SORT_KEY: entry.scope}
            self.put(key | msgspec.to_builtins(entry))
        for item in items:
            self.put(item)
        self.requests = 0
        self.keys = 0
        self.read_units = 0.0
        self.consistent: set[bool] = set()
        self.unprocessed: list[int] = []
        self.fails: Exception | None = None
        self.fails_from = 1

    def put(self, values: dict[str, Any]) -> None:
        self._items[values[PARTITION_KEY], values[SORT_KEY]] = serialize(values)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        self.requests += 1
        if self.fails and self.requests >= self.fails_from:
            raise self.fails
        [(table, request)] = RequestItems.items()
        keys = [(key[PARTITION_KEY]["S"], key[SORT_KEY]["S"]) for key in request["Keys"]]
        assert table == TABLE
        assert 1 <= len(keys) <= 100
        assert len(set(keys)) == len(keys), "Provided list of item keys contains duplicates"
        assert all(partition and sort for partition, sort in keys), "a key attribute may not be empty"
        left = self.unprocessed.pop(0) if self.unprocessed else 0
        processed = keys[: len(keys) - left]
        self.keys += len(processed)
        self.consistent.add(request["ConsistentRead"])
        self.read_units += sum(self._units(key) for key in processed) * (1 if request["ConsistentRead"] else 0.5)
        names = set(request["ExpressionAttributeNames"].values())
        items = [self._items[key] for key in processed if key in self._items]
        answer: dict[str, Any] = {
            "Responses": {table: [{name: item[name] for name in names & item.keys()} for item in items]}
        }
        rest = request["Keys"][len(processed) :]
        return answer | {"UnprocessedKeys": {table: request | {"Keys": rest}} if rest else {}}

    def _units(self, key: tuple[str, str]) -> int:
        """Return the units of a consistent read: one for each 4 KB of the whole item, and one if there is none."""
        return math.ceil(len(msgspec.json.encode(self._items[key])) / 4_096) if key in self._items else 1
