"""Test the wrong types and the formats of times that occur in practice."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from aftersend.events import Event, Preferences
from aftersend.parsing import Unreadable, parse
from aftersend.parsing.coercion import parse_time
from aftersend.parsing.ses_schema import MAX_INTEGER, MAX_NAME_CHARACTERS
from tests.record_files import published

MOMENT = datetime(2026, 3, 14, 9, 26, 53, 589_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "without_fraction"),
    [
        ("2026-03-14T09:26:53.589Z", False),
        ("2026-03-14T09:26:53Z", True),
        ("2026-03-14T09:26:53.589123456789Z", False),
        ("2026-03-14T09:26:53,589Z", False),
        ("2026-03-14T09:26:53.589+00:00", False),
        ("2026-03-14T09:26:53.589+0000", False),
        ("2026-03-14T09:26:53 +0000", True),
        ("2026-03-14T09:26:53.589 Z", False),
        ("2026-03-14 09:26:53.589", False),
        ("2026-03-14 09:26:53 UTC", True),
        ("2026-03-14T04:26:53.589-05:00", False),
        ("2026-03-14T14:56:53.589+0530", False),
        ("2026-03-14T10:26:53.589+01", False),
        (" 2026-03-14T09:26: 53.589 Z ", False),
        ("2026-03-14T09:26:53.589z", False),
        (1773480413, True),
        (1773480413.589, False),
        (1773480413589, False),
        ("1773480413", True),
        ("1773480413589", False),
    ],
)
def test_time_is_parsed_in_every_format_that_occurs(written: Any, without_fraction: bool):
    time = parse_time(written)
    assert time is not None
    assert time.replace(microsecond=time.microsecond // 1000 * 1000) == MOMENT.replace(
        microsecond=0 if without_fraction else MOMENT.microsecond
    )


INVALID_TIMES = ["", "yesterday", "2026-03-14", "2026-13-14T09:26:53Z", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z"]
INVALID_TIMES += ["9999-12-32T23:59:59-14:00", "2026-03-14T25:00:00Z", "2026-03-14T09:26:60Z", "٣", "1" * 5000]


@pytest.mark.parametrize("written", [*INVALID_TIMES, 1e300, -1e300, 10**400, True, None, [], {}])
def test_invalid_time_is_none(written: Any):
    assert parse_time(written) is None


def parse_changed(kind: str, changes: dict[str, Any], part: str | None = None) -> Event:
    """Return the event of a record in one object of which some fields are changed."""
    record = published(kind)
    record[part or kind] |= changes
    [[event]] = parse(json.dumps(record))  # ty: ignore[not-iterable] (an event)
    return event


@pytest.mark.parametrize(
    ("kind", "part", "changes", "field", "value", "path"),
    [
        (
            "delivery",
            None,
            {"processingTimeMillis": "1812"},
            "processing_time_millis",
            1812,
            "delivery.processingTimeMillis",
        ),
        (
            "delivery",
            None,
            {"processingTimeMillis": 1812.0},
            "processing_time_millis",
            1812,
            "delivery.processingTimeMillis",
        ),
        ("delivery", None, {"recipients": "ada@mail.example"}, "recipient", "ada@mail.example", "delivery.recipients"),
        (
            "bounce",
            None,
            {"bouncedRecipients": ["Ada.Reader@mail.example"]},
            "recipient",
            "ada.reader@mail.example",
            "bounce.bouncedRecipients",
        ),
        (
            "bounce",
            None,
            {"bouncedRecipients": {"emailAddress": "Ada.Reader@mail.example", "status": "5.1.1"}},
            "status",
            "5.1.1",
            "bounce.bouncedRecipients",
        ),
        ("bounce", None, {"feedbackId": 7}, "feedback_id", "7", "bounce.feedbackId"),
        ("bounce", None, {"bounceType": ["Permanent"]}, "bounce_type", "Permanent", "bounce.bounceType"),
        ("bounce", None, {"timestamp": "soon"}, "occurred_at", MOMENT, "bounce.timestamp"),
        ("click", None, {"linkTags": {"shelf": "front"}}, "link_tags", {"shelf": ["front"]}, "click.linkTags.shelf"),
        (
            "click",
            None,
            {"linkTags": [{"name": "shelf", "value": "front"}]},
            "link_tags",
            {"shelf": ["front"]},
            "click.linkTags",
        ),
        (
            "open",
            "mail",
            {"tags": {"campaign": "spring", "n": [7, True]}},
            "tags",
            {"campaign": ["spring"], "n": ["7", "true"]},
            "mail.tags.n",
        ),
        ("open", "mail", {"tags": "campaign=spring"}, "tags", {}, "mail.tags"),
        ("open", "mail", {"destination": "ada@mail.example"}, "recipient", "ada@mail.example", "mail.destination"),
        ("open", "mail", {"messageId": 7}, "message_id", "7", "mail.messageId"),
    ],
)
def test_value_of_a_wrong_type_is_coerced_and_named(
    kind: str, part: str | None, changes: dict[str, Any], field: str, value: Any, path: str
):
    event = parse_changed(kind, changes, part)
    assert (getattr(event, field), path in event.coerced_fields) == (value, True)


def test_addresses_joined_by_commas_are_split():
    record = published("send")
    record["mail"]["destination"] = ['"Reader, A." <a@mail.example>, b@mail.example', "c@mail.example"]
    [events] = parse(json.dumps(record) + " ")
    assert isinstance(events, list)
    assert [event.recipient for event in events] == ["a@mail.example", "b@mail.example", "c@mail.example"]


@pytest.mark.parametrize("number", [10**39, "9" * 40, "1e308", 1e308, -(10**39), MAX_INTEGER + 1, str(MAX_INTEGER + 3)])
def test_number_that_is_too_large_to_be_stored_is_dropped_and_named(number: Any):
    event = parse_changed("delivery", {"processingTimeMillis": number})
    assert event.processing_time_millis is None
    assert "delivery.processingTimeMillis" in event.coerced_fields


@pytest.mark.parametrize("number", [MAX_INTEGER, -MAX_INTEGER])
def test_largest_number_is_kept(number: int):
    event = parse_changed("delivery", {"processingTimeMillis": number})
    assert (event.processing_time_millis, event.coerced_fields) == (number, ())
    assert parse_changed("delivery", {"processingTimeMillis": str(number)}).processing_time_millis == number


TOO_LONG = "x" * (MAX_NAME_CHARACTERS + 1)


@pytest.mark.parametrize("name", ["", TOO_LONG, "x" * 70_000])
@pytest.mark.parametrize("spelling", ["object", "list"])
def test_tag_whose_name_cannot_be_stored_is_dropped_and_named(name: str, spelling: str):
    tags: Any = {"campaign": ["spring"], name: ["x"]}
    if spelling == "list":
        tags = [{"name": key, "value": value} for key, value in tags.items()]
    event = parse_changed("open", {"tags": tags}, "mail")
    assert (event.tags, event.coerced_fields) == ({"campaign": ["spring"]}, ("mail.tags",))
    event = parse_changed("click", {"linkTags": tags})
    assert (event.link_tags, event.coerced_fields) == ({"campaign": ["spring"]}, ("click.linkTags",))


def test_longest_tag_name_is_kept():
    name = "\N{PILE OF POO}" * MAX_NAME_CHARACTERS
    assert len(name.encode()) <= 65_535
    event = parse_changed("open", {"tags": {name: ["x"]}}, "mail")
    assert (event.tags, event.coerced_fields) == ({name: ["x"]}, ())


@pytest.mark.parametrize("name", ["", TOO_LONG])
def test_topic_whose_name_cannot_be_stored_is_dropped_and_named(name: str):
    record = published("subscription")
    record["subscription"]["newTopicPreferences"]["topicSubscriptionStatus"][0]["topicName"] = name
    [[event]] = parse(json.dumps(record))  # ty: ignore[not-iterable] (an event)
    assert event.new_preferences == Preferences(topics={"events": "OptIn"})
    assert event.coerced_fields == ("subscription.newTopicPreferences.topicSubscriptionStatus.topicName",)


@pytest.mark.parametrize(
    "payload",
    [
        '{"notification": 1, "status": 1, "delivery": %s}',
        '{"eventType": %s}',
        '{"eventType": "x", "mail": %s}',
        '{"eventSource": %s, "eventName": 1}',
        '{"source": "aws.ses", "detail": {}, "detail-type": %s}',
        '{"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": %s}}}',
        '{"eventType": "Delivery", "delivery": {"processingTimeMillis": %s, "timestamp": %s, "recipients": %s}}',
        '{"eventType": "Open", "mail": {"tags": {"a": %s}, "destination": %s, "messageId": %s, "source": %s}}',
        '{"Message": %s}',
    ],
)
def test_nested_json_of_any_depth_has_a_result(payload: str):
    """Both Python 3.11 and 3.13 refuse to format a value a little less nested than what they decode."""
    for depth in (*range(800, 1_010, 3), *range(9_900, 10_050, 7)):
        for start, end in (("[", "]"), ('{"a":', "}")):
            [result] = parse(payload.replace("%s", start * depth + ("1" if end == "}" else "") + end * depth))
            assert isinstance(result, list | Unreadable)
