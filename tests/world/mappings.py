"""AWS Lambda's event source mappings: which records a function is invoked with, and what comes after.

From a queue: any batch, the failed messages again later. From a stream: shard by shard, a parent before its children;
after a failure the batch is cut in halves, tried about ten times, then put aside whole. And, because nothing promises
otherwise, a batch may be cut anew at any time: shorter, longer, from further back, or empty.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.world.calls import Killed
from tests.world.dynamodb import STREAM_KEEPS, Record, Shard, Table
from tests.world.queues import Queue

QUEUE_BATCH, STREAM_BATCH = 10, 1000
RETRIES = 10

Invoke = Callable[[dict[str, Any]], dict[str, Any]]
"""Runs a function with an event; raises what the function raises, or Killed."""


@dataclass
class FromQueue:
    queue: Queue
    invoke: Invoke

    def is_done(self) -> bool:
        return not self.queue.messages

    def step(self, most: int | None = None) -> None:
        """Invoke the function with some messages; those it handled are deleted."""
        batch = self.queue.receive(most or self.queue.draw.randint(1, QUEUE_BATCH))
        if not batch:
            return
        records = [{"messageId": message.id, "body": message.body, "eventSource": "aws:sqs"} for message in batch]
        try:
            answer = self.invoke({"Records": records})
        except (Exception, Killed):  # noqa: BLE001 (whatever it is, the messages come again)
            return
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in batch:
            if message.id not in failed:
                self.queue.delete(message)


@dataclass
class Piece:
    """A part of a shard that failed and is tried again: its bounds, and how often it was tried."""

    start: int
    end: int
    attempts: int = 0


@dataclass
class FromStream:
    """Reads every shard of a table's stream; Lambda names the shard only where a tumbling window is set."""

    table: Table
    invoke: Invoke
    draw: random.Random
    now: Any
    aside: list[Record] = field(default_factory=list)
    """The failure destination."""
    recut: float = 0.3
    """How often a batch is not what the last one leads to expect."""
    reached: dict[str, int] = field(default_factory=dict)
    failing: dict[str, list[Piece]] = field(default_factory=dict)

    def is_done(self) -> bool:
        return all(self._reached(shard) >= len(shard.records) for shard in self.table.shards)

    def step(self) -> None:
        """Invoke the function with some records of a shard that may be read now."""
        readable = [shard for shard in self.table.shards if self._is_readable(shard)]
        shard = self.draw.choice(readable)
        if self.draw.random() < self.recut:
            self._again(shard)
        else:
            self._on(shard)

    def _is_readable(self, shard: Shard) -> bool:
        parent = shard.parent
        return parent is None or (self._is_readable(parent) and self._reached(parent) >= len(parent.records))

    def _reached(self, shard: Shard) -> int:
        return self.reached.get(shard.id, 0)

    def _again(self, shard: Shard) -> None:
        """Records that were delivered before, perhaps some new ones behind them; or none, as at a window's end."""
        reached = self._reached(shard)
        kept = [number for number in range(reached) if self.now() - shard.records[number].at < STREAM_KEEPS]
        start = self.draw.choice(kept) if kept else reached
        end = min(start + self.draw.choice([0, 1, 3, STREAM_BATCH]), len(shard.records))
        if self.deliver(shard, start, end) and not self.failing.get(shard.id):
            self.reached[shard.id] = max(reached, end)

    def _on(self, shard: Shard) -> None:
        start, pieces = self._reached(shard), self.failing.setdefault(shard.id, [])
        if not pieces:
            end = min(start + self.draw.choice([1, 2, 7, STREAM_BATCH]), len(shard.records))
            pieces.append(Piece(start, end))
        piece = pieces[0]
        piece.attempts += 1
        if self.deliver(shard, piece.start, piece.end):
            self.reached[shard.id] = max(start, piece.end)
            pieces.pop(0)
        elif piece.end - piece.start > 1:
            middle = (piece.start + piece.end) // 2
            pieces[0:1] = [Piece(piece.start, middle), Piece(middle, piece.end)]
        elif piece.attempts > RETRIES:
            self.aside += shard.records[piece.start : piece.end]
            self.reached[shard.id] = max(start, piece.end)
            pieces.pop(0)

    def deliver(self, shard: Shard, start: int, end: int) -> bool:
        """Invoke the function with these records; whether it succeeded."""
        records = [record for record in shard.records[start:end] if record.name in ("INSERT", "MODIFY")]
        if start < end and not records:
            return True  # the mapping's filter passed over all of them
        event = {
            "Records": [_as_lambda_gives(record) for record in records],
            "shardId": shard.id,
            "window": {},
            "state": {},
        }
        try:
            answer = self.invoke(event)
        except (Exception, Killed):  # noqa: BLE001 (whatever it is, the records come again)
            return False
        assert answer == {"state": {}}, "a function with a tumbling window gives back a state"
        return True


def _as_lambda_gives(record: Record) -> dict[str, Any]:
    images = {"NewImage": record.new, "OldImage": record.old}
    details = {
        "SequenceNumber": str(record.sequence),
        "ApproximateCreationDateTime": int(record.at.timestamp()),
        **{name: json.loads(json.dumps(image)) for name, image in images.items() if image},
    }
    return {"eventName": record.name, "eventSource": "aws:dynamodb", "dynamodb": details}
