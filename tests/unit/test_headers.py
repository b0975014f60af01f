"""Test what becomes of the headers of a message."""

import json
from typing import Any

import msgspec
import pytest

from aftersend import ledger
from aftersend.counting import INVALID, Counted, rows
from aftersend.events import Event
from aftersend.parsing import DEFAULT_OPTIONS, Options, parse
from tests.record_files import notified, published

OPTIONS = Options(tag_headers={"x-campaign": "campaign", "x-series": "campaign"})
SUBJECT = Options(keep_subject=True)


def with_headers(record: dict[str, Any], *headers: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    mail = record["mail"] | {"headers": [{"name": name, "value": value} for name, value in headers]} | fields
    return record | {"mail": mail}


def parse_event(record: dict[str, Any], options: Options = DEFAULT_OPTIONS) -> Event:
    [[event]] = parse(json.dumps(record), options)  # ty: ignore[not-iterable]
    assert [[event]] == parse(json.dumps({"Records": [{"Sns": {"Message": record}}]}), options)
    return event


def test_notification_has_the_tags_of_the_senders_header():
    record = with_headers(notified("bounce"), ("x-ses-Message-Tags", "campaign=spring, genre = sci-fi ,of=a=b"))
    assert parse_event(record).tags == {"campaign": ["spring"], "genre": ["sci-fi"], "of": ["a=b"]}


@pytest.mark.parametrize("name", ["ses:from-domain", "", "name of a tag", "é"])
def test_name_that_ses_would_refuse_is_no_tag(name: str):
    record = with_headers(notified("bounce"), ("X-SES-MESSAGE-TAGS", f"{name}=a, genre=sci-fi"))
    assert parse_event(record).tags == {"genre": ["sci-fi"]}


def test_configuration_set_in_a_header_is_no_tag():
    assert parse_event(with_headers(notified("bounce"), ("X-SES-CONFIGURATION-SET", "newsletter"))).tags == {}


def test_listed_headers_become_tags_with_all_values():
    record = with_headers(notified("bounce"), ("X-CAMPAIGN", " spring "), ("X-Series", "b"), ("X-Other", "c"))
    assert parse_event(record, OPTIONS).tags == {"campaign": ["spring", "b"]}
    assert parse_event(record).tags == {}


def test_tags_that_ses_accepted_replace_those_of_headers():
    headers = [("X-SES-MESSAGE-TAGS", "campaign=header, season=summer"), ("X-Campaign", "listed"), ("X-Shop", "north")]
    options = Options(tag_headers={"x-campaign": "campaign", "x-shop": "shop"})
    record = with_headers(published("bounce"), *headers)
    assert parse_event(record, options).tags == record["mail"]["tags"] | {"shop": ["north"]}
    assert parse_event(record).tags == record["mail"]["tags"]
    of_notification = parse_event(with_headers(notified("bounce"), *headers), options).tags
    assert of_notification == {"campaign": ["header"], "season": ["summer"], "shop": ["north"]}


@pytest.mark.parametrize("value", ["x" * 257, "a\x07b", "", None, "=?utf-8?q?a=0Ab?="])
def test_value_that_cannot_be_a_tags_is_counted_as_invalid(value: str | None):
    event = parse_event(with_headers(notified("bounce"), ("X-Campaign", value)), OPTIONS)
    assert event.tags == {"campaign": [""]}
    assert {row.value for row in rows(event, Counted(tags=("campaign",))) if row.tag == "campaign"} == {INVALID}


def test_encoded_value_is_decoded():
    record = with_headers(notified("bounce"), ("X-Campaign", "=?utf-8?b?RnLDvGhsaW5n?="))
    assert parse_event(record, OPTIONS).tags == {"campaign": ["Frühling"]}


def test_headers_of_another_type_are_coerced_and_listed():
    record = with_headers(notified("bounce"))
    record["mail"]["headers"] = {"name": "X-Campaign", "value": 7}
    event = parse_event(record, OPTIONS)
    assert (event.tags, event.coerced_fields) == ({"campaign": ["7"]}, ("mail.headers", "mail.headers.value"))


def test_copy_with_tags_of_headers_is_incomplete_and_outranked_by_every_copy_with_tags_of_ses():
    pairs = ", ".join(f"tag-{number}=a" for number in range(50))
    of_headers = parse_event(with_headers(notified("bounce"), ("X-SES-MESSAGE-TAGS", pairs)))
    assert len(of_headers.tags) == 50
    assert not ledger.is_complete(of_headers)
    few = {"ses:configuration-set": ["newsletter"]}
    poorest = Event(kind="Bounce", message_id=of_headers.message_id, recipient=of_headers.recipient, tags=few)
    assert not ledger.is_complete(poorest)
    assert ledger.rank(of_headers) < ledger.rank(poorest)


@pytest.mark.parametrize(
    ("subject", "kept"),
    [
        ("Your next book", "Your next book"),
        ("=?utf-8?q?Fr=C3=BChling?=\r\n =?utf-8?q?_2026?=", "Frühling 2026"),
        ("=?nonsense?q?a?=", "=?nonsense?q?a?="),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        ("=?\udcff?q?a?=".encode("utf-8", "replace").decode(), "=???q?a?="),
        ("=?unicode_escape?q?=5Cud83d?=", "?"),
        ("x" * 300, "x" * 200),
        (" ", None),
        (None, None),
    ],
)
def test_subject_is_kept_where_that_is_set(subject: str | None, kept: str | None):
    record = with_headers(published("open"), commonHeaders={"subject": subject})
    assert parse_event(record, SUBJECT).subject == kept
    assert parse_event(record).subject is None
    assert (
        parse_event(with_headers(published("open"), ("SUBJECT", subject), commonHeaders=None), SUBJECT).subject == kept
    )


def test_subject_of_encoded_words_without_end_takes_no_long_time():
    record = with_headers(published("open"), commonHeaders={"subject": "=?a?q?" * 100_000})
    assert parse_event(record, SUBJECT).subject == ("=?a?q?" * 100_000)[:200]


def test_subject_is_shortened_in_a_large_event():
    event = parse_event(with_headers(published("open"), commonHeaders={"subject": "x" * 300}), SUBJECT)
    large = msgspec.structs.replace(event, user_agent="a" * 500, link="b" * 100)
    assert len(ledger.attributes(large)["subject"]) == ledger.SHORTENED_CHARACTERS


def test_first_open_has_no_subject():
    event = parse_event(with_headers(published("open"), commonHeaders={"subject": "Your next book"}), SUBJECT)
    _, first = ledger.with_first_events([event])
    assert first.subject is None
