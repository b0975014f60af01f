"""Model DynamoDB as far as Aftersend uses it: conditions, batches, transactions, streams with shards, time-to-live.

A write that changes nothing leaves no record in the stream; every other change leaves one, an item's in order. A shard
may be split at any time, and its records are gone after 24 hours.
"""

import marshal
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from aftersend.contract import FEEDBACK_INDEXES, PARTITION_KEY, SORT_KEY
from tests.world.calls import Fault
from tests.world.dynamodb_expressions import condition_holds, filter_selects, key_condition, projection, updated_item
from tests.world.dynamodb_limits import (
    Item,
    Key,
    check_batch,
    check_item,
    check_key,
    check_transaction,
    check_transaction_size,
    index_write_units,
    key_of,
    write_units,
)

STREAM_RETENTION = timedelta(hours=24)
MAX_PAGE_ITEMS = 40
"""Far below DynamoDB's 1 MB, so that a few items make several pages."""

EXPIRY_RATE = 0.7
"""How much of what has expired time-to-live removes at once: it may take days."""


@dataclass
class FaultRates:
    """How often DynamoDB does what it may do but need not, from 0 to 1."""

    throttled: float = 0.0
    unprocessed: float = 0.0
    conflicts: float = 0.0


@dataclass
class Record:
    """One change in a stream."""

    name: str
    sequence: int
    at: datetime
    key: Key
    new: Item | None
    old: Item | None


@dataclass
class Shard:
    id: str
    parent: "Shard | None" = None
    remainder: int = 0
    modulus: int = 1
    """The shard has the items whose hash modulo `modulus` is `remainder`."""
    closed: bool = False
    end: int = 0
    """The last sequence number of a closed shard."""
    records: list[Record] = field(default_factory=list)


class Items(dict[Key, Item]):
    """Items by key, and their keys by partition, so that a query need not look through a whole table."""

    def __init__(self) -> None:
        self.partitions: dict[str, set[Key]] = defaultdict(set)

    def __setitem__(self, key: Key, item: Item) -> None:
        super().__setitem__(key, item)
        self.partitions[key[0]].add(key)

    def pop(self, key: Key, *default: Any) -> Any:  # ty: ignore[incompatible-method-override]
        self.partitions[key[0]].discard(key)
        return super().pop(key, *default)

    def __delitem__(self, key: Key) -> None:
        self.pop(key)

    def clear(self) -> None:
        self.partitions.clear()
        super().clear()


@dataclass
class Table:
    items: Items = field(default_factory=Items)
    shards: list[Shard] = field(default_factory=list)
    """Of its stream; none where it has no stream."""


class DynamoDB:
    """Operations are named as DynamoDB names them; they take a call's parameters and return the response."""

    def __init__(
        self, rng: random.Random, now: Callable[[], datetime], *, plain: list[str], streamed: list[str]
    ) -> None:
        self.rng, self.now, self.fault_rates = rng, now, FaultRates()
        self.tables = {name: Table() for name in plain}
        self.tables |= {name: Table(shards=[Shard(f"shardId-{name}-0")]) for name in streamed}
        self.sequence = rng.randrange(10**18, 10**20)
        self.write_units: Counter[str] = Counter()
        """By table."""

    def GetItem(self, call: dict[str, Any]) -> dict[str, Any]:
        check_key(call["Key"])
        self._throttle()
        stored = self._stored(call, key_of(call["Key"]))
        return {"Item": copied(stored)} if stored else {}

    def BatchGetItem(self, call: dict[str, Any]) -> dict[str, Any]:
        [(table, request)] = call["RequestItems"].items()
        answers = [self.GetItem({"TableName": table, "Key": key}) for key in request["Keys"]]
        return {"Responses": {table: [answer["Item"] for answer in answers if answer]}}

    def PutItem(self, call: dict[str, Any]) -> dict[str, Any]:
        check_item(call["Item"])
        self._throttle()
        self.write_units[call["TableName"]] += write_units(call["Item"])
        if not condition_holds(call, self._stored(call, key_of(call["Item"]))):
            raise Fault("ConditionalCheckFailedException")
        self._write(call["TableName"], call["Item"])
        return {}

    def DeleteItem(self, call: dict[str, Any]) -> dict[str, Any]:
        check_key(call["Key"])
        self._remove(call["TableName"], key_of(call["Key"]))
        return {}

    def BatchWriteItem(self, call: dict[str, Any]) -> dict[str, Any]:
        check_batch(call)
        self._throttle()
        [(table, requests)] = call["RequestItems"].items()
        items = [request["PutRequest"]["Item"] for request in requests]
        self.rng.shuffle(items)  # DynamoDB writes them in parallel
        unprocessed = [item for item in items if self.rng.random() < self.fault_rates.unprocessed]
        for item in items:
            if item not in unprocessed:
                self.write_units[table] += write_units(item)
                self._write(table, item)
        requests = [{"PutRequest": {"Item": item}} for item in unprocessed]
        return {"UnprocessedItems": {table: requests} if requests else {}}

    def Query(self, call: dict[str, Any]) -> dict[str, Any]:
        self._throttle()
        items = self.tables[call["TableName"]].items
        partition_name, sort_name = FEEDBACK_INDEXES.get(call.get("IndexName", ""), (PARTITION_KEY, SORT_KEY))
        partition, selects = key_condition(call, partition_name, sort_name)
        if "IndexName" in call:
            indexed = [item for item in items.values() if {partition_name, sort_name} <= item.keys()]
            candidates = [item for item in indexed if item[partition_name]["S"] == partition]
        else:
            candidates = [items[key] for key in items.partitions.get(partition, ())]
        chosen = [item for item in candidates if selects(item[sort_name]["S"])]
        chosen.sort(key=lambda item: item[sort_name]["S"], reverse=not call.get("ScanIndexForward", True))
        return self._page(call, chosen)

    def Scan(self, call: dict[str, Any]) -> dict[str, Any]:
        segment, segments = call.get("Segment", 0), call.get("TotalSegments", 1)
        items = self.tables[call["TableName"]].items
        return self._page(call, [items[key] for key in items if partition_hash(key[0]) % segments == segment])

    def TransactWriteItems(self, call: dict[str, Any]) -> dict[str, Any]:
        actions = [(kind, action) for entry in call["TransactItems"] for kind, action in entry.items()]
        check_transaction(actions)
        items = [
            action["Item"] if kind == "Put" else updated_item(action, self._stored(action, key_of(action["Key"])))
            for kind, action in actions
        ]
        check_transaction_size(items)
        reasons = self._cancellation_reasons([action for _, action in actions], items)
        if set(reasons) != {"None"}:
            raise Fault("TransactionCanceledException", CancellationReasons=[{"Code": reason} for reason in reasons])
        for (_, action), item in zip(actions, items, strict=True):
            self.write_units[action["TableName"]] += 2 * write_units(item)
            self._write(action["TableName"], item)
        return {}

    def expire(self) -> None:
        """Remove some of what has expired, as time-to-live does, with records in the stream."""
        now = self.now().timestamp()
        for name, table in self.tables.items():
            for key, item in list(table.items.items()):
                if "expires" in item and int(item["expires"]["N"]) <= now and self.rng.random() < EXPIRY_RATE:
                    self._remove(name, key)

    def split_shard(self, table: str) -> None:
        """Close an open shard of the table's stream and let two new ones have its items."""
        shards = self.tables[table].shards
        shard = self.rng.choice([shard for shard in shards if not shard.closed])
        shard.closed, shard.end = True, self.sequence
        shards += [
            Shard(
                f"{shard.id}{half}", shard, remainder=shard.remainder + shard.modulus * half, modulus=shard.modulus * 2
            )
            for half in (0, 1)
        ]

    def _stored(self, call: dict[str, Any], key: Key) -> Item:
        return self.tables[call["TableName"]].items.get(key, {})

    def _page(self, call: dict[str, Any], items: list[Item]) -> dict[str, Any]:
        start = int(call.get("ExclusiveStartKey", {}).get("from", {}).get("N", 0))
        end = start + self.rng.randint(1, MAX_PAGE_ITEMS)
        last_key = {"LastEvaluatedKey": {"from": {"N": str(end)}}} if end < len(items) else {}
        return {"Items": selected(call, items[start:end]), **last_key}

    def _throttle(self) -> None:
        if self.rng.random() < self.fault_rates.throttled:
            raise Fault("ProvisionedThroughputExceededException")

    def _cancellation_reasons(self, actions: Sequence[dict[str, Any]], items: Sequence[Item]) -> list[str]:
        """Return a reason for each action of a transaction; "None" where there is none."""
        reasons = ["None"] * len(actions)
        if self.rng.random() < self.fault_rates.conflicts:
            reasons[self.rng.randrange(len(actions))] = "TransactionConflict"
        elif self.rng.random() < self.fault_rates.throttled:
            reasons[self.rng.randrange(len(actions))] = "ThrottlingError"
        else:
            reasons = [self._cancellation_reason(action, item) for action, item in zip(actions, items, strict=True)]
        return reasons

    def _cancellation_reason(self, action: dict[str, Any], item: Item) -> str:
        if not condition_holds(action, self._stored(action, key_of(item))):
            return "ConditionalCheckFailed"
        try:
            check_item(item)  # an Update can make an item too large, or a number
        except Fault:
            return "ValidationError"
        return "None"

    def _write(self, table: str, item: Item) -> None:
        key, item = key_of(item), copied(item)
        old = self.tables[table].items.get(key)
        self.tables[table].items[key] = item
        self.write_units[table] += index_write_units(old or {}, item)
        if old != item:
            self._append_to_stream(table, Record("MODIFY" if old else "INSERT", 0, self.now(), key, item, old))

    def _remove(self, table: str, key: Key) -> None:
        old = self.tables[table].items.pop(key, None)
        if old:
            self._append_to_stream(table, Record("REMOVE", 0, self.now(), key, None, old))

    def _append_to_stream(self, table: str, record: Record) -> None:
        for shard in self.tables[table].shards:
            if not shard.closed and partition_hash(record.key[0]) % shard.modulus == shard.remainder:
                self.sequence += self.rng.randrange(1, 10**6)
                record.sequence = self.sequence
                shard.records.append(record)


def selected(call: dict[str, Any], items: list[Item]) -> list[Item]:
    """Return what a call's filter and projection leave of the items of a page."""
    return [projection(call, item) for item in items if filter_selects(call, item)]


def copied(item: Item) -> Item:
    """Return a copy that shares nothing."""
    return marshal.loads(marshal.dumps(item))  # noqa: S302 (its own bytes; ten times as fast as copy.deepcopy)


@cache
def partition_hash(partition: str) -> int:
    return sum(ord(character) * 31**place for place, character in enumerate(partition[:40]))
