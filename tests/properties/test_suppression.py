"""Test decisions about any recipient, under any policy, against what the documentation says in fewer words.

`expected` reads every event of a scope again for each reason; what is decided is a fold. Which rule an event matches is
tested in tests/unit/test_suppression.py.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftersend import ledger
from aftersend.events import ADDED, ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST, REMOVED, Event, Kind, Preferences
from aftersend.recorder import Recorder
from aftersend.retention import Retention, RetentionHistory
from aftersend.suppression import ENDED, Effect, Entry, Policy, Rule, decide, is_outdated, rule_for
from aftersend.suppression.explanation import timeline, verdict
from tests.event_factory import READER, SENT, an_event
from tests.fakes import FakeLedger, FakeSuppressions, immediate_attempts

many = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])

DAYS = 70
"""How long a story takes: longer than two windows of soft bounces."""

REASONS = ("operator", "bounce", "complaint", "subscription")
SCOPES = (None, "stream#news", "list#readers", "topic#readers/books")
BOUNCES = (
    *[("Permanent", subtype) for subtype in ("General", "EmailValidationSuppressed", "OnAccountSuppressionList")],
    *[("Transient", subtype) for subtype in ("MailboxFull", "MailboxFull", "General", "ContentRejected")],
    ("Undetermined", "Undetermined"),
)
EFFECTS = ("suppress", "none", "1 day", "20 days")
SETTABLE = ("email-validation", "sender-refused", "hard-bounce", "content-refused", "soft-bounce", "complaint")


def a_policy(rng: random.Random) -> Policy:
    effects: Any = {rule: rng.choice(EFFECTS) for rule in SETTABLE if rng.random() < 0.15}
    effects |= {rule: "none" for rule in ("not-spam", "subscription") if rng.random() < 0.1}
    return Policy(
        complaint_scope=rng.choice(["everywhere", "stream"]),
        stream_tag=rng.choice([None, "brand"]),
        soft_bounce_days=rng.randint(1, 4),
        soft_bounce_window_days=rng.choice([5, 30]),
        soft_bounce_ladder_days=tuple(rng.choice([(), (1, 3), (1, 3, 7, 30)])),
        effects=effects,
    )


def a_story(rng: random.Random) -> list[Event]:
    """Return events of every kind that may decide, each once, in any order. Few have no time or the time of another."""
    often = rng.choices([1, 4], k=len(MAKERS))
    events = [maker(rng) for maker in rng.choices(MAKERS, often, k=rng.randint(1, 25))]
    return list({ledger.key(event): event for event in events}.values())


def a_fact(rng: random.Random, kind: str, **given: Any) -> Event:
    time = None if rng.random() < 0.03 else SENT + timedelta(hours=rng.randrange(24 * DAYS))
    fields: dict[str, Any] = {"message": f"message-{rng.randrange(40)}", "sent_at": time, "occurred_at": time}
    return an_event(kind, **fields | given)


def tags(rng: random.Random) -> dict[str, list[str]]:
    return rng.choice([{}, {"ses:configuration-set": ["news"]}, {"ses:configuration-set": ["news"], "brand": ["a"]}])


def a_bounce(rng: random.Random) -> Event:
    bounce_type, subtype = rng.choice(BOUNCES)
    action, status = rng.choice([(None, None), ("failed", "4.2.2"), ("failed", "5.7.1"), ("failed", "5.1.1")])
    details = {"bounce_type": bounce_type, "bounce_subtype": subtype, "action": action, "status": status}
    return a_fact(rng, Kind.BOUNCE, **details)


def a_soft_bounce(rng: random.Random) -> Event:
    details = {"bounce_type": "Transient", "bounce_subtype": "MailboxFull", "action": "failed", "status": "4.2.2"}
    return a_fact(rng, Kind.BOUNCE, **details)


def a_complaint(rng: random.Random) -> Event:
    subtype = "OnAccountSuppressionList" if rng.random() < 0.1 else None
    feedback_type = rng.choice(["abuse", "not-spam", None])
    return a_fact(rng, Kind.COMPLAINT, feedback_type=feedback_type, complaint_subtype=subtype, tags=tags(rng))


def a_subscription(rng: random.Random) -> Event:
    def preferences() -> Preferences | None:
        topics = {topic: rng.choice(["OptIn", "OptOut"]) for topic in ("books", "films") if rng.random() < 0.6}
        return Preferences(rng.random() < 0.3, topics) if rng.random() < 0.9 else None

    choices = {"old_preferences": preferences(), "new_preferences": preferences()}
    return a_fact(rng, Kind.SUBSCRIPTION, contact_list="readers", **choices)


def an_act(rng: random.Random) -> Event:
    scope, kind = rng.choice(SCOPES), rng.choice([ADDED, REMOVED])
    return a_fact(rng, kind, message=f"operator-{rng.random()}", operator="ops", scope=scope, tags={}, source="")


def an_account_list_event(rng: random.Random) -> Event:
    kind = rng.choice([ON_ACCOUNT_LIST, PUT_ON_ACCOUNT_LIST])
    return a_fact(rng, kind, message="account-list", list_reason=rng.choice(["BOUNCE", "COMPLAINT"]), tags={})


def another(rng: random.Random) -> Event:
    return a_fact(rng, rng.choice([Kind.DELIVERY, Kind.DELIVERY, Kind.SEND, Kind.OPEN, "Unknown"]))


MAKERS = (a_bounce, a_soft_bounce, a_complaint, a_subscription, an_act, an_account_list_event, another)

stories = st.randoms(use_true_random=False).map(lambda rng: (a_policy(rng), a_story(rng), rng))


class State(NamedTuple):
    """What an entry in force means to a sender."""

    reason: str
    until: datetime | None


def in_force(entries: Iterable[Entry], now: datetime) -> dict[str, State]:
    return {entry.scope: State(entry.reason, entry.until) for entry in entries if entry.is_in_force(now)}


def expected(events: list[Event], policy: Policy, now: datetime) -> dict[str, State]:
    """Return the scopes in which the recipient is suppressed."""
    bounced = {event.message_id for event in events if event.kind == Kind.BOUNCE}
    considered = [event for event in events if event.kind != Kind.DELIVERY or event.message_id not in bounced]
    by_scope: dict[str, list[tuple[Event, Rule]]] = {}
    for event in considered:
        for scope, effect in effects_of(event, policy):
            by_scope.setdefault(scope, []).append(
                (event, msgspec.structs.replace(rule_for(event, policy), effect=effect))
            )
    states = {scope: expected_in_scope(sorted(facts, key=order), policy, now) for scope, facts in by_scope.items()}
    return {scope: state for scope, state in states.items() if state}


def order(fact: tuple[Event, Rule]) -> tuple[Any, ...]:
    """Return what events are sorted by: their time; of two at one time, what suppresses comes last."""
    event, rule = fact
    time = event.occurred_at or SENT - timedelta(days=1)
    return time, rule.effect in (Effect.SUPPRESS, Effect.SOFT_BOUNCE), ledger.key(event)


def effects_of(event: Event, policy: Policy) -> Iterator[tuple[str, Effect]]:
    """Yield in which scopes an event does what."""
    effect = rule_for(event, policy).effect
    if effect is Effect.SUBSCRIPTION:
        yield from choices_of(event)
    elif effect is not Effect.NONE:
        stream = event.tags.get(policy.stream_tag or "ses:configuration-set")
        is_limited = policy.complaint_scope == "stream" and event.kind == Kind.COMPLAINT and stream
        yield event.scope or (f"stream#{stream[0]}" if is_limited and stream else "*"), effect


def choices_of(event: Event) -> Iterator[tuple[str, Effect]]:
    old, new = event.old_preferences or Preferences(), event.new_preferences or Preferences()
    opted = {True: Effect.SUPPRESS, False: Effect.LIFT_SUBSCRIPTION}
    if event.new_preferences and old.unsubscribe_all != new.unsubscribe_all:
        yield "list#readers", opted[new.unsubscribe_all]
    for topic in new.topics.keys() - {topic for topic, choice in new.topics.items() if old.topics.get(topic) == choice}:
        yield f"topic#readers/{topic}", opted[new.topics[topic] == "OptOut"]


LIFTS = {"complaint": Effect.LIFT_COMPLAINT, "subscription": Effect.LIFT_SUBSCRIPTION}
"""What lifts a reason, in addition to an operator's removal."""


def expected_in_scope(facts: list[tuple[Event, Rule]], policy: Policy, now: datetime) -> State | None:
    temporary: list[State] = []
    for reason in REASONS:
        for event, rule in since_last(facts, Effect.LIFT, LIFTS.get(reason)):
            if (rule.effect, rule.reason) != (Effect.SUPPRESS, reason):
                continue
            if rule.days is None:
                return State(reason, None)
            if event.occurred_at:
                temporary.append(State(reason, event.occurred_at + timedelta(days=rule.days)))
        if reason == "bounce" and (step := last_step(since_last(facts, Effect.LIFT), policy)):
            if step.until is None:
                return step
            temporary.append(step)
    longest = max(
        (state for state in temporary if state.until and now < state.until), key=lambda s: s.until, default=None
    )
    return longest


def since_last(facts: list[tuple[Event, Rule]], *lifts: Effect | None) -> list[tuple[Event, Rule]]:
    """Return what came after the last event with one of the effects."""
    positions = [number for number, (_, rule) in enumerate(facts, 1) if rule.effect in lifts]
    return facts[max(positions, default=0) :]


def last_step(facts: list[tuple[Event, Rule]], policy: Policy) -> State | None:
    """Return the last suppression by soft bounces: one step longer after each one that ended within the window."""
    window, lengths = timedelta(days=policy.soft_bounce_window_days), policy.soft_bounce_ladder_days
    steps: list[datetime | None] = []
    times: list[datetime] = []
    for event, rule in facts:
        time, end = event.occurred_at, steps[-1] if steps else SENT
        if end is None:
            return State("bounce", None)
        if rule.effect is Effect.RESET:
            steps, times = [], []
        elif rule.effect is Effect.SOFT_BOUNCE and time:
            times.append(time)
            steps = [] if end + window < time else steps
            days = {each.date() for each in times if each.date() > (time - window).date()}
            if len(days) >= policy.soft_bounce_days and not (steps and time < end):
                steps.append(time + timedelta(days=lengths[len(steps)]) if len(steps) < len(lengths) else None)
    return State("bounce", steps[-1]) if steps else None


def moment(rng: random.Random) -> datetime:
    return SENT + timedelta(hours=rng.randrange(24 * (DAYS + 40)))


@settings(many, max_examples=600)
@given(story=stories)
def test_recipient_is_suppressed_where_and_until_all_events_call_for_it(
    story: tuple[Policy, list[Event], random.Random],
):
    policy, events, rng = story
    now = moment(rng)
    assert in_force(decide(events, policy, now).values(), now) == expected(events, policy, now)


@settings(many, max_examples=200)
@given(story=stories)
def test_order_and_repetition_change_nothing(story: tuple[Policy, list[Event], random.Random]):
    policy, events, rng = story
    now, repeated = moment(rng), [*events, *rng.choices(events, k=5)]
    assert decide(rng.sample(repeated, len(repeated)), policy, now) == decide(events, policy, now)


@settings(many, max_examples=200)
@given(story=stories)
def test_evidence_and_explanation_name_only_events_that_exist(story: tuple[Policy, list[Event], random.Random]):
    policy, events, rng = story
    now, keys = moment(rng), {ledger.key(event) for event in events}
    entries = decide(events, policy, now).values()
    readable = [event for event in events if rng.random() < 0.5]  # the others have expired
    moments = timeline(readable, entries, policy)
    evidence = {ledger.key(event) for entry in entries for event in entry.evidence}
    explained = [ledger.key(each.event) for each in moments]
    assert sorted(explained) == sorted(evidence | {ledger.key(event) for event in readable})
    assert keys.issuperset(explained)
    assert {ledger.key(each.event) for each in moments if each.is_evidence} == evidence
    for entry in entries:
        rules = {each.rule for each in moments if each.is_evidence}
        assert {entry.rule, *({entry.lifted_by} - {None, ENDED})} <= rules
        causes = {each.event.occurred_at for each in moments if each.is_evidence and each.rule == entry.rule}
        assert entry.since in causes, verdict(entry, now)


class Clock:
    now = SENT


@settings(many, max_examples=200)
@given(story=stories)
def test_expiry_and_splitting_of_a_story_change_nothing(story: tuple[Policy, list[Event], random.Random]):
    """Events are recorded in the order in which they occur, some at once; whatever could have expired then may have."""
    policy, events, rng = story
    events = sorted(events, key=lambda event: event.occurred_at or SENT)
    table, entries = FakeLedger(), FakeSuppressions()
    clock = Clock()
    recorder = Recorder(
        ledger=table,
        suppressions=entries,
        policy=policy,
        history=RetentionHistory().with_setting(Retention(), SENT),
        now=lambda: clock.now,
        attempts=immediate_attempts,
    )
    recorded: list[Event] = []
    while events:
        size = rng.randint(1, 3)
        batch, events = events[:size], events[size:]
        clock.now = max([clock.now, *(event.occurred_at for event in batch if event.occurred_at)]) + timedelta(
            minutes=1
        )
        recorder.record(rng.sample(batch, len(batch)))
        recorder.update_suppression(READER)  # as the sweep does
        recorded += batch
        present = in_force(entries.entries_of(READER).values(), clock.now)
        assert present == expected(recorded, policy, clock.now)
        for key, event in list(table.items()):
            if may_expire(event, recorded, policy, clock.now) and rng.random() < 0.3:
                del table[key]


def may_expire(event: Event, recorded: list[Event], policy: Policy, now: datetime) -> bool:
    """Tell whether an event may expire before the deliveries and soft bounces of its time."""
    if event.kind == Kind.DELIVERY or event.message_id in {
        each.message_id for each in recorded if each.kind == Kind.DELIVERY
    }:
        return False
    return rule_for(event, policy).effect is not Effect.SOFT_BOUNCE or is_outdated(event, policy, now)
