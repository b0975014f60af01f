"""Read the ledger's stream beside Lambda, from one moment to a cut, in every shard."""

from collections.abc import Callable, Iterator
from typing import Any

from aftersend.aws.attempts import Attempts, attempts
from aftersend.contract import PARTITION_KEY
from aftersend.ledger import OWN_PARTITION, Key

MARKERS = f"{OWN_PARTITION}recount#"
"""Prefix of the partitions of markers: items that count nothing, written so that a shard has a record of a time."""

CUT_ATTEMPTS = 60
"""Rounds in which every shard must show a marker: a few minutes. The stream shows a write within seconds."""

MARKERS_PER_SHARD = 4

Record = dict[str, Any]


class NotCut(Exception):
    """The stream did not show the markers."""


class LedgerStream:
    """Read a stream from `open` on, to the cut: in each shard to its first marker, or to its end."""

    def __init__(self, streams: Any, stream_arn: str, *, attempts: Attempts = attempts) -> None:
        self._streams, self._arn, self._attempts = streams, stream_arn, attempts
        self._iterators: dict[str, str] = {}
        self._ended: set[str] = set()
        """Shards that were closed before the cut: it goes through their children."""
        self._childless: set[str] = set()
        self.cut: dict[str, str] = {}
        """The sequence number of the cut in each shard. A shard that is not here begins after it."""

    def open(self) -> None:
        """Begin at this moment: what is written from now on is read."""
        for shard in self._shards():
            if not self._close(shard):
                self._iterate(shard["ShardId"], "LATEST")
        self._find_children()

    def read(self, run: str = "") -> Iterator[tuple[str, Record]]:
        """Return the next records, with their shards; with the name of a run, those before its first marker."""
        for shard, iterator in list(self._iterators.items()):
            response = self._streams.get_records(ShardIterator=iterator)
            for record in response["Records"]:
                if run and _is_marker(record, run):
                    self.cut[shard] = record["dynamodb"]["SequenceNumber"]
                    break
                yield shard, record
            self._iterators.pop(shard)
            if shard not in self.cut:
                if following := response.get("NextShardIterator"):
                    self._iterators[shard] = following
                else:
                    self._end(shard)
        if self._childless or not self._ended <= self.cut.keys():
            self._find_children()

    def read_to_cut(self, run: str, mark: Callable[[Key], None]) -> Iterator[tuple[str, Record]]:
        """Write markers with a function, and return the records before the first one in each shard.

        Raises:
            NotCut: if a shard shows none.
        """
        for attempt in self._attempts(CUT_ATTEMPTS):
            for number in range(MARKERS_PER_SHARD * len(self._iterators)):
                mark(Key(f"{MARKERS}{attempt}-{number}#{run}", "marker"))
            yield from self.read(run)
            if not self._iterators and not self._childless and self._ended <= self.cut.keys():
                return
        raise NotCut("The ledger's stream does not show what was just written.")

    def _find_children(self) -> None:
        """Begin to read the children of shards that were closed before the cut."""
        shards = list(self._shards())
        for shard in shards:
            name, parent = shard["ShardId"], shard.get("ParentShardId")
            self._childless.discard(parent or "")
            if name in self._ended:
                self._close(shard)
            elif parent in self._ended and name not in self._iterators and name not in self.cut:
                self._iterate(name, "TRIM_HORIZON")

    def _close(self, shard: dict[str, Any]) -> bool:
        """Let the cut be the end of a shard, if it has one."""
        name, end = shard["ShardId"], shard["SequenceNumberRange"].get("EndingSequenceNumber")
        if end:
            self.cut[name] = end
            self._end(name)
        return bool(end)

    def _end(self, shard: str) -> None:
        if shard not in self._ended:
            self._ended.add(shard)
            self._childless.add(shard)

    def _iterate(self, shard: str, start: str) -> None:
        response = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, ShardIteratorType=start)
        self._iterators[shard] = response["ShardIterator"]

    def _shards(self) -> Iterator[dict[str, Any]]:
        start: dict[str, str] = {}
        while True:
            description = self._streams.describe_stream(StreamArn=self._arn, **start)["StreamDescription"]
            yield from description["Shards"]
            if not (last := description.get("LastEvaluatedShardId")):
                return
            start = {"ExclusiveStartShardId": last}


def _is_marker(record: Record, run: str) -> bool:
    partition = record["dynamodb"]["Keys"][PARTITION_KEY]["S"]
    return partition.startswith(MARKERS) and partition.endswith(f"#{run}")
