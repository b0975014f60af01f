"""Decide a recipient's suppression entry from their events. Pure, and independent of the events' order."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from aftersend import ledger
from aftersend.events import Event
from aftersend.suppression.entry import REASONS, Entry
from aftersend.suppression.rules import EARLIEST, Effect, Policy, Rule, rule_for

MAX_EVIDENCE_EVENTS = 2 * len(REASONS) + 2
"""Events an entry has as evidence: of each reason the first and the last, and a lift of each effect."""

MAX_TEXT_CHARACTERS = 500
"""Characters of texts that explain and do not decide, in evidence. What distinguishes an event is limited where it is
recorded (ledger.storage_problem). So an entry stays far below 400 KB, DynamoDB's limit."""


class Ruled(NamedTuple):
    """An event and the rule that matches it."""

    event: Event
    rule: Rule


def decide(events: Iterable[Event], policy: Policy) -> Entry | None:
    """Return the entry a recipient's events call for, in force or lifted; None where no event ever suppressed.

    Events may come in any order and any number of copies (of two with one key the later given counts): they are folded
    by when they occurred. Where a complaint and its retraction bear the same time, the complaint stays in force.

    The evidence is enough to decide again: together with events that occur or arrive later it says whether the
    recipient is suppressed, whichever of the other events can still be read.
    """
    decisive = _decisive(events, policy)
    in_force, lifted, lifts = _fold(decisive)
    digest = ledger.digest([(*ledger.key(event), str(event.occurred_at)) for event, _ in decisive])
    if in_force:
        by_strength = [ruled for reason in REASONS for ruled in in_force.get(reason, ())]
        return _entry(by_strength[0], [*by_strength, *lifts], digest)
    if lifted:
        cause, lift = lifted
        entry = _entry(cause, [cause, lift, *lifts], digest)
        return msgspec.structs.replace(entry, until=lift.event.occurred_at, lifted_by=lift.rule.id)
    return None


def _fold(decisive: list[Ruled]) -> tuple[dict[str, list[Ruled]], list[Ruled], list[Ruled]]:
    """Return the first and the last event of each reason in force, what was lifted last and by what, and the lifts that
    still make earlier events ineffective."""
    in_force: dict[str, list[Ruled]] = {}
    lifts: dict[Effect, Ruled] = {}
    lifted: list[Ruled] = []
    for ruled in decisive:
        effect, reason = ruled.rule.effect, ruled.rule.reason
        if effect is Effect.SUPPRESS:
            in_force[reason] = [*in_force.get(reason, ())[:1], ruled]
            continue
        lifts = {effect: ruled} if effect is Effect.LIFT else lifts | {effect: ruled}
        for reason in reversed(REASONS) if effect is Effect.LIFT else ("complaint",):
            if reason in in_force:
                lifted = [in_force.pop(reason)[0], ruled]
    return in_force, lifted, list(lifts.values())


def _decisive(events: Iterable[Event], policy: Policy) -> list[Ruled]:
    """Return the events that have an effect, each once, sorted by when they occurred, with their rules."""
    once = {ledger.key(event): event for event in events if event.recipient is not None}
    ruled = [(key, Ruled(event, rule_for(event, policy))) for key, event in once.items()]
    effective = [(key, each) for key, each in ruled if each.rule.effect is not Effect.NONE]
    return [each for _, each in sorted(effective, key=_chronological)]


def _chronological(keyed: tuple[ledger.Key, Ruled]) -> tuple[datetime, datetime, bool, ledger.Key]:
    key, (event, rule) = keyed
    occurred_at = event.occurred_at or EARLIEST
    return occurred_at, event.reported_at or occurred_at, rule.effect is Effect.SUPPRESS, key


def _entry(cause: Ruled, evidence: list[Ruled], digest: str) -> Entry:
    event, rule = cause
    assert event.recipient is not None, "decisive events name their recipient"
    distinct = {ledger.key(event): event for event, _ in evidence}
    return Entry(
        recipient=event.recipient,
        reason=rule.reason,
        rule=rule.id,
        since=event.occurred_at,
        recipient_raw=event.recipient_raw,
        evidence=[_as_evidence(event) for event in distinct.values()],
        decided_from=digest,
    )


def _as_evidence(event: Event) -> Event:
    """Drop what never decides and would make the entry large."""
    return msgspec.structs.replace(
        event,
        tags={},
        source="",
        user_agent=None,
        coerced_fields=(),
        diagnostic_code=_cut(event.diagnostic_code),
        operator=_cut(event.operator),
        note=_cut(event.note),
    )


def _cut(text: str | None) -> str | None:
    return text and text[:MAX_TEXT_CHARACTERS]
