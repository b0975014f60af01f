"""Decide a recipient's suppression entry from their events. Pure, and independent of the events' order."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from aftersend import ledger
from aftersend.events import Event
from aftersend.suppression.entry import REASONS, Entry
from aftersend.suppression.rules import EARLIEST, Effect, Policy, Rule, rule_for


def decide(events: Iterable[Event], policy: Policy) -> Entry | None:
    """Return the entry a recipient's events call for, in force or lifted; None where no event ever suppressed.

    Events may come in any order and any number of copies (of two with one key the later given counts): they are folded
    by when they occurred. Where a complaint and its retraction bear the same time, the complaint stays in force.
    """
    decisive = _decisive(events, policy)
    in_force: dict[str, tuple[Event, Rule]] = {}
    lifted = None
    for event, rule in decisive:
        if rule.effect is Effect.SUPPRESS:
            in_force.setdefault(rule.reason, (event, rule))
            continue
        for reason in reversed(REASONS) if rule.effect is Effect.LIFT else ("complaint",):
            if reason in in_force:
                lifted = (*in_force.pop(reason), event, rule)
    digest = ledger.digest([(*ledger.key(event), str(event.occurred_at)) for event, _ in decisive])
    if in_force:
        strongest = in_force[min(in_force, key=REASONS.index)]
        return _entry(*strongest, [event for event, _ in in_force.values()], digest)
    if lifted:
        cause, rule, lift, lifting_rule = lifted
        entry = _entry(cause, rule, [cause, lift], digest)
        return msgspec.structs.replace(entry, until=lift.occurred_at, lifted_by=lifting_rule.id)
    return None


def _decisive(events: Iterable[Event], policy: Policy) -> list[tuple[Event, Rule]]:
    """Return the events that have an effect, each once, sorted by when they occurred, with their rules."""
    once = {ledger.key(event): event for event in events if event.recipient is not None}
    ruled = [(key, event, rule_for(event, policy)) for key, event in once.items()]
    effective = [(key, event, rule) for key, event, rule in ruled if rule.effect is not Effect.NONE]
    effective.sort(key=_chronological)
    return [(event, rule) for _, event, rule in effective]


def _chronological(ruled: tuple[ledger.Key, Event, Rule]) -> tuple[datetime, bool, ledger.Key]:
    key, event, rule = ruled
    return event.occurred_at or EARLIEST, rule.effect is Effect.SUPPRESS, key


def _entry(cause: Event, rule: Rule, evidence: list[Event], digest: str) -> Entry:
    assert cause.recipient is not None, "decisive events name their recipient"
    return Entry(
        recipient=cause.recipient,
        reason=rule.reason,
        rule=rule.id,
        since=cause.occurred_at,
        recipient_raw=cause.recipient_raw,
        evidence=[_as_evidence(event) for event in evidence],
        decided_from=digest,
    )


def _as_evidence(event: Event) -> Event:
    """Drop what never decides and would make the entry large."""
    return msgspec.structs.replace(event, tags={}, source="", user_agent=None)
