"""Recording events and deciding about their recipients: what both routes do with an event.

Safe to stop between any two steps and to run again: a fact is written before its recipient is decided about, and
deciding depends on the facts alone. So a repetition heals what an interruption left undone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from aftersend import ledger
from aftersend.events import Event
from aftersend.parsing.parser import ParseResult, Unreadable, parse
from aftersend.suppression import Entry, Policy, decide

DECISION_ATTEMPTS = 10


class Ledger(Protocol):
    def record(self, events: Iterable[Event]) -> None: ...
    def feedback_for(self, recipient: str) -> list[Event]: ...


class Suppressions(Protocol):
    def entry(self, recipient: str) -> Entry | None: ...
    def replace(self, expected: Entry | None, new: Entry) -> None: ...


class Conflict(Exception):
    """Somebody else wrote the entry since it was read: read and decide again."""


class Undecided(Exception):
    """The entry changed under each attempt to decide; the fact is written, so trying again later is safe."""


Tally = Counter[str]
"""What became of records: `recorded` events, `ignored:REASON`, `unreadable:REASON`."""


def parse_recordable(payload: str | bytes) -> list[ParseResult]:
    """What became of a payload's records, as `read` gives it; but events that cannot be kept are unreadable."""
    return [
        (rejection_reason(outcome) or outcome) if isinstance(outcome, list) else outcome for outcome in parse(payload)
    ]


def rejection_reason(events: list[Event]) -> Unreadable | None:
    """Why the events of a record cannot be kept; None if they can."""
    for event in events:
        if event.message_id is None and event.recipient is None:
            return Unreadable("no-message-id", "`mail` has no `messageId`, and there is no recipient.")
        if too_large := ledger.too_large(event):
            return Unreadable("too-large", too_large)
    return None


class Recorder(NamedTuple):
    """Where events are recorded, and by which policy their recipients are decided about."""

    ledger: Ledger
    suppressions: Suppressions
    policy: Policy
    retention: ledger.Retention
    now: Callable[[], datetime]
    attempts: Callable[[int], Iterable[int]]
    """Counts attempts from 1, pausing between them."""

    def record(self, events: Iterable[Event]) -> Tally:
        """Write events, then decide about every recipient they gave feedback on.

        It decides whether or not a write changed anything: a copy may be here because the first attempt was cut off
        before it decided.
        """
        tally: Tally = Counter()
        affected: dict[str, None] = {}
        self.ledger.record(self._unexpired(events, tally, affected))
        for recipient in affected:
            self.update_suppression(recipient)
        return tally

    def update_suppression(self, recipient: str) -> None:
        """Bring the recipient's entry in line with the facts.

        The entry is read before the facts. Whoever writes it therefore saw every fact that was seen by those whose
        entry it replaces; read the other way round, a decision from fewer facts could replace one from more.
        """
        for _ in self.attempts(DECISION_ATTEMPTS):
            standing = self.suppressions.entry(recipient)
            facts = self.ledger.feedback_for(recipient)
            decided = decide([*(standing.evidence if standing else ()), *facts], self.policy)
            if decided is None or (standing and decided.is_equivalent(standing)):
                return
            try:
                self.suppressions.replace(standing, new=decided)
            except Conflict:
                continue
            return
        raise Undecided(f"The entry changed under {DECISION_ATTEMPTS} attempts to decide.")

    def _unexpired(self, events: Iterable[Event], tally: Tally, affected: dict[str, None]) -> Iterator[Event]:
        now = self.now()
        for event in ledger.with_first_events(events):
            if ledger.is_expired(event, self.retention, now):
                tally["ignored:expired"] += 1
                continue
            tally["recorded"] += 1
            if event.recipient and ledger.group(event) is ledger.Group.FEEDBACK:
                affected[event.recipient] = None
            yield event
