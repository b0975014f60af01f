"""Run the functions' handlers over the real adapters, in moto."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from aftersend import ledger
from aftersend.aws.archive import Archive
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.serialization import serialize
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import Variable
from aftersend.events import Kind
from aftersend.recorder import Recorder
from aftersend.suppression import Policy
from lambdas import count_tags, record_archive, record_feedback
from lambdas.dependencies import logger
from lambdas.settings import InvalidSetting, setting, text_setting
from tests.event_factory import SENT, a_bounce, an_event
from tests.fakes import immediate_attempts
from tests.record_files import notified, published, setup

ADA = "ada.reader@mail.example"


@pytest.fixture
def recorder(dynamodb: Any) -> Recorder:
    retention = ledger.Retention()
    return Recorder(
        LedgerTable(dynamodb, "ledger", retention),
        SuppressionsTable(dynamodb, "suppressions"),
        Policy(),
        retention,
        lambda: SENT,
        immediate_attempts,
    )


def messages(*bodies: str) -> dict[str, Any]:
    """Return the event with which Lambda invokes a function for messages of a queue."""
    return {
        "Records": [
            {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
    }


def failed(response: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_feedback_is_recorded_and_suppresses(recorder: Recorder):
    response = record_feedback.handler(
        messages(json.dumps(published("bounce")), json.dumps(notified("bounce"))), recorder=recorder
    )
    assert failed(response) == []
    assert [event.kind for event in recorder.ledger.feedback_for(ADA)] == ["Bounce"]
    entry = recorder.suppressions.entry(ADA)
    assert entry is not None
    assert entry.rule == "hard-bounce"


def test_unreadable_message_fails_alone(recorder: Recorder):
    bodies = ["no JSON", json.dumps(published("bounce")), setup("topic-validation.txt")]
    assert failed(record_feedback.handler(messages(*bodies), recorder=recorder)) == ["message-0"]
    assert recorder.suppressions.entry(ADA) is not None


def test_messages_that_all_fail_are_reported_one_by_one(recorder: Recorder):
    assert failed(record_feedback.handler(messages("{}", "[]"), recorder=recorder)) == ["message-0", "message-1"]


def test_log_line_has_the_tally_and_no_recipient(recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    bodies = [
        json.dumps(published("bounce")),
        setup("subscription-succeeded.json"),
        '{"eventType": "ada.reader@mail.example"}',
    ]
    record_feedback.handler(messages(*bodies), recorder=recorder)
    [line] = log.getvalue().splitlines()
    assert json.loads(line)["tally"] == {"recorded": 1, "ignored:subscription-succeeded": 1, "failed": 1}
    assert "ada.reader" not in line.lower()


def store_object(key: str, s3: Any, content: bytes) -> str:
    """Store an object and return the S3 notification that names it."""
    s3.put_object(Bucket="archive", Key=key, Body=content)
    return object_notification(key)


def object_notification(key: str) -> str:
    return json.dumps({"Records": [{"s3": {"bucket": {"name": "archive"}, "object": {"key": key}}}]})


def json_lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def test_archived_object_is_recorded(recorder: Recorder, s3: Any, dynamodb: Any):
    content = gzip.compress(json_lines(*(published(kind) for kind in ("send", "delivery", "open", "click", "bounce"))))
    response = record_archive.handler(
        messages(store_object("events/1.gz", s3, content)), recorder=recorder, archive=Archive(s3)
    )
    assert failed(response) == []
    kinds = [item["kind"]["S"] for item in dynamodb.scan(TableName="ledger")["Items"]]
    assert sorted(kinds) == ["Bounce", "Click", "Delivery", "FirstClick", "FirstOpen", "Open", "Send"]
    assert recorder.suppressions.entry(ADA) is not None


def test_unreadable_line_is_quarantined_and_the_others_are_recorded(recorder: Recorder, s3: Any):
    content = b"{]\n" + json_lines(published("bounce")) + b'{"eventType": "Bounce"}\n'
    response = record_archive.handler(
        messages(store_object("events/1", s3, content)), recorder=recorder, archive=Archive(s3)
    )
    assert failed(response) == []
    assert recorder.suppressions.entry(ADA) is not None
    quarantined = s3.get_object(Bucket="archive", Key="quarantine/events/1.jsonl")["Body"].read().splitlines()
    assert [(json.loads(line)["line"], json.loads(line)["reason"]) for line in quarantined] == [
        (1, "not-json"),
        (3, "no-message-id"),
    ]


def test_object_that_does_not_exist_fails_alone(recorder: Recorder, s3: Any):
    stored = store_object("events/1", s3, json_lines(published("bounce")))
    bodies = [object_notification("events/gone"), setup("s3-test-event.json"), stored, "no JSON"]
    assert failed(record_archive.handler(messages(*bodies), recorder=recorder, archive=Archive(s3))) == [
        "message-0",
        "message-3",
    ]
    assert recorder.suppressions.entry(ADA) is not None


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    monkeypatch.setenv(Variable.COUNTED, '{"tags": ["campaign"]}')


@pytest.fixture
def counts(dynamodb: Any) -> Callable[[], dict[str, dict[str, int]]]:
    return lambda: {row.value: measures for row, measures in CountersTable(dynamodb, "counters").rows()}


def stream_record(number: int, new: Any, old: Any = None, event_name: str = "INSERT") -> dict[str, Any]:
    """Return a record of the ledger's stream."""
    images = {
        "NewImage": new and serialize(ledger.attributes(new)),
        "OldImage": old and serialize(ledger.attributes(old)),
    }
    images = {name: image for name, image in images.items() if image}
    return {"eventName": event_name, "dynamodb": {"SequenceNumber": str(number), **images}}


def test_changes_are_counted_once_however_often_they_are_delivered(
    dynamodb: Any, settings: None, counts: Callable[[], dict[str, dict[str, int]]]
):
    table = CountersTable(dynamodb, "counters")
    records = [
        stream_record(9, an_event(Kind.SEND)),
        stream_record(10, an_event(Kind.SEND, recipient="other@mail.example")),
    ]
    for batch in (records[:1], records, records[1:], []):
        assert count_tags.handler({"Records": batch, "shardId": "shard-1"}, counters=table) == {"state": {}}
    assert counts() == {name: {"send": 2} for name in ("spring-catalogue", "newsletter", "bookshop.example")}


def test_better_copy_moves_counts_and_removal_does_not(
    dynamodb: Any, settings: None, counts: Callable[[], dict[str, dict[str, int]]]
):
    poorer, better = a_bounce(tags={}), a_bounce()
    records = [
        stream_record(1, poorer),
        stream_record(2, better, poorer, "MODIFY"),
        stream_record(3, None, better, "REMOVE"),
    ]
    count_tags.handler({"Records": records}, counters=CountersTable(dynamodb, "counters"))
    assert counts() == {name: {"hard_bounce": 1} for name in ("spring-catalogue", "newsletter", "bookshop.example")}


def test_totals_are_printed_as_metrics(dynamodb: Any, settings: None, capsys: pytest.CaptureFixture[str]):
    count_tags.handler({"Records": [stream_record(1, a_bounce())]}, counters=CountersTable(dynamodb, "counters"))
    printed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (printed["ConfigurationSet"], printed["hard_bounce"], printed["Environment"]) == ("newsletter", 1, "test")


def test_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InvalidSetting, match=r"^The environment variable LEDGER_TABLE is not set\.$"):
        text_setting(Variable.LEDGER_TABLE)
    monkeypatch.setenv(Variable.COUNTER_SHARDS, '"many"')
    with pytest.raises(
        InvalidSetting, match=r"^The environment variable COUNTER_SHARDS does not hold a JSON int: Expected `int`"
    ):
        setting(Variable.COUNTER_SHARDS, int)
