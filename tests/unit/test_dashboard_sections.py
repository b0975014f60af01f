"""Test the dashboard's sections as the text a person reads: counts, suppression list, timeline, pipeline state."""

import re
from datetime import timedelta
from html import unescape

from aftersend.dashboard import PipelineState, QueueState, sections
from aftersend.events import Event, Kind
from aftersend.suppression import Entry, Policy
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    an_event,
    an_out_of_office_reply,
    decide_everywhere,
)

NOW = SENT + timedelta(days=1)


def text(section: str) -> str:
    """Return the text of a section without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", section)).split())


def an_entry(*events: Event) -> Entry:
    entry = decide_everywhere(events or [a_bounce()], Policy())
    assert entry is not None
    return entry


def retracted_complaint() -> list[Event]:
    return [a_complaint(recipient="sorry@mail.example"), a_not_spam_report(recipient="sorry@mail.example")]


def test_rates_are_shown_with_their_numbers():
    counts = {
        ("campaign", "spring"): {"send": 1420, "delivery": 1400, "hard_bounce": 20, "complaint": 1, "unique_opens": 700}
    }
    shown = text(sections.tags(counts))
    assert "campaign = spring 1,420 1,400 20 1 700 0" in shown
    assert "1.4 % 20 of 1,420 0.1 % 1 of 1,400 50.0 % 700 of 1,400 0.0 % 0 of 1,400" in shown


def test_rate_without_denominator_is_a_dash():
    assert text(sections.tags({("campaign", "spring"): {"reject": 1}})).endswith("0 0 0 0 0 0 - - - -")


def test_counts_before_any_mail_say_what_to_do():
    assert "Send a message that uses a configuration set" in text(sections.tags({}))


def test_suppression_list_shows_entries_in_force_before_lifted_ones():
    entries = [an_entry(), an_entry(*retracted_complaint())]
    shown = text(sections.suppressions(entries, NOW))
    assert shown.startswith("Suppressed recipients: 1 ")
    assert shown.index(f"{READER} bounce hard-bounce 2026-03-14 09:27:53") < shown.index("sorry@mail.example complaint")
    assert "not-spam" in shown


def test_suppression_list_links_recipients_to_their_timelines():
    assert 'href="?recipient=a%2Bb@mail.example"' in sections.suppressions(
        [an_entry(a_bounce(recipient="a+b@mail.example"))], NOW
    )


def test_long_suppression_list_says_how_many_entries_it_omits():
    entries = [an_entry(a_bounce(recipient=f"reader-{number}@mail.example")) for number in range(35)]
    assert "… and 10 more." in text(sections.suppressions(entries, NOW))


def test_empty_suppression_list_says_so():
    assert text(sections.suppressions([], NOW)) == "Suppressed recipients: 0 No recipient has been suppressed yet."


def test_timeline_shows_events_and_their_effects_newest_first():
    events = [
        a_bounce(minutes=9),
        an_event(Kind.SEND, minutes=0),
        an_out_of_office_reply(minutes=2),
        an_event("FirstOpen"),
    ]
    shown = text(sections.timeline(READER, events, an_entry(), Policy(), NOW))
    assert "Suppressed everywhere by the rule hard-bounce since 2026-03-14 09:27:53 UTC." in shown
    assert (
        shown.index("hard-bounce: suppresses") < shown.index("out-of-office: does not suppress") < shown.index("Send")
    )
    assert "Permanent / General, 5.1.1" in shown
    assert "campaign=spring-catalogue, genre=sci-fi" in shown
    assert "ses:" not in shown
    assert "FirstOpen" not in shown


def test_timeline_says_which_rule_lifted_the_entry():
    events = retracted_complaint()
    shown = text(sections.timeline("sorry@mail.example", events, an_entry(*events), Policy(), NOW))
    suppression = "The suppression by the rule complaint since 2026-03-14 09:27:53 UTC was lifted by not-spam."
    assert f"Not suppressed. {suppression}" in shown
    assert "not-spam: lifts complaints" in shown


def test_timeline_of_unknown_recipient_says_that_there_are_no_events():
    shown = text(sections.timeline("x@y.example", [], None, Policy(), NOW))
    assert "There are no events for this recipient." in shown


def test_pipeline_state_shows_what_could_not_be_processed():
    healthy = PipelineState([QueueState("Feedback", 3, 2, 0)], "enabled, OK", 0, 0)
    assert text(sections.state(healthy)).endswith("Feedback 3 2 0 Stream of the ledger: enabled, OK.")
    assert not healthy.needs_attention
    failing = PipelineState([QueueState("Feedback", 0, 0, 7)], "enabled, FAILED", 4, 1)
    assert failing.needs_attention
    assert 'class="number bad">7<' in sections.state(failing)
    assert "Quarantined S3 objects with lines that could not be parsed: 4." in text(sections.state(failing))


def test_text_from_outside_never_becomes_markup():
    nasty = '<script>alert("x")</script>&'
    event = a_bounce(recipient=nasty, diagnostic_code=nasty, tags={"campaign": [nasty]}, message=nasty)
    rendered = [
        sections.tags({("campaign", nasty): {"send": 1}}),
        sections.suppressions([an_entry(event)], NOW),
        sections.timeline(nasty, [event], an_entry(event), Policy(), NOW),
        sections.failure(nasty),
    ]
    for section in rendered:
        assert "<script" not in section
        assert "alert(" in text(section)
