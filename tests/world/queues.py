"""Model Amazon SQS, and Amazon S3 with its notifications: delivered at least once, in any order, sometimes lost."""

import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote_plus

from botocore.response import StreamingBody

from tests.world.calls import Fault

VISIBILITY_TIMEOUT = timedelta(minutes=6)
MAX_RECEIVES = 5


@dataclass
class Message:
    id: str
    body: str
    visible_at: datetime
    receives: int = 0


@dataclass
class Queue:
    """A standard queue with a dead-letter queue."""

    rng: random.Random
    now: Callable[[], datetime]
    messages: list[Message] = field(default_factory=list)
    dead_letters: list[Message] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=count)

    def send(self, body: str) -> None:
        self.messages.append(Message(f"message-{next(self.ids)}", body, self.now()))

    def receive(self, limit: int) -> list[Message]:
        """Return some visible messages, in any order; those received too often go to the dead-letter queue."""
        visible = [message for message in self.messages if message.visible_at <= self.now()]
        for message in visible:
            if message.receives >= MAX_RECEIVES:
                self.messages.remove(message)
                self.dead_letters.append(message)
        visible = [message for message in visible if message.receives < MAX_RECEIVES]
        batch = self.rng.sample(visible, min(limit, len(visible)))
        for message in batch:
            message.receives += 1
            message.visible_at = self.now() + VISIBILITY_TIMEOUT
        return batch

    def redrive(self) -> None:
        """Move the dead letters back into the queue, as an operator does."""
        for message in self.dead_letters:
            self.send(message.body)
        self.dead_letters.clear()

    def delete(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)


@dataclass
class S3:
    """One bucket; a queue is notified of each object below `events/`. Operations are named as S3 names them."""

    rng: random.Random
    notifications: Queue
    objects: dict[str, bytes] = field(default_factory=dict)
    lost_rate: float = 0.0
    """How often a notification is lost, from 0 to 1."""
    repeated_rate: float = 0.0
    """How often a notification is delivered twice, from 0 to 1."""

    def PutObject(self, call: dict[str, Any]) -> dict[str, Any]:
        body = call["Body"]
        self.put(call["Key"], body if isinstance(body, bytes) else body.read())
        return {}

    def GetObject(self, call: dict[str, Any]) -> dict[str, Any]:
        if call["Key"] not in self.objects:
            raise Fault("NoSuchKey")
        content = self.objects[call["Key"]]
        return {"Body": StreamingBody(io.BytesIO(content), len(content))}

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        if key.startswith("events/") and self.rng.random() >= self.lost_rate:
            self.notify(key)
            if self.rng.random() < self.repeated_rate:
                self.notify(key)

    def notify(self, key: str) -> None:
        created = {"bucket": {"name": "archive"}, "object": {"key": quote_plus(key)}}
        self.notifications.send(json.dumps({"Records": [{"eventSource": "aws:s3", "s3": created}]}))
