"""Describe the messages of a dead-letter queue, and redrive them to the queue they failed in.

Messages are received, sent and deleted, in this order: an interruption may send a message twice, which changes nothing,
but never loses one.
"""

from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Any

from aftersend.operations.failures import NOT_OPENED, Failure, FailureKind, Redriven, dead_letter

HIDDEN_SECONDS = 120
"""Visibility timeout of messages that are described or redriven: longer than describing `limit` messages takes."""

WAIT_SECONDS = 1
"""Only long polling queries every server of a queue, so that an empty response means an empty queue."""

BATCH_MESSAGES = 10
BATCH_BYTES = 1_048_576 - 65_536
"""What SendMessageBatch accepts in total ("Amazon SQS message quotas"), less room for attributes."""


class DeadLetters:
    """Describe and redrive the messages of one dead-letter queue."""

    def __init__(self, sqs: Any, kind: FailureKind, queue: str, source_queue: str) -> None:
        self.kind = kind
        self._sqs, self._queue, self._source_queue = sqs, queue, source_queue

    def count(self) -> int:
        """Return the approximate number of messages, including those that are in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def failures(self, limit: int) -> Generator[Failure]:
        """Describe at most `limit` messages, and count the others; all become visible again at the end."""
        total, receipts = self.count(), []
        try:
            while len(receipts) < limit and (messages := self._receive()):
                receipts += [message["ReceiptHandle"] for message in messages]
                for message in messages:
                    yield dead_letter(self.kind, message["MessageId"], message["Body"], _sent_at(message))
        finally:
            self._release(receipts)
        if len(receipts) >= limit and total > len(receipts):
            yield Failure(self.kind, "", NOT_OPENED, "", None, count=total - len(receipts))

    def redrive(self, until: datetime) -> Iterator[Redriven]:
        """Redrive the messages first sent before a time, so that those that fail again are not redriven forever.

        Stop if SQS refuses messages, which then stay in the dead-letter queue.
        """
        newer: list[str] = []
        try:
            while messages := self._receive():
                older = [message for message in messages if _sent_at(message) < until]
                newer += [message["ReceiptHandle"] for message in messages if message not in older]
                for batch in _batches(older):
                    yield (moved := self._move(batch))
                    if moved.refused:
                        return
        finally:
            self._release(newer)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=BATCH_MESSAGES,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _release(self, receipts: list[str]) -> None:
        for start in range(0, len(receipts), BATCH_MESSAGES):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + BATCH_MESSAGES])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._queue, Entries=entries)

    def _move(self, messages: list[dict[str, Any]]) -> Redriven:
        entries = [
            {"Id": str(number), "MessageBody": each["Body"], "MessageAttributes": each.get("MessageAttributes", {})}
            for number, each in enumerate(messages)
        ]
        sent = self._sqs.send_message_batch(QueueUrl=self._source_queue, Entries=entries)
        entries = [
            {"Id": each["Id"], "ReceiptHandle": messages[int(each["Id"])]["ReceiptHandle"]}
            for each in sent.get("Successful", ())
        ]
        deleted = self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries) if entries else {}
        refused = [*sent.get("Failed", ()), *deleted.get("Failed", ())]
        sentence = f"SQS refused {len(refused)} messages of {self.kind} ({refused[0]['Code']})." if refused else ""
        return Redriven(len(entries), sentence)


def _sent_at(message: dict[str, Any]) -> datetime:
    """Return when a message was first sent; moving it to a dead-letter queue does not change that."""
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def _batches(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the messages as one batch if one request accepts them, else one by one."""
    if sum(len(message["Body"].encode()) for message in messages) <= BATCH_BYTES:
        return [messages] if messages else []
    return [[message] for message in messages]
