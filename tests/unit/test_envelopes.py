"""Test every type in every envelope, several records in one payload, and records that have no event."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aftersend.events import Event
from aftersend.parsing import Ignored, ParseResult, Unreadable, parse
from tests.envelopes import ENVELOPES, in_eventbridge, in_firehose_invocation, in_sqs_record
from tests.record_files import RECORD_FILES, in_sns_envelope, notified, published, setup


def parse_one(payload: str | bytes) -> ParseResult:
    [result] = parse(payload)
    return result


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("file", RECORD_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_record_of_every_type_and_shape_has_the_same_events_in_every_envelope(file: Path, envelope: str):
    record = json.dumps(json.loads(file.read_bytes()))
    assert parse_one(ENVELOPES[envelope](record)) == parse_one(record)
    assert isinstance(parse_one(record), list)


WRAPS_JSON_ONLY = (
    "indented",
    "a list",
    "SNS, object",
    "SQS to Lambda, object",
    "SNS to Lambda, the record in the place of Sns",
)
SETUP = [
    (name, envelope)
    for name in ("topic-validation.txt", "subscription-succeeded.json", "s3-test-event.json")
    for envelope in ENVELOPES
    if "EventBridge" not in envelope and not (name.endswith(".txt") and envelope in WRAPS_JSON_ONLY)
]


@pytest.mark.parametrize(("name", "envelope"), SETUP)
def test_setup_messages_are_ignored_in_every_envelope(name: str, envelope: str):
    assert isinstance(parse_one(ENVELOPES[envelope](setup(name))), Ignored)


def kinds_and_reasons(payload: str | bytes) -> list[str]:
    """Return each record's kind, or the reason why it has no event."""
    return [result[0].kind if isinstance(result, list) else result.reason for result in parse(payload)]


BOUNCE, OPEN = json.dumps(published("bounce")), json.dumps(published("open"))
MIXED = [BOUNCE, "no JSON", OPEN, '{"eventType": 7}', "[]", json.dumps(notified("complaint"))]
RESULTS_OF_MIXED = ["Bounce", "not-json", "Open", "no-type", "empty", "Complaint"]


@pytest.mark.parametrize(
    "payload",
    [
        "\n".join(MIXED),
        ("\r\n\r\n".join(MIXED) + "\n").encode(),
        json.dumps({"Records": [in_sqs_record(record) for record in MIXED]}),
        json.dumps({"Records": [in_sqs_record(in_sns_envelope(record)) for record in MIXED]}),
        json.dumps(in_firehose_invocation(*MIXED)),
        json.dumps([in_sqs_record(record) for record in MIXED]),
    ],
    ids=["lines", "lines with blank ones", "SQS", "SNS in SQS", "Firehose", "a list of messages"],
)
def test_unreadable_record_does_not_affect_the_others(payload: str | bytes):
    assert kinds_and_reasons(payload) == RESULTS_OF_MIXED


@pytest.mark.parametrize("wrap", [json.dumps, lambda value: json.dumps({"Records": value})], ids=["a list", "Records"])
def test_list_has_a_result_for_each_object_and_one_for_all_the_rest(wrap: Callable[[Any], str]):
    assert kinds_and_reasons(wrap([1] * 20_000)) == ["wrong-type"]
    assert kinds_and_reasons(wrap([None, True, "x", "", [], [1], 7])) == ["wrong-type"]
    assert kinds_and_reasons(wrap(["x", 1, "", [[], ["x"]]])) == ["not-json"]
    assert kinds_and_reasons(wrap(MIXED)) == ["Bounce", "not-json", "Open", "no-type", "Complaint"]
    mixed = [1, json.loads(OPEN), [2, BOUNCE], {}, "x", {"Message": "{"}, setup("topic-validation.txt"), [], {}]
    expected = ["wrong-type", "Open", "Bounce", "no-type", "not-json", "topic-validation", "no-type"]
    assert kinds_and_reasons(wrap(mixed)) == expected


def test_list_of_empty_lists_is_empty():
    assert kinds_and_reasons("[[], []]") == ["empty"]


def test_message_of_sns_is_one_record_whatever_its_lines():
    for message in ("one\ntwo", f"{BOUNCE}\n{OPEN}", json.dumps("one\ntwo")):
        assert kinds_and_reasons(in_sns_envelope(message)) == ["not-json"]
        assert kinds_and_reasons(json.dumps({"Records": [in_sqs_record(in_sns_envelope(message))]})) == ["not-json"]


CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
    "Token": "2336412f37",
    "TopicArn": "arn:aws:sns:eu-west-1:222222222222:feedback",
    "Message": "You have chosen to subscribe to the topic arn:aws:sns:eu-west-1:222222222222:feedback.\n"
    "To confirm the subscription, visit the SubscribeURL included in this message.",
    "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    "Timestamp": "2026-03-14T09:26:53.589Z",
    "SignatureVersion": "1",
    "Signature": "EXAMPLE",
    "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem",
}


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_confirmation_of_sns_is_ignored_by_its_type(kind: str):
    record = json.dumps(CONFIRMATION | {"Type": kind})
    sqs = [in_sqs_record(record), in_sqs_record(json.loads(record))]
    sns = {"Records": [{"EventSource": "aws:sns", "Sns": json.loads(record)}]}
    for payload in (record, json.dumps(sns), json.dumps(sqs[0]), json.dumps({"Records": sqs[1:]})):
        assert kinds_and_reasons(payload) == ["sns-confirmation"]


@pytest.mark.parametrize("detail_type", [["Email Sent"], {"a": 1}, 7, True, [[]]])
def test_detail_type_that_is_no_text_does_not_count(detail_type: Any):
    mail = published("send")["mail"]
    for detail, expected in (({"mail": mail}, "no-type"), ({}, "no-type"), (published("open"), "Open")):
        payload = in_eventbridge(detail, "Send") | {"detail-type": detail_type}
        assert kinds_and_reasons(json.dumps(payload)) == [expected]


def test_firehose_record_may_have_several_lines():
    assert kinds_and_reasons(json.dumps(in_firehose_invocation(f"{BOUNCE}\n{OPEN}\n", OPEN))) == [
        "Bounce",
        "Open",
        "Open",
    ]


def test_firehose_data_that_is_not_base64_is_parsed_as_it_is():
    payload = {"invocationId": "1", "records": [{"data": BOUNCE}, {"data": 7}, {}, 7]}
    assert kinds_and_reasons(json.dumps(payload)) == ["Bounce", "wrong-type", "wrong-type", "wrong-type"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (
            {"notificationType": "Received", "mail": published("send")["mail"], "receipt": {}, "content": "…"},
            "ses-inbound",
        ),
        (
            {"Records": [{"eventSource": "aws:ses", "ses": {"mail": published("send")["mail"], "receipt": {}}}]},
            "ses-inbound",
        ),
        ({"mail": published("send")["mail"], "receipt": {"recipients": ["a@b.example"]}}, "ses-inbound"),
        ({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]}, "s3-event"),
        (
            {"Type": "SubscriptionConfirmation", "Token": "t", "TopicArn": "arn", "SubscribeURL": "https://"},
            "sns-confirmation",
        ),
        (
            {
                "notification": {"messageId": "1", "timestamp": "2026-03-14 09:26:53.589"},
                "delivery": {"phoneCarrier": "My Phone", "destination": "+15550100", "providerResponse": "ok"},
                "status": "SUCCESS",
            },
            "sns-sms",
        ),
        ({"event_type": "_email.delivered", "event_timestamp": 1773480416214, "client": {}}, "pinpoint"),
        ({"eventType": "_SMS.BUFFERED", "event_timestamp": 1773480416214}, "pinpoint"),
        ({"eventType": "SyncTrigger", "identityPoolId": "eu-west-1:1", "datasetName": "d"}, "cognito"),
        ({"eventType": "SIGN_IN", "userPoolId": "eu-west-1_1", "eventResponse": "Pass"}, "cognito"),
        ({"eventSource": "ses.amazonaws.com", "eventName": "SendEmail", "eventType": "AwsApiCall"}, "cloudtrail"),
        ({"AlarmName": "bounces", "NewStateValue": "ALARM", "OldStateValue": "OK"}, "cloudwatch-alarm"),
        ({"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {}}}, "eventbridge-other"),
        (in_eventbridge({"version": "1"}, "x") | {"detail-type": "Advisor Recommendation Status Open"}, "ses-advisor"),
        (in_eventbridge({"data": {}}, "x") | {"detail-type": "Sending Status Disabled"}, "ses-tenant"),
        (in_eventbridge({"data": {}}, "x") | {"detail-type": "Something New"}, "ses-other"),
        ({"Records": []}, "no-records"),
    ],
)
def test_foreign_record_is_ignored_with_a_reason(record: dict[str, Any], reason: str):
    assert parse_one(json.dumps(record)) == Ignored(reason)
    assert kinds_and_reasons(in_sns_envelope(json.dumps(record))) == [reason]


@pytest.mark.parametrize("part", ["bounce", "complaint", "delivery", "open"])
def test_body_without_a_type_key_is_unreadable(part: str):
    record = published(part)
    del record["eventType"]
    result = parse_one(json.dumps(record))
    assert isinstance(result, Unreadable)
    assert result.reason == "no-type"


@pytest.mark.parametrize("text", ["a bounce", "Complaint", "Successfully", '"bounce"', "mail bounced: a@b.example"])
def test_text_is_unreadable(text: str):
    assert isinstance(parse_one(text), Unreadable)


@pytest.mark.parametrize("name", ["bounce", "BOUNCE", " Bounce ", "\tbounce\n"])
def test_type_is_recognized_whatever_its_case_and_surrounding_blanks(name: str):
    [event] = parse_events(published("bounce") | {"eventType": name})
    assert event.kind == "Bounce"


@pytest.mark.parametrize("name", ["RenderingFailure", "renderingfailure", "Rendering  Failure"])
def test_type_is_recognized_whatever_its_inner_blanks(name: str):
    [event] = parse_events(published("rendering-failure") | {"eventType": name})
    assert (event.kind, event.template_name) == ("Rendering Failure", "spring-catalogue")


def test_empty_event_type_is_overridden_by_the_notification_type():
    [event] = parse_events(notified("bounce") | {"eventType": None})
    assert event.kind == "Bounce"
    [event] = parse_events(notified("bounce") | {"eventType": " "})
    assert event.kind == "Bounce"


def as_events(result: ParseResult) -> list[Event]:
    assert isinstance(result, list), result
    return result


def parse_events(record: dict[str, Any]) -> list[Event]:
    return as_events(parse_one(json.dumps(record)))


def test_unknown_type_with_a_complete_mail_is_an_event_of_that_type():
    [event] = parse_events(published("send") | {"eventType": "Quarantined", "send": None, "quarantined": {"by": "x"}})
    assert (event.kind, event.recipient) == ("Quarantined", "ada.reader@mail.example")
    assert event.occurred_at == event.sent_at


@pytest.mark.parametrize("missing", ["messageId", "timestamp", "source"])
def test_unknown_type_with_an_incomplete_mail_is_unreadable(missing: str):
    mail = {name: value for name, value in published("send")["mail"].items() if name != missing}
    result = parse_one(json.dumps({"eventType": "Quarantined", "mail": mail}))
    assert isinstance(result, Unreadable)
    assert result.reason == "unknown-type"


def test_record_in_too_many_envelopes_is_unreadable():
    payload = BOUNCE
    for _ in range(6):
        payload = in_sns_envelope(payload)
    assert kinds_and_reasons(payload) == ["Bounce"]
    for _ in range(20):
        payload = in_sns_envelope(payload[:200_000])
    assert len(parse(payload)) == 1
    assert isinstance(parse_one(payload), Unreadable)


@pytest.mark.parametrize("payload", [b"[" * 500_000, b'{"a":' * 100_000, b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000])
def test_deeply_nested_json_is_unreadable(payload: bytes):
    assert isinstance(parse_one(payload), Unreadable)


def test_lone_surrogate_is_replaced():
    """SES cuts long headers, sometimes in the middle of a surrogate pair."""
    record = BOUNCE.replace("Spring catalogue", "Spring \\ud83d").replace("User unknown", "User \\udc00 unknown")
    [event] = as_events(parse_one(record))
    assert event.recipient == "ada.reader@mail.example"
    assert "User ? unknown" in (event.diagnostic_code or "")


@pytest.mark.parametrize("wrap", [str, in_sns_envelope, lambda record: json.dumps(in_sqs_record(record))])
def test_lone_surrogate_in_text_is_replaced(wrap: Callable[[str], str]):
    payload = wrap(BOUNCE.replace("User unknown", "User \udc00 unknown")).replace("\\udc00", "\udc00")
    [event] = as_events(parse_one(payload))
    assert "User ? unknown" in (event.diagnostic_code or "")
    assert kinds_and_reasons(f"\udc00\n{payload}") == ["not-json", "Bounce"]


def test_message_to_fifty_thousand_is_fifty_thousand_events():
    record = published("send")
    record["mail"]["destination"] = [f"{number}@m.example" for number in range(50_000)]
    assert len(parse_events(record)) == 50_000


def test_base64_that_is_not_text_is_unreadable():
    payload = {"invocationId": "1", "records": [{"data": base64.b64encode(b"\x00\xff\x1f").decode()}]}
    assert kinds_and_reasons(json.dumps(payload)) == ["not-json"]
