"""Test decisions about any recipient under any policy: order, repetition, splitting and expiry change nothing."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.recorder import Recorder
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import ENDED, Effect, Policy, decide, is_outdated, rule_for
from aftersend.suppression.explanation import timeline
from tests.event_factory import READER, SENT
from tests.fakes import FakeLedger, FakeSuppressions, immediate_attempts
from tests.properties.stories import STORIES, Story
from tests.properties.suppression_oracle import expected, in_force

many = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


@settings(many, max_examples=600)
@given(story=STORIES)
def test_recipient_is_suppressed_where_and_until_all_events_call_for_it(story: Story):
    entries = decide(story.events, story.policy, story.now)
    assert in_force(entries.values(), story.now) == expected(story.events, story.policy, story.now)


@settings(many, max_examples=200)
@given(story=STORIES)
def test_order_and_repetition_change_nothing(story: Story):
    repeated = [*story.events, *story.rng.choices(story.events, k=5)]
    shuffled = story.rng.sample(repeated, len(repeated))
    assert decide(shuffled, story.policy, story.now) == decide(story.events, story.policy, story.now)


@settings(many, max_examples=200)
@given(story=STORIES)
def test_explanation_names_every_event_on_which_an_entry_is_based_and_only_events_that_exist(story: Story):
    entries = decide(story.events, story.policy, story.now).values()
    unexpired = [event for event in story.events if story.rng.random() < 0.5]
    moments = timeline(unexpired, entries, story.policy)
    explained = [ledger.key(moment.event) for moment in moments]
    evidence = {ledger.key(event) for entry in entries for event in entry.evidence}
    assert sorted(explained) == sorted(evidence | {ledger.key(event) for event in unexpired})
    assert {ledger.key(event) for event in story.events}.issuperset(explained)
    assert {key for key, moment in zip(explained, moments, strict=True) if moment.is_evidence} == evidence


@settings(many, max_examples=200)
@given(story=STORIES)
def test_explanation_has_the_events_that_suppressed_and_lifted(story: Story):
    for entry in decide(story.events, story.policy, story.now).values():
        moments = timeline((), [entry], story.policy)
        assert (entry.rule, entry.since) in {(moment.rule, moment.event.occurred_at) for moment in moments}
        assert entry.lifted_by in {None, ENDED, *(moment.rule for moment in moments)}


class Clock:
    """The time, which the test advances."""

    now = SENT


@settings(many, max_examples=200)
@given(story=STORIES)
def test_splitting_and_expiry_change_nothing(story: Story):
    """Events are recorded as they occur, one or some at a time. Afterwards any that may have expired is deleted."""
    events, entries, clock = FakeLedger(), FakeSuppressions(), Clock()
    recorder = Recorder(
        ledger=events,
        suppressions=entries,
        policy=story.policy,
        history=RetentionHistory().with_setting(Retention(), SENT),
        now=lambda: clock.now,
        attempts=immediate_attempts,
    )
    chronological = sorted(story.events, key=lambda event: event.occurred_at or SENT)
    last = 0
    while last < len(chronological):
        first, last = last, last + story.rng.randint(1, 3)
        recorded = chronological[:last]
        clock.now = max(event.occurred_at or SENT for event in recorded) + timedelta(minutes=1)
        recorder.record(recorded[first:])
        recorder.update_suppression(READER)  # as the sweep does
        state = in_force(entries.entries_of(READER).values(), clock.now)
        assert state == expected(recorded, story.policy, clock.now)
        for key, event in list(events.items()):
            if may_expire(event, recorded, story.policy, clock.now) and story.rng.random() < 0.3:
                del events[key]


def may_expire(event: Event, recorded: list[Event], policy: Policy, now: datetime) -> bool:
    """Tell whether an event may have expired: not a soft bounce that counts, nor before the delivery of its message."""
    delivered = {each.message_id for each in recorded if each.kind == Kind.DELIVERY}
    if event.message_id in delivered:
        return False
    return rule_for(event, policy).effect is not Effect.SOFT_BOUNCE or is_outdated(event, policy, now)
