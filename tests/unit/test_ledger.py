import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.ledger import Group, Retention
from aftersend.parsing import parse
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    added_by_operator,
    an_event,
    an_open,
    removed_by_operator,
)
from tests.record_files import RECORD_FILES, notified, published

RETENTION = Retention(volume_days=30, feedback_days=400)


def parse_event(record: dict) -> Event:
    [events] = parse(json.dumps(record))
    assert isinstance(events, list)
    return events[0]


def test_kinds_are_grouped_as_feedback_delivery_and_volume():
    groups = {kind: ledger.group(an_event(kind)) for kind in Kind}
    assert {kind for kind, group in groups.items() if group is Group.FEEDBACK} == {
        Kind.BOUNCE,
        Kind.COMPLAINT,
        Kind.SUBSCRIPTION,
    }
    assert ledger.group(added_by_operator()) is ledger.group(removed_by_operator()) is Group.FEEDBACK
    assert {kind for kind, group in groups.items() if group is Group.DELIVERY} == {Kind.DELIVERY}


def test_event_is_stored_under_its_recipient_or_else_its_message():
    assert ledger.key(a_bounce()).partition == READER
    assert ledger.key(an_open(recipient=None)).partition == "message#message-1"


@pytest.mark.parametrize("kind", ["bounce", "complaint", "delivery"])
def test_event_has_the_same_key_over_both_routes(kind: str):
    assert ledger.key(parse_event(published(kind))) == ledger.key(parse_event(notified(kind)))


def test_key_of_a_bounce_does_not_depend_on_the_bouncing_servers_clock():
    assert ledger.key(a_bounce(minutes=1)) == ledger.key(a_bounce(minutes=2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (a_bounce(), a_bounce(message="message-2")),
        (a_bounce(), a_bounce(recipient="other@mail.example")),
        (a_bounce(), a_bounce(status="5.7.1")),
        (
            a_bounce(recipient=None, reported_recipient="a@b.example"),
            a_bounce(recipient=None, reported_recipient="c@b.example"),
        ),
        (a_complaint(), a_complaint("not-spam")),
        (an_event(Kind.DELIVERY_DELAY), an_event(Kind.DELIVERY_DELAY, minutes=2)),
        (an_open(), an_open(minutes=2)),
        (an_open(), an_open(user_agent="another")),
        (an_event(Kind.CLICK, link="https://a.example"), an_event(Kind.CLICK, link="https://b.example")),
        (an_event(Kind.SUBSCRIPTION), an_event(Kind.SUBSCRIPTION, contact_list="readers")),
        (an_event(Kind.SEND), an_event(Kind.DELIVERY)),
    ],
)
def test_different_events_have_different_keys(one: Event, other: Event):
    assert ledger.key(one) != ledger.key(other)


def test_key_of_an_open_with_a_clamped_time_has_the_reported_time():
    one, other = (an_open(reported_at=SENT + timedelta(days=days)) for days in (300, 301))
    assert ledger.key(one) != ledger.key(other)


def test_event_is_too_large_from_dynamodbs_limits_on():
    assert ledger.too_large(a_bounce(recipient="a" * 2048)) is None
    assert ledger.too_large(a_bounce(recipient="a" * 2049)) == "A recipient has more than 2048 bytes."
    assert ledger.too_large(a_bounce(message="m" * 894)) is None
    assert ledger.too_large(a_bounce(message="m" * 895)) == "Message id and type have more than 900 bytes."
    assert ledger.too_large(a_bounce(tags={"campaign": ["c" * 290_000]})) is None
    assert "300000 bytes" in (ledger.too_large(a_bounce(tags={"campaign": ["c" * 300_000]})) or "")


def test_event_without_a_time_never_expires():
    timeless = a_bounce(sent_at=None, occurred_at=None)
    assert ledger.expires_at(timeless, RETENTION) is None
    assert not ledger.is_expired(timeless, RETENTION, SENT + timedelta(days=9999))


def test_events_without_message_id_are_told_apart_by_feedback_id_and_time():
    one, other = (a_bounce(message=None, feedback_id=number) for number in ("1", "2"))
    assert ledger.key(one) != ledger.key(other)


@pytest.mark.parametrize("file", RECORD_FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_item_converts_back_to_its_event(file):
    [events] = parse(file.read_bytes())
    assert isinstance(events, list)
    assert [ledger.event_from_attributes(ledger.attributes(event)) for event in events] == events


def test_long_texts_are_shortened_to_one_write_unit_and_tags_are_not():
    long: dict[str, Any] = {
        name: name[0] * 5000 for name in ("user_agent", "link", "error_message", "diagnostic_code", "smtp_response")
    }
    attributes = ledger.attributes(an_event(Kind.CLICK, **long))
    assert len(msgspec.json.encode(attributes)) <= ledger.MAX_UNCUT_BYTES
    assert attributes["tags"] == an_event(Kind.CLICK).tags


def test_least_important_text_is_shortened_first():
    attributes = ledger.attributes(an_event(Kind.CLICK, user_agent="a" * 1000, error_message="e" * 100))
    assert (len(attributes["user_agent"]), len(attributes["error_message"])) == (ledger.SHORTENED_CHARACTERS, 100)


def test_copy_with_tags_outranks_one_with_more_fields():
    more = {
        "diagnostic_code": "smtp; 550",
        "feedback_id": "1",
        "user_agent": "a",
        "smtp_response": "r",
        "recipient_raw": "R@mail.example",
    }
    without = a_bounce(tags={}, **more)
    assert ledger.rank(a_bounce(diagnostic_code=None)) > ledger.rank(without)


def test_copy_with_more_fields_outranks_one_with_fewer():
    assert ledger.rank(a_bounce(diagnostic_code="smtp; 550")) > ledger.rank(a_bounce())


def test_equal_copies_have_equal_rank_and_others_do_not():
    assert ledger.rank(a_bounce()) == ledger.rank(a_bounce())
    assert ledger.rank(a_bounce(diagnostic_code="one")) != ledger.rank(a_bounce(diagnostic_code="two"))


def test_opens_add_one_first_open_per_message_and_recipient():
    opens = [an_open(minutes=1), an_open(minutes=2), an_open(minutes=2, user_agent="another")]
    firsts = {ledger.key(event) for event in ledger.with_first_events(opens) if event.kind == ledger.FIRST_OPEN}
    assert len(firsts) == 1


def test_other_kinds_add_no_event():
    assert list(ledger.with_first_events([a_bounce()])) == [a_bounce()]


@pytest.mark.parametrize(
    ("event", "days"), [(an_open(minutes=0), 30), (a_bounce(minutes=0), 400), (an_event("FirstOpen", minutes=0), 90)]
)
def test_event_expires_by_its_own_time(event: Event, days: int):
    expiry = SENT + timedelta(days=days)
    assert ledger.expires_at(event, RETENTION) == expiry
    an_hour_before = expiry - ledger.EXPIRY_MARGIN
    assert ledger.is_expired(event, RETENTION, an_hour_before)
    assert not ledger.is_expired(event, RETENTION, an_hour_before - timedelta(milliseconds=1))


def test_first_open_is_kept_as_long_as_opens_are_accepted():
    late = an_open(minutes=60 * 24 * 59)
    [_, first] = ledger.with_first_events([late])
    assert not ledger.is_expired(first, RETENTION, SENT + timedelta(days=59))
