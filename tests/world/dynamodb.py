"""DynamoDB as far as Aftersend uses it: conditions, batches, transactions, streams with shards, time-to-live.

What it promises and what it does not: a write that changes nothing leaves no record in the stream; a record is in the
stream once, an item's records in order; a shard may be split at any time and its records are gone after 24 hours.
"""

import copy
import math
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.world.calls import Fault

Item = dict[str, Any]
Key = tuple[str, str]

STREAM_KEEPS = timedelta(hours=24)
BATCH, TRANSACTION = 25, 100
KEY_BYTES = (2048, 1024)


@dataclass
class Trouble:
    """How often DynamoDB does what it may do, but need not."""

    throttled: float = 0.0
    unprocessed: float = 0.0
    conflicting: float = 0.0


@dataclass
class Record:
    """One change in a stream."""

    name: str
    sequence: int
    at: datetime
    key: Key
    new: Item | None
    old: Item | None
    expired: bool = False


@dataclass
class Shard:
    id: str
    parent: "Shard | None" = None
    keeps: tuple[int, int] = (0, 1)
    """The hash keys of the items in it: those whose hash modulo the second is the first."""
    closed: bool = False
    records: list[Record] = field(default_factory=list)


@dataclass
class Table:
    items: dict[Key, Item] = field(default_factory=dict)
    shards: list[Shard] = field(default_factory=list)
    """Of its stream; none where it has none."""


class DynamoDB:
    def __init__(self, draw: random.Random, now: Any, *, plain: list[str], streamed: list[str]) -> None:
        self.draw, self.now, self.trouble = draw, now, Trouble()
        self.tables = {name: Table() for name in plain}
        self.tables |= {name: Table(shards=[Shard(f"shardId-{name}-0")]) for name in streamed}
        self.sequence = draw.randrange(10**18, 10**20)
        self.units: Counter[str] = Counter()
        """Write units by table."""

    # Operations, named as DynamoDB names them.

    def GetItem(self, call: dict[str, Any]) -> dict[str, Any]:
        self._throttle()
        found = self.tables[call["TableName"]].items.get(_key(call["Key"]))
        return {"Item": copy.deepcopy(found)} if found else {}

    def PutItem(self, call: dict[str, Any]) -> dict[str, Any]:
        self._throttle()
        self._check(call)
        self.units[call["TableName"]] += _units(call["Item"])
        if not self._holds(call, _key(call["Item"])):
            raise Fault("ConditionalCheckFailedException")
        self._write(call["TableName"], call["Item"])
        return {}

    def DeleteItem(self, call: dict[str, Any]) -> dict[str, Any]:
        self._remove(call["TableName"], _key(call["Key"]))
        return {}

    def BatchWriteItem(self, call: dict[str, Any]) -> dict[str, Any]:
        [(table, requests)] = call["RequestItems"].items()
        self._throttle()
        items = [request["PutRequest"]["Item"] for request in requests]
        if not 1 <= len(items) <= BATCH or len({_key(item) for item in items}) < len(items):
            raise Fault("ValidationException", "a batch has 1 to 25 puts, each key once")
        for item in items:
            self._check({"Item": item})
        self.draw.shuffle(items)  # DynamoDB writes them in parallel
        left = [item for item in items if self.draw.random() < self.trouble.unprocessed]
        for item in items:
            if item not in left:
                self.units[table] += _units(item)
                self._write(table, item)
        return {"UnprocessedItems": {table: [{"PutRequest": {"Item": item}} for item in left]} if left else {}}

    def Query(self, call: dict[str, Any]) -> dict[str, Any]:
        self._throttle()
        values = call["ExpressionAttributeValues"]
        asked = re.fullmatch(
            r"partition_key = (:\w+)(?: AND begins_with\(sort_key, (:\w+)\))?", call["KeyConditionExpression"]
        )
        assert asked, "the model knows no other query"
        partition, prefix = values[asked[1]]["S"], values[asked[2]]["S"] if asked[2] else ""
        items = self.tables[call["TableName"]].items
        keys = sorted(key for key in items if key[0] == partition and key[1].startswith(prefix))
        return self._page(call, [items[key] for key in keys])

    def Scan(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._page(call, list(self.tables[call["TableName"]].items.values()))

    def TransactWriteItems(self, call: dict[str, Any]) -> dict[str, Any]:
        actions = [(kind, action) for entry in call["TransactItems"] for kind, action in entry.items()]
        keys = [(action["TableName"], _key(action.get("Item") or action["Key"])) for _, action in actions]
        if not 1 <= len(actions) <= TRANSACTION or len(set(keys)) < len(keys):
            raise Fault("ValidationException", "a transaction has 1 to 100 actions, each on its own item")
        reasons = ["None"] * len(actions)
        if self.draw.random() < self.trouble.conflicting:
            reasons[self.draw.randrange(len(actions))] = "TransactionConflict"
        elif self.draw.random() < self.trouble.throttled:
            reasons[self.draw.randrange(len(actions))] = "ThrottlingError"
        else:
            holding = [self._holds(action, key) for (_, action), (_, key) in zip(actions, keys, strict=True)]
            reasons = ["None" if holds else "ConditionalCheckFailed" for holds in holding]
        if set(reasons) != {"None"}:
            cancelled = [{"Code": reason} for reason in reasons]
            raise Fault("TransactionCanceledException", CancellationReasons=cancelled)
        for (kind, action), (table, key) in zip(actions, keys, strict=True):
            item = action["Item"] if kind == "Put" else self._updated(action, key)
            self.units[table] += 2 * _units(item)
            self._write(table, item)
        return {}

    # What happens by itself.

    def expire(self) -> None:
        """Time-to-live removes what has expired: some of it, for it may take days, with real records."""
        now = self.now().timestamp()
        for name, table in self.tables.items():
            for key, item in list(table.items.items()):
                if "expires" in item and int(item["expires"]["N"]) <= now and self.draw.random() < 0.7:
                    self._remove(name, key, expired=True)

    def split(self, table: str) -> None:
        """An open shard of the table's stream is closed; two others take over its items."""
        shards = self.tables[table].shards
        shard = self.draw.choice([shard for shard in shards if not shard.closed])
        shard.closed = True
        rest, of = shard.keeps
        shards += [Shard(f"{shard.id}{half}", parent=shard, keeps=(rest + of * half, of * 2)) for half in (0, 1)]

    # How it is done.

    def _page(self, call: dict[str, Any], items: list[Item]) -> dict[str, Any]:
        start = int(call.get("ExclusiveStartKey", {}).get("from", {}).get("N", 0))
        end = start + self.draw.randint(1, 40)
        more = {"LastEvaluatedKey": {"from": {"N": str(end)}}} if end < len(items) else {}
        return {"Items": copy.deepcopy(items[start:end]), **more}

    def _throttle(self) -> None:
        if self.draw.random() < self.trouble.throttled:
            raise Fault("ProvisionedThroughputExceededException")

    def _check(self, call: dict[str, Any]) -> None:
        for part, limit in zip(_key(call["Item"]), KEY_BYTES, strict=True):
            if not 0 < len(part.encode()) <= limit:
                raise Fault("ValidationException", "a key is empty or too long")

    def _holds(self, call: dict[str, Any], key: Key) -> bool:
        found = self.tables[call["TableName"]].items.get(key, {})
        values = call.get("ExpressionAttributeValues", {})
        terms = call.get("ConditionExpression", "").split(" OR ")
        return terms == [""] or any(_term_holds(term, found, values) for term in terms)

    def _updated(self, action: dict[str, Any], key: Key) -> Item:
        item = copy.deepcopy(self.tables[action["TableName"]].items.get(key) or dict(action["Key"]))
        additions, _, settings = action["UpdateExpression"].removeprefix("ADD ").partition(" SET ")
        values, names = action["ExpressionAttributeValues"], action.get("ExpressionAttributeNames", {})
        for addition in additions.split(", "):
            name, value = addition.split()
            name = names[name]
            item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[value]["N"]))}
        for setting in settings.split(", "):
            name, value = setting.split(" = ")
            item[name] = values[value]
        return item

    def _write(self, table: str, item: Item) -> None:
        key, item = _key(item), copy.deepcopy(item)
        old = self.tables[table].items.get(key)
        self.tables[table].items[key] = item
        if old != item:
            self._tell(table, Record("MODIFY" if old else "INSERT", 0, self.now(), key, item, old))

    def _remove(self, table: str, key: Key, *, expired: bool = False) -> None:
        old = self.tables[table].items.pop(key, None)
        if old:
            self._tell(table, Record("REMOVE", 0, self.now(), key, None, old, expired))

    def _tell(self, table: str, record: Record) -> None:
        for shard in self.tables[table].shards:
            rest, of = shard.keeps
            if not shard.closed and hash_of(record.key[0]) % of == rest:
                self.sequence += self.draw.randrange(1, 10**6)
                record.sequence = self.sequence
                shard.records.append(record)


def hash_of(partition: str) -> int:
    return sum(ord(character) * 31**place for place, character in enumerate(partition[:40]))


def _key(item: Item) -> Key:
    return item["partition_key"]["S"], item["sort_key"]["S"]


def _term_holds(term: str, found: Item, values: Item) -> bool:
    if absent := re.fullmatch(r"attribute_not_exists\((\w+)\)", term):
        return absent[1] not in found
    name, operator, value = term.split()
    if name not in found:
        return False
    [(kind, have)], [(asked_kind, asked)] = found[name].items(), values[value].items()
    return kind == asked_kind and (have == asked if operator == "=" else have < asked)


def _units(item: Item) -> int:
    return math.ceil(size({"M": item}) / 1024)


def size(value: dict[str, Any]) -> int:
    """Bytes, after "DynamoDB item sizes and formats" in its developer guide."""
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return len(held) // 2 + 1
        case "L":
            return 3 + sum(1 + size(element) for element in held)
        case "M":
            return sum(len(name.encode()) + size(element) for name, element in held.items())
    return 1
