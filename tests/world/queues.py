"""Amazon SQS, and Amazon S3 with the notifications it sends: at least once, in any order, now and then lost."""

import io
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote_plus

from botocore.response import StreamingBody

from tests.world.calls import Fault

VISIBILITY = timedelta(minutes=6)
RECEIVES = 5


@dataclass
class Message:
    id: str
    body: str
    visible_at: datetime
    receives: int = 0


@dataclass
class Queue:
    """A standard queue with a dead-letter queue behind it."""

    draw: random.Random
    now: Any
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    ids: Any = field(default_factory=count)

    def send(self, body: str) -> None:
        self.messages.append(Message(f"message-{next(self.ids)}", body, self.now()))

    def receive(self, most: int) -> list[Message]:
        """Some of the visible messages, in any order; those received too often are put aside."""
        visible = [message for message in self.messages if message.visible_at <= self.now()]
        for message in visible:
            if message.receives >= RECEIVES:
                self.messages.remove(message)
                self.dead.append(message)
        visible = [message for message in visible if message.receives < RECEIVES]
        batch = self.draw.sample(visible, min(most, len(visible)))
        for message in batch:
            message.receives += 1
            message.visible_at = self.now() + VISIBILITY
        return batch

    def redrive(self) -> None:
        """An operator hands back what was put aside."""
        for message in self.dead:
            self.send(message.body)
        self.dead.clear()

    def delete(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)


@dataclass
class S3:
    """One bucket; what is put below `events/` is announced on a queue, more than once or not at all if told so."""

    draw: random.Random
    announcements: Queue
    objects: dict[str, bytes] = field(default_factory=dict)
    lost: float = 0.0
    repeated: float = 0.0

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
        if key.startswith("events/") and self.draw.random() >= self.lost:
            self.announce(key)
            if self.draw.random() < self.repeated:
                self.announce(key)

    def announce(self, key: str) -> None:
        created = {"bucket": {"name": "archive"}, "object": {"key": quote_plus(key)}}
        self.announcements.send(json.dumps({"Records": [{"eventSource": "aws:s3", "s3": created}]}))
