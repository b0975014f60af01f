"""Explain entries to operators: a verdict for each scope, what lifts it, and the events in order."""

from datetime import UTC, datetime, timedelta

import pytest

from aftersend.ledger import FIRST_OPEN
from aftersend.suppression import RULES, Entry, Policy
from aftersend.suppression.explanation import (
    LIFTED_WHEN,
    describe_event,
    describe_scope,
    lifted_when,
    spellings,
    timeline,
    verdict,
)
from aftersend.suppression.selection import Selection
from tests.event_factory import READER, SENT, a_bounce, a_complaint, an_event, an_open

NOW = SENT + timedelta(days=1)


def an_entry(**given: object) -> Entry:
    fields = {"recipient": READER, "reason": "bounce", "rule": "hard-bounce", "since": SENT} | given
    return Entry(**fields)  # ty: ignore[invalid-argument-type]


def test_table_says_of_every_rule_what_lifts_its_entries():
    assert list(LIFTED_WHEN) == [rule.id for rule in RULES]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Suppressed everywhere: hard-bounce since 14 Mar 2026 09:26 UTC, until lifted."),
        ({"since": None}, "Suppressed everywhere: hard-bounce since an unknown time, until lifted."),
        (
            {"scope": "stream#news", "until": NOW + timedelta(days=1)},
            "Suppressed for stream news: hard-bounce since 14 Mar 2026 09:26 UTC, until 16 Mar 2026 09:26 UTC.",
        ),
        (
            {"scope": "list#readers", "until": NOW - timedelta(hours=1)},
            "Ended for contact list readers: hard-bounce since 14 Mar 2026 09:26 UTC, until 15 Mar 2026 08:26 UTC.",
        ),
        (
            {"until": NOW, "lifted_by": "not-spam"},
            "Ended everywhere: hard-bounce since 14 Mar 2026 09:26 UTC, lifted by not-spam 15 Mar 2026 09:26 UTC.",
        ),
    ],
)
def test_verdict_is_one_sentence(fields: dict[str, object], sentence: str):
    assert verdict(an_entry(**fields), NOW) == sentence


def test_end_of_a_temporary_entry_lifts_it():
    assert lifted_when(an_entry(until=NOW)).startswith("Its time ends it on 15 Mar 2026 09:26 UTC. ")


def test_topic_is_described_with_its_list():
    assert describe_scope("topic#readers/news") == "for topic news of contact list readers"


def test_timeline_has_every_event_once_in_order_with_its_rule():
    bounce, complaint = a_bounce(minutes=2), a_complaint(minutes=1)
    expired = a_bounce(minutes=-9, message="older")
    entry = an_entry(evidence=[bounce, expired])
    events = [an_open(minutes=3), an_event(FIRST_OPEN, minutes=0), bounce, complaint]
    assert [(each.event.kind, each.rule, each.is_evidence) for each in timeline(events, [entry], Policy())] == [
        ("Bounce", "hard-bounce", True),
        ("Complaint", "complaint", False),
        ("Bounce", "hard-bounce", True),
        ("Open", None, False),
    ]


def test_event_is_described_in_one_line():
    assert describe_event(a_bounce(diagnostic_code="550\n5.1.1")) == "Permanent General 5.1.1 550 5.1.1"


def test_every_spelling_is_known_once():
    entry = an_entry(recipient_raw="Reader@mail.example", evidence=[a_bounce(recipient_raw="READER@mail.example")])
    events = [a_bounce(recipient_raw="Reader@mail.example"), a_bounce()]
    assert spellings(READER, [entry], events) == [READER, "Reader@mail.example", "READER@mail.example"]


@pytest.mark.parametrize(
    ("selection", "is_included"),
    [
        (Selection(), True),
        (Selection(in_force=False), False),
        (Selection(in_force=None), True),
        (Selection(reason="complaint"), False),
        (Selection(rule="hard-bounce", scope="*", domain="MAIL.example"), True),
        (Selection(domain="example"), False),
        (Selection(scope="stream#news"), False),
        (Selection(since=SENT, until=NOW), True),
        (Selection(since=SENT + timedelta(seconds=1)), False),
        (Selection(until=SENT), False),
    ],
)
def test_selection_includes_what_is_asked_for(selection: Selection, *, is_included: bool):
    assert selection.includes(an_entry(), NOW) is is_included


def test_entry_without_time_is_left_out_where_time_is_asked_for():
    entry, always = an_entry(since=None), datetime.min.replace(tzinfo=UTC)
    assert Selection().includes(entry, NOW)
    assert not Selection(since=always).includes(entry, NOW)
    assert not Selection(until=NOW).includes(entry, NOW)
