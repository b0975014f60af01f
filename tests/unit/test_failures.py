import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aftersend.operations.failures import (
    Failure,
    FailureKind,
    StoredObject,
    dead_letter,
    kind_of_key,
    parse_stored,
    quarantined_record,
    redriven_key,
    split_id,
)
from tests.record_files import published, setup

SINCE = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
STORED = StoredObject("somewhere/object", SINCE, 100)

QUARANTINED = {"object": "events/1.gz", "line": 3, "reason": "not-json", "detail": "why", "record": "{]"}
FIREHOSE_ERROR = {
    "attemptsMade": 4,
    "arrivalTimestamp": 1773480416214,
    "errorCode": "Lambda.FunctionError",
    "errorMessage": "It failed.",
    "rawData": base64.b64encode(b'{"eventType": "Bounce"}\n').decode(),
}
BATCH = {
    "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11},
    "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    "DDBStreamBatchInfo": {
        "shardId": "shardId-1",
        "startSequenceNumber": "100",
        "endSequenceNumber": "300",
        "batchSize": 3,
    },
    "payload": '{"Records": []}',
}


def parsed(kind: FailureKind, content: Any) -> Failure:
    line = content if isinstance(content, bytes) else json.dumps(content).encode()
    [failure] = parse_stored(kind, STORED, [(7, line)])
    assert (failure.kind, failure.id, failure.since) == (kind, "somewhere/object#7", SINCE)
    return failure


def test_quarantined_line_tells_where_it_came_from_and_why():
    failure = parsed(FailureKind.QUARANTINE, QUARANTINED)
    assert (failure.reason, failure.detail, failure.record) == ("not-json", "line 3 of events/1.gz: why", "{]")


def test_firehose_error_holds_its_record_decoded():
    failure = parsed(FailureKind.FIREHOSE, FIREHOSE_ERROR)
    assert (failure.reason, failure.detail) == ("Lambda.FunctionError", "It failed.")
    assert failure.record == '{"eventType": "Bounce"}'


def test_firehose_error_may_spell_its_names_with_a_capital():
    renamed = {"ErrorCode": "Code", "ErrorMessage": "Message", "rawData": ""}
    failure = parsed(FailureKind.FIREHOSE, renamed)
    assert (failure.reason, failure.detail, failure.record) == ("Code", "Message", "")


def test_failed_batch_tells_its_shard_and_its_positions():
    failure = parsed(FailureKind.BATCH, BATCH)
    assert (failure.reason, failure.detail) == ("RetryAttemptsExhausted", "3 changes of shard shardId-1, 100 to 300")
    assert json.loads(failure.record)["payload"] == '{"Records": []}'


@pytest.mark.parametrize("kind", [FailureKind.QUARANTINE, FailureKind.FIREHOSE, FailureKind.BATCH])
@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"\xff",
        b"[]",
        b"{}",
        b'{"rawData": "%"}',
        b'{"rawData": 1}',
        b'{"DDBStreamBatchInfo": 1}',
        b"[" * 9999,
    ],
)
def test_line_in_an_unknown_format_is_described_as_that(kind: FailureKind, content: bytes):
    failure = parsed(kind, content)
    assert (failure.reason, failure.record) == ("unknown-format", content.decode("utf-8", "replace"))


def test_dead_letter_is_parsed_again_for_its_reason():
    reasons = {
        (FailureKind.FEEDBACK, "no JSON"): "not-json",
        (FailureKind.FEEDBACK, json.dumps(published("bounce"))): "function-failed",
        (FailureKind.FEEDBACK, json.dumps([published("bounce"), {"no": "type"}])): "no-type",
        (FailureKind.ARCHIVE, "no JSON"): "not-an-object-notification",
        (FailureKind.ARCHIVE, setup("s3-test-event.json")): "function-failed",
        (FailureKind.SUBSCRIPTION, json.dumps(published("bounce"))): "not-delivered",
    }
    assert {(kind, body): dead_letter(kind, "id", body, SINCE).reason for kind, body in reasons} == reasons


def test_dead_letter_of_the_archive_queue_names_the_objects():
    body = '{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "events/a+b"}}}]}'
    assert "(events/a b)" in dead_letter(FailureKind.ARCHIVE, "id", body, SINCE).detail


REDRIVEN_KEYS = {
    "quarantine/events/2026/03/14/09/stream-1.gz.jsonl": "events/2026/03/14/09/stream-1.gz.redriven.gz",
    "quarantine/events/2026/03/14/09/stream-1.gz.redriven.gz.jsonl": (
        "events/2026/03/14/09/stream-1.gz.redriven.gz.redriven.gz"
    ),
    "quarantine/events/a folder/lines=2.jsonl": "events/a folder/lines=2.redriven.gz",
    "firehose-failed/failed/2026/03/14/09/stream-1": "events/2026/03/14/09/failed-stream-1.redriven.gz",
    "firehose-failed/2026/03/14/09/stream-1": "events/2026/03/14/09/stream-1.redriven.gz",
    "firehose-failed/elsewhere": "events/elsewhere.redriven.gz",
}


@pytest.mark.parametrize("key", REDRIVEN_KEYS)
def test_redriven_objects_stay_in_their_hour_and_never_replace_another(key: str):
    assert redriven_key(key) == REDRIVEN_KEYS[key]


def test_keys_tell_their_kind_and_ids_their_line():
    assert kind_of_key("quarantine/events/1.jsonl") is FailureKind.QUARANTINE
    assert kind_of_key("aws/lambda/mapping/shard/1") is FailureKind.BATCH
    assert kind_of_key("events/1.gz") is None
    assert split_id("quarantine/a#b.jsonl#12") == ("quarantine/a#b.jsonl", 12)
    assert split_id("quarantine/a#b.jsonl") == ("quarantine/a#b.jsonl", None)


def test_only_lines_of_quarantine_objects_hold_a_quarantined_record():
    assert quarantined_record(json.dumps(QUARANTINED).encode()) == "{]"
    assert quarantined_record(json.dumps(published("bounce")).encode()) is None
    assert quarantined_record(b"\xff") is None
