"""Test the policy in sentences, then every cell of its table."""

import itertools
import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from aftersend import ledger
from aftersend.aws.serialization import serialize
from aftersend.events import Event, Kind
from aftersend.suppression import RULES, SIMULATOR, Effect, Entry, Policy, rule_for
from aftersend.suppression.rules import MAX_LADDER_STEPS
from tests.event_factory import (
    NOW,
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    added_by_operator,
    an_event,
    an_out_of_office_reply,
    decide_everywhere,
    removed_by_operator,
)
from tests.world.dynamodb_limits import item_bytes

POLICY = Policy()


def entry(*events: Event, policy: Policy = POLICY) -> Entry:
    decided = decide_everywhere(events, policy)
    assert decided is not None
    return decided


def suppressed(*events: Event, policy: Policy = POLICY) -> bool:
    decided = decide_everywhere(events, policy)
    return decided is not None and decided.is_in_force(NOW)


def test_hard_bounce_suppresses_until_removed():
    bounced = entry(a_bounce())
    assert (bounced.recipient, bounced.reason, bounced.rule, bounced.until) == (
        READER,
        "bounce",
        "hard-bounce",
        None,
    )
    assert bounced.is_in_force(NOW)


def test_policy_refusal_does_not_suppress_because_it_is_about_the_sender():
    assert not suppressed(a_bounce(status="5.7.1"))


def test_status_that_only_resembles_a_policy_refusal_suppresses():
    assert suppressed(a_bounce(status="5.70.1"))


def test_out_of_office_reply_does_not_suppress():
    assert not suppressed(an_out_of_office_reply())


def test_complaint_suppresses_whatever_its_feedback_type():
    assert all(suppressed(a_complaint(kind)) for kind in ("abuse", "fraud", "other", "a-type-of-tomorrow", None))


def test_not_spam_report_alone_does_nothing():
    assert decide_everywhere([a_not_spam_report()], POLICY) is None


def test_not_spam_report_lifts_a_complaint_but_not_a_bounce():
    assert not suppressed(a_complaint(), a_not_spam_report())
    assert suppressed(a_bounce(), a_not_spam_report())
    assert suppressed(a_bounce(), a_complaint(), a_not_spam_report())


def test_lifted_entry_names_the_rules_that_suppressed_and_lifted():
    lifted = entry(a_complaint(minutes=1), a_not_spam_report(minutes=5))
    assert (lifted.rule, lifted.lifted_by, lifted.until) == ("complaint", "not-spam", SENT + timedelta(minutes=5))
    assert [event.feedback_type for event in lifted.evidence] == ["abuse", "not-spam"]


def test_complaint_after_a_not_spam_report_suppresses_again():
    assert suppressed(a_complaint(minutes=1), a_not_spam_report(minutes=2), a_complaint(minutes=3, message="message-2"))


def test_complaint_outweighs_a_retraction_at_the_same_time():
    assert suppressed(a_complaint(minutes=5), a_not_spam_report(minutes=5))


@pytest.mark.parametrize("subtype", ["OnAccountSuppressionList", "OnTenantSuppressionList"])
def test_suppression_list_echo_neither_adds_nor_extends_nor_lifts(subtype: str):
    echoes = [a_bounce(subtype=subtype, message="echo"), a_complaint(None, complaint_subtype=subtype, message="echo")]
    assert decide_everywhere(echoes, POLICY) is None
    assert entry(a_bounce(), *echoes) == entry(a_bounce())
    assert entry(a_complaint(), a_not_spam_report(), *echoes) == entry(a_complaint(), a_not_spam_report())


def test_simulator_address_is_never_suppressed_unless_the_policy_treats_it_as_real():
    simulated = a_bounce(recipient="bounce+label@simulator.amazonses.com")
    assert not suppressed(simulated)
    assert suppressed(simulated, policy=Policy(simulator="real"))


def test_operators_entry_is_lifted_by_no_complaint_or_retraction():
    added = entry(added_by_operator(), a_complaint(minutes=20), a_not_spam_report())
    assert (added.reason, added.rule, added.is_in_force(NOW)) == ("operator", "added-by-operator", True)


def test_operators_removal_lets_only_newer_events_count():
    removed = removed_by_operator(minutes=30)
    assert not suppressed(a_bounce(), a_complaint(minutes=2), added_by_operator(minutes=3), removed)
    assert not suppressed(removed, a_bounce(minutes=29))
    assert suppressed(removed, a_bounce(minutes=31))
    assert entry(a_complaint(minutes=2), a_bounce(), removed).lifted_by == "removed-by-operator"


def test_operator_may_suppress_even_a_simulator_address():
    assert suppressed(added_by_operator(recipient="bounce@simulator.amazonses.com"))


def test_event_without_a_recipient_suppresses_nobody():
    assert decide_everywhere([a_bounce(recipient=None)], POLICY) is None


def test_entry_begins_with_the_first_event_and_keeps_it_and_the_last_one_as_evidence():
    minutes = {"later": 9, "earlier": 1, "between": 5}
    bounced = entry(*(a_bounce(minutes=minute, message=name) for name, minute in minutes.items()))
    assert (bounced.since, [event.message_id for event in bounced.evidence]) == (
        SENT + timedelta(minutes=1),
        ["earlier", "later"],
    )


def test_entry_keeps_the_last_lifts_as_evidence():
    lifts = (removed_by_operator(minutes=10), a_not_spam_report(minutes=20, message="message-2"))
    bounced = entry(a_complaint(), *lifts, a_bounce(minutes=30))
    assert [event.kind for event in bounced.evidence] == ["Bounce", "Removed", "Complaint"]
    later_removal = msgspec.structs.replace(removed_by_operator(minutes=40), message_id="act-3")
    assert [event.kind for event in entry(a_bounce(), *lifts, later_removal).evidence] == [
        "Bounce",
        "Removed",
        "Removed",
    ]


def test_complaint_retracted_and_repeated_about_one_message_suppresses_and_its_next_retraction_lifts():
    complained_again = a_complaint(minutes=40)
    assert suppressed(a_not_spam_report(minutes=30), complained_again)
    assert not suppressed(a_not_spam_report(minutes=50), complained_again)


def test_events_at_the_same_clamped_time_count_in_the_order_of_their_reported_times():
    clamped: dict[str, Any] = {"occurred_at": SENT + timedelta(days=400)}
    complaint = a_complaint(**clamped, reported_at=SENT + timedelta(days=500))
    retraction = a_not_spam_report(**clamped, reported_at=SENT + timedelta(days=501))
    assert not suppressed(complaint, retraction)
    assert suppressed(complaint, msgspec.structs.replace(retraction, reported_at=SENT + timedelta(days=499)))


def a_refusal_by_validation(minutes: float = 1, **given: Any) -> Event:
    return a_bounce(subtype="EmailValidationSuppressed", minutes=minutes, **given)


def a_history(rng: random.Random, length: int) -> list[Event]:
    """Return events with an effect, some at the same time, some without one."""
    makers = [a_bounce, a_refusal_by_validation, a_complaint, a_not_spam_report, added_by_operator, removed_by_operator]
    events = []
    for number in range(length):
        event = rng.choices(makers, [4, 2, 4, 4, 1, 1])[0](minutes=rng.randrange(2 * length))
        timeless = {"sent_at": None, "occurred_at": None} if rng.random() < 0.1 else {}
        events.append(msgspec.structs.replace(event, message_id=f"message-{number}", **timeless))
    return events


@pytest.mark.parametrize("seed", range(100))
def test_evidence_decides_with_whatever_else_can_still_be_read_and_whatever_comes_later(seed: int):
    rng = random.Random(seed)
    events = a_history(rng, rng.randint(1, 12))
    decided = decide_everywhere(events, POLICY)
    if decided is None:
        return  # nothing is kept of a recipient who was never suppressed
    readable = rng.sample(events, rng.randrange(len(events)))
    late = [msgspec.structs.replace(event, message_id=f"late-{event.message_id}") for event in a_history(rng, 2)]
    for arrived in ([], late[:1], late):
        complete, partial = (
            decide_everywhere([*events, *arrived], POLICY),
            decide_everywhere([*decided.evidence, *readable, *arrived], POLICY),
        )
        assert complete is not None
        assert partial is not None
        assert complete.lifted_by is None or partial.lifted_by is not None
        assert complete.is_in_force(NOW) == partial.is_in_force(NOW)


def test_evidence_of_the_longest_events_fits_into_an_item():
    long: dict[str, Any] = {"recipient": "\N{LATIN SMALL LETTER K}" * 2048, "recipient_raw": "\N{KELVIN SIGN}" * 2048}
    texts: dict[str, Any] = {
        "action": "a" * 3900,
        "diagnostic_code": "\N{BEETLE}" * 30_000,
        "coerced_fields": ("path",) * 10_000,
        "note": "n" * 100_000,
    }
    makers = [removed_by_operator, a_not_spam_report, a_bounce, a_complaint, added_by_operator]
    events = [
        msgspec.structs.replace(maker(minutes=minute, **long), message_id="m" * 800 + str(minute), **texts)
        for minute, maker in enumerate([*makers, *makers[2:]], 10)
    ]
    steps = range(MAX_LADDER_STEPS + 1)
    days = [60 * step + day for step in steps for day in (1, 2, 3, 4, 5)]  # five other days before each step
    soft = [a_bounce("Transient", minutes=day * 1440, **long, **texts, message="s" * 800 + str(day)) for day in days]
    events += soft
    assert [ledger.storage_problem(event) for event in events] == [None] * len(events)
    policy = Policy(soft_bounce_window_days=60, soft_bounce_ladder_days=(30,) * MAX_LADDER_STEPS)
    decided = decide_everywhere(events, policy)
    assert decided
    assert len(decided.evidence) > len(soft)
    assert item_bytes(serialize(msgspec.to_builtins(decided))) < 400_000


def test_entry_identifies_the_events_it_was_decided_from():
    first, last = a_bounce(), a_bounce(minutes=9, message="last")
    one, two = entry(first, last), entry(first, a_bounce(minutes=5, message="between"), last)
    assert not one.is_equivalent(two)
    assert msgspec.structs.replace(one, decided_from="") == msgspec.structs.replace(two, decided_from="")


EVENTS = [
    a_bounce(minutes=1),
    a_complaint(minutes=2),
    a_not_spam_report(minutes=3),
    a_complaint(minutes=4, message="message-2"),
    a_bounce(minutes=5, status="5.7.1", message="message-3"),
]


@pytest.mark.parametrize("chosen", [c for size in range(1, 6) for c in itertools.combinations(EVENTS, size)])
def test_order_and_repetition_make_no_difference(chosen: tuple[Event, ...]):
    decisions = {
        msgspec.json.encode(decide_everywhere([*order, *order[:2]], POLICY)) for order in itertools.permutations(chosen)
    }
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
        None,
        "",
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

EVERY_EVENT = [
    a_bounce(bounce_type, subtype, status=status, action=status and "failed")
    for bounce_type, subtypes in SUBTYPES.items()
    for subtype in subtypes
    for status in STATUSES
]
EVERY_EVENT += [
    a_complaint(feedback, complaint_subtype=subtype)
    for feedback in FEEDBACK_TYPES
    for subtype in (None, "OnAccountSuppressionList", "OnTenantSuppressionList")
]
EVERY_EVENT += [an_event(kind) for kind in (*Kind, "Unknown") if kind not in (Kind.BOUNCE, Kind.COMPLAINT)]
EVERY_EVENT += [an_event("OnAccountList", list_reason=reason) for reason in ("BOUNCE", "COMPLAINT")]
EVERY_EVENT += [an_event("PutOnAccountList", list_reason="BOUNCE")]
EVERY_EVENT += [added_by_operator(), removed_by_operator()]


def test_every_event_matches_a_rule_and_every_rule_an_event():
    matched = {rule_for(event, POLICY).id for event in EVERY_EVENT}
    assert matched == {rule.id for rule in RULES if rule is not SIMULATOR}


def expected_effect(event: Event) -> Effect:
    """Return the effect the policy's table must give, written independently of it."""
    if event.kind in ("Added", "Removed"):
        return Effect.SUPPRESS if event.kind == "Added" else Effect.LIFT
    if "SuppressionList" in f"{event.bounce_subtype or ''}{event.complaint_subtype or ''}":
        return Effect.NONE
    if event.kind == "Complaint":
        return Effect.LIFT_COMPLAINT if event.feedback_type == "not-spam" else Effect.SUPPRESS
    if event.kind == "OnAccountList":
        return Effect.SUPPRESS
    if event.kind in ("Delivery", "Subscription"):
        return Effect.RESET if event.kind == "Delivery" else Effect.SUBSCRIPTION
    return expected_effect_of_bounce(event) if event.kind == "Bounce" else Effect.NONE


def expected_effect_of_bounce(event: Event) -> Effect:
    match event.bounce_type, event.bounce_subtype, event.status:
        case "Permanent", "EmailValidationSuppressed", _:
            return Effect.SUPPRESS
        case ("Permanent", "UnsubscribedRecipient", _) | ("Permanent", _, "5.7.1") | ("Transient", "General", None):
            return Effect.NONE
        case ("Permanent", "General" | "NoEmail" | "Suppressed" | "" | None, _) | ("Transient", _, "5.1.1"):
            return Effect.SUPPRESS
        case "Transient", "MessageTooLarge" | "ContentRejected" | "AttachmentRejected" | "CustomTimeoutExceeded", _:
            return Effect.NONE
    return Effect.SOFT_BOUNCE


def test_every_event_has_the_expected_effect():
    for event in EVERY_EVENT:
        assert rule_for(event, POLICY).effect is expected_effect(event), event


def test_simulator_rule_comes_before_all_rules_but_the_operators():
    assert all(
        rule_for(msgspec.structs.replace(event, recipient="bounce@simulator.amazonses.com"), POLICY) is SIMULATOR
        for event in EVERY_EVENT[:-2]
    )


VARIED: dict[str, Any] = {
    "occurred_at": SENT + timedelta(days=7),
    "reported_at": SENT + timedelta(days=70),
    "sent_at": None,
    "recipient_raw": "Reader@mail.example",
    "source": "other@bookshop.example",
    "tags": {},
    "diagnostic_code": "smtp; 550 5.7.1",
    "feedback_id": "feedback",
    "candidate_count": 3,
    "user_agent": "agent",
    "coerced_fields": ("mail.tags",),
    "operator": "other",
    "note": "why",
}
"""Fields in which copies of an event may differ, with other values."""


@pytest.mark.parametrize("seed", range(20))
def test_effect_of_an_event_follows_from_its_key_so_that_all_its_copies_agree(seed: int):
    rng = random.Random(seed)
    for event in EVERY_EVENT:
        other = rng.choice(EVERY_EVENT)
        fields = rng.sample(other.__struct_fields__, 12)
        copy = msgspec.structs.replace(event, **{name: getattr(other, name) for name in fields})
        copy = msgspec.structs.replace(copy, **{name: VARIED[name] for name in rng.sample(list(VARIED), 6)})
        if ledger.key(copy) == ledger.key(event):
            assert rule_for(copy, POLICY).effect is rule_for(event, POLICY).effect


def test_evidence_alone_leads_to_the_same_entry_when_the_ledger_has_expired_the_events():
    for events in ([a_bounce()], [a_complaint(), a_bounce(minutes=2)], [a_complaint(), a_not_spam_report()]):
        original = entry(*events)
        assert entry(*original.evidence) == original
