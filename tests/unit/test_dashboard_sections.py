"""What a person sees, as text: the table of tags, the list, a timeline, the states in which something is missing."""

import re
from datetime import timedelta
from html import unescape

from aftersend.dashboard import sections
from aftersend.dashboard.sections import QueueState, State
from aftersend.events import Kind
from aftersend.suppression import Entry, Policy, decide
from tests.event_factory import READER, SENT, a_bounce, a_complaint, a_not_spam_report, an_event, an_out_of_office_reply

NOW = SENT + timedelta(days=1)


def text(section: str) -> str:
    """A section as a person reads it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", section)).split())


def an_entry(*facts) -> Entry:
    found = decide(facts or [a_bounce()], Policy())
    assert found is not None
    return found


def test_rates_say_what_they_are_a_share_of():
    counted = {
        ("campaign", "spring"): {"send": 1420, "delivery": 1400, "hard_bounce": 20, "complaint": 1, "unique_opens": 700}
    }
    shown = text(sections.tags(counted))
    assert "campaign = spring 1,420 1,400 20 1 700 0" in shown
    assert "1.4 % 20 of 1,420 0.1 % 1 of 1,400 50.0 % 700 of 1,400 0.0 % 0 of 1,400" in shown


def test_a_share_of_nothing_is_no_rate():
    assert text(sections.tags({("campaign", "spring"): {"reject": 1}})).endswith("0 0 0 0 0 0 - - - -")


def test_before_any_mail_the_table_says_what_to_do():
    assert "Send a message with a configuration set." in text(sections.tags({}))


def test_the_list_shows_who_is_suppressed_and_why_and_who_was():
    entries = [an_entry(), an_entry(*(fact for fact in lifted()))]
    shown = text(sections.suppressions(entries, NOW))
    assert shown.startswith("Suppression list: 1 recipients")
    assert shown.index(f"{READER} bounce hard-bounce 2026-03-14 09:27:53") < shown.index("sorry@mail.example complaint")
    assert "not-spam" in shown


def lifted() -> list:
    return [a_complaint(recipient="sorry@mail.example"), a_not_spam_report(recipient="sorry@mail.example")]


def test_a_recipient_links_to_their_timeline():
    assert 'href="?recipient=a%2Bb@mail.example"' in sections.suppressions(
        [an_entry(a_bounce(recipient="a+b@mail.example"))], NOW
    )


def test_a_long_list_is_cut_and_says_so():
    entries = [an_entry(a_bounce(recipient=f"reader-{number}@mail.example")) for number in range(35)]
    assert "… and 10 more." in text(sections.suppressions(entries, NOW))


def test_an_empty_list_says_so():
    assert text(sections.suppressions([], NOW)) == "Suppression list: 0 recipients Nobody is suppressed."


def test_a_timeline_tells_what_happened_and_what_it_did_the_newest_first():
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


def test_a_timeline_tells_what_lifted_an_entry():
    shown = text(sections.timeline("sorry@mail.example", lifted(), an_entry(*lifted()), Policy(), NOW))
    assert "Not suppressed: was by the rule complaint since 2026-03-14 09:27:53 UTC, lifted by not-spam." in shown
    assert "not-spam: takes a complaint back" in shown


def test_of_a_stranger_nothing_is_known():
    assert "Nothing is known about this recipient." in text(sections.timeline("x@y.example", [], None, Policy(), NOW))


def test_what_was_kept_aside_is_told():
    calm = State([QueueState("Feedback", 3, 2, 0)], "enabled, OK", 0, 0)
    assert text(sections.state(calm)).endswith("Feedback 3 2 0 Ledger's stream: enabled, OK.")
    assert not calm.needs_attention
    bad = State([QueueState("Feedback", 0, 0, 7)], "enabled, FAILED", 4, 1)
    assert bad.needs_attention
    assert 'class="number bad">7<' in sections.state(bad)
    assert "4 objects of unreadable lines in quarantine." in text(sections.state(bad))


def test_text_of_others_never_becomes_markup():
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
