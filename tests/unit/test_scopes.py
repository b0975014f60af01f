"""Test in which scopes events suppress and lift: all mail, a stream, a contact list, a topic."""

from typing import Any

import msgspec

from aftersend.events import Event, Kind, Preferences
from aftersend.suppression import Policy, decide
from tests.event_factory import (
    NOW,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    added_by_operator,
    an_event,
    removed_by_operator,
)

BY_STREAM = Policy(complaint_scope="stream")
BY_TAG = Policy(complaint_scope="stream", stream_tag="campaign")


def in_force(*events: Event, policy: Policy = BY_STREAM) -> set[str]:
    """Return the scopes in which the events suppress."""
    return {scope for scope, entry in decide(events, policy, NOW).items() if entry.is_in_force(NOW)}


def a_subscription(old: Preferences | None, new: Preferences | None, **given: Any) -> Event:
    fields: dict[str, Any] = {"contact_list": "readers", "minutes": 1} | given
    return an_event(Kind.SUBSCRIPTION, old_preferences=old, new_preferences=new, **fields)


def topics(**status: str) -> Preferences:
    return Preferences(topics=status)


def test_complaint_suppresses_everywhere_by_default():
    assert in_force(a_complaint(), policy=Policy()) == {"*"}


def test_complaint_suppresses_its_stream_where_the_policy_says_so():
    assert in_force(a_complaint()) == {"stream#newsletter"}
    assert in_force(a_complaint(), policy=BY_TAG) == {"stream#spring-catalogue"}


def test_bounce_suppresses_everywhere_because_the_mailbox_is_gone_for_all_streams():
    assert in_force(a_bounce()) == {"*"}


def test_complaint_about_a_message_of_unknown_stream_suppresses_everywhere():
    assert in_force(a_complaint(tags={})) == {"*"}
    assert in_force(a_complaint(tags={"genre": ["sci-fi"]}), policy=BY_TAG) == {"*"}


def test_not_spam_report_lifts_the_complaint_in_its_own_stream_only():
    assert in_force(a_complaint(), a_not_spam_report()) == set()
    other = {"ses:configuration-set": ["receipts"]}
    assert in_force(a_complaint(), a_not_spam_report(tags=other, message="message-2")) == {"stream#newsletter"}


def test_complaints_in_two_streams_are_two_entries():
    other = a_complaint(tags={"ses:configuration-set": ["receipts"]}, message="message-2")
    assert in_force(a_complaint(), other) == {"stream#newsletter", "stream#receipts"}


def test_evidence_remembers_the_stream_when_the_ledger_has_expired_the_complaint():
    for policy in (BY_STREAM, BY_TAG):
        decided = decide([a_complaint()], policy, NOW)
        [evidence] = [entry.evidence for entry in decided.values()]
        assert decide(evidence, policy, NOW) == decided


def test_operator_acts_in_one_scope_only():
    added = added_by_operator(scope="stream#newsletter")
    assert in_force(added) == {"stream#newsletter"}
    assert in_force(added, removed_by_operator()) == {"stream#newsletter"}
    assert in_force(added, removed_by_operator(scope="stream#newsletter")) == set()
    assert in_force(added_by_operator(), removed_by_operator(scope="stream#newsletter")) == {"*"}


def test_entry_names_the_operator_and_the_reason_they_gave():
    added = added_by_operator(operator="ada", note="asked by phone")
    [entry] = decide([added], Policy(), NOW).values()
    assert (entry.who, entry.note) == ("ada", "asked by phone")
    removed = removed_by_operator(operator="ben", note="a mistake")
    [entry] = decide([added, removed], Policy(), NOW).values()
    assert (entry.who, entry.note, entry.lifted_by) == ("ben", "a mistake", "removed-by-operator")


def test_opt_out_from_a_topic_suppresses_that_topic_only():
    opted_out = a_subscription(topics(books="OptIn", films="OptIn"), topics(books="OptOut", films="OptIn"))
    assert in_force(opted_out) == {"topic#readers/books"}


def test_opt_out_from_all_suppresses_the_contact_list():
    assert in_force(a_subscription(Preferences(), Preferences(unsubscribe_all=True))) == {"list#readers"}


def test_opt_in_lifts_what_an_opt_out_did():
    opted_out = a_subscription(topics(books="OptIn"), topics(books="OptOut"))
    opted_in = a_subscription(topics(books="OptOut"), topics(books="OptIn"), minutes=2)
    assert in_force(opted_out, opted_in) == set()
    assert in_force(opted_in, opted_out) == set()
    again = a_subscription(Preferences(unsubscribe_all=True), Preferences(), minutes=2)
    assert in_force(a_subscription(Preferences(), Preferences(unsubscribe_all=True)), again) == set()


def test_opt_in_does_not_lift_what_an_operator_did():
    added = added_by_operator(scope="topic#readers/books", minutes=1)
    assert in_force(added, a_subscription(topics(books="OptOut"), topics(books="OptIn"), minutes=2)) == {
        "topic#readers/books"
    }


def test_choice_that_did_not_change_decides_nothing():
    unchanged = a_subscription(topics(books="OptOut"), topics(books="OptOut", films="OptIn"), minutes=2)
    assert in_force(unchanged) == set()


def test_subscription_without_old_preferences_counts_as_a_change():
    assert in_force(a_subscription(None, topics(books="OptOut"))) == {"topic#readers/books"}


def test_subscription_without_contact_list_or_new_preferences_decides_nothing():
    assert in_force(a_subscription(None, topics(books="OptOut"), contact_list=None)) == set()
    assert in_force(a_subscription(topics(books="OptIn"), None)) == set()


def test_opt_out_reaches_no_other_mail():
    """An opt-out from the newsletter must not stop password resets."""
    assert "*" not in in_force(a_subscription(Preferences(), Preferences(unsubscribe_all=True)), a_not_spam_report())


def test_effect_of_a_rule_can_be_set():
    refused = a_bounce(status="5.7.1")
    assert in_force(refused, policy=Policy()) == set()
    assert in_force(refused, policy=Policy(effects={"sender-refused": "suppress"})) == {"*"}
    assert in_force(a_bounce(), policy=Policy(effects={"hard-bounce": "none"})) == set()
    [entry] = decide([a_complaint()], Policy(effects={"complaint": "30 days"}), NOW).values()
    assert (entry.rule, entry.until and entry.since and (entry.until - entry.since).days) == ("complaint", 30)


def test_not_spam_report_lifts_a_complaint_that_suppresses_for_a_time():
    policy = Policy(effects={"complaint": "30 days"})
    assert in_force(a_complaint(), a_not_spam_report(), policy=policy) == set()
    assert in_force(a_complaint(), removed_by_operator(), policy=policy) == set()


def test_policies_with_equal_settings_share_their_table():
    one, other = (Policy(effects={"complaint": "none"}) for _ in range(2))
    assert hash(one) == hash(other)
    assert hash(one) != hash(msgspec.structs.replace(one, effects={}))
