"""Find the scopes in which an event has an effect: every message, a stream, a contact list or one of its topics."""

from collections.abc import Iterator

import msgspec

from aftersend.events import OPERATOR_ACTS, Event, Kind, Preferences
from aftersend.suppression.entry import EVERYWHERE
from aftersend.suppression.rules import Effect, Policy, Rule

CONFIGURATION_SET = "ses:configuration-set"


def stream_of(event: Event, policy: Policy) -> str | None:
    """Return the stream of the event's message; None if it is unknown, as in identity notifications."""
    return next(iter(event.tags.get(policy.stream_tag or CONFIGURATION_SET, ())), None)


def scoped(event: Event, rule: Rule, policy: Policy) -> Iterator[tuple[str, Rule]]:
    """Yield each scope in which the event has an effect, with the rule as it applies there."""
    if rule.effect is Effect.NONE:
        return
    if rule.effect is Effect.SUBSCRIPTION:
        for scope, effect in _subscription_effects(event):
            yield scope, msgspec.structs.replace(rule, effect=effect)
    else:
        yield _scope(event, policy), rule


def _scope(event: Event, policy: Policy) -> str:
    if event.kind in OPERATOR_ACTS:
        return event.scope or EVERYWHERE
    if event.kind == Kind.COMPLAINT and policy.complaint_scope == "stream" and (stream := stream_of(event, policy)):
        return f"stream#{stream}"
    return EVERYWHERE


def _subscription_effects(event: Event) -> Iterator[tuple[str, Effect]]:
    """Yield what a contact changed: what they had chosen before, for whatever reason, is not repeated."""
    if event.contact_list is None or event.new_preferences is None:
        return
    old, new = event.old_preferences or Preferences(), event.new_preferences
    if new.unsubscribe_all != old.unsubscribe_all:
        yield f"list#{event.contact_list}", _effect(is_opt_out=new.unsubscribe_all)
    for topic, status in new.topics.items():
        if status in ("OptIn", "OptOut") and status != old.topics.get(topic):
            yield f"topic#{event.contact_list}/{topic}", _effect(is_opt_out=status == "OptOut")


def _effect(*, is_opt_out: bool) -> Effect:
    return Effect.SUPPRESS if is_opt_out else Effect.LIFT_SUBSCRIPTION
