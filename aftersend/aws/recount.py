"""Rebuild the counters from the ledger, and correct those that differ.

Counting is paused only to compare and correct. First the checkpoints of the stream are moved to the cut, so that
nothing before it is counted again. Then corrections are added, not put, each transaction with a checkpoint of its own:
none is added twice, and counts of what is after the cut may be added beside them.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec

from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.counters_table import CheckpointMoved, CountersTable
from aftersend.aws.counting_mapping import CountingMapping
from aftersend.aws.ledger_stream import LedgerStream, Record
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.serialization import Item, deserialize
from aftersend.aws.stored_objects import StoredFailures
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.counting import SLOTS, START, Checkpoint, Counted, Counts, commits, contributions, pad_sequence_number
from aftersend.ledger import OWN_PARTITION, Key, event_from_attributes
from aftersend.operations.failures import UNKNOWN_FORMAT
from aftersend.operations.recount import Contributions, Difference, Reach, Tally, corrections, differences

RECOUNT, RECOUNT_STATE = "recount", "recount-state"
"""The names under which corrections, and whether they are complete, are committed, as if they were shards."""

UNFINISHED, FINISHED = ("unfinished",), ("finished",)
"""The checkpoint that shows whether a recount ended while it wrote corrections."""

PAGES_PER_READ = 10
"""Pages of the ledger, of 1 MB each, after which the stream is read: its iterators expire after 15 minutes."""

MARKER_LIFE = timedelta(days=1)

COMPARE_ATTEMPTS = 10

FOLLOW_ATTEMPTS = 300
"""How often the stream is read before counting is paused: for over ten minutes, more than the longest delay."""


class CountingContinues(Exception):
    """Counters changed while counting was paused, as after somebody enabled the mapping, or by another recount."""


class Recount:
    """Count the ledger, compare, and correct. Whatever interrupts it, another one begins anew and ends exact."""

    def __init__(
        self,
        *,
        ledger: LedgerTable,
        stream: LedgerStream,
        counters: CountersTable,
        mapping: CountingMapping,
        counted: Counted,
        now: Callable[[], datetime],
        shard_alias: str | None = None,
        attempts: Attempts = attempts,
    ) -> None:
        """`shard_alias`: under which name all shards are counted, on the emulator, which names none."""
        self._ledger, self._stream, self._counters, self._mapping = ledger, stream, counters, mapping
        self._counted, self._now, self._attempts, self._alias = counted, now, attempts, shard_alias
        self._tally, self._rebuilt, self._expected = Tally(), Counter[Any](), dict[str, Checkpoint | None]()
        self.is_correcting = False
        """Whether corrections are incomplete: this recount's, or an earlier one's."""
        self._opened_at = self.cut_at = now()
        self.undecodable = 0
        """How many items were left out because they cannot be decoded. The stream's are left out by count_tags too."""
        self.reach = Reach(counted, ledger.retention_history(now()), now())
        """What can be rebuilt: as of the cut, once there is one."""

    def count(self, progress: Callable[[int], None] = lambda number: None) -> None:
        """Count every item of the ledger while counting goes on, and report how many were read."""
        self._stream.open()
        self._opened_at = self._now()
        for number, page in enumerate(self._ledger.items()):
            for item in page:
                self._tally.add(_key(item), self._contributions(item))
            if number % PAGES_PER_READ == 0:
                self._follow(self._stream.read())
            progress(len(page))

    @contextmanager
    def paused(self) -> Generator[None]:
        """Pause counting during a block. It stays paused if the block ends while corrections are incomplete.

        Before, wait until what was written before the stream was opened is counted: what is read of the stream shows
        what is not counted yet, and all else would look like an error.
        """
        counted_at = self._opened_at + self._mapping.delay()
        for _ in self._attempts(FOLLOW_ATTEMPTS):
            self._follow(self._stream.read())
            if self._now() >= counted_at:
                break
        try:
            self._mapping.pause()
            self.is_correcting = is_unfinished(self._counters)
            yield
        finally:
            if not self.is_correcting:
                self._mapping.resume()

    def compare(self) -> list[Difference]:
        """Return which counters differ from the ledger at the cut. Only while counting is paused.

        Raises:
            CountingContinues: if counters change meanwhile.
        """
        if not self._rebuilt:
            self.cut_at = self._now()
            run = str(int(self.cut_at.timestamp() * 1000))
            expires = int((self._now() + MARKER_LIFE).timestamp())
            self._follow(self._stream.read_to_cut(run, lambda key: self._ledger.mark(key, expires)))
            self._rebuilt = self._tally.counts()
            self.reach = Reach(self._counted, self._ledger.retention_history(self._now()), self._now())
        for _ in self._attempts(COMPARE_ATTEMPTS):
            self._expected = self._checkpoints()
            stored: Counts = Counter()
            for row, measures in self._counters.rows():
                stored.update({(row, measure): count for measure, count in measures.items()})
            if self._mapping.is_paused() and self._checkpoints() == self._expected:
                return differences(self._rebuilt, stored, self._tally.waiting(self._expected), self.reach)
        raise CountingContinues("Counting went on while it was paused: was its event source mapping enabled?")

    def correct(self, differing: list[Difference]) -> int:
        """Correct counters that `compare` has returned, or what differs by then; return how many."""
        self.is_correcting = True
        for _ in self._attempts(COMPARE_ATTEMPTS):
            try:
                self._commit(RECOUNT_STATE, UNFINISHED, Counter())
                self._move_checkpoints()
                self._add(differing)
                self._commit(RECOUNT_STATE, FINISHED, Counter())
            except CheckpointMoved:  # an invocation was under way when counting was paused, or another recount is
                differing = self.compare()
            else:
                self.is_correcting = False
                return len(differing)
        raise CountingContinues("Counters changed in each attempt to correct them: does another recount run?")

    @property
    def items(self) -> int:
        """Return how many items of the ledger were read."""
        return len(self._tally)

    def includes(self, items: list[Item]) -> bool:
        """Tell whether every counter that items count in was rebuilt."""
        return all(self.reach.includes(*counter) for item in items for counter in self._contributions(item))

    def _follow(self, records: Iterable[tuple[str, Record]]) -> None:
        """Count the changes that records of the stream show, given with their shards."""
        for shard, record in records:
            change = record["dynamodb"]
            new, old = (self._contributions(change.get(image)) for image in ("NewImage", "OldImage"))
            if "NewImage" not in change:  # count_tags subtracts nothing for an item that was removed
                old = ()
            number = pad_sequence_number(change["SequenceNumber"])
            self._tally.change(_key(change["Keys"]), new, old, self._alias or shard, number)

    def _contributions(self, item: Item | None) -> Contributions:
        if item is None or item[PARTITION_KEY]["S"].startswith(OWN_PARTITION):
            return ()
        try:
            event = event_from_attributes(deserialize(item))
        except (msgspec.ValidationError, TypeError, ValueError):
            self.undecodable += 1
            return ()
        return tuple(contributions(event, self._counted))

    def _cut(self) -> dict[str, str]:
        """Return the cut of each shard, by the name under which it is counted."""
        cut = {shard: pad_sequence_number(number) for shard, number in self._stream.cut.items()}
        return {self._alias: max(cut.values())} if self._alias else cut

    def _checkpoints(self) -> dict[str, Checkpoint | None]:
        return {shard: self._counters.stored_checkpoint(shard) for shard in (*self._cut(), RECOUNT, RECOUNT_STATE)}

    def _move_checkpoints(self) -> None:
        """Move the checkpoints to the cut: what is before it is in the counts that were compared."""
        for shard, cut in self._cut().items():
            if any(position > cut for position in self._expected[shard] or ()):
                raise CountingContinues("Counting went on during the recount.")
            self._commit(shard, (cut,) * SLOTS, Counter())

    def _add(self, differing: list[Difference]) -> None:
        before = self._expected[RECOUNT] or START
        latest = max(int(position or "0") for position in before)
        changes = corrections(differing, max(latest, int(self._now().timestamp() * 1000)) + 1)
        for commit in commits(changes, before):
            self._commit(RECOUNT, commit.checkpoint, commit.counts)

    def _commit(self, shard: str, checkpoint: Checkpoint, counts: Counts) -> None:
        """Add counts and advance a checkpoint from the one that was read, both or neither."""
        if (expected := self._expected[shard]) != checkpoint:
            self._counters.commit(shard, expected, checkpoint, counts)
            self._expected[shard] = checkpoint


def is_unfinished(counters: CountersTable) -> bool:
    """Tell whether a recount ended while it corrected counters: they are wrong until another one has corrected them."""
    return counters.stored_checkpoint(RECOUNT_STATE) == UNFINISHED


def _key(item: Item) -> Key:
    return Key(item[PARTITION_KEY]["S"], item[SORT_KEY]["S"])


def delete_recounted(
    batches: StoredFailures, is_recounted: Callable[[list[Item]], bool], cut_at: datetime
) -> tuple[int, int]:
    """Delete each stored batch of whose items all were recounted; return how many were deleted and how many stay.

    One that was stored after the cut, as when an operator answers after a day, may have changes from after it.
    """
    deleted = kept = 0
    for stored in batches.objects():
        if stored.since < cut_at and all(
            each.reason != UNKNOWN_FORMAT and is_recounted(_images(each.record)) for each in batches.records(stored)
        ):
            batches.delete(stored)
            deleted += 1
        else:
            kept += 1
    return deleted, kept


def _images(document: str) -> list[Item]:
    """Return the items in a batch, before and after each change."""
    payload: Any = msgspec.json.decode(document)["payload"]
    records = (msgspec.json.decode(payload) if isinstance(payload, str) else payload)["Records"]
    images = (record["dynamodb"].get(name) for record in records for name in ("NewImage", "OldImage"))
    return [image for image in images if image]
