"""Test every kind, in the order in which they happen to a message. A kind's first test parses its complete record."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftersend.events import Event, Kind, Preferences
from aftersend.parsing import (
    MAX_INVOCATION_BYTES,
    MAX_PAYLOAD_BYTES,
    ArchivedObject,
    Ignored,
    ParseResult,
    Unreadable,
    normalize,
    parse,
    parse_object_notification,
)
from tests.record_files import in_sns_envelope, notified, published, setup

SENT = datetime(2026, 3, 14, 9, 26, 53, 589_000, tzinfo=UTC)
MESSAGE = "0100019a8c2f4e10-5b1d2c3e-7f40-4a51-9c62-d3e4f5a6b7c8-000000"


def parse_one(payload: str | bytes) -> ParseResult:
    [result] = parse(payload)
    return result


def parse_events(record: dict[str, Any]) -> list[Event]:
    result = parse_one(json.dumps(record))
    assert isinstance(result, list), result
    return result


def parse_event(record: dict[str, Any]) -> Event:
    [event] = parse_events(record)
    return event


def test_send_has_the_fields_of_every_event():
    assert parse_event(published("send")) == Event(
        kind=Kind.SEND,
        message_id=MESSAGE,
        sent_at=SENT,
        occurred_at=SENT,
        recipient="ada.reader@mail.example",
        recipient_raw="Ada.Reader@mail.example",
        source="news@bookshop.example",
        tags={
            "ses:operation": ["SendEmail"],
            "ses:configuration-set": ["newsletter"],
            "ses:source-ip": ["198.51.100.17"],
            "ses:from-domain": ["bookshop.example"],
            "ses:caller-identity": ["newsletter-service"],
            "ses:source-tls-version": ["TLSv1.3"],
            "campaign": ["spring-catalogue"],
            "genre": ["sci-fi"],
        },
    )


def test_send_to_several_is_an_event_for_each():
    record = published("send")
    record["mail"]["destination"] = ["one@mail.example", "Two <two@mail.example>", '"Three, C." <THREE@mail.example>']
    assert [event.recipient for event in parse_events(record)] == [
        "one@mail.example",
        "two@mail.example",
        "three@mail.example",
    ]


def test_message_without_destinations_is_still_an_event():
    record = published("send")
    record["mail"]["destination"] = []
    assert parse_event(record).recipient is None


def test_reject_has_a_reason():
    assert parse_event(published("reject")).reject_reason == "Bad content"


def test_rendering_failure_has_template_and_error():
    event = parse_event(published("rendering-failure"))
    assert (event.kind, event.template_name) == (Kind.RENDERING_FAILURE, "spring-catalogue")
    assert event.error_message == "Attribute 'first_name' is not present in the rendering data."


def test_delivery_delay_has_its_type_and_the_time_until_which_ses_retries():
    event = parse_event(published("delivery-delay"))
    assert (event.delay_type, event.status) == ("TransientCommunicationFailure", "4.4.1")
    assert event.delay_expires_at == SENT + timedelta(hours=14)


@pytest.mark.parametrize("record", [published("delivery"), notified("delivery")], ids=["published", "notified"])
def test_delivery_has_its_time_and_the_servers_response(record: dict[str, Any]):
    event = parse_event(record)
    assert event.occurred_at == datetime(2026, 3, 14, 9, 26, 55, 401_000, tzinfo=UTC)
    assert (event.processing_time_millis, event.smtp_response) == (1812, "250 2.0.0 Ok: queued as 4RkQ2d0Zy1z9sH")


def test_delivery_without_recipients_is_about_the_destinations():
    record = published("delivery")
    record["mail"]["destination"] = ["a@mail.example", "b@mail.example"]
    del record["delivery"]["recipients"]
    events = parse_events(record)
    assert [event.recipient for event in events] == ["a@mail.example", "b@mail.example"]
    assert {event.processing_time_millis for event in events} == {1812}
    del record["delivery"]
    assert [event.recipient for event in parse_events(record)] == ["a@mail.example", "b@mail.example"]
    del record["mail"]["destination"]
    assert parse_event(record).recipient is None


def test_delay_without_recipients_is_about_the_destination_if_there_is_only_one():
    record = published("delivery-delay")
    for delayed in ([], None):
        record["deliveryDelay"]["delayedRecipients"] = delayed
        event = parse_event(record)
        assert (event.recipient, event.delay_type) == ("ada.reader@mail.example", "TransientCommunicationFailure")
    record["mail"]["destination"].append("other@mail.example")
    assert parse_event(record).recipient is None
    del record["deliveryDelay"]
    assert parse_event(record).recipient is None


@pytest.mark.parametrize("record", [published("bounce"), notified("bounce")], ids=["published", "notified"])
def test_bounce_has_the_servers_report(record: dict[str, Any]):
    event = parse_event(record)
    assert (event.bounce_type, event.bounce_subtype) == ("Permanent", "General")
    assert (event.action, event.status) == ("failed", "5.1.1")
    assert "User unknown" in (event.diagnostic_code or "")
    assert event.feedback_id == "0100019a8c2f6a3c-1f0e9d8c-2b3a-4c5d-8e7f-60718293a4b5-000000"


def test_bounce_is_about_the_recipients_it_names_alone():
    record = published("bounce")
    record["mail"]["destination"] = ["fine@mail.example", "Ada.Reader@mail.example", "gone@mail.example"]
    record["bounce"]["bouncedRecipients"].append({"emailAddress": "gone@mail.example"})
    assert [event.recipient for event in parse_events(record)] == ["ada.reader@mail.example", "gone@mail.example"]


def test_bounce_of_a_forwarded_message_is_about_its_destination():
    record = published("bounce")
    record["bounce"]["bouncedRecipients"][0]["emailAddress"] = "Ada@elsewhere.example"
    event = parse_event(record)
    assert (event.recipient, event.reported_recipient) == ("ada.reader@mail.example", "ada@elsewhere.example")


def test_bounce_of_a_forwarded_message_to_several_has_no_recipient():
    record = published("bounce")
    record["mail"]["destination"].append("other@mail.example")
    record["bounce"]["bouncedRecipients"][0]["emailAddress"] = "ada@elsewhere.example"
    event = parse_event(record)
    assert (event.recipient, event.reported_recipient) == (None, "ada@elsewhere.example")


def test_bounce_of_many_recipients_parses_each_address_a_few_times(monkeypatch: pytest.MonkeyPatch):
    """Were each destination parsed for each recipient, one record of a mebibyte would take minutes."""
    parsed = []
    monkeypatch.setattr(normalize, "bare_address", lambda address: parsed.append(address) or address)
    record = published("bounce")
    record["mail"]["destination"] = [f"{number}@a.example" for number in range(100)]
    record["bounce"]["bouncedRecipients"] = [{"emailAddress": f"{number}@b.example"} for number in range(100)]
    assert len(parse_events(record)) == 100
    assert len(parsed) < 1_000


def test_bounce_with_an_impossible_time_is_clamped():
    record = published("bounce")
    for reported_at, occurred_at in (
        ("2001-01-01T00:00:00Z", SENT),
        ("2038-01-19T03:14:07Z", SENT + timedelta(days=30)),
    ):
        record["bounce"]["timestamp"] = reported_at
        event = parse_event(record)
        assert (event.occurred_at, event.reported_at) == (occurred_at, datetime.fromisoformat(reported_at))


def test_complaint_is_clamped_only_after_400_days():
    record = published("complaint")
    for days, clamped in ((40, 40), (400, 400), (401, 400)):
        record["complaint"]["timestamp"] = (SENT + timedelta(days=days)).isoformat()
        assert parse_event(record).occurred_at == SENT + timedelta(days=clamped)


@pytest.mark.parametrize("record", [published("complaint"), notified("complaint")], ids=["published", "notified"])
def test_complaint_has_its_feedback_type(record: dict[str, Any]):
    event = parse_event(record)
    assert (event.feedback_type, event.complaint_subtype, event.candidate_count) == ("abuse", None, None)
    assert event.user_agent == "Yahoo!-Mail-Feedback/2.0"


def test_complaint_with_several_candidates_has_their_number():
    record = published("complaint")
    record["complaint"]["complainedRecipients"].append({"emailAddress": "other@mail.example"})
    assert [(event.recipient, event.candidate_count) for event in parse_events(record)] == [
        ("ada.reader@mail.example", 2),
        ("other@mail.example", 2),
    ]


def test_complaint_that_names_nobody_is_an_event_without_recipient():
    record = published("complaint")
    del record["complaint"]["complainedRecipients"]
    assert parse_event(record).recipient is None


def test_subscription_has_old_and_new_preferences():
    event = parse_event(published("subscription"))
    assert (event.contact_list, event.subscription_source) == ("readers", "UnsubscribeHeader")
    assert event.old_preferences == Preferences(topics={"new-books": "OptIn", "events": "OptIn"})
    assert event.new_preferences == Preferences(topics={"new-books": "OptOut", "events": "OptIn"})


def test_open_has_its_ip_address():
    event = parse_event(published("open"))
    assert (event.recipient, event.ip_address, event.bot_likelihood) == (
        "ada.reader@mail.example",
        "192.0.2.131",
        "Unlikely",
    )
    assert event.occurred_at == datetime(2026, 3, 14, 9, 31, 20, 16_000, tzinfo=UTC)


def test_click_has_link_and_link_tags():
    event = parse_event(published("click"))
    assert event.link == "https://bookshop.example/books/the-stars-my-destination?utm_campaign=spring"
    assert event.link_tags == {"shelf": ["front"], "position": ["top", "left"]}


@pytest.mark.parametrize("kind", ["open", "click"])
def test_open_and_click_of_a_message_to_several_have_no_recipient(kind: str):
    record = published(kind)
    record["mail"]["destination"].append("other@mail.example")
    assert parse_event(record).recipient is None


def test_record_in_an_sns_envelope_has_the_same_events():
    bare = json.dumps(published("bounce"))
    assert parse(in_sns_envelope(bare)) == parse(bare)


def test_times_are_converted_to_milliseconds_and_utc():
    record = published("open")
    written = ["2026-03-14T09:31:20.016Z", "2026-03-14T09:31:20.016400Z", "2026-03-14T10:31:20.016+01:00"]
    times = set()
    for time in written:
        record["open"]["timestamp"] = time
        times.add(parse_event(record).occurred_at)
    assert len(times) == 1


@pytest.mark.parametrize(
    ("time", "is_possible"),
    [
        ("1999-12-31T23:59:59.999999Z", False),
        ("2000-01-01T00:00:00Z", True),
        ("2000-01-01T00:59:59+01:00", False),
        ("1999-12-31T23:00:00-01:00", True),
        ("2100-12-31T23:59:59.999Z", True),
        ("2100-12-31T23:59:59-00:01", False),
        ("2101-01-01T00:59:59+01:00", True),
        ("0001-01-01T00:00:00+14:00", False),
        ("9999-12-31T23:59:59-14:00", False),
    ],
)
def test_time_outside_the_years_that_are_possible_counts_as_missing(time: str, is_possible: bool):
    record = published("open")
    del record["mail"]["timestamp"]
    record["open"]["timestamp"] = time
    for payload in (json.dumps(record), json.dumps(record | {"click": 7})):  # the latter is parsed leniently
        [[event]] = parse(payload)  # ty: ignore[not-iterable] (an event)
        assert (event.occurred_at is not None) == is_possible
        assert "open.timestamp" not in event.coerced_fields


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (setup("topic-validation.txt"), "topic-validation"),
        (setup("topic-validation.txt") + "\n", "topic-validation"),
        (in_sns_envelope(setup("topic-validation.txt")), "topic-validation"),
        (setup("subscription-succeeded.json"), "subscription-succeeded"),
    ],
)
def test_setup_messages_are_ignored_with_a_reason(message: str, reason: str):
    assert parse_one(message) == Ignored(reason)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("Bounce", "not-json"),
        ('{"eventType": "Bounce"', "not-json"),
        (b"\xff\xfe", "not-json"),
        ("7", "wrong-type"),
        ("{}", "no-type"),
        ('{"eventType": "Bounced"}', "unknown-type"),
        (json.dumps({"mail": published("bounce")["mail"], "bounce": published("bounce")["bounce"]}), "no-type"),
        (" " * (MAX_PAYLOAD_BYTES - 1) + "{}", "too-long"),
        (b" " * (MAX_PAYLOAD_BYTES - 1) + b"{}", "too-long"),
        (" " * (MAX_PAYLOAD_BYTES - 2) + "{}", "no-type"),
    ],
)
def test_unreadable_payload_has_a_reason(payload: str | bytes, reason: str):
    result = parse_one(payload)
    assert isinstance(result, Unreadable)
    assert (result.reason, bool(result.detail)) == (reason, True)


def test_event_of_a_lambda_invocation_may_be_longer_than_a_message():
    record = json.dumps(published("open")) + " " * MAX_PAYLOAD_BYTES
    [result] = parse(record, max_bytes=MAX_INVOCATION_BYTES)
    assert isinstance(result, list)
    assert parse(" " * (MAX_INVOCATION_BYTES + 1), max_bytes=MAX_INVOCATION_BYTES) == [
        Unreadable("too-long", "The payload is longer than 6291456 bytes.")
    ]


def test_object_notification_has_decoded_keys():
    created = {"bucket": {"name": "archive"}, "object": {"key": "events/a+b%3Dc/%C3%A9.gz"}}
    notification = {"Records": [{"eventSource": "aws:s3", "s3": created}]}
    assert parse_object_notification(json.dumps(notification)) == [ArchivedObject("archive", "events/a b=c/é.gz")]


def test_s3_test_event_is_ignored_with_a_reason():
    assert parse_object_notification(setup("s3-test-event.json")) == Ignored("s3-test-event")


@pytest.mark.parametrize("payload", ["", "{}", "\ud83d", "[" * 100_000, '{"Records": []}', '{"Records": [{"s3": {}}]}'])
def test_notification_without_objects_is_unreadable(payload: str):
    assert isinstance(parse_object_notification(payload), Unreadable)
