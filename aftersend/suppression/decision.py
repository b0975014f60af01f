"""Decide a recipient's suppression entries from their events. Pure, and independent of the events' order."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.suppression.entry import ENDED, REASONS, Entry
from aftersend.suppression.ladder import Ladder, Ruling
from aftersend.suppression.rules import EARLIEST, Effect, Policy, rule_for
from aftersend.suppression.scopes import CONFIGURATION_SET, scoped

MAX_TEXT_CHARACTERS = 200
"""Characters of texts that explain and do not decide, in evidence. What distinguishes an event is limited where it is
recorded (ledger.storage_problem). So an entry stays below 400 KB, DynamoDB's limit."""

SUPPRESSING = (Effect.SUPPRESS, Effect.SOFT_BOUNCE)
"""Effects that, of events at the same time, come last, so that they stay in force."""


class End(NamedTuple):
    """What was lifted, and by what."""

    cause: Ruling
    lift: Ruling
    ended_at: datetime | None = None
    """When it had ended by itself, if it had."""
    evidence: tuple[Ruling, ...] = ()
    """What suppresses again if the message that was delivered bounces after all."""


def decide(events: Iterable[Event], policy: Policy, now: datetime) -> dict[str, Entry]:
    """Return the entries a recipient's events call for, in force or lifted, by scope.

    Events may come in any order and any number of copies (of two with one key the later given counts): they are folded
    by when they occurred. Where a complaint and its retraction bear the same time, the complaint stays in force.

    The evidence is enough to decide again: together with events that occur or arrive later it says whether the
    recipient is suppressed, whichever of the other events can still be read.
    """
    once = {ledger.key(event): event for event in events if event.recipient is not None}
    bounced = {event.message_id for event in once.values() if event.kind == Kind.BOUNCE}
    by_scope: dict[str, list[tuple[ledger.Key, Ruling]]] = {}
    for key, event in once.items():
        if event.kind == Kind.DELIVERY and event.message_id in bounced:
            continue  # the recipient's server accepted the message and returned it: the mailbox took nothing
        for scope, rule in scoped(event, rule_for(event, policy), policy):
            by_scope.setdefault(scope, []).append((key, Ruling(event, rule)))
    entries = {scope: _entry_in(scope, rulings, policy, now) for scope, rulings in by_scope.items()}
    return {scope: entry for scope, entry in entries.items() if entry}


def _entry_in(scope: str, keyed: list[tuple[ledger.Key, Ruling]], policy: Policy, now: datetime) -> Entry | None:
    keyed.sort(key=_chronological)
    fold = _Fold(policy)
    for _, ruling in keyed:
        fold.add(ruling)
    digest = ledger.digest([(*key, str(ruling.event.occurred_at)) for key, ruling in keyed])
    entry = fold.entry(policy, now)
    return entry and msgspec.structs.replace(entry, scope=scope, decided_from=digest)


def _chronological(keyed: tuple[ledger.Key, Ruling]) -> tuple[datetime, datetime, bool, ledger.Key]:
    key, (event, rule) = keyed
    occurred_at = event.occurred_at or EARLIEST
    return occurred_at, event.reported_at or occurred_at, rule.effect in SUPPRESSING, key


class _Fold:
    """The state of one recipient in one scope, after some of their events."""

    def __init__(self, policy: Policy) -> None:
        self._lasting: dict[str, list[Ruling]] = {}
        """Of each reason in force, the first and the last event."""
        self._timed: dict[str, Ruling] = {}
        """Of each reason, the event that suppresses longest for a fixed time."""
        self._ladder = Ladder(policy)
        self._lifts: dict[Effect, Ruling] = {}
        """The lifts that still make earlier events ineffective."""
        self._end: End | None = None
        """What was lifted last."""

    def add(self, ruling: Ruling) -> None:
        """Take the next event."""
        rule = ruling.rule
        match rule.effect:
            case Effect.SUPPRESS if rule.days:
                self._add_timed(ruling)
            case Effect.SUPPRESS:
                self._lasting[rule.reason] = [*self._lasting.get(rule.reason, ())[:1], ruling]
            case Effect.SOFT_BOUNCE:
                self._ladder.add(ruling)
            case Effect.RESET:
                self._reset(ruling)
            case Effect.LIFT_COMPLAINT:
                self._lift(ruling, ["complaint"])
            case Effect.LIFT_SUBSCRIPTION:
                self._lift(ruling, ["subscription"])
            case Effect.LIFT:
                self._lift_all(ruling)
            case _:
                raise AssertionError(f"{rule.effect} has no scope.")

    def _add_timed(self, ruling: Ruling) -> None:
        present = self._timed.get(ruling.rule.reason)
        until = _until(ruling)
        if until and (present is None or until >= (_until(present) or EARLIEST)):
            self._timed[ruling.rule.reason] = ruling

    def _reset(self, delivery: Ruling) -> None:
        step, at = self._ladder.step, delivery.event.occurred_at
        if step and step.until is None:
            return  # the last step stays until an operator removes it
        if step and step.until and at:
            ended_at = step.until if step.until <= at else None
            self._end = End(step.cause, delivery, ended_at, tuple(self._ladder.evidence))
        self._ladder.reset()

    def _lift(self, lift: Ruling, reasons: Iterable[str]) -> None:
        self._lifts[lift.rule.effect] = lift
        for reason in reasons:
            for cause in (self._timed.pop(reason, None), next(iter(self._lasting.pop(reason, ())), None)):
                if cause:
                    self._end = End(cause, lift)

    def _lift_all(self, lift: Ruling) -> None:
        self._lifts.clear()
        if self._ladder.step:
            self._end = End(self._ladder.step.cause, lift)
        self._ladder.reset()
        self._lift(lift, reversed(REASONS))

    def entry(self, policy: Policy, now: datetime) -> Entry | None:
        """Return the entry at a moment; None where no event ever suppressed."""
        evidence = [ruling for rulings in self._lasting.values() for ruling in rulings]
        evidence += [*self._timed.values(), *self._ladder.evidence, *self._lifts.values()]
        if cause := self._lasting_cause():
            return _entry(cause, None, evidence, policy)
        cause, until = max(self._temporary(), key=lambda each: each[1], default=(None, EARLIEST))
        if cause and now < until:
            return _entry(cause, until, evidence, policy)
        if cause and (not self._end or (self._end.lift.event.occurred_at or EARLIEST) < until):
            return msgspec.structs.replace(_entry(cause, until, evidence, policy), lifted_by=ENDED)
        return self._end and _lifted(self._end, evidence, policy)

    def _lasting_cause(self) -> Ruling | None:
        """Return the event of the reason that is hardest to lift."""
        causes = {reason: first for reason, (first, *_) in self._lasting.items()}
        if (step := self._ladder.step) and step.until is None:
            causes.setdefault("bounce", step.cause)
        return next((causes[reason] for reason in REASONS if reason in causes), None)

    def _temporary(self) -> Iterator[tuple[Ruling, datetime]]:
        """Yield what suppresses or has suppressed for a time, with its end."""
        for ruling in self._timed.values():
            yield ruling, _until(ruling) or EARLIEST
        if (step := self._ladder.step) and step.until:
            yield step.cause, step.until


def _lifted(end: End, evidence: list[Ruling], policy: Policy) -> Entry:
    lift = end.lift.event
    entry = _entry(end.cause, end.ended_at or lift.occurred_at, [end.cause, *end.evidence, end.lift, *evidence], policy)
    if end.ended_at:
        return msgspec.structs.replace(entry, lifted_by=ENDED)
    return msgspec.structs.replace(entry, lifted_by=end.lift.rule.id, who=_cut(lift.operator), note=_cut(lift.note))


def _until(ruling: Ruling) -> datetime | None:
    """Return when a suppression for a fixed time ends; None if it has no beginning."""
    begin, days = ruling.event.occurred_at, ruling.rule.days
    return begin + timedelta(days=days) if begin and days else None


def _entry(cause: Ruling, until: datetime | None, evidence: list[Ruling], policy: Policy) -> Entry:
    event, rule = cause
    assert event.recipient is not None, "decisive events name their recipient"
    distinct = {ledger.key(event): event for event, _ in evidence}
    return Entry(
        recipient=event.recipient,
        reason=rule.reason,
        rule=rule.id,
        since=event.occurred_at,
        until=until,
        recipient_raw=event.recipient_raw,
        evidence=[_as_evidence(event, policy, is_cause=event is cause.event) for event in distinct.values()],
        who=_cut(event.operator),
        note=_cut(event.note),
    )


def _as_evidence(event: Event, policy: Policy, *, is_cause: bool) -> Event:
    """Drop what never decides and would make the entry large. The tags that name the stream decide."""
    stream_tags = {CONFIGURATION_SET, policy.stream_tag}
    return msgspec.structs.replace(
        event,
        tags={name: values[:1] for name, values in event.tags.items() if name in stream_tags},
        source="",
        recipient_raw=event.recipient_raw if is_cause or event.bounce_type is None else None,
        user_agent=None,
        subject=None,
        coerced_fields=(),
        diagnostic_code=_cut(event.diagnostic_code),
        operator=_cut(event.operator),
        note=_cut(event.note),
    )


def _cut(text: str | None) -> str | None:
    return text and text[:MAX_TEXT_CHARACTERS]
