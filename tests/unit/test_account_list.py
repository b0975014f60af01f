from datetime import datetime, timedelta

import pytest

from aftersend.account_list import (
    UNDER_WAY,
    Addition,
    Digests,
    Listed,
    Verdict,
    addition,
    compare,
    compare_events,
    event_before,
    event_of,
)
from aftersend.events import Event
from aftersend.suppression import Entry, Policy
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    decide_everywhere,
    removed_by_operator,
)

NOW = SENT + timedelta(days=30)
BOUNCED_AT = SENT + timedelta(minutes=1)


def listed(at: datetime = BOUNCED_AT, address: str = READER, reason: str = "BOUNCE") -> Listed:
    return Listed(address, reason, at)


def verdict(listed: Listed, *events: Event) -> Verdict:
    """Compare as a run does, with the entry that these events make."""
    entry = decide_everywhere(events, Policy())
    first = compare(listed, entry, NOW)
    return compare_events(listed, entry, events) if first is Verdict.UNDECIDED else first


def an_entry(**given: object) -> Entry:
    return Entry(**{"recipient": READER, "reason": "bounce", "rule": "hard-bounce", "since": BOUNCED_AT} | given)  # ty: ignore[invalid-argument-type]


def test_address_in_force_on_both_sides_is_kept_whatever_the_reason():
    assert verdict(listed(reason="COMPLAINT"), a_bounce()) is Verdict.KEEP


@pytest.mark.parametrize("address", [READER, READER.title(), READER.upper()])
def test_removal_here_removes_every_spelling_there(address: str):
    assert verdict(listed(address=address), a_bounce(), removed_by_operator()) is Verdict.REMOVE


def test_not_spam_report_removes_a_complaint_there():
    assert verdict(listed(reason="COMPLAINT"), a_complaint(), a_not_spam_report()) is Verdict.REMOVE


def test_address_that_ses_listed_moments_after_its_removal_for_an_older_bounce_is_removed():
    assert verdict(listed(SENT + timedelta(minutes=31)), a_bounce(), removed_by_operator(30)) is Verdict.REMOVE


def test_address_that_this_side_listed_moments_after_its_removal_is_removed():
    """The run read the entry, the operator removed it, the run put the address on the list."""
    put = event_before(Addition(READER, READER, "BOUNCE"), SENT + timedelta(minutes=29, seconds=59))
    late = listed(SENT + timedelta(minutes=31))
    assert verdict(late, a_bounce(), removed_by_operator(30), put) is Verdict.REMOVE


def test_address_that_ses_listed_for_something_unknown_after_the_removal_is_taken_over():
    later = listed(SENT + timedelta(days=5))
    assert verdict(later, a_bounce(), removed_by_operator()) is Verdict.TAKE_OVER


def test_echo_does_not_explain_why_an_address_is_listed():
    later = listed(SENT + timedelta(days=5))
    echo = a_bounce(subtype="OnAccountSuppressionList", occurred_at=later.updated_at)
    assert verdict(later, a_bounce(), removed_by_operator(), echo) is Verdict.TAKE_OVER


def test_address_that_nothing_here_explains_is_taken_over():
    assert verdict(listed()) is Verdict.TAKE_OVER


def test_address_of_a_bounce_that_the_policy_ignores_is_left_to_ses():
    assert verdict(listed(), a_bounce(status="5.7.1")) is Verdict.KEEP


@pytest.mark.parametrize("reason", ["BOUNCE", "COMPLAINT"])
def test_address_that_was_taken_over_suppresses_until_it_is_removed(reason: str):
    taken = event_of(listed(address="Reader@mail.example", reason=reason))
    entry = decide_everywhere([taken], Policy())
    assert entry
    assert (entry.reason, entry.recipient, entry.recipient_raw) == (reason.lower(), READER, "Reader@mail.example")
    assert (entry.rule, entry.since) == (f"account-list-{reason.lower()}", BOUNCED_AT)
    assert verdict(listed(reason=reason), taken) is Verdict.KEEP
    assert verdict(listed(reason=reason), taken, removed_by_operator()) is Verdict.REMOVE


def test_address_that_ses_listed_just_now_is_left_until_its_event_has_arrived():
    assert compare(listed(NOW - UNDER_WAY / 2), None, NOW) is Verdict.KEEP
    assert compare(listed(NOW - UNDER_WAY), None, NOW) is Verdict.UNDECIDED


def test_address_listed_for_something_unknown_during_a_temporary_entry_is_taken_over():
    temporary = an_entry(until=NOW + timedelta(days=1))
    assert compare(listed(), temporary, NOW) is Verdict.UNDECIDED
    assert compare_events(listed(), temporary, ()) is Verdict.TAKE_OVER


def test_end_of_a_temporary_entry_removes_nothing_there():
    ended = an_entry(until=BOUNCED_AT + timedelta(days=1))
    assert compare(listed(), ended, NOW) is Verdict.UNDECIDED
    assert compare_events(listed(), ended, [a_bounce(status="5.7.1")]) is Verdict.KEEP


@pytest.mark.parametrize(
    ("reason", "there"), [("operator", "BOUNCE"), ("bounce", "BOUNCE"), ("complaint", "COMPLAINT")]
)
def test_lasting_entry_belongs_on_the_list_as_ses_spelled_it(reason: str, there: str):
    entry = an_entry(reason=reason, recipient_raw="Reader@mail.example")
    assert addition(entry, NOW) == Addition(READER, "Reader@mail.example", there)
    assert addition(an_entry(), NOW) == Addition(READER, READER, "BOUNCE")


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(until=NOW + timedelta(days=1)),
        an_entry(until=NOW - timedelta(days=1)),
        an_entry(until=NOW - timedelta(days=1), lifted_by="removed-by-operator"),
        an_entry(scope="stream#newsletter"),
    ],
    ids=["temporary", "ended", "lifted", "of a stream"],
)
def test_entry_that_does_not_last_or_concerns_a_stream_does_not_belong_on_the_list(entry: Entry):
    assert addition(entry, NOW) is None


def test_listing_is_no_event_that_decides():
    assert decide_everywhere([event_before(Addition(READER, READER, "BOUNCE"), NOW)], Policy()) is None


def test_digests_are_the_same_after_encoding():
    digests = Digests()
    for number in range(3):
        digests.add(f"{number}@mail.example")
    restored = Digests(digests.encode())
    assert [f"{number}@mail.example" in restored for number in range(4)] == [True, True, True, False]
    assert "mail" not in digests.encode(), "no address is stored"
