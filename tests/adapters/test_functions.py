"""Run the functions' handlers over the real adapters, in moto."""

import gzip
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.response import StreamingBody

from aftersend import ledger
from aftersend.aws.archive import Archive
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.serialization import serialize
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import PARTITION_KEY, SORT_KEY, Variable
from aftersend.events import Kind
from aftersend.recorder import Recorder
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import Entry, Policy
from lambdas import count_tags, record_archive, record_feedback
from lambdas.dependencies import logger
from lambdas.settings import InvalidSetting, setting, text_setting
from tests.event_factory import READER, SENT, a_bounce, an_event
from tests.fakes import immediate_attempts
from tests.record_files import notified, published, setup

ADA = "ada.reader@mail.example"
KEYS = (PARTITION_KEY, SORT_KEY)


@pytest.fixture
def recorder(dynamodb: Any) -> Recorder:
    retention = Retention()
    return Recorder(
        LedgerTable(dynamodb, "ledger", retention),
        SuppressionsTable(dynamodb, "suppressions"),
        Policy(),
        RetentionHistory().with_setting(retention, SENT),
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
    assert [event.kind for event in recorder.ledger.feedback_for(ADA).events] == ["Bounce"]
    entry = recorder.suppressions.entries_of(ADA).get("*")
    assert entry is not None
    assert entry.rule == "hard-bounce"


def test_unreadable_message_fails_alone(recorder: Recorder):
    bodies = ["no JSON", json.dumps(published("bounce")), setup("topic-validation.txt")]
    assert failed(record_feedback.handler(messages(*bodies), recorder=recorder)) == ["message-0"]
    assert recorder.suppressions.entries_of(ADA).get("*") is not None


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
    assert recorder.suppressions.entries_of(ADA).get("*") is not None


def test_unreadable_line_is_quarantined_and_the_others_are_recorded(recorder: Recorder, s3: Any, settings: None):
    content = b"{]\n" + json_lines(published("bounce")) + b'{"eventType": "Bounce"}\n'
    response = record_archive.handler(
        messages(store_object("events/1", s3, content)), recorder=recorder, archive=Archive(s3)
    )
    assert failed(response) == []
    assert recorder.suppressions.entries_of(ADA).get("*") is not None
    quarantined = s3.get_object(Bucket="archive", Key="quarantine/events/1.jsonl")["Body"].read().splitlines()
    assert [(json.loads(line)["line"], json.loads(line)["reason"]) for line in quarantined] == [
        (1, "not-json"),
        (3, "no-message-id"),
    ]


def archive_response(recorder: Recorder, s3: Any, *bodies: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Invoke record_archive, and return which messages failed and the metrics."""
    metrics: list[dict[str, Any]] = []
    response = record_archive.handler(
        messages(*bodies), recorder=recorder, archive=Archive(s3), emit_metric=metrics.append
    )
    return failed(response), metrics


def quarantined_lines(s3: Any, key: str) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket="archive", Key=f"quarantine/{key}.jsonl")["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def test_line_is_quarantined_once_however_many_of_its_records_fail(recorder: Recorder, s3: Any, settings: None):
    line = json.dumps([published("bounce"), *[{"eventType": "Bounce"}] * 3, {}]).encode() + b"\n"
    failures, [metric] = archive_response(recorder, s3, store_object("events/1", s3, line))
    assert failures == []
    assert recorder.suppressions.entries_of(ADA).get("*") is not None
    assert [entry["line"] for entry in quarantined_lines(s3, "events/1")] == [1]
    assert (metric["quarantined_lines"], metric["Environment"]) == (1, "test")
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"]]


def test_object_without_unreadable_lines_emits_no_metric(recorder: Recorder, s3: Any):
    stored = store_object("events/1", s3, json_lines(published("bounce")))
    assert archive_response(recorder, s3, stored) == ([], [])


def damaged_objects() -> dict[str, bytes]:
    content = gzip.compress(json_lines(*[published("send")] * 400, published("bounce")) * 3)
    flipped = bytearray(content)
    flipped[-1] ^= 1  # the length: all of the content can be read
    middle = bytearray(content)
    middle[len(middle) * 3 // 4] ^= 0xFF
    return {"cut": content[:-20], "flipped": bytes(flipped), "middle": bytes(middle), "behind": content + b"more"}


@pytest.mark.parametrize("damage", damaged_objects())
def test_damaged_object_is_recorded_up_to_the_damage_and_the_rest_quarantined_as_a_line(
    recorder: Recorder, s3: Any, settings: None, damage: str
):
    stored = store_object("events/1.gz", s3, damaged_objects()[damage])
    failures, [metric] = archive_response(recorder, s3, stored)
    assert failures == []
    assert recorder.suppressions.entries_of(ADA).get("*") is not None
    *garbled, entry = quarantined_lines(s3, "events/1.gz")
    assert metric["quarantined_lines"] == len(garbled) + 1
    assert not garbled or damage == "middle"
    assert (entry["reason"], entry["record"]) == ("damaged-object", "")
    assert entry["line"] == 1204 if damage in ("flipped", "behind") else 400 < entry["line"] < 1204


def test_lost_connection_is_no_damage(recorder: Recorder, s3: Any):
    """Reading the object again helps, so the message returns."""
    content = gzip.compress(json_lines(*[published("send")] * 50))

    class InterruptedS3:
        def get_object(self, **_: Any) -> dict[str, Any]:
            return {"Body": StreamingBody(io.BytesIO(content[:-20]), len(content))}

    response = record_archive.handler(
        messages(object_notification("events/1.gz")), recorder=recorder, archive=Archive(InterruptedS3())
    )
    assert failed(response) == ["message-0"]


def test_recipient_without_a_decision_keeps_no_line_from_being_quarantined(recorder: Recorder, s3: Any, settings: None):
    class BrokenSuppressions(SuppressionsTable):
        def entry(self, recipient: str) -> Entry | None:
            raise ConnectionError

    broken = recorder._replace(suppressions=BrokenSuppressions(None, ""))
    stored = store_object("events/1", s3, b"poison\n" + json_lines(published("bounce")))
    failures, metrics = archive_response(broken, s3, stored)
    assert (failures, len(metrics)) == (["message-0"], 1)
    assert [entry["reason"] for entry in quarantined_lines(s3, "events/1")] == ["not-json"]


def test_object_that_is_gone_is_named_after_the_others_of_its_notification_are_recorded(recorder: Recorder, s3: Any):
    store_object("events/1", s3, json_lines(published("bounce")))
    notification = json.loads(object_notification("events/gone"))
    notification["Records"] += json.loads(object_notification("events/1"))["Records"]
    record = partial(record_archive._record_object, recorder=recorder, archive=Archive(s3), emit_metric=print)
    with pytest.raises(
        record_archive.FailedObjects,
        match=r"^1 of 2 objects were not recorded in full\. "
        r"events/gone: MissingObject: events/gone is no longer in archive\.$",
    ):
        record_archive.record_objects(json.dumps(notification), record)
    assert recorder.suppressions.entries_of(ADA).get("*") is not None


def test_object_that_does_not_exist_fails_alone(recorder: Recorder, s3: Any):
    stored = store_object("events/1", s3, json_lines(published("bounce")))
    bodies = [object_notification("events/gone"), setup("s3-test-event.json"), stored, "no JSON"]
    assert failed(record_archive.handler(messages(*bodies), recorder=recorder, archive=Archive(s3))) == [
        "message-0",
        "message-3",
    ]
    assert recorder.suppressions.entries_of(ADA).get("*") is not None


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    monkeypatch.setenv(Variable.COUNTED, '{"tags": ["campaign"]}')


@pytest.fixture
def counts(dynamodb: Any) -> Callable[[], dict[str, dict[str, int]]]:
    return lambda: {row.value: measures for row, measures in CountersTable(dynamodb, "counters").rows()}


def stream_record(number: int, new: Any, old: Any = None, event_name: str = "INSERT") -> dict[str, Any]:
    """Return a record of the ledger's stream."""
    images = {"NewImage": new, "OldImage": old}
    images = {
        name: serialize(ledger.attributes(event) | dict(zip(KEYS, ledger.key(event), strict=True)))
        for name, event in images.items()
        if event
    }
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
    assert counts() == {name: {"send": 2} for name in VALUES}


def test_better_copy_moves_counts_and_removal_does_not(
    dynamodb: Any, settings: None, counts: Callable[[], dict[str, dict[str, int]]]
):
    poorer, better = a_bounce(tags={}), a_bounce()
    records = [
        stream_record(1, poorer),
        stream_record(2, better, poorer, "MODIFY"),
        stream_record(3, None, better, "REMOVE"),
    ]
    count_tags.handler({"Records": records, "shardId": "shard-1"}, counters=CountersTable(dynamodb, "counters"))
    assert counts() == {name: {"hard_bounce": 1} for name in VALUES}


def test_totals_are_printed_as_metrics(dynamodb: Any, settings: None, capsys: pytest.CaptureFixture[str]):
    batch = {"Records": [stream_record(1, a_bounce())], "shardId": "shard-1"}
    count_tags.handler(batch, counters=CountersTable(dynamodb, "counters"))
    printed = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (printed["ConfigurationSet"], printed["hard_bounce"], printed["Environment"]) == ("newsletter", 1, "test")


Counts = Callable[[], dict[str, dict[str, int]]]
VALUES = ("spring-catalogue", "newsletter", "bookshop.example", "other")
"""Of the tags that events of tests are counted by."""
ONE_SEND = {name: {"send": 1} for name in VALUES}


def test_batch_without_a_shard_id_is_an_error_except_on_the_emulator(
    dynamodb: Any, settings: None, counts: Counts, monkeypatch: pytest.MonkeyPatch
):
    table = CountersTable(dynamodb, "counters")
    batch = {"Records": [stream_record(1, an_event(Kind.SEND))]}
    for event in (batch, batch | {"shardId": ""}, batch | {"shardId": None}):
        with pytest.raises(count_tags.UnnamedShard):
            count_tags.handler(event, counters=table)
    assert counts() == {}
    monkeypatch.setenv(Variable.EMULATED, "true")
    count_tags.handler(batch, counters=table)
    assert counts() == ONE_SEND


UNDECODABLE = [{"kind": {"N": "7"}}, {"tags": {"SS": ["a"]}}, {"sent_at": {"S": "no time"}}]


@pytest.mark.parametrize("attribute", UNDECODABLE, ids=lambda attribute: next(iter(attribute)))
@pytest.mark.parametrize("image", ["NewImage", "OldImage"])
def test_record_that_cannot_be_decoded_is_left_out_and_reported(
    dynamodb: Any,
    settings: None,
    counts: Counts,
    attribute: dict[str, Any],
    image: str,
    monkeypatch: pytest.MonkeyPatch,
):
    log, metrics = io.StringIO(), []
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    bad = stream_record(2, a_bounce(), a_bounce(tags={}), "MODIFY")
    bad["dynamodb"][image] |= attribute
    bad["dynamodb"]["Keys"] = {name: bad["dynamodb"]["NewImage"][name] for name in KEYS}
    records = [stream_record(1, an_event(Kind.SEND)), bad]
    count_tags.handler(
        {"Records": records, "shardId": "shard-1"},
        counters=CountersTable(dynamodb, "counters"),
        emit_metric=metrics.append,
    )
    assert counts() == ONE_SEND
    [metric] = [document for document in metrics if "uncountable_records" in document]
    assert (metric["uncountable_records"], metric["Environment"]) == (1, "test")
    error = json.loads(log.getvalue().splitlines()[0])
    assert (error["level"], error["keys"]) == ("ERROR", [ledger.digest(bad["dynamodb"]["Keys"])])
    assert READER not in log.getvalue()


def test_failure_that_is_not_the_records_own_is_raised(dynamodb: Any, settings: None, counts: Counts):
    """A stream without new images would otherwise be left uncounted, record by record."""
    record = stream_record(1, an_event(Kind.SEND))
    del record["dynamodb"]["NewImage"]
    with pytest.raises(KeyError):
        count_tags.handler({"Records": [record], "shardId": "shard-1"}, counters=CountersTable(dynamodb, "counters"))


def test_history_of_retention_settings_is_no_event(dynamodb: Any, settings: None, counts: Counts):
    LedgerTable(dynamodb, "ledger", Retention()).retention_history(SENT)
    [item] = dynamodb.scan(TableName="ledger")["Items"]
    change = {"SequenceNumber": "1", "NewImage": item, "OldImage": item}
    records = [{"eventName": "MODIFY", "dynamodb": change}, stream_record(2, an_event(Kind.SEND))]
    metrics: list[dict[str, Any]] = []
    count_tags.handler(
        {"Records": records, "shardId": "shard-1"},
        counters=CountersTable(dynamodb, "counters"),
        emit_metric=metrics.append,
    )
    assert counts() == ONE_SEND
    assert not [document for document in metrics if "uncountable_records" in document]


def test_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InvalidSetting, match=r"^The environment variable LEDGER_TABLE is not set\.$"):
        text_setting(Variable.LEDGER_TABLE)
    monkeypatch.setenv(Variable.PACE_SECONDS, '"many"')
    with pytest.raises(
        InvalidSetting, match=r"^The environment variable PACE_SECONDS does not hold a JSON float: Expected `float`"
    ):
        setting(Variable.PACE_SECONDS, float)
