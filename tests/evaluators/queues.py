"""Model a queue with its dead-letter queue, and the metrics that SQS publishes of it."""

from dataclasses import dataclass, field

from tests.evaluators.alarms import Metrics
from tests.evaluators.templates import Resource

ACTIVE_MINUTES = 6 * 60
"""How long SQS publishes metrics of a queue that holds no messages and is not used."""

AGE_IGNORED_AFTER_RECEIVES = 3
"""A message that was received three times without success no longer counts as the oldest ("Available CloudWatch metrics
for Amazon SQS")."""


@dataclass
class Message:
    sent: int
    is_poisoned: bool = False
    receives: int = 0
    visible_at: int = 0


@dataclass
class Queue:
    """A queue, and the dead-letter queue its messages go to."""

    resource: Resource
    dead_letters: "Queue | None" = None
    messages: list[Message] = field(default_factory=list)
    used: int = -ACTIVE_MINUTES
    """The last minute in which it was used."""

    def send(self, message: Message, minute: int) -> None:
        self.messages.append(message)
        self.used = minute

    def receive(self, minute: int) -> list[Message]:
        """Return the visible messages, after those received too often went to the dead-letter queue."""
        self.used = minute
        maximum = self.resource.properties["RedrivePolicy"]["maxReceiveCount"]
        visible = [message for message in self.messages if message.visible_at <= minute]
        for message in visible:
            message.receives += 1
            message.visible_at = minute + self.resource.properties["VisibilityTimeout"] // 60
            if message.receives > maximum and self.dead_letters:
                self.messages.remove(message)
                self.dead_letters.send(message, minute)
        return [message for message in visible if message.receives <= maximum]

    def publish(self, metrics: Metrics, minute: int) -> None:
        if self.messages or minute - self.used < ACTIVE_MINUTES:
            ages = [minute - message.sent for message in self.messages if message.receives < AGE_IGNORED_AFTER_RECEIVES]
            values = {
                "ApproximateAgeOfOldestMessage": 60 * max(ages, default=0),
                "ApproximateNumberOfMessagesVisible": sum(message.visible_at <= minute for message in self.messages),
            }
            metrics.publish(minute, "AWS/SQS", {"QueueName": self.resource.name}, **values)
