from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftersend.aws import dead_letters
from aftersend.aws.dead_letters import BATCH_BYTES, DeadLetters
from aftersend.operations.failures import FailureKind
from tests.adapters.conftest import SESSION


@pytest.fixture
def sqs(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    return SESSION.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    return sqs.create_queue(QueueName="dead-letters")["QueueUrl"]


@pytest.fixture
def source_queue(sqs: Any) -> str:
    return sqs.create_queue(QueueName="source")["QueueUrl"]


@pytest.fixture
def letters(sqs: Any, queue: str, source_queue: str) -> DeadLetters:
    return DeadLetters(sqs, FailureKind.FEEDBACK, queue, source_queue)


def send(sqs: Any, queue: str, number: int) -> None:
    for each in range(number):
        sqs.send_message(QueueUrl=queue, MessageBody=f"unreadable {each}")


def bodies(sqs: Any, queue: str) -> list[str]:
    """Receive all that is visible in a queue."""
    received = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        received += [message["Body"] for message in messages]
    return sorted(received)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_dead_letters_are_described_and_stay_visible(sqs: Any, queue: str, letters: DeadLetters):
    send(sqs, queue, 25)
    failures = list(letters.failures(limit=100))
    assert (len(failures), {failure.reason for failure in failures}) == (25, {"not-json"})
    assert failures[0].since is not None
    assert abs(failures[0].since - datetime.now(UTC)) < timedelta(minutes=1)
    assert len(bodies(sqs, queue)) == 25


def test_dead_letters_stay_visible_where_nobody_looks_to_the_end(sqs: Any, queue: str, letters: DeadLetters):
    send(sqs, queue, 15)
    failures = letters.failures(limit=100)
    next(failures)
    failures.close()
    assert len(bodies(sqs, queue)) == 15


def test_dead_letters_beyond_the_limit_are_counted(sqs: Any, queue: str, letters: DeadLetters):
    send(sqs, queue, 25)
    *opened, others = letters.failures(limit=10)
    assert (len(opened), others.reason, others.count) == (10, "not-opened", 15)
    [others] = letters.failures(limit=0)
    assert others.count == 25


def test_empty_queue_has_no_failures(letters: DeadLetters):
    assert list(letters.failures(limit=10)) == []
    assert list(letters.redrive(soon())) == []


def test_dead_letters_are_moved_with_their_attributes(sqs: Any, queue: str, source_queue: str, letters: DeadLetters):
    send(sqs, queue, 24)
    attributes = {"kind": {"DataType": "String", "StringValue": "Bounce"}}
    sqs.send_message(QueueUrl=queue, MessageBody="with attributes", MessageAttributes=attributes)
    steps = list(letters.redrive(soon()))
    assert (sum(step.records for step in steps), {step.refused for step in steps}) == (25, {""})
    assert letters.count() == 0
    received: list[dict[str, Any]] = []
    while messages := sqs.receive_message(
        QueueUrl=source_queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        received += messages
    assert len(received) == 25
    assert [each["MessageAttributes"] for each in received if each["Body"] == "with attributes"] == [attributes]


def test_dead_letters_that_fail_again_meanwhile_are_not_moved_for_ever(sqs: Any, queue: str, letters: DeadLetters):
    send(sqs, queue, 3)
    assert list(letters.redrive(datetime.now(UTC) - timedelta(minutes=1))) == []
    assert len(bodies(sqs, queue)) == 3


def test_messages_that_are_too_large_together_are_sent_one_by_one(
    sqs: Any, queue: str, source_queue: str, letters: DeadLetters
):
    for _ in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * (BATCH_BYTES // 4))
    sqs.send_message(QueueUrl=queue, MessageBody="x" * (BATCH_BYTES // 2))
    assert [step.records for step in letters.redrive(soon())] == [1, 1, 1, 1]
    assert len(bodies(sqs, source_queue)) == 4


class Refusing:
    """An SQS client that refuses the first message of each request to one operation."""

    def __init__(self, sqs: Any, operation: str) -> None:
        self._sqs, self._operation = sqs, operation

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._sqs, name)

        def refuse(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's names)
            answer = getattr(self._sqs, name)(QueueUrl=QueueUrl, Entries=Entries[1:]) if Entries[1:] else {}
            return answer | {"Failed": [{"Id": Entries[0]["Id"], "Code": "InternalError", "SenderFault": False}]}

        return refuse


@pytest.mark.parametrize("operation", ["send_message_batch", "delete_message_batch"])
def test_message_that_sqs_refuses_is_never_lost(sqs: Any, queue: str, source_queue: str, operation: str):
    send(sqs, queue, 3)
    letters = DeadLetters(Refusing(sqs, operation), FailureKind.FEEDBACK, queue, source_queue)
    [step] = letters.redrive(soon())
    assert step.refused == "SQS refused 1 messages of feedback-dead-letter (InternalError)."
    assert letters.count() == 1
    assert len(bodies(sqs, source_queue)) == (2 if operation == "send_message_batch" else 3)
