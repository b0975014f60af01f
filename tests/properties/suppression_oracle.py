"""Say where and until when a recipient is suppressed, without a fold: for each reason, all events of a scope are read.

Which rule matches an event is not repeated here; tests/unit/test_suppression.py walks the table.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from aftersend import ledger
from aftersend.events import Event, Kind, Preferences
from aftersend.suppression import Effect, Entry, Policy, Rule, rule_for
from tests.event_factory import SENT

REASONS = ("operator", "bounce", "complaint", "subscription")


LIFTS = {"complaint": Effect.LIFT_COMPLAINT, "subscription": Effect.LIFT_SUBSCRIPTION}
"""What lifts a reason, in addition to an operator's removal."""

Facts = list[tuple[Event, Rule]]


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
    by_scope: dict[str, Facts] = {}
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
    """Yield what a contact changed."""
    old, new = event.old_preferences or Preferences(), event.new_preferences or event.old_preferences or Preferences()
    effects = {"OptOut": Effect.SUPPRESS, "OptIn": Effect.LIFT_SUBSCRIPTION}
    if old.unsubscribe_all != new.unsubscribe_all:
        yield "list#readers", effects["OptOut" if new.unsubscribe_all else "OptIn"]
    yield from (
        (f"topic#readers/{topic}", effects[choice]) for topic, choice in new.topics.items() - old.topics.items()
    )


def expected_in_scope(facts: Facts, policy: Policy, now: datetime) -> State | None:
    """Return the first reason that lasts until lifted; else what lasts longest."""
    states = [state for reason in REASONS for state in states_by(reason, facts, policy)]
    lasting = (state for state in states if state.until is None)
    temporary = (state for state in states if state.until and now < state.until)
    return next(lasting, None) or max(temporary, key=lambda state: str(state.until), default=None)


def states_by(reason: str, facts: Facts, policy: Policy) -> Iterator[State]:
    """Yield what suppresses for a reason, or has suppressed for a time, and is not lifted."""
    for event, rule in since_last(facts, Effect.LIFT, LIFTS.get(reason)):
        if (rule.effect, rule.reason) == (Effect.SUPPRESS, reason) and not rule.days:
            yield State(reason, None)
        elif (rule.effect, rule.reason) == (Effect.SUPPRESS, reason) and rule.days and event.occurred_at:
            yield State(reason, event.occurred_at + timedelta(days=rule.days))
    if reason == "bounce" and (step := last_step(since_last(facts, Effect.LIFT), policy)):
        yield step


def since_last(facts: Facts, *lifts: Effect | None) -> Facts:
    """Return what came after the last event with one of the effects."""
    positions = [number for number, (_, rule) in enumerate(facts, 1) if rule.effect in lifts]
    return facts[max(positions, default=0) :]


def last_step(facts: Facts, policy: Policy) -> State | None:
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
