"""Publish events to an event bus of Amazon EventBridge."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aftersend.aws.attempts import Attempts, attempts

SOURCE = "aftersend"

MAX_REQUEST_ENTRIES, MAX_REQUEST_BYTES = 10, 256 * 1024
"""Entries in one PutEvents, and their size together ("Amazon EventBridge quotas", "Calculating event entry size")."""

PUT_ATTEMPTS = 4


class BusEvent(NamedTuple):
    """An event for the bus: its detail type, and its detail as JSON."""

    detail_type: str
    detail: str

    @property
    def size_bytes(self) -> int:
        """Return the size that EventBridge counts."""
        return sum(len(text.encode()) for text in (SOURCE, *self))


class EventBus:
    """Publish events, at least once each and in any order."""

    def __init__(self, events: Any, name: str, attempts: Attempts = attempts) -> None:
        self._events, self._name, self._attempts = events, name, attempts

    def publish(self, events: Sequence[BusEvent]) -> list[int]:
        """Publish events, and return the indices of those that EventBridge did not accept in several attempts."""
        pending = list(range(len(events)))
        for _ in self._attempts(PUT_ATTEMPTS):
            pending = [index for batch in _batches(events, pending) for index in self._put(events, batch)]
            if not pending:
                break
        return pending

    def _put(self, events: Sequence[BusEvent], batch: list[int]) -> list[int]:
        """Publish the events with these indices in one request; return the indices that were refused."""
        response = self._events.put_events(Entries=[self._entry(events[index]) for index in batch])
        return [index for index, entry in zip(batch, response["Entries"], strict=True) if "ErrorCode" in entry]

    def _entry(self, event: BusEvent) -> dict[str, str]:
        return {"Source": SOURCE, "DetailType": event.detail_type, "Detail": event.detail, "EventBusName": self._name}


def _batches(events: Sequence[BusEvent], indices: list[int]) -> Iterator[list[int]]:
    """Divide indices into batches that one request may have."""
    batch: list[int] = []
    size_bytes = 0
    for index in indices:
        size_bytes += events[index].size_bytes
        if batch and (len(batch) == MAX_REQUEST_ENTRIES or size_bytes > MAX_REQUEST_BYTES):
            yield batch
            batch, size_bytes = [], events[index].size_bytes
        batch.append(index)
    if batch:
        yield batch
