"""Model AWS Lambda's event source mappings: which records a function is invoked with, and what follows.

From a queue: any batch; failed messages again later. From a stream: shard by shard, a parent before its children; a
failed batch is cut in halves and retried until its records are too old, then given up. And, because nothing promises
otherwise, a batch may be cut anew at any time: shorter, longer, from further back, or empty.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.world.calls import Killed
from tests.world.dynamodb import STREAM_RETENTION, Record, Shard, Table, copied
from tests.world.queues import Queue

MAX_QUEUE_BATCH, MAX_STREAM_BATCH = 10, 4000
MAX_RECORD_AGE = timedelta(hours=20)
"""The age from which Lambda gives records up: it writes them to the failure destination."""

RECUT_RATE = 0.3
"""How often a stream's batch is not the one that follows the last."""

LATE_RATE = 0.5
"""How often an invocation is under way when a mapping is paused."""

Invoke = Callable[[dict[str, Any]], dict[str, Any]]
"""Runs a function with an event; raises what the function raises, or Killed."""


@dataclass
class QueueMapping:
    queue: Queue
    invoke: Invoke

    def is_done(self) -> bool:
        return not self.queue.messages

    def step(self, limit: int | None = None) -> None:
        """Invoke the function with some messages, and delete those it handled."""
        batch = self.queue.receive(limit or self.queue.rng.randint(1, MAX_QUEUE_BATCH))
        if not batch:
            return
        records = [{"messageId": message.id, "body": message.body, "eventSource": "aws:sqs"} for message in batch]
        try:
            response = self.invoke({"Records": records})
        except (Exception, Killed):  # noqa: BLE001 (whatever it is, the messages come again)
            return
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        for message in batch:
            if message.id not in failed:
                self.queue.delete(message)


@dataclass
class Batch:
    """Records of a shard that are delivered together."""

    shard: Shard
    start: int
    end: int

    @property
    def records(self) -> list[Record]:
        return self.shard.records[self.start : self.end]


@dataclass
class StreamMapping:
    """Read every shard of a table's stream. Lambda names the shard only where a tumbling window is set."""

    table: Table
    invoke: Invoke
    rng: random.Random
    now: Callable[[], datetime]
    has_window: bool = True
    """Whether the function returns the state of a tumbling window. If not, it returns the first record that failed."""
    failed_batches: list[Batch] = field(default_factory=list)
    """What the failure destination receives: the batches that were given up."""
    positions: dict[str, int] = field(default_factory=dict)
    """How many records of a shard are done, by the shard's id."""
    pending: dict[str, list[Batch]] = field(default_factory=dict)
    """The batches to try next, by the shard's id: parts of one that failed."""
    is_paused: bool = False
    late: list[Batch] = field(default_factory=list)
    """Batches whose invocation was under way when the mapping was paused."""

    def is_done(self) -> bool:
        """Tell whether it has nothing to do now."""
        if self.is_paused:
            return not self.late
        return all(self._position(shard) >= len(shard.records) for shard in self.table.shards)

    def waiting(self, shard: Shard) -> list[Record]:
        """Return the records of a shard that are not done."""
        return shard.records[self._position(shard) :]

    def step(self) -> None:
        """Invoke the function with some records of a shard that may be read now."""
        if self.is_paused:
            if self.late:
                batch = self.late.pop()
                self.deliver(batch.shard, batch.start, batch.end)
            return
        shard = self.rng.choice([shard for shard in self.table.shards if self._is_readable(shard)])
        if self.rng.random() < RECUT_RATE:
            self._redeliver(shard)
        else:
            self._advance(shard)

    def pause(self) -> None:
        """Stop, while an invocation with what was next may still be under way; its records will come again."""
        if not self.is_paused and self.rng.random() < LATE_RATE:
            shard = self.rng.choice([shard for shard in self.table.shards if self._is_readable(shard)])
            self.late.append(Batch(shard, self._position(shard), len(shard.records)))
        self.is_paused = True

    def _is_readable(self, shard: Shard) -> bool:
        parent = shard.parent
        return parent is None or (self._is_readable(parent) and self._position(parent) >= len(parent.records))

    def _position(self, shard: Shard) -> int:
        return self.positions.get(shard.id, 0)

    def _redeliver(self, shard: Shard) -> None:
        """Deliver records again, perhaps with new ones behind them; or none, as at the end of a window."""
        position = self._position(shard)
        readable = [number for number in range(position) if self.now() - shard.records[number].at < STREAM_RETENTION]
        start = self.rng.choice(readable) if readable else position
        end = min(start + self.rng.choice([0, 1, 3, MAX_STREAM_BATCH]), len(shard.records))
        reached = self.deliver(shard, start, end)
        if not self.pending.get(shard.id):
            self.positions[shard.id] = max(position, reached)

    def _advance(self, shard: Shard) -> None:
        """Deliver the next batch; give it up if its records are too old, and cut it in halves when it fails."""
        position, pending = self._position(shard), self.pending.setdefault(shard.id, [])
        if not pending:
            end = min(position + self.rng.choice([1, 2, 7, MAX_STREAM_BATCH]), len(shard.records))
            pending.append(Batch(shard, position, end))
        batch = pending.pop(0)
        if any(self.now() - record.at > MAX_RECORD_AGE for record in batch.records):
            self.failed_batches.append(batch)
            self.positions[shard.id] = max(position, batch.end)
            return
        reached = self.deliver(shard, batch.start, batch.end)
        self.positions[shard.id] = max(position, reached)
        if reached == batch.start and batch.end - batch.start > 1:
            middle = (batch.start + batch.end) // 2
            pending[0:0] = [Batch(shard, batch.start, middle), Batch(shard, middle, batch.end)]
        elif reached < batch.end:
            pending.insert(0, Batch(shard, reached, batch.end))

    def hand_back(self) -> None:
        """Invoke the function with what was given up, as an operator might."""
        for batch in self.failed_batches:
            self.deliver(batch.shard, batch.start, batch.end)

    def deliver(self, shard: Shard, start: int, end: int) -> int:
        """Invoke the function with these records, and return the position of the first one that failed, or the end."""
        records = [record for record in shard.records[start:end] if record.name in ("INSERT", "MODIFY")]
        if start < end and not records:
            return end  # the mapping's filter passes over all of them
        event = {
            "Records": [_lambda_record(record) for record in records],
            "shardId": shard.id,
            "window": {},
            "state": {},
        }
        try:
            response = self.invoke(event)
        except (Exception, Killed):  # noqa: BLE001 (whatever it is, the records come again)
            return start
        if self.has_window:
            assert response == {"state": {}}, "a function with a tumbling window returns a state"
            return end
        failed = [int(failure["itemIdentifier"]) for failure in response["batchItemFailures"]]
        return next((start + at for at, each in enumerate(shard.records[start:end]) if each.sequence in failed), end)


def _lambda_record(record: Record) -> dict[str, Any]:
    images = {"NewImage": record.new, "OldImage": record.old}
    details = {
        "SequenceNumber": str(record.sequence),
        "Keys": {"partition_key": {"S": record.key[0]}, "sort_key": {"S": record.key[1]}},
        "ApproximateCreationDateTime": int(record.at.timestamp()),
        **{name: copied(image) for name, image in images.items() if image},
    }
    return {"eventName": record.name, "eventSource": "aws:dynamodb", "dynamodb": details}
