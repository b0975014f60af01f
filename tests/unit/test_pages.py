"""What a person sees, as text: the table of tags, the list, a timeline, the states in which something is missing."""

import re
from datetime import timedelta
from html import unescape

from aftersend import pages
from aftersend.events import Kind
from aftersend.pages import QueueState, State
from aftersend.suppression import Entry, Policy, decide
from tests.facts import READER, SENT, a_bounce, a_complaint, a_not_spam_report, an_event, an_out_of_office_reply

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
        ("campaign", "spring"): {"send": 1420, "delivery": 1400, "hard_bounce": 20, "complaint": 1, "opened": 700}
    }
    shown = text(pages.tags(counted))
    assert "campaign = spring 1,420 1,400 20 1 700 0" in shown
    assert "1.4 % 20 of 1,420 0.1 % 1 of 1,400 50.0 % 700 of 1,400 0.0 % 0 of 1,400" in shown


def test_a_share_of_nothing_is_no_rate():
    assert text(pages.tags({("campaign", "spring"): {"reject": 1}})).endswith("0 0 0 0 0 0 - - - -")


def test_before_any_mail_the_table_says_what_to_do():
    assert "Send a message with a configuration set." in text(pages.tags({}))


def test_the_list_shows_who_is_suppressed_and_why_and_who_was():
    entries = [an_entry(), an_entry(*(fact for fact in lifted()))]
    shown = text(pages.suppressions(entries, NOW))
    assert shown.startswith("Suppression list: 1 recipients")
    assert shown.index(f"{READER} bounce hard-bounce 2026-03-14 09:27:53") < shown.index("sorry@mail.example complaint")
    assert "not-spam" in shown


def lifted() -> list:
    return [a_complaint(recipient="sorry@mail.example"), a_not_spam_report(recipient="sorry@mail.example")]


def test_a_recipient_links_to_their_timeline():
    assert 'href="?recipient=a%2Bb@mail.example"' in pages.suppressions(
        [an_entry(a_bounce(recipient="a+b@mail.example"))], NOW
    )


def test_a_long_list_is_cut_and_says_so():
    entries = [an_entry(a_bounce(recipient=f"reader-{number}@mail.example")) for number in range(35)]
    assert "… and 10 more." in text(pages.suppressions(entries, NOW))


def test_an_empty_list_says_so():
    assert text(pages.suppressions([], NOW)) == "Suppression list: 0 recipients Nobody is suppressed."


def test_a_timeline_tells_what_happened_and_what_it_did_the_newest_first():
    events = [
        a_bounce(minutes=9),
        an_event(Kind.SEND, minutes=0),
        an_out_of_office_reply(minutes=2),
        an_event("Opened"),
    ]
    shown = text(pages.timeline(READER, events, an_entry(), Policy(), NOW))
    assert "Suppressed everywhere by the rule hard-bounce since 2026-03-14 09:27:53 UTC." in shown
    assert (
        shown.index("hard-bounce: suppresses") < shown.index("out-of-office: does not suppress") < shown.index("Send")
    )
    assert "Permanent / General, 5.1.1" in shown
    assert "campaign=spring-catalogue, genre=sci-fi" in shown
    assert "ses:" not in shown
    assert "Opened" not in shown


def test_a_timeline_tells_what_lifted_an_entry():
    shown = text(pages.timeline("sorry@mail.example", lifted(), an_entry(*lifted()), Policy(), NOW))
    assert "Not suppressed: was by the rule complaint since 2026-03-14 09:27:53 UTC, lifted by not-spam." in shown
    assert "not-spam: takes a complaint back" in shown


def test_of_a_stranger_nothing_is_known():
    assert "Nothing is known about this recipient." in text(pages.timeline("x@y.example", [], None, Policy(), NOW))


def test_what_was_kept_aside_is_told():
    calm = State([QueueState("Feedback", 3, 2, 0)], "enabled, OK", 0, 0)
    assert text(pages.state(calm)).endswith("Feedback 3 2 0 Ledger's stream: enabled, OK.")
    assert not calm.has_kept
    bad = State([QueueState("Feedback", 0, 0, 7)], "enabled, FAILED", 4, 1)
    assert bad.has_kept
    assert 'class="number bad">7<' in pages.state(bad)
    assert "4 objects of unreadable lines in quarantine." in text(pages.state(bad))


def test_text_of_others_never_becomes_markup():
    nasty = '<script>alert("x")</script>&'
    event = a_bounce(recipient=nasty, diagnostic=nasty, tags={"campaign": [nasty]}, message=nasty)
    rendered = [
        pages.tags({("campaign", nasty): {"send": 1}}),
        pages.suppressions([an_entry(event)], NOW),
        pages.timeline(nasty, [event], an_entry(event), Policy(), NOW),
        pages.failure(nasty),
    ]
    for section in rendered:
        assert "<script" not in section
        assert "alert(" in text(section)
