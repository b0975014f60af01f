import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aftersend import ledger
from aftersend.aws.serialization import serialize
from aftersend.events import Event, Kind, Preferences
from aftersend.ledger import Group
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
from tests.world.dynamodb_limits import MAX_BATCH_REQUEST_BYTES, check_item


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
    assert ledger.key(an_open(recipient=None)).partition == "MESSAGE#message-1"


def test_feedback_of_a_day_is_spread_over_all_its_partitions():
    events = [a_bounce(message=f"message-{number}") for number in range(100)]
    partitions = {ledger.index_attributes(event)["feedback_day"] for event in events}
    assert partitions == set(ledger.day_partitions(SENT.date()))
    assert len(partitions) == ledger.PARTITIONS_PER_DAY


def test_place_in_the_indexes_follows_from_message_and_time_of_sending_alone():
    copies = [a_bounce(), a_bounce(tags={}), a_complaint(minutes=90), a_bounce(recipient="other@mail.example")]
    assert {ledger.index_attributes(copy)["feedback_day"] for copy in copies} == {"2026-03-14#7"}


@pytest.mark.parametrize(
    "event",
    [
        *(an_event(kind) for kind in Kind if ledger.GROUPS.get(kind) is not Group.FEEDBACK),
        added_by_operator(),
        a_bounce(message=None),
        a_bounce(sent_at=None, occurred_at=SENT),
    ],
    ids=lambda event: event.kind,
)
def test_indexes_have_no_other_events(event: Event):
    assert ledger.index_attributes(event) == {}


def test_no_recipient_has_the_partition_of_a_message_or_of_an_item_that_is_no_event():
    """Recipients are in lower case, whatever a record calls them."""
    record = published("send")
    record["mail"]["destination"] = ["MESSAGE#message-1", f"{ledger.OWN_PARTITION}retention"]
    [events] = parse(json.dumps(record))
    assert isinstance(events, list)
    partitions = {ledger.key(event).partition for event in events}
    assert partitions == {"message#message-1", "aftersend#retention"}
    assert ledger.key(an_open(recipient=None)).partition not in partitions


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


STORABLE_LIMITS: list[tuple[Callable[[int], Event], int, str]] = [
    (lambda size: a_bounce(recipient="a" * size), 2048, "A recipient has more than 2048 bytes."),
    (lambda size: a_bounce(message="m" * (size - len("Bounce"))), 900, "Message id and type have more than 900 bytes."),
    (lambda size: an_open(tags={"n" * size: ["v"]}), 65_535, "A tag or a topic has no name, or one of more than 65535"),
    (lambda size: an_open(link_tags={"n" * size: ["v"]}), 65_535, "A tag or a topic has no name"),
    (lambda size: a_subscription(topic="n" * size), 65_535, "A tag or a topic has no name"),
    (
        lambda size: an_event(Kind.DELIVERY, processing_time_millis=10**size - 1),
        38,
        "A number has more than 38 digits.",
    ),
    (lambda size: a_bounce(status="s" * (size - DISTINGUISHING)), 4096, "The fields that distinguish the event have"),
    (lambda size: an_open(tags={"c": ["v" * (size - ITEM)]}), 150_000, "The event has more than 150000 bytes."),
]


def a_subscription(topic: str) -> Event:
    return an_event(Kind.SUBSCRIPTION, new_preferences=Preferences(topics={topic: "OptIn"}))


DISTINGUISHING = len(msgspec.json.encode((None, "Permanent", "General", "failed", "", None)))
ITEM = len(msgspec.json.encode(ledger.attributes(an_open(tags={"c": [""]}))))


@pytest.mark.parametrize(("event_of", "limit", "problem"), STORABLE_LIMITS, ids=range(len(STORABLE_LIMITS)))
def test_event_is_storable_up_to_the_limit_and_dynamodb_takes_it_there(
    event_of: Callable[[int], Event], limit: int, problem: str
):
    assert ledger.storage_problem(event_of(limit)) is None
    key = ledger.key(event_of(limit))
    check_item(serialize(ledger.attributes(event_of(limit)) | {"partition_key": key.partition, "sort_key": key.sort}))
    assert (ledger.storage_problem(event_of(limit + 1)) or "").startswith(problem)


def test_empty_names_and_recipients_are_not_storable():
    assert ledger.storage_problem(an_open(tags={"": ["v"]})) is not None
    assert ledger.storage_problem(an_open(recipient="")) == "A recipient or a message id is empty."
    assert ledger.storage_problem(an_open(message="")) == "A recipient or a message id is empty."


def test_batch_of_the_largest_events_fits_into_a_request():
    """A request has every character escaped, and names the type of each value."""
    for value in ([""] * 49_000, ["\N{BEETLE}" * 37_000], ["\x01" * 24_000]):
        event = an_open(tags={"c": value})
        assert ledger.storage_problem(event) is None
        item = serialize(ledger.attributes(event))
        assert 25 * len(json.dumps(item)) < MAX_BATCH_REQUEST_BYTES


def test_events_without_message_id_are_distinguished_by_feedback_id_and_time():
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


def test_copy_that_lacks_what_is_counted_by_is_incomplete_and_outranked():
    tags = {name: values for name, values in a_bounce().tags.items() if name != "ses:from-domain"}
    incomplete = [a_bounce(tags={}), a_bounce(sent_at=None, occurred_at=SENT), a_bounce(tags=tags, source="")]
    assert not any(ledger.is_complete(copy) for copy in incomplete)
    assert ledger.is_complete(a_bounce(source=""))
    assert ledger.is_complete(a_bounce(tags=tags))
    more = {"diagnostic_code": "smtp; 550", "feedback_id": "1"}
    for copy in incomplete:
        assert ledger.rank(msgspec.structs.replace(copy, **more)) < ledger.rank(a_bounce())


def test_copy_with_more_tags_outranks_one_with_more_fields():
    fewer = dict(list(a_bounce().tags.items())[:3])
    assert ledger.rank(a_bounce()) > ledger.rank(a_bounce(tags=fewer, diagnostic_code="smtp; 550", feedback_id="1"))


def test_latest_complaint_outranks_earlier_ones_with_equal_tags():
    earlier, later = a_complaint(minutes=1, user_agent="agent"), a_complaint(minutes=50_000)
    assert ledger.key(earlier) == ledger.key(later)
    assert ledger.rank(earlier) < ledger.rank(later)
    reported = a_complaint(reported_at=SENT + timedelta(days=900))
    assert ledger.rank(later) < ledger.rank(reported)
    whole_second, half_a_second_later = a_complaint(minutes=5), a_complaint(minutes=5 + 0.5 / 60)
    assert ledger.rank(whole_second) < ledger.rank(half_a_second_later)
    assert ledger.rank(a_complaint(tags={}, minutes=90)) < ledger.rank(earlier)


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
