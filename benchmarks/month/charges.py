"""Stand in for the counters' table: charge requests as DynamoDB does, and let overlapping transactions conflict."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from aftersend.aws.attempts import attempts
from aftersend.contract import PARTITION_KEY, SORT_KEY
from tests.world.dynamodb_expressions import condition_holds, updated_item
from tests.world.dynamodb_limits import Item, Key, item_bytes, key_of

TRANSACTIONAL = 2
"""Units per unit, in a transaction ("Read/write capacity modes")."""
READ_UNIT_BYTES = 4_096
QUERY_SECONDS = 0.005


class Charges(NamedTuple):
    """Hold what requests cost."""

    requests: int = 0
    write_units: int = 0
    read_units: float = 0.0
    conflicts: int = 0

    def __sub__(self, other: "Charges") -> "Charges":
        return Charges(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def and_(self, *, requests: int = 1, **more: float) -> "Charges":
        return self._replace(requests=self.requests + requests, **{k: getattr(self, k) + v for k, v in more.items()})


class ChargingTable:
    """A DynamoDB client with one table, and a clock that its requests and pauses advance."""

    def __init__(self, transaction_seconds: float) -> None:
        self.now = 0.0
        self.charges = Charges()
        self._transaction_seconds = transaction_seconds
        self._partitions: dict[str, dict[str, Item]] = {}
        self._oldest = 0.0
        self._busy: dict[Key, list[tuple[float, float]]] = {}

    def attempts(self, limit: int) -> Iterator[int]:
        """Count attempts as aftersend.aws.attempts does; pauses advance the clock."""
        return iter(attempts(limit, pause=self._advance))

    def _advance(self, seconds: float) -> None:
        self.now += seconds

    def query(self, *, ExpressionAttributeValues: Item, ConsistentRead: bool = False, **_: Any) -> dict[str, Any]:  # noqa: N803
        [partition] = (value["S"] for value in ExpressionAttributeValues.values())
        items = list(self._partitions.get(partition, {}).values())
        units = max(1, math.ceil(sum(map(item_bytes, items)) / READ_UNIT_BYTES)) / (1 if ConsistentRead else 2)
        self.charges = self.charges.and_(read_units=units)
        self._advance(QUERY_SECONDS)
        return {"Items": items}

    def get_item(self, *, Key: Item, ConsistentRead: bool = False, **_: Any) -> dict[str, Any]:  # noqa: N803
        item = self._stored(key_of(Key))
        units = max(1, math.ceil(item_bytes(item) / READ_UNIT_BYTES)) / (1 if ConsistentRead else 2)
        self.charges = self.charges.and_(read_units=units)
        self._advance(QUERY_SECONDS)
        return {"Item": item} if item else {}

    def transact_write_items(self, *, TransactItems: list[dict[str, dict[str, Any]]], **_: Any) -> dict[str, Any]:  # noqa: N803
        actions = [action for entry in TransactItems for action in entry.values()]
        stored = [self._stored(key_of(action.get("Item") or action["Key"])) for action in actions]
        items = [
            action["Item"] if "Item" in action else updated_item(action, before)
            for action, before in zip(actions, stored, strict=True)
        ]
        begin, end = self.now, self.now + self._transaction_seconds
        self.now = end
        # A transaction that is cancelled is charged too (assumed: AWS documents it of failed conditions).
        self.charges = self.charges.and_(write_units=TRANSACTIONAL * sum(map(_write_units, items)))
        if any(self._overlaps(key_of(item), begin, end) for item in items):
            self.charges = self.charges.and_(requests=0, conflicts=1)
            raise _cancelled("TransactionConflict")
        if not all(condition_holds(action, before) for action, before in zip(actions, stored, strict=True)):
            raise _cancelled("ConditionalCheckFailed")
        for item in items:
            self._store(item, begin, end)
        return {}

    def _stored(self, key: Key) -> Item:
        return self._partitions.get(key[0], {}).get(key[1], {})

    def _store(self, item: Item, begin: float, end: float) -> None:
        partition, sort = item[PARTITION_KEY]["S"], item[SORT_KEY]["S"]
        self._partitions.setdefault(partition, {})[sort] = item
        earlier = self._busy.get((partition, sort), ())
        self._busy[partition, sort] = [each for each in earlier if each[1] > self._oldest] + [(begin, end)]

    def _overlaps(self, key: Key, begin: float, end: float) -> bool:
        return any(first < end and begin < last for first, last in self._busy.get(key, ()))

    def begin(self, time: float) -> None:
        """Set the clock for an invocation; none that begins earlier follows."""
        self.now = self._oldest = time


def _write_units(item: Item) -> int:
    """Return what tests.world.dynamodb_limits.write_units does, faster: attributes repeat."""
    sizes = (_attribute_bytes(name, *content) for name, value in item.items() for content in value.items())
    return math.ceil(sum(sizes) / 1024)


@cache
def _attribute_bytes(name: str, kind: str, content: str) -> int:
    return item_bytes({name: {kind: content}})


def _cancelled(reason: str) -> ClientError:
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": [{"Code": reason}]}
    return ClientError(response, "TransactWriteItems")
