"""Every type, shape and envelope; several records together; and what is no record of SES's events."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from aftersend.events import Event
from aftersend.parsing.parser import Ignored, ParseResult, Unreadable, parse
from tests.envelopes import ENVELOPES, _in_eventbridge, _in_firehose_invocation, _in_sqs_record
from tests.record_files import RECORD_FILES, in_sns_envelope, notified, published, setup


def the(payload: str | bytes) -> ParseResult:
    [found] = parse(payload)
    return found


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize("file", RECORD_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_type_and_shape_reads_the_same_in_every_envelope(file: Path, envelope: str):
    record = json.dumps(json.loads(file.read_bytes()))
    assert the(ENVELOPES[envelope](record)) == the(record)
    assert isinstance(the(record), list)


AROUND_JSON = (
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
    if "EventBridge" not in envelope and not (name.endswith(".txt") and envelope in AROUND_JSON)
]


@pytest.mark.parametrize(("name", "envelope"), SETUP)
def test_setup_messages_are_ignored_in_every_envelope(name: str, envelope: str):
    assert isinstance(the(ENVELOPES[envelope](setup(name))), Ignored)


def reasons(payload: str | bytes) -> list[str]:
    """What became of each record: its kind, or the reason why there is no event."""
    return [found[0].kind if isinstance(found, list) else found.reason for found in parse(payload)]


BOUNCE, OPEN = json.dumps(published("bounce")), json.dumps(published("open"))
MIXED = [BOUNCE, "no JSON", OPEN, '{"eventType": 7}', "[]", json.dumps(notified("complaint"))]
OF_MIXED = ["Bounce", "not-json", "Open", "no-type", "empty", "Complaint"]


@pytest.mark.parametrize(
    "payload",
    [
        "\n".join(MIXED),
        ("\r\n\r\n".join(MIXED) + "\n").encode(),
        json.dumps({"Records": [_in_sqs_record(record) for record in MIXED]}),
        json.dumps({"Records": [_in_sqs_record(in_sns_envelope(record)) for record in MIXED]}),
        json.dumps(_in_firehose_invocation(*MIXED)),
        json.dumps(MIXED),
    ],
    ids=["lines", "lines with blank ones", "SQS", "SNS in SQS", "Firehose", "a list of texts"],
)
def test_a_bad_record_costs_only_itself(payload: str | bytes):
    assert reasons(payload) == OF_MIXED


def test_a_firehose_record_may_hold_several_lines():
    assert reasons(json.dumps(_in_firehose_invocation(f"{BOUNCE}\n{OPEN}\n", OPEN))) == ["Bounce", "Open", "Open"]


def test_firehose_data_that_is_no_base64_is_read_as_it_is():
    payload = {"invocationId": "1", "records": [{"data": BOUNCE}, {"data": 7}, {}, 7]}
    assert reasons(json.dumps(payload)) == ["Bounce", "wrong-type", "wrong-type", "wrong-type"]


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
        (_in_eventbridge({"version": "1"}, "x") | {"detail-type": "Advisor Recommendation Status Open"}, "ses-advisor"),
        (_in_eventbridge({"data": {}}, "x") | {"detail-type": "Sending Status Disabled"}, "ses-tenant"),
        (_in_eventbridge({"data": {}}, "x") | {"detail-type": "Something New"}, "ses-other"),
        ({"Records": []}, "no-records"),
    ],
)
def test_records_of_other_services_are_ignored_by_name(record: dict[str, Any], reason: str):
    assert the(json.dumps(record)) == Ignored(reason)
    assert reasons(in_sns_envelope(json.dumps(record))) == [reason]


@pytest.mark.parametrize("part", ["bounce", "complaint", "delivery", "open"])
def test_a_body_without_a_type_key_is_never_taken_for_an_event(part: str):
    record = published(part)
    del record["eventType"]
    found = the(json.dumps(record))
    assert isinstance(found, Unreadable)
    assert found.reason == "no-type"


@pytest.mark.parametrize("text", ["a bounce", "Complaint", "Successfully", '"bounce"', "mail bounced: a@b.example"])
def test_a_word_is_no_event(text: str):
    assert isinstance(the(text), Unreadable)


@pytest.mark.parametrize("spelled", ["bounce", "BOUNCE", " Bounce ", "\tbounce\n"])
def test_blanks_and_case_of_the_type_are_forgiven(spelled: str):
    [event] = the_events(published("bounce") | {"eventType": spelled})
    assert event.kind == "Bounce"


@pytest.mark.parametrize("spelled", ["RenderingFailure", "renderingfailure", "Rendering  Failure"])
def test_so_are_blanks_inside(spelled: str):
    [event] = the_events(published("rendering-failure") | {"eventType": spelled})
    assert (event.kind, event.template_name) == ("Rendering Failure", "spring-catalogue")


def test_an_empty_event_type_leaves_it_to_the_notification_type():
    [event] = the_events(notified("bounce") | {"eventType": None})
    assert event.kind == "Bounce"
    [event] = the_events(notified("bounce") | {"eventType": " "})
    assert event.kind == "Bounce"


def events_of(found: ParseResult) -> list[Event]:
    assert isinstance(found, list), found
    return found


def the_events(record: dict[str, Any]) -> list[Event]:
    return events_of(the(json.dumps(record)))


def test_an_unknown_type_about_a_whole_message_is_an_event_of_that_type():
    [event] = the_events(published("send") | {"eventType": "Quarantined", "send": None, "quarantined": {"by": "x"}})
    assert (event.kind, event.recipient) == ("Quarantined", "ada.reader@mail.example")
    assert event.occurred_at == event.sent_at


@pytest.mark.parametrize("missing", ["messageId", "timestamp", "source"])
def test_an_unknown_type_about_less_is_unreadable(missing: str):
    mail = {name: value for name, value in published("send")["mail"].items() if name != missing}
    found = the(json.dumps({"eventType": "Quarantined", "mail": mail}))
    assert isinstance(found, Unreadable)
    assert found.reason == "unknown-type"


def test_envelopes_in_envelopes_have_an_end():
    payload = BOUNCE
    for _ in range(6):
        payload = in_sns_envelope(payload)
    assert reasons(payload) == ["Bounce"]
    for _ in range(20):
        payload = in_sns_envelope(payload[:200_000])
    assert len(parse(payload)) == 1
    assert isinstance(the(payload), Unreadable)


@pytest.mark.parametrize("payload", [b"[" * 500_000, b'{"a":' * 100_000, b'[{"a":' * 50_000 + b"1" + b"}]" * 50_000])
def test_what_is_nested_very_deeply_is_unreadable(payload: bytes):
    assert isinstance(the(payload), Unreadable)


def test_half_of_a_surrogate_pair_costs_nothing_but_itself():
    """SES cuts long headers in the middle of what they hold."""
    record = BOUNCE.replace("Spring catalogue", "Spring \\ud83d").replace("User unknown", "User \\udc00 unknown")
    [event] = events_of(the(record))
    assert event.recipient == "ada.reader@mail.example"
    assert "User ? unknown" in (event.diagnostic_code or "")


def test_a_message_to_fifty_thousand_is_fifty_thousand_events():
    record = published("send")
    record["mail"]["destination"] = [f"{number}@m.example" for number in range(50_000)]
    assert len(the_events(record)) == 50_000


def test_base64_that_holds_no_text_is_unreadable():
    payload = {"invocationId": "1", "records": [{"data": base64.b64encode(b"\x00\xff\x1f").decode()}]}
    assert reasons(json.dumps(payload)) == ["not-json"]
