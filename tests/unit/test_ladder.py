"""Test soft bounces: when they suppress, for how long, and what resets them."""

import random
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from aftersend.events import Event, Kind
from aftersend.suppression import Entry, Policy, decide, is_outdated, needs_deliveries
from tests.event_factory import (
    READER,
    SENT,
    a_bounce,
    a_complaint,
    a_not_spam_report,
    an_event,
    decide_everywhere,
    removed_by_operator,
)

POLICY = Policy()


def moment(day: float) -> datetime:
    return SENT + timedelta(days=day)


def a_soft_bounce(day: float, **given: Any) -> Event:
    fields: dict[str, Any] = {"status": "4.2.2", "message": f"message-{day}", "sent_at": moment(day)} | given
    return a_bounce("Transient", fields.pop("subtype", "MailboxFull"), **fields)


def soft_bounces(*days: float) -> list[Event]:
    return [a_soft_bounce(day) for day in days]


def a_delivery(day: float, message: str = "") -> Event:
    return an_event(Kind.DELIVERY, message=message or f"delivered-{day}", sent_at=moment(day))


def entry_at(day: float, *events: Event, policy: Policy = POLICY) -> Entry | None:
    return decide_everywhere(events, policy, moment(day))


def length_at(day: float, *events: Event, policy: Policy = POLICY) -> int | None:
    """Return for how many days the events suppress at a moment; 0 if not at all, None if until removed."""
    entry = entry_at(day, *events, policy=policy)
    if entry is None or not entry.is_in_force(moment(day)):
        return 0
    assert entry.since
    return (entry.until - entry.since).days if entry.until else None


def test_soft_bounces_on_five_days_suppress_for_a_day():
    assert length_at(4.1, *soft_bounces(0, 1, 2, 3)) == 0
    assert length_at(4.1, *soft_bounces(0, 1, 2, 3, 4)) == 1
    entry = entry_at(4.1, *soft_bounces(0, 1, 2, 3, 4))
    assert entry
    assert (entry.rule, entry.reason, len(entry.evidence)) == ("soft-bounce", "bounce", 5)


def test_several_soft_bounces_on_one_day_count_as_one():
    assert length_at(3.5, *soft_bounces(0, 0.1, 0.2, 1, 2, 3)) == 0


def test_soft_bounces_outside_the_window_do_not_count():
    assert length_at(30.6, *soft_bounces(0, 1, 2, 3, 30.5)) == 0
    assert length_at(29.1, *soft_bounces(0, 1, 2, 3, 29)) == 1


@pytest.mark.parametrize("subtype", ["General", "MailboxFull", "SubtypeOfTomorrow"])
def test_soft_bounces_of_any_subtype_that_is_about_the_mailbox_count(subtype: str):
    assert length_at(4.1, *(a_soft_bounce(day, subtype=subtype) for day in range(5))) == 1


@pytest.mark.parametrize(
    "subtype", ["MessageTooLarge", "ContentRejected", "AttachmentRejected", "CustomTimeoutExceeded"]
)
def test_refusals_of_the_content_never_suppress(subtype: str):
    assert entry_at(9.5, *(a_soft_bounce(day, subtype=subtype) for day in range(9))) is None


def test_undetermined_bounces_and_types_of_tomorrow_count_as_soft_bounces():
    for bounce_type in ("Undetermined", "TypeOfTomorrow"):
        bounces = [
            msgspec.structs.replace(bounce, bounce_type=bounce_type, bounce_subtype=bounce_type)
            for bounce in soft_bounces(*range(5))
        ]
        assert length_at(4.1, *bounces) == 1


def test_suppression_ends_by_itself():
    events = soft_bounces(0, 1, 2, 3, 4)
    entry = entry_at(5.5, *events)
    assert entry
    assert (entry.lifted_by, entry.until) == ("ended", moment(5) + timedelta(minutes=1))
    assert length_at(5.5, *events) == 0


def test_each_soft_bounce_after_the_end_suppresses_longer_and_at_last_until_removed():
    days = [0, 1, 2, 3, 4, 5.5, 9, 17]
    assert length_at(5.6, *soft_bounces(*days[:6])) == 3
    assert length_at(9.1, *soft_bounces(*days[:7])) == 7
    assert length_at(17.1, *soft_bounces(*days)) == 30
    again = soft_bounces(*days, 48, 49, 50, 51, 52)
    assert length_at(52.1, *again) is None
    assert length_at(900, *again) is None
    assert length_at(900, *again, removed_by_operator(minutes=60 * 24 * 60)) == 0


def test_soft_bounces_while_suppressed_do_not_lengthen_the_suppression():
    assert length_at(4.9, *soft_bounces(0, 1, 2, 3, 4, 4.5, 4.8)) == 1


def test_delivery_of_another_message_resets_the_days():
    assert length_at(4.1, *soft_bounces(0, 1, 2), a_delivery(2.5), *soft_bounces(3, 4)) == 0
    assert length_at(7.1, *soft_bounces(0, 1, 2), a_delivery(2.5), *soft_bounces(3, 4, 5, 6, 7)) == 1


def test_delivery_of_a_message_that_bounced_afterwards_resets_nothing():
    bounced = a_delivery(0, message="message-0")
    assert length_at(4.1, bounced, *soft_bounces(0, 1, 2, 3, 4)) == 1


def test_delivery_after_the_suppression_lifts_it_and_begins_again_with_a_day():
    events = [*soft_bounces(0, 1, 2, 3, 4, 5.5), a_delivery(6)]
    lifted = entry_at(6.1, *events)
    assert lifted
    assert (lifted.lifted_by, lifted.until) == ("delivered", moment(6) + timedelta(minutes=1))
    assert length_at(11.1, *events, *soft_bounces(7, 8, 9, 10, 11)) == 1


def test_delivery_does_not_lift_the_last_step():
    policy = Policy(soft_bounce_days=1, soft_bounce_ladder_days=())
    assert length_at(9, a_soft_bounce(0), a_delivery(1), policy=policy) is None


def test_time_without_soft_bounces_begins_again_with_a_day():
    assert length_at(44.1, *soft_bounces(0, 1, 2, 3, 4, 40, 41, 42, 43, 44)) == 1


def test_hard_bounce_outlasts_the_ladder_and_names_itself():
    entry = entry_at(99, *soft_bounces(0, 1, 2, 3, 4), a_bounce(message="hard"))
    assert entry
    assert (entry.rule, entry.is_in_force(moment(99))) == ("hard-bounce", True)


def test_not_spam_report_does_not_lift_soft_bounces():
    assert length_at(4.1, *soft_bounces(0, 1, 2, 3, 4), a_not_spam_report(minutes=60 * 24 * 4.05)) == 1


def test_validation_suppresses_for_thirty_days_and_begins_anew_with_each_refusal():
    refused = [a_bounce(subtype="EmailValidationSuppressed", message=f"m-{day}", sent_at=moment(day)) for day in (0, 9)]
    assert length_at(10, refused[0]) == 30
    assert length_at(31, refused[0]) == 0
    assert length_at(31, *refused) == 30


def test_settings_change_days_window_and_lengths():
    policy = Policy(soft_bounce_days=2, soft_bounce_window_days=3, soft_bounce_ladder_days=(9,))
    assert length_at(1.1, *soft_bounces(0, 1), policy=policy) == 9
    assert length_at(4.1, *soft_bounces(0, 4), policy=policy) == 0
    assert length_at(99, *soft_bounces(0, 1, 11, 12), policy=policy) is None


def test_soft_bounce_without_a_time_counts_for_no_day():
    timeless = [msgspec.structs.replace(each, occurred_at=None, sent_at=None) for each in soft_bounces(*range(9))]
    assert entry_at(9.5, *timeless) is None


def test_deliveries_are_needed_only_where_soft_bounces_may_suppress():
    assert not needs_deliveries([*soft_bounces(0, 0.1, 1, 2, 3), a_complaint()], POLICY)
    assert needs_deliveries(soft_bounces(0, 1, 2, 3, 4), POLICY)


def test_soft_bounce_is_outdated_a_day_after_the_window():
    assert not is_outdated(a_soft_bounce(0), POLICY, moment(31))
    assert is_outdated(a_soft_bounce(0), POLICY, moment(31.1))
    assert not is_outdated(a_bounce(), POLICY, moment(300))


def a_story(rng: random.Random) -> list[Event]:
    """Return soft bounces and deliveries of a few weeks, with some other events among them."""
    events: list[Event] = []
    deliveries, last_day = rng.choice([0, 1, 2]), 0.0
    for number in range(rng.randint(4, 30)):
        day = rng.uniform(0, 60)
        is_returned = bool(events) and events[-1].kind == Kind.BOUNCE and rng.random() < 0.2
        act = msgspec.structs.replace(removed_by_operator(), message_id=f"act-{number}", occurred_at=moment(day))
        made = [
            a_soft_bounce(day, message=f"m-{number}"),
            a_delivery(last_day - 0.1, f"m-{number - 1}") if is_returned else a_delivery(day, f"m-{number}"),
            a_complaint(message=f"m-{number}", sent_at=moment(day)),
            act,
        ]
        events += rng.choices(made, [12, deliveries, 0.3, 0.3])
        last_day = day
    return events


def state(entry: Entry | None, now: datetime) -> tuple[Any, ...] | None:
    return (entry.rule, entry.until) if entry and entry.is_in_force(now) else None


@pytest.mark.parametrize("seed", range(60))
def test_one_by_one_or_all_at_once_gives_the_same_step(seed: int):
    """Events occur one after the other, and are decided about with the evidence of the entry before: the others of more
    than the window ago cannot be read."""
    rng, policy = random.Random(seed), Policy(soft_bounce_days=3, soft_bounce_ladder_days=(1, 3, 7))
    events = sorted(a_story(rng), key=lambda event: event.occurred_at or SENT)
    evidence: list[Event] = []
    for number, event in enumerate(events, 1):
        assert event.occurred_at
        now = event.occurred_at + timedelta(minutes=1)
        if event.kind == Kind.DELIVERY:
            continue  # nothing is read for it
        read = [each for each in events[:number] if not is_outdated(each, policy, now)]
        read = [
            each for each in read if each.kind != Kind.DELIVERY or now - (each.sent_at or SENT) < timedelta(days=32)
        ]
        stepwise = decide([*evidence, *read], policy, now).get("*")
        assert state(stepwise, now) == state(decide(events[:number], policy, now).get("*"), now), event
        evidence = stepwise.evidence if stepwise else evidence


@pytest.mark.parametrize("seed", range(30))
def test_order_and_repetition_of_a_story_make_no_difference(seed: int):
    rng = random.Random(seed)
    events, now = a_story(rng), moment(rng.uniform(0, 90))
    shuffled = [*events, *rng.sample(events, 3)]
    rng.shuffle(shuffled)
    assert decide(shuffled, POLICY, now) == decide(events, POLICY, now)


@pytest.mark.parametrize("seed", range(30))
def test_evidence_names_only_events_that_exist(seed: int):
    events = a_story(random.Random(seed))
    ids = {(event.kind, event.message_id) for event in events}
    for entry in decide(events, POLICY, moment(61)).values():
        assert {(event.kind, event.message_id) for event in entry.evidence} <= ids
        assert entry.recipient == READER
