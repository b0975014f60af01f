"""Model the API of DynamoDB Streams, and of the event source mapping that reads one."""

import random
from typing import Any

from tests.world.calls import Fault
from tests.world.dynamodb import STREAM_RETENTION, DynamoDB, Record, Shard
from tests.world.mappings import StreamMapping

MAX_RECORDS, MAX_SHARDS = 7, 2
"""Far below DynamoDB's 1,000 records and 100 shards in a response."""

BUSY_RATE = 0.2
"""How often a mapping cannot be changed yet."""


class Streams:
    """Read a table's stream, as `aftersend recount` does beside Lambda. Shard iterators are `SHARD@POSITION`."""

    def __init__(self, dynamodb: DynamoDB, rng: random.Random) -> None:
        self.dynamodb, self.rng = dynamodb, rng

    def DescribeStream(self, call: dict[str, Any]) -> dict[str, Any]:
        shards = self.dynamodb.tables[call["StreamArn"]].shards
        start = [shard.id for shard in shards].index(call["ExclusiveStartShardId"]) + 1 if len(call) > 1 else 0
        page = shards[start : start + MAX_SHARDS]
        last = {"LastEvaluatedShardId": page[-1].id} if start + MAX_SHARDS < len(shards) else {}
        return {"StreamDescription": {"Shards": [_described(shard) for shard in page], **last}}

    def GetShardIterator(self, call: dict[str, Any]) -> dict[str, Any]:
        shard = self._shard(call["ShardId"])
        if call["ShardIteratorType"] == "LATEST":
            return {"ShardIterator": f"{shard.id}@{len(shard.records)}"}
        expired = [each for each in shard.records if self.dynamodb.now() - each.at >= STREAM_RETENTION]
        return {"ShardIterator": f"{shard.id}@{len(expired)}"}

    def GetRecords(self, call: dict[str, Any]) -> dict[str, Any]:
        name, _, position = call["ShardIterator"].partition("@")
        shard, start = self._shard(name), int(position)
        records = shard.records[start : start + self.rng.randint(0, MAX_RECORDS)]
        end = start + len(records)
        following = {} if shard.closed and end == len(shard.records) else {"NextShardIterator": f"{name}@{end}"}
        return {"Records": [_record(record) for record in records], **following}

    def _shard(self, id: str) -> Shard:
        [shard] = [each for table in self.dynamodb.tables.values() for each in table.shards if each.id == id]
        return shard


def _described(shard: Shard) -> dict[str, Any]:
    end = {"EndingSequenceNumber": str(shard.end)} if shard.closed else {}
    parent = {"ParentShardId": shard.parent.id} if shard.parent else {}
    return {"ShardId": shard.id, "SequenceNumberRange": {"StartingSequenceNumber": "1", **end}, **parent}


def _record(record: Record) -> dict[str, Any]:
    images = {"NewImage": record.new, "OldImage": record.old}
    keys = {"partition_key": {"S": record.key[0]}, "sort_key": {"S": record.key[1]}}
    shown = {name: image for name, image in images.items() if image}
    return {"eventName": record.name, "dynamodb": {"SequenceNumber": str(record.sequence), "Keys": keys, **shown}}


class MappingApi:
    """Pause and resume a mapping: neither is done at once."""

    def __init__(self, mapping: StreamMapping, table: str, rng: random.Random) -> None:
        self.mapping, self.table, self.rng = mapping, table, rng
        self.enabled = True
        self.window_seconds = 0

    def UpdateEventSourceMapping(self, call: dict[str, Any]) -> dict[str, Any]:
        if self.rng.random() < BUSY_RATE:
            raise Fault("ResourceInUseException")
        self.enabled = call["Enabled"]
        if self.enabled:
            self.mapping.is_paused = False
        return {}

    def GetEventSourceMapping(self, call: dict[str, Any]) -> dict[str, Any]:
        if not self.enabled and self.rng.random() < 0.5:
            self.mapping.pause()
        names = {(False, True): "Disabled", (False, False): "Disabling"}
        state = names.get((self.enabled, self.mapping.is_paused), "Enabled")
        return {
            "EventSourceArn": self.table,
            "State": state,
            "MaximumBatchingWindowInSeconds": self.window_seconds,
        }
