"""Record events, then update the suppression entries of the recipients they affect. Both routes do this.

It is safe to stop between any two steps and to run again: an event is written before its recipient is decided about,
and the decision depends on the recorded events alone. So a repetition completes what an interruption left undone.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple, Protocol

import msgspec

from aftersend import ledger
from aftersend.events import OPERATOR_ACTS, Event, Kind
from aftersend.parsing import DEFAULT_OPTIONS, Options, ParseResult, Unreadable, parse
from aftersend.retention import RetentionHistory
from aftersend.suppression import (
    EARLIEST,
    EVERYWHERE,
    WITHDRAWN,
    Effect,
    Entry,
    Policy,
    decide,
    is_outdated,
    needs_deliveries,
    rule_for_feedback,
)

DECISION_ATTEMPTS = 10

OPERATOR_ID = "operator-"
"""Prefix of the message ids of operators' acts. It sorts behind SES's ids, which begin with a digit: a reader of the
newest messages reads every act first."""


class Feedback(NamedTuple):
    """Hold what was read of the events that decide about a recipient."""

    events: list[Event]
    is_complete: bool = True
    """False if the recipient has more events than one decision reads."""


class PendingChanges(NamedTuple):
    """Hold a recipient's entries by scope, and those that a decision replaces or adds."""

    current: dict[str, Entry]
    changes: dict[str, Entry]
    is_complete: bool
    """Whether all events of the recipient were read."""


class Ledger(Protocol):
    """Store events by recipient."""

    def writer(self) -> AbstractContextManager[Callable[[Event], None]]:
        """Open a block that gives a function to write events with; at its end all of them are written.

        Raises:
            Refused: at its end, if some were refused for what they are and all others are written.
        """
        ...

    def feedback_for(self, recipient: str) -> Feedback:
        """Return the events that decide about a recipient; of very many, the newest messages'."""
        ...

    def deliveries_for(self, recipient: str) -> list[Event]:
        """Return the deliveries to a recipient; of very many, the newest messages'."""
        ...


class Suppressions(Protocol):
    """Store suppression entries by recipient."""

    def entries_of(self, recipient: str) -> dict[str, Entry]:
        """Return the recipient's entries, in force or lifted, by scope."""
        ...

    def replace(self, expected: Entry | None, new: Entry) -> None:
        """Write an entry; raise Conflict if the stored one is not the expected one."""
        ...


class Conflict(Exception):
    """The entry was written by another process since it was read: read it and decide again."""


class Refused(Exception):
    """Some events were refused as invalid. All others are written."""


class Undecided(Exception):
    """The entry changed during every attempt to decide."""


class RecipientForgotten(Exception):
    """The recipient's data was erased: nothing is recorded about them, and they stay suppressed."""


class Incomplete(Exception):
    """Some events were refused, or some recipients not decided about. Everything else is done; trying again is safe."""


FORGOTTEN_MESSAGE = (
    "The data of this recipient was erased, and they stay suppressed. If they want mail again, run "
    "`aftersend forget ADDRESS --undo` first (docs/privacy.md)."
)

Tally = Counter[str]
"""How many records, events and decisions had which result: `recorded`, `ignored:REASON`, `unreadable:REASON`,
`decided-from-part` (the recipient has more events than one decision reads)."""


def parse_recordable(payload: str | bytes, options: Options = DEFAULT_OPTIONS) -> list[ParseResult]:
    """Parse a payload as `parse` does, but with the events of a record that cannot be stored as unreadable."""
    results: list[ParseResult] = []
    for result in parse(payload, options):
        if isinstance(result, list) and (rejection := rejection_reason(result)):
            storable = [event for event in result if not rejection_reason([event])]
            results += [storable, rejection] if storable else [rejection]
        else:
            results.append(result)
    return results


def rejection_reason(events: list[Event]) -> Unreadable | None:
    """Return why events of a record cannot be stored; None if all can."""
    for event in events:
        if event.message_id is None and event.recipient is None:
            return Unreadable("no-message-id", "`mail` has no `messageId`, and there is no recipient.")
        if problem := ledger.storage_problem(event):
            return Unreadable("too-large", problem)
    return None


class Recorder(NamedTuple):
    """Write events to the ledger and apply the policy to their recipients."""

    ledger: Ledger
    suppressions: Suppressions
    policy: Policy
    history: RetentionHistory
    now: Callable[[], datetime]
    attempts: Callable[[int], Iterable[int]]
    """Counts attempts from 1, pausing between them."""
    forgotten: Callable[[], Container[str]] = frozenset
    """Reads who was forgotten."""
    options: Options = DEFAULT_OPTIONS
    """What the records to record are parsed with."""

    def for_one_invocation(self) -> "Recorder":
        """Return a recorder that reads who was forgotten once, for the first recipient."""
        return self._replace(forgotten=cache(self.forgotten))

    def record(self, events: Iterable[Event]) -> Tally:
        """Write events, then update the suppression of every recipient whom one of them may affect.

        Suppressions are updated whether or not a write changed anything: an event may be stored already because the
        first attempt was interrupted before it decided. Events are written one at a time as they are given, so that an
        object of the archive is never held in memory as a whole; only what may affect a suppression is.

        Raises:
            Incomplete: if events were refused or recipients not decided about, after all others.
        """
        tally: Tally = Counter()
        affected: dict[str, list[Event]] = {}
        failures: list[Exception] = []
        try:
            self._write(events, tally, affected)
        except Refused as error:
            failures.append(error)
        for recipient, decisive in affected.items():
            try:
                tally["decided-from-part"] += not self.update_suppression(recipient, decisive)
            except Exception as error:  # noqa: BLE001 (each recipient fails alone; raised below)
                failures.append(error)
        if failures:
            first = f"{type(failures[0]).__name__}: {failures[0]}"
            raise Incomplete(f"{len(failures)} failures; the first is {first}") from failures[0]
        return +tally

    def _write(self, events: Iterable[Event], tally: Tally, affected: dict[str, list[Event]]) -> None:
        now, forgotten = self.now(), cache(self.forgotten)
        with self.ledger.writer() as write:
            for event in ledger.with_first_events(events):
                if reason := self._refusal(event, now, forgotten):
                    tally[f"ignored:{reason}"] += 1
                    continue
                write(event)
                tally["recorded"] += 1
                if event.recipient and self._may_decide(event):
                    affected.setdefault(event.recipient, []).append(event)

    def _refusal(self, event: Event, now: datetime, forgotten: Callable[[], Container[str]]) -> str | None:
        """Return why an event must not be written (again): what was removed on purpose must not return."""
        if self.history.is_expired(event, now):
            return "expired"
        return "forgotten" if event.recipient and event.recipient in forgotten() else None

    def _may_decide(self, event: Event) -> bool:
        """Tell whether an event has an effect. This follows from its key: all copies of an event agree."""
        rule = rule_for_feedback(event, self.policy)
        return rule is not None and rule.effect is not Effect.NONE

    def update_suppression(self, recipient: str, events: Iterable[Event] = ()) -> bool:
        """Bring the recipient's entries in line with the recorded events; return whether all of them were read.

        The entries are read before the events. Whoever writes one therefore has seen every event that was seen by those
        whose entry it replaces; in the other order, a decision from fewer events could replace one from more.

        A recipient with more events than are read is decided about from the evidence of the entries, the events given
        (those just written) and what was read. All events would give the same, but for `since` and the evidence itself,
        and but for a retraction that came before anything it could lift, so that no entry has it as evidence.
        """
        return self.apply_changes(recipient, events).is_complete

    def apply_changes(self, recipient: str, events: Iterable[Event] = ()) -> PendingChanges:
        """Update a recipient's entries as `update_suppression` does, and return what was written.

        Raises:
            Undecided: if an entry changed during every attempt.
        """
        for _ in self.attempts(DECISION_ATTEMPTS):
            pending = self.pending_changes(recipient, events)
            try:
                for scope, new in pending.changes.items():
                    self.suppressions.replace(pending.current.get(scope), new=new)
            except Conflict:
                continue
            return pending
        raise Undecided(f"An entry changed during each of {DECISION_ATTEMPTS} attempts to decide.")

    def pending_changes(self, recipient: str, events: Iterable[Event] = ()) -> PendingChanges:
        """Return what `update_suppression` would write now: nothing about a forgotten recipient, whom what is not yet
        erased must not give a new entry."""
        if recipient in self.forgotten():
            return PendingChanges({}, {}, is_complete=True)
        current = self.suppressions.entries_of(recipient)
        feedback = self.ledger.feedback_for(recipient)
        known = self._known(recipient, current.values(), events, feedback)
        return PendingChanges(current, self._changes(current, known), feedback.is_complete)

    def _known(
        self, recipient: str, entries: Iterable[Entry], events: Iterable[Event], feedback: Feedback
    ) -> list[Event]:
        """Return what is known of a recipient, so that of two copies the later in the list counts: the stored one."""
        now = self.now()
        evidence = [event for entry in entries for event in entry.evidence]
        stored = [
            event
            for event in feedback.events
            if not self.history.is_expired(event, now) and not is_outdated(event, self.policy, now)
        ]
        known = [*sorted([*evidence, *events], key=_time_of), *stored]
        if not needs_deliveries(known, self.policy):
            return known
        returned = {event.message_id for event in feedback.events if event.kind == Kind.BOUNCE}  # outdated ones, too
        deliveries = self.ledger.deliveries_for(recipient)
        return [*known, *(event for event in deliveries if event.message_id not in returned)]

    def _changes(self, current: dict[str, Entry], known: list[Event]) -> dict[str, Entry]:
        """Return the entries to write, by scope. What is in force and no longer called for is withdrawn."""
        now = self.now()
        decided = decide(known, self.policy, now)
        for scope, entry in current.items():
            if scope not in decided and entry.lifted_by is None:
                decided[scope] = msgspec.structs.replace(entry, until=now, lifted_by=WITHDRAWN)
        return {
            scope: new
            for scope, new in decided.items()
            if scope not in current or not new.is_equivalent(current[scope])
        }

    def record_operator_act(
        self, kind: str, recipient: str, operator: str, note: str, scope: str = EVERYWHERE
    ) -> Event:
        """Record that an operator added (ADDED) or removed (REMOVED) a recipient in a scope, and return the event.

        It counts as later than every event known at this moment, whatever the clocks of others say.

        Raises:
            ValueError: if the recipient, operator or note is too long to be stored.
            RecipientForgotten: if the recipient's data was erased.
        """
        if kind not in OPERATOR_ACTS:
            raise ValueError(f"{kind} is not an operator's act.")
        address, now = recipient.lower(), self.now()
        if address in self.forgotten():
            raise RecipientForgotten(FORGOTTEN_MESSAGE)
        act = Event(
            kind=kind,
            recipient=address,
            recipient_raw=None if recipient == address else recipient,
            operator=operator,
            note=note,
            scope=None if scope == EVERYWHERE else scope,
        )
        if problem := ledger.storage_problem(act):
            raise ValueError(problem)
        entries = self.suppressions.entries_of(address).values()
        known = self._known(address, entries, (), self.ledger.feedback_for(address))
        after_known = [_time_of(event) + timedelta(milliseconds=1) for event in known]
        occurred_at = max([now.replace(microsecond=now.microsecond // 1000 * 1000), *after_known])
        message_id = f"{OPERATOR_ID}{ledger.digest([operator, note, scope, occurred_at])}"
        act = msgspec.structs.replace(act, message_id=message_id, occurred_at=occurred_at)
        self.record([act])
        return act


def _time_of(event: Event) -> datetime:
    return event.occurred_at or EARLIEST
