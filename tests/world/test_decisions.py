"""Show that decisions depend on events alone: not on which function decides first, nor on what else can be read."""

import json
from datetime import datetime, timedelta
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from aftersend.aws import ledger_table
from aftersend.events import ADDED, NOT_SPAM, REMOVED, Event
from aftersend.parsing import parse
from local.ses import event_record
from tests.event_factory import an_event, decide_everywhere
from tests.world.arrivals import DECISIVE, HARD_BOUNCE, READERS, a_message, a_record, decisive_events
from tests.world.examples import SEEDS, reproducible
from tests.world.turns import take_turns
from tests.world.world import POLICY, World, expected_state

READER = READERS[0].lower()


def an_operators_act(kind: str, at: datetime) -> Event:
    return an_event(
        kind, recipient=READER, message=f"act-{kind}", sent_at=at, minutes=0, tags={}, source="", operator="ops"
    )


@settings(reproducible, max_examples=150)
@given(seed=SEEDS, operator=st.sampled_from([ADDED, REMOVED]))
def test_concurrent_decisions_never_lose_a_suppression(seed: int, operator: str):
    """Two routes and an operator, about one reader."""
    world = World(seed)
    act = an_operators_act(operator, world.clock.now() - timedelta(hours=world.rng.randrange(40)))
    kinds = [("Bounce", HARD_BOUNCE), ("Complaint", {}), ("Complaint", {"complaintFeedbackType": "not-spam"})]
    payloads = [json.dumps(a_record(world, kind, **details)) for kind, details in world.rng.choices(kinds, k=2)]

    def act_as_operator() -> None:
        with world.answer_calls("operator"):
            world.recorder.record([act])

    world.publish(payloads[0])
    world.store([payloads[1]], "object-1")
    assert take_turns(world, [world.feedback_mapping.step, world.object_mapping.step, act_as_operator]) == []
    world.run()
    results = [result for payload in payloads for result in parse(payload)]
    events = [event for result in results if isinstance(result, list) for event in result]
    expected = decide_everywhere([*events, act], POLICY)
    assert world.state().entries == ({(READER, "*"): expected} if expected else {})


@settings(reproducible, max_examples=60)
@given(seed=SEEDS)
def test_recipient_with_more_events_than_are_read_is_suppressed_as_by_all_of_them(seed: int):
    """From the first entry on: nothing is kept of a retraction that came before anything it could lift."""
    world = World(seed)
    events = sorted(
        decisive_events(world, 12, DECISIVE[1:], within_days=20), key=lambda event: event.feedback_type == NOT_SPAM
    )
    events[1:] = world.rng.sample(events[1:], len(events) - 1)
    with mock.patch.object(ledger_table, "MAX_EVENTS_READ", 2), world.answer_calls():
        for number, event in enumerate(events, 1):
            world.recorder.record([event])
            expected = decide_everywhere(events[:number], POLICY)
            entry = world.recorder.suppressions.entries_of(READER).get("*")
            assert bool(expected and expected.lifted_by is None) == bool(entry and entry.lifted_by is None)


@settings(reproducible, max_examples=60)
@given(seed=SEEDS)
def test_complaint_repeated_after_its_retraction_suppresses_in_any_order(seed: int):
    world = World(seed)
    message = a_message(world.rng, world.clock.now() - timedelta(days=60))
    message.destination[:] = [READERS[0]]
    reports = [("abuse", 1), ("not-spam", 5), ("abuse", 40), ("not-spam", 50), ("abuse", 55)]
    payloads = []
    for kind, days in reports[: world.rng.choice([3, 4, 5])]:
        event = {"event": "Complaint", "complaintFeedbackType": kind, "seconds": days * 86_400, "feedbackId": str(days)}
        payloads.append(json.dumps(event_record(message, event)))
    for number, payload in enumerate(world.rng.sample(payloads, len(payloads))):
        world.publish(payload) if world.rng.random() < 0.5 else world.store([payload], f"object-{number}")
    world.run()
    assert world.state() == expected_state(payloads, world.clock.now())
    assert (world.state().entries[READER, "*"].lifted_by is None) == (len(payloads) != 4)
