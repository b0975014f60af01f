"""Simulate what brings events to the counters: SNS, Firehose's objects, record_archive, the stream and its batches."""

import heapq
import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from aftersend.config.environment import FEEDBACK
from aftersend.config.volume import SHORTEST_INTERVAL_SECONDS
from aftersend.events import Kind
from aftersend.ledger import FIRST_CLICK, FIRST_OPEN
from benchmarks.month.arrival import Happening
from benchmarks.month.parameters import Parameters
from stacks.archive_stream import MAX_OBJECT_MEBIBYTES

MAX_PAYLOAD_BYTES = 6 * 1024**2
"""Of an invocation ("Lambda quotas"); batches of a stream are cut to fit."""


FIRST_KINDS: dict[str, str] = {Kind.OPEN: FIRST_OPEN, Kind.CLICK: FIRST_CLICK}


class Entry(NamedTuple):
    """One record of the ledger's stream."""

    written: float
    shard: int
    event: Happening
    kind: str
    """That of the event, or of the item that counts a message's first open or click."""


class ArchiveObject(NamedTuple):
    """What Firehose writes at once."""

    written: float
    events: list[Happening]


class Batch(NamedTuple):
    """What count_tags is invoked with."""

    invoked: float
    entries: list[Entry]


def collect_objects(events: Iterable[Happening], parameters: Parameters, interval: float) -> Iterator[ArchiveObject]:
    """Yield the objects that Firehose writes: each once it is large enough, or its first record is old enough."""
    most = int(MAX_OBJECT_MEBIBYTES * 1024**2 / parameters.record_bytes)
    interval = max(interval, SHORTEST_INTERVAL_SECONDS)
    current: list[Happening] = []
    for event in events:
        if current and event.time > current[0].time + interval:
            yield ArchiveObject(current[0].time + interval, current)
            current = []
        current.append(event)
        if len(current) == most:
            yield ArchiveObject(event.time, current)
            current = []
    if current:
        yield ArchiveObject(current[0].time + interval, current)


def write_stream(
    events: list[Happening], objects: Iterable[ArchiveObject], parameters: Parameters, servers: int, rng: random.Random
) -> list[Entry]:
    """Return the stream's records: of feedback as it arrives over SNS, of all else while record_archive runs."""
    feedback = (event for event in events if event.kind in FEEDBACK)
    entries = [_entry(event.time + parameters.arrival_seconds, event, parameters, rng) for event in feedback]
    free = [0.0] * servers
    for each in objects:
        started = (
            max(each.written + 2 * parameters.arrival_seconds, heapq.heappop(free)) + parameters.invocation_seconds
        )
        for number, event in enumerate(each.events):
            if event.kind in FEEDBACK:
                continue  # the same item is written again, which leaves no record
            entry = _entry(started + number * parameters.archive_event_seconds, event, parameters, rng)
            entries.append(entry)
            if event.kind in FIRST_KINDS and rng.random() < parameters.first_share:
                entries.append(entry._replace(kind=FIRST_KINDS[event.kind]))
        heapq.heappush(free, started + len(each.events) * parameters.archive_event_seconds)
    return sorted(entries, key=lambda entry: entry.written)


def _entry(written: float, event: Happening, parameters: Parameters, rng: random.Random) -> Entry:
    return Entry(written, rng.randrange(round(parameters.shards)), event, event.kind)


class ShardReader:
    """Cut a shard's records into batches as an event source mapping does.

    Lambda polls each shard some times a second, and invokes the function with what it has once the batching window is
    over, or the batch is full. Meanwhile the shard waits: it has one invocation at a time.
    """

    def __init__(
        self,
        entries: list[Entry],
        payload_bytes: dict[str, int],
        parameters: Parameters,
        *,
        size: int,
        window: float,
        phase: float,
    ) -> None:
        """`phase` is when in the interval between two polls this shard is polled, from 0 to 1."""
        self._entries, self._next = entries, 0
        self._phase = phase / parameters.polls_a_second
        self._payload_bytes = payload_bytes
        self._poll_seconds = 1 / parameters.polls_a_second
        self._size, self._window = size, window
        self.batch = self._next_batch(free_at=0.0)

    def advance(self, finished: float) -> None:
        """Prepare the next batch; the invocation with the present one has finished."""
        assert self.batch
        self._next += len(self.batch.entries)
        self.batch = self._next_batch(finished)

    def _next_batch(self, free_at: float) -> Batch | None:
        if self._next == len(self._entries):
            return None
        until = self._polled(max(self._entries[self._next].written, free_at)) + self._window
        entries, total = [], 0
        for entry in islice(self._entries, self._next, self._next + self._size):
            total += self._payload_bytes[entry.kind]
            if entry.written > until or total > MAX_PAYLOAD_BYTES:
                break
            entries.append(entry)
        is_full = len(entries) == self._size or total > MAX_PAYLOAD_BYTES
        ready = self._polled(max(entries[-1].written, free_at)) if is_full else until
        return Batch(ready, entries)

    def _polled(self, time: float) -> float:
        """Return when the poll comes that sees what was written at a time."""
        return ((time - self._phase) // self._poll_seconds + 1) * self._poll_seconds + self._phase


def batches_in_order(readers: list[ShardReader]) -> Iterator[tuple[int, ShardReader, Batch]]:
    """Yield the batches of all shards in the order of their invocations; `advance` each before taking the next."""
    while waiting := [(each.batch.invoked, shard) for shard, each in enumerate(readers) if each.batch]:
        _, shard = min(waiting)
        reader = readers[shard]
        assert reader.batch
        yield shard, reader, reader.batch
