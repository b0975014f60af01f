"""Record events, then update the suppression entries of the recipients they affect. Both routes do this.

It is safe to stop between any two steps and to run again: an event is written before its recipient is decided about,
and the decision depends on the recorded events alone. So a repetition completes what an interruption left undone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from aftersend import ledger
from aftersend.events import Event
from aftersend.parsing import ParseResult, Unreadable, parse
from aftersend.suppression import Entry, Policy, decide

DECISION_ATTEMPTS = 10


class Ledger(Protocol):
    """Store events by recipient."""

    def writer(self) -> AbstractContextManager[Callable[[Event], None]]:
        """Open a block that gives a function to write events with; at its end all of them are written."""
        ...

    def feedback_for(self, recipient: str) -> list[Event]:
        """Return the events that decide about a recipient."""
        ...


class Suppressions(Protocol):
    """Store suppression entries by recipient."""

    def entry(self, recipient: str) -> Entry | None:
        """Return the recipient's entry, in force or lifted, or None."""
        ...

    def replace(self, expected: Entry | None, new: Entry) -> None:
        """Write an entry; raise Conflict if the stored one is not the expected one."""
        ...


class Conflict(Exception):
    """The entry was written by another process since it was read: read it and decide again."""


class Undecided(Exception):
    """The entry changed during every attempt to decide; the events are written, so trying again later is safe."""


Tally = Counter[str]
"""How many records and events had which result: `recorded`, `ignored:REASON`, `unreadable:REASON`."""


def parse_recordable(payload: str | bytes) -> list[ParseResult]:
    """Parse a payload as `parse` does, but with records whose events cannot be stored as unreadable."""
    return [(rejection_reason(result) or result) if isinstance(result, list) else result for result in parse(payload)]


def rejection_reason(events: list[Event]) -> Unreadable | None:
    """Return why the events of a record cannot be stored; None if they can."""
    for event in events:
        if event.message_id is None and event.recipient is None:
            return Unreadable("no-message-id", "`mail` has no `messageId`, and there is no recipient.")
        if problem := ledger.too_large(event):
            return Unreadable("too-large", problem)
    return None


class Recorder(NamedTuple):
    """Write events to the ledger and apply the policy to their recipients."""

    ledger: Ledger
    suppressions: Suppressions
    policy: Policy
    retention: ledger.Retention
    now: Callable[[], datetime]
    attempts: Callable[[int], Iterable[int]]
    """Counts attempts from 1, pausing between them."""

    def record(self, events: Iterable[Event]) -> Tally:
        """Write events, then update the suppression of every recipient they give feedback on.

        Suppressions are updated whether or not a write changed anything: an event may be stored already because the
        first attempt was interrupted before it decided. Events are written one at a time as they are given, so that an
        object of the archive is never held in memory as a whole.
        """
        tally: Tally = Counter()
        affected: dict[str, None] = {}
        now = self.now()
        with self.ledger.writer() as write:
            for event in ledger.with_first_events(events):
                if ledger.is_expired(event, self.retention, now):
                    tally["ignored:expired"] += 1
                    continue
                write(event)
                tally["recorded"] += 1
                if event.recipient and ledger.group(event) is ledger.Group.FEEDBACK:
                    affected[event.recipient] = None
        for recipient in affected:
            self.update_suppression(recipient)
        return tally

    def update_suppression(self, recipient: str) -> None:
        """Bring the recipient's entry in line with the recorded events.

        The entry is read before the events. Whoever writes it therefore has seen every event that was seen by those
        whose entry it replaces; in the other order, a decision from fewer events could replace one from more.
        """
        for _ in self.attempts(DECISION_ATTEMPTS):
            current = self.suppressions.entry(recipient)
            events = self.ledger.feedback_for(recipient)
            new = decide([*(current.evidence if current else ()), *events], self.policy)
            if new is None or (current and new.is_equivalent(current)):
                return
            try:
                self.suppressions.replace(current, new=new)
            except Conflict:
                continue
            return
        raise Undecided(f"The entry changed during each of {DECISION_ATTEMPTS} attempts to decide.")
