"""The policy in sentences, then its table walked cell by cell."""

import itertools
from datetime import timedelta

import msgspec
import pytest

from aftersend.events import Event, Kind
from aftersend.suppression import RULES, SIMULATOR, Effect, Entry, Policy, decide, rule_for
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    added_by_operator,
    an_event,
    an_out_of_office_reply,
    removed_by_operator,
)

POLICY = Policy()
NOW = SENT + timedelta(days=1)


def entry(*facts: Event, policy: Policy = POLICY) -> Entry:
    found = decide(facts, policy)
    assert found is not None
    return found


def suppressed(*facts: Event, policy: Policy = POLICY) -> bool:
    found = decide(facts, policy)
    return found is not None and found.is_in_force(NOW)


def test_a_hard_bounce_suppresses_until_removed():
    found = entry(a_bounce())
    assert (found.recipient, found.reason, found.rule, found.until) == (READER, "bounce", "hard-bounce", None)
    assert found.is_in_force(NOW)


def test_a_policy_refusal_does_not_suppress_because_it_is_about_us():
    assert not suppressed(a_bounce(status="5.7.1"))


def test_a_status_that_only_resembles_a_policy_refusal_suppresses():
    assert suppressed(a_bounce(status="5.70.1"))


def test_an_out_of_office_reply_does_not_suppress():
    assert not suppressed(an_out_of_office_reply())


def test_a_complaint_suppresses_whatever_its_feedback_type():
    assert all(suppressed(a_complaint(kind)) for kind in ("abuse", "fraud", "other", "a-type-of-tomorrow", None))


def test_a_not_spam_report_alone_does_nothing():
    assert decide([a_not_spam_report()], POLICY) is None


def test_a_not_spam_report_lifts_what_a_complaint_made_but_not_what_a_bounce_made():
    assert not suppressed(a_complaint(), a_not_spam_report())
    assert suppressed(a_bounce(), a_not_spam_report())
    assert suppressed(a_bounce(), a_complaint(), a_not_spam_report())


def test_a_lifted_entry_says_what_made_and_what_lifted_it():
    found = entry(a_complaint(minutes=1), a_not_spam_report(minutes=5))
    assert (found.rule, found.lifted_by, found.until) == ("complaint", "not-spam", SENT + timedelta(minutes=5))
    assert [fact.feedback_type for fact in found.evidence] == ["abuse", "not-spam"]


def test_a_complaint_after_a_not_spam_report_suppresses_again():
    assert suppressed(a_complaint(minutes=1), a_not_spam_report(minutes=2), a_complaint(minutes=3, message="message-2"))


def test_of_a_complaint_and_a_retraction_at_the_same_time_the_complaint_stands():
    assert suppressed(a_complaint(minutes=5), a_not_spam_report(minutes=5))


@pytest.mark.parametrize("subtype", ["OnAccountSuppressionList", "OnTenantSuppressionList"])
def test_the_echo_of_a_list_neither_adds_nor_extends_nor_lifts(subtype: str):
    echoes = [a_bounce(subtype=subtype, message="echo"), a_complaint(None, complaint_subtype=subtype, message="echo")]
    assert decide(echoes, POLICY) is None
    assert entry(a_bounce(), *echoes) == entry(a_bounce())
    assert entry(a_complaint(), a_not_spam_report(), *echoes) == entry(a_complaint(), a_not_spam_report())


def test_simulator_addresses_are_never_suppressed_unless_the_policy_says_so():
    simulated = a_bounce(recipient="bounce+label@simulator.amazonses.com")
    assert not suppressed(simulated)
    assert suppressed(simulated, policy=Policy(simulator="real"))


def test_an_operators_entry_is_lifted_by_nobody_else():
    found = entry(added_by_operator(), a_complaint(minutes=20), a_not_spam_report())
    assert (found.reason, found.rule, found.is_in_force(NOW)) == ("operator", "added-by-operator", True)


def test_after_an_operators_removal_only_newer_facts_count():
    removed = removed_by_operator(minutes=30)
    assert not suppressed(a_bounce(), a_complaint(minutes=2), added_by_operator(minutes=3), removed)
    assert not suppressed(removed, a_bounce(minutes=29))
    assert suppressed(removed, a_bounce(minutes=31))
    assert entry(a_complaint(minutes=2), a_bounce(), removed).lifted_by == "removed-by-operator"


def test_an_operator_may_suppress_even_a_simulator_address():
    assert suppressed(added_by_operator(recipient="bounce@simulator.amazonses.com"))


def test_a_fact_that_names_no_recipient_suppresses_nobody():
    assert decide([a_bounce(recipient=None)], POLICY) is None


def test_the_entry_begins_with_the_first_fact_and_keeps_it_as_evidence():
    found = entry(a_bounce(minutes=9, message="later"), a_bounce(minutes=1, message="earlier"))
    assert (found.since, [fact.message_id for fact in found.evidence]) == (SENT + timedelta(minutes=1), ["earlier"])


def test_evidence_alone_leads_to_the_same_entry_when_the_ledger_has_forgotten():
    for facts in ([a_bounce()], [a_complaint(), a_bounce(minutes=2)], [a_complaint(), a_not_spam_report()]):
        made = entry(*facts)
        assert entry(*made.evidence) == made


def test_an_entry_says_which_facts_it_was_decided_from():
    one, two = entry(a_bounce()), entry(a_bounce(), a_bounce(minutes=9, message="later"))
    assert not one.is_equivalent(two)
    assert msgspec.structs.replace(one, decided_from="") == msgspec.structs.replace(two, decided_from="")


FACTS = [
    a_bounce(minutes=1),
    a_complaint(minutes=2),
    a_not_spam_report(minutes=3),
    a_complaint(minutes=4, message="message-2"),
    a_bounce(minutes=5, status="5.7.1", message="message-3"),
]


@pytest.mark.parametrize("chosen", [c for size in range(1, 6) for c in itertools.combinations(FACTS, size)])
def test_order_and_repetition_make_no_difference(chosen: tuple[Event, ...]):
    decisions = {msgspec.json.encode(decide([*order, *order[:2]], POLICY)) for order in itertools.permutations(chosen)}
    assert len(decisions) == 1


SUBTYPES = {
    "Permanent": [
        "General",
        "NoEmail",
        "Suppressed",
        "OnAccountSuppressionList",
        "OnTenantSuppressionList",
        "EmailValidationSuppressed",
        "UnsubscribedRecipient",
        "Unknown",
    ],
    "Transient": [
        "General",
        "MailboxFull",
        "MessageTooLarge",
        "ContentRejected",
        "AttachmentRejected",
        "CustomTimeoutExceeded",
        "Unknown",
    ],
    "Undetermined": ["Undetermined"],
    "Unknown": ["Unknown"],
}
STATUSES = [None, "5.1.1", "5.7.1", "4.2.2"]
FEEDBACK_TYPES = [None, "abuse", "auth-failure", "fraud", "not-spam", "other", "virus", "unknown"]

EVERY_FACT = [
    a_bounce(bounce_type, subtype, status=status, action=status and "failed")
    for bounce_type, subtypes in SUBTYPES.items()
    for subtype in subtypes
    for status in STATUSES
]
EVERY_FACT += [
    a_complaint(feedback, complaint_subtype=subtype)
    for feedback in FEEDBACK_TYPES
    for subtype in (None, "OnAccountSuppressionList", "OnTenantSuppressionList")
]
EVERY_FACT += [an_event(kind) for kind in (*Kind, "Unknown") if kind not in (Kind.BOUNCE, Kind.COMPLAINT)]
EVERY_FACT += [added_by_operator(), removed_by_operator()]


def test_every_fact_falls_under_a_rule_and_every_rule_has_a_fact():
    fallen_under = {rule_for(fact, POLICY).id for fact in EVERY_FACT}
    assert fallen_under == {rule.id for rule in RULES if rule is not SIMULATOR}


def expected_effect(fact: Event) -> Effect:
    """The policy's table, said once more in other words."""
    if fact.kind in ("Added", "Removed"):
        return Effect.SUPPRESS if fact.kind == "Added" else Effect.LIFT
    if "Suppression" in f"{fact.bounce_subtype or ''}{fact.complaint_subtype or ''}":
        return Effect.NONE
    if fact.kind == "Complaint":
        return Effect.LIFT_COMPLAINT if fact.feedback_type == "not-spam" else Effect.SUPPRESS
    hard = fact.bounce_type == "Permanent" and fact.bounce_subtype in ("General", "NoEmail", "Suppressed")
    return Effect.SUPPRESS if hard and fact.status != "5.7.1" else Effect.NONE


def test_every_cell_of_the_policy():
    for fact in EVERY_FACT:
        assert rule_for(fact, POLICY).effect is expected_effect(fact), fact


def test_the_simulator_comes_before_every_rule_but_the_operators():
    assert all(
        rule_for(msgspec.structs.replace(fact, recipient="bounce@simulator.amazonses.com"), POLICY) is SIMULATOR
        for fact in EVERY_FACT[:-2]
    )
