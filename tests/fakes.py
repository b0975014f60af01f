"""Provide tables in memory that behave as the real ones do: the better copy stays, a stale write is a conflict."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

import msgspec

from aftersend import ledger
from aftersend.events import Event, Kind
from aftersend.recorder import Conflict, Feedback
from aftersend.suppression import Entry


class FakeLedger(dict[ledger.Key, Event]):
    @contextmanager
    def writer(self) -> Generator[Callable[[Event], None]]:
        yield self.write

    def write(self, event: Event) -> None:
        key = ledger.key(event)
        if key not in self or ledger.rank(self[key]) < ledger.rank(event):
            self[key] = event

    def feedback_for(self, recipient: str) -> Feedback:
        return Feedback([event for key, event in self.items() if self.is_feedback_of(recipient, key)])

    def deliveries_for(self, recipient: str) -> list[Event]:
        return [event for key, event in self.items() if key.partition == recipient and event.kind == Kind.DELIVERY]

    @staticmethod
    def is_feedback_of(recipient: str, key: ledger.Key) -> bool:
        return key.partition == recipient and key.sort.startswith("feedback#")


class FakeSuppressions(dict[tuple[str, str], Entry]):
    """Entries by recipient and scope."""

    def entries_of(self, recipient: str) -> dict[str, Entry]:
        return {scope: entry for (owner, scope), entry in self.items() if owner == recipient}

    def replace(self, expected: Entry | None, new: Entry) -> None:
        key = new.recipient, new.scope
        if self.get(key) != expected:
            raise Conflict
        self[key] = msgspec.structs.replace(new, version=(expected.version if expected else 0) + 1)


def immediate_attempts(limit: int) -> Iterable[int]:
    """Count attempts as aftersend.aws.attempts does, without pauses."""
    return range(1, limit + 1)
