"""The functions' handlers over the real adapters, in moto."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from aftersend import ledger
from aftersend.aws.archive import Archive
from aftersend.aws.clients import attempts
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.serialization import serialize
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import Kind
from aftersend.recorder import Recorder
from aftersend.suppression import Policy
from lambdas import count_tags, record_archive, record_feedback
from lambdas.dependencies import logger
from lambdas.settings import MissingSetting, setting, text_setting
from tests.event_factory import SENT, a_bounce, an_event
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
        attempts,
    )


def messages(*bodies: str) -> dict[str, Any]:
    """What Lambda hands over from a queue."""
    return {
        "Records": [
            {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_feedback_is_recorded_and_suppresses(recorder: Recorder):
    answer = record_feedback.handler(
        messages(json.dumps(published("bounce")), json.dumps(notified("bounce"))), recorder=recorder
    )
    assert failed(answer) == []
    assert [fact.kind for fact in recorder.ledger.feedback_for(ADA)] == ["Bounce"]
    entry = recorder.suppressions.entry(ADA)
    assert entry is not None
    assert entry.rule == "hard-bounce"


def test_one_unreadable_message_fails_alone(recorder: Recorder):
    bodies = ["no JSON", json.dumps(published("bounce")), setup("topic-validation.txt")]
    assert failed(record_feedback.handler(messages(*bodies), recorder=recorder)) == ["message-0"]
    assert recorder.suppressions.entry(ADA) is not None


def test_where_every_message_fails_each_is_reported(recorder: Recorder):
    assert failed(record_feedback.handler(messages("{}", "[]"), recorder=recorder)) == ["message-0", "message-1"]


def test_the_log_tells_how_many_and_names_nobody(recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    said = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", said)
    bodies = [
        json.dumps(published("bounce")),
        setup("subscription-succeeded.json"),
        '{"eventType": "ada.reader@mail.example"}',
    ]
    record_feedback.handler(messages(*bodies), recorder=recorder)
    [line] = said.getvalue().splitlines()
    told = json.loads(line)
    assert told["tally"] == {"recorded": 1, "ignored:subscription-succeeded": 1, "failed": 1}
    assert "ada.reader" not in line.lower()


def announced(key: str, s3: Any, content: bytes) -> str:
    s3.put_object(Bucket="archive", Key=key, Body=content)
    return json.dumps({"Records": [{"s3": {"bucket": {"name": "archive"}, "object": {"key": key}}}]})


def a_line_each(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def test_an_object_of_the_archive_is_recorded(recorder: Recorder, s3: Any, dynamodb: Any):
    content = gzip.compress(a_line_each(*(published(kind) for kind in ("send", "delivery", "open", "click", "bounce"))))
    answer = record_archive.handler(
        messages(announced("events/1.gz", s3, content)), recorder=recorder, archive=Archive(s3)
    )
    assert failed(answer) == []
    kinds = [found["kind"]["S"] for found in dynamodb.scan(TableName="ledger")["Items"]]
    assert sorted(kinds) == ["Bounce", "Click", "Delivery", "FirstClick", "FirstOpen", "Open", "Send"]
    assert recorder.suppressions.entry(ADA) is not None


def test_an_unreadable_line_costs_itself_and_is_kept(recorder: Recorder, s3: Any):
    content = b"{]\n" + a_line_each(published("bounce")) + b'{"eventType": "Bounce"}\n'
    answer = record_archive.handler(
        messages(announced("events/1", s3, content)), recorder=recorder, archive=Archive(s3)
    )
    assert failed(answer) == []
    assert recorder.suppressions.entry(ADA) is not None
    kept = s3.get_object(Bucket="archive", Key="quarantine/events/1.jsonl")["Body"].read().splitlines()
    assert [(json.loads(line)["line"], json.loads(line)["reason"]) for line in kept] == [
        (1, "not-json"),
        (3, "no-message-id"),
    ]


def test_an_object_that_is_gone_fails_alone(recorder: Recorder, s3: Any):
    gone = json.dumps({"Records": [{"s3": {"bucket": {"name": "archive"}, "object": {"key": "events/gone"}}}]})
    bodies = [gone, setup("s3-test-event.json"), announced("events/1", s3, a_line_each(published("bounce"))), "no JSON"]
    assert failed(record_archive.handler(messages(*bodies), recorder=recorder, archive=Archive(s3))) == [
        "message-0",
        "message-3",
    ]
    assert recorder.suppressions.entry(ADA) is not None


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("COUNTED", '{"tags": ["campaign"]}')


@pytest.fixture
def counts(dynamodb: Any) -> Callable[[], dict[str, dict[str, int]]]:
    return lambda: {row.value: measures for row, measures in CountersTable(dynamodb, "counters").rows()}


def changed(number: int, new: Any, old: Any = None, name: str = "INSERT") -> dict[str, Any]:
    """A record of the ledger's stream."""
    images = {
        "NewImage": new and serialize(ledger.attributes(new)),
        "OldImage": old and serialize(ledger.attributes(old)),
    }
    images = {image: found for image, found in images.items() if found}
    return {"eventName": name, "dynamodb": {"SequenceNumber": str(number), **images}}


def test_changes_are_counted_once_however_often_they_come(
    dynamodb: Any, settings: None, counts: Callable[[], dict[str, dict[str, int]]]
):
    to = CountersTable(dynamodb, "counters")
    records = [changed(9, an_event(Kind.SEND)), changed(10, an_event(Kind.SEND, recipient="other@mail.example"))]
    for batch in (records[:1], records, records[1:], []):
        assert count_tags.handler({"Records": batch, "shardId": "shard-1"}, counters=to) == {"state": {}}
    assert counts() == {name: {"send": 2} for name in ("spring-catalogue", "newsletter", "bookshop.example")}


def test_a_better_copy_moves_counts_and_a_removal_does_not(
    dynamodb: Any, settings: None, counts: Callable[[], dict[str, dict[str, int]]]
):
    poor, better = a_bounce(tags={}), a_bounce()
    records = [changed(1, poor), changed(2, better, poor, "MODIFY"), changed(3, None, better, "REMOVE")]
    count_tags.handler({"Records": records}, counters=CountersTable(dynamodb, "counters"))
    assert counts() == {name: {"hard_bounce": 1} for name in ("spring-catalogue", "newsletter", "bookshop.example")}


def test_totals_are_printed_for_cloudwatch_after_they_are_counted(
    dynamodb: Any, settings: None, capsys: pytest.CaptureFixture[str]
):
    count_tags.handler({"Records": [changed(1, a_bounce())]}, counters=CountersTable(dynamodb, "counters"))
    printed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (printed["ConfigurationSet"], printed["hard_bounce"], printed["Environment"]) == ("newsletter", 1, "test")


def test_a_missing_setting_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(MissingSetting, match=r"^The environment variable LEDGER_TABLE is not set\.$"):
        text_setting("LEDGER_TABLE")
    monkeypatch.setenv("COUNTER_SHARDS", '"many"')
    with pytest.raises(MissingSetting, match=r"^The environment variable COUNTER_SHARDS is no int: Expected `int`"):
        setting("COUNTER_SHARDS", int)
