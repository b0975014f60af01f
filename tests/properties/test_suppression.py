"""Test decisions about any recipient under any policy: order, repetition, splitting and expiry change nothing."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice

from hypothesis import HealthCheck, given, settings

from aftersend import ledger
from aftersend.events import OPERATOR_ACTS, Event, Kind
from aftersend.recorder import Recorder
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import ENDED, Effect, decide, is_outdated, rule_for
from aftersend.suppression.explanation import timeline
from tests.event_factory import READER, SENT
from tests.fakes import FakeLedger, FakeSuppressions, immediate_attempts
from tests.properties.stories import STORIES, Story
from tests.properties.suppression_oracle import effects_of, expected, in_force

MINUTE = timedelta(minutes=1)

many = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


@settings(many, max_examples=1000)
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


class Recipient:
    """Someone about whom events are recorded, some at a time, and of whose events some expire."""

    def __init__(self, story: Story) -> None:
        self._story, self.now = story, SENT
        self.events, self.entries = FakeLedger(), FakeSuppressions()
        self.recorded: list[Event] = []
        self._recorder = Recorder(
            ledger=self.events,
            suppressions=self.entries,
            policy=story.policy,
            history=RetentionHistory().with_setting(Retention(), SENT),
            now=lambda: self.now,
            attempts=immediate_attempts,
        )

    def record(self, events: list[Event]) -> None:
        """Record events, operators' acts as the commands do, and compare what is in force with what is expected."""
        self.now = max([self.now, *(event.occurred_at + MINUTE for event in events if event.occurred_at)])
        self._recorder.record(event for event in events if event.kind not in OPERATOR_ACTS)
        self.recorded += [event for event in events if event.kind not in OPERATOR_ACTS]
        for act in events:
            if act.kind in OPERATOR_ACTS:
                self.recorded.append(self._recorder.record_operator_act(act.kind, READER, "ops", "", act.scope or "*"))
        self._recorder.update_suppression(READER)  # as the sweep does
        state = in_force(self.entries.entries_of(READER).values(), self.now)
        assert state == expected(self.recorded, self._story.policy, self.now)

    def expire(self, may_expire: Callable[[Event], bool]) -> None:
        for key, event in list(self.events.items()):
            if may_expire(event) and self._story.rng.random() < 0.3:
                del self.events[key]

    def has_entries_of(self, event: Event) -> bool:
        """Tell whether there is an entry where an event has an effect: before, no evidence is kept."""
        scopes = {scope for scope, _ in effects_of(event, self._story.policy)}
        return scopes <= self.entries.entries_of(READER).keys()

    def is_on_the_ladder(self, event: Event) -> bool:
        """Tell whether an event is a soft bounce that counts, a delivery, or the bounce of a delivered message."""
        delivered = {each.message_id for each in self.recorded if each.kind == Kind.DELIVERY}
        is_soft = rule_for(event, self._story.policy).effect is Effect.SOFT_BOUNCE
        return event.message_id in delivered or (is_soft and not is_outdated(event, self._story.policy, self.now))


def parts(events: list[Event], rng: random.Random) -> Iterator[list[Event]]:
    """Split events into parts of one to three."""
    remaining = iter(events)
    while part := list(islice(remaining, rng.randint(1, 3))):
        yield part


@settings(many, max_examples=200)
@given(story=STORIES)
def test_deciding_after_each_event_and_expiry_change_nothing(story: Story):
    """Events arrive as they occur. Soft bounces and deliveries expire when they no longer count."""
    recipient = Recipient(story)
    for event in sorted(story.events, key=lambda event: event.occurred_at or SENT):
        recipient.record([event])
        recipient.expire(lambda event: recipient.has_entries_of(event) and not recipient.is_on_the_ladder(event))


@settings(many, max_examples=200)
@given(story=STORIES)
def test_late_arrival_splitting_and_expiry_change_nothing(story: Story):
    """Events arrive in any order."""
    ladder = (Effect.SOFT_BOUNCE, Effect.RESET)
    events = [event for event in story.events if rule_for(event, story.policy).effect not in ladder]
    recipient = Recipient(story)
    for part in parts(story.rng.sample(events, len(events)), story.rng):
        recipient.record(part)
        recipient.expire(recipient.has_entries_of)
