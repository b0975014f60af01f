"""Rebuild counters from ledger items, and compare them with those that are stored.

Items are read while others are written. So the stream is read as well, from before the first item to a cut in each of
its shards: an item that changed meanwhile counts as its last change before the cut left it, all others as they were
read. Together that is the ledger at the cut, without a pause.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from aftersend.counting import (
    FEEDBACK_MEASURES,
    MEASURES,
    SIMULATED,
    START,
    Change,
    Checkpoint,
    Counted,
    Counts,
    Row,
    item_of,
    pad_sequence_number,
    slot,
)
from aftersend.events import Event, Kind
from aftersend.ledger import FIRST_OPEN, Key
from aftersend.retention import RetentionHistory

_KINDS: Mapping[str, str] = {name: kind for kind, name in MEASURES.items()} | dict.fromkeys(
    FEEDBACK_MEASURES, Kind.BOUNCE
)

HOUR = timedelta(hours=1)

PARTS: Mapping[str, str] = {
    "bounces and complaints": Kind.BOUNCE,
    "unique opens and clicks": FIRST_OPEN,
    "everything else": Kind.SEND,
}
"""What the ledger keeps for different times, each with a kind that stands for it."""


Contributions = tuple[tuple[Row, str], ...]
"""The counters that one item adds 1 to."""


class Tally:
    """Count ledger items. It takes 16 bytes for each, so 10 million items take 160 MB."""

    def __init__(self) -> None:
        self._keys, self._numbers = array("q"), array("Q")
        self._changed: dict[int, int] = {}
        self._moves: list[tuple[str, str, int, int]] = []
        self._distinct: dict[Contributions, int] = {(): 0}
        """Few items contribute differently: those of one hour, kind and tags are alike."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: Key, contributions: Contributions) -> None:
        """Count an item as it was read."""
        self._keys.append(hash(key))
        self._numbers.append(self._number(contributions))

    def change(self, key: Key, new: Contributions, old: Contributions, shard: str, sequence_number: str) -> None:
        """Count an item as a change left it, whatever was or will be read of it."""
        self._changed[hash(key)] = self._number(new)
        if new != old:
            self._moves.append((shard, sequence_number, self._number(new), self._number(old)))

    def _number(self, contributions: Contributions) -> int:
        return self._distinct.setdefault(contributions, len(self._distinct))

    def counts(self) -> Counts:
        """Return the counts of all items."""
        unchanged = (number for key, number in zip(self._keys, self._numbers, strict=True) if key not in self._changed)
        occurrences = Counter(unchanged)
        occurrences.update(self._changed.values())
        total: Counts = Counter()
        for contributions, number in self._distinct.items():
            total.update(dict.fromkeys(contributions, occurrences[number]))
        return total

    def waiting(self, checkpoints: Mapping[str, Checkpoint | None]) -> Counts:
        """Return what the changes above the checkpoints of their shards add: they were not counted yet."""
        by_number, total = list(self._distinct), Counter()
        for shard, sequence_number, new, old in self._moves:
            for number, sign in ((new, 1), (old, -1)):
                for row, measure in by_number[number]:
                    if sequence_number > (checkpoints[shard] or START)[slot(item_of(row))]:
                        total[row, measure] += sign
        return total


class Difference(NamedTuple):
    """Describe a counter that is not what the ledger says."""

    row: Row
    measure: str
    counted: int
    waiting: int
    """What is not counted yet only because counting follows the ledger."""
    recounted: int

    @property
    def error(self) -> int:
        """Return what counting would not correct by itself."""
        return self.recounted - self.counted - self.waiting


class Reach:
    """Tell which counters can be rebuilt: those of which no event can have expired. All others stay as they are."""

    def __init__(self, counted: Counted, history: RetentionHistory, now: datetime) -> None:
        self._tags = {*counted.row_tags}
        self._history, self._now = history, now
        self._is_kept = cache(self._is_kept)

    def includes(self, row: Row, measure: str) -> bool:
        """Tell whether a counter can be rebuilt."""
        kind = _KINDS.get(measure.removeprefix(SIMULATED), Kind.SEND)
        return row.tag in self._tags and self._is_kept(kind, row.hour)

    def _is_kept(self, kind: str, hour: datetime) -> bool:
        """Tell whether no event of this kind can have expired whose message was sent in this hour or later. What
        expires by when it occurred occurred later, and expires later."""
        return not self._history.is_expired(Event(kind=kind, sent_at=hour, occurred_at=hour), self._now)

    def begins(self, kind: str) -> datetime:
        """Return the first hour of sending of which counters of this kind can be rebuilt."""
        latest = self._now.replace(minute=0, second=0, microsecond=0)
        ages = range(self._history.periods[-1].feedback_days * 24)
        kept = bisect_left(ages, True, key=lambda age: not self._is_kept(kind, latest - age * HOUR))
        return latest - (kept - 1) * HOUR


def differences(rebuilt: Counts, stored: Counts, waiting: Counts, reach: Reach) -> list[Difference]:
    """Return the counters to correct, the largest error first."""
    result = [
        Difference(row, measure, stored[row, measure], waiting[row, measure], rebuilt[row, measure])
        for row, measure in rebuilt.keys() | stored.keys()
        if rebuilt[row, measure] != stored[row, measure] and reach.includes(row, measure)
    ]
    return sorted(result, key=lambda each: (-abs(each.error), each))


class Total(NamedTuple):
    """Sum the counters of a tag's measure that are wrong."""

    tag: str
    measure: str
    counters: int
    missing: int
    """By how much those that are too low are too low."""
    surplus: int


def totals(differing: Iterable[Difference]) -> list[Total]:
    """Return sums of the errors by tag and measure, the largest first."""
    sums: dict[tuple[str, str], list[int]] = {}
    for each in differing:
        if each.error:
            sums.setdefault((each.row.tag, each.measure), []).append(each.error)
    rows = [
        Total(tag, measure, len(errors), sum(max(0, each) for each in errors), sum(max(0, -each) for each in errors))
        for (tag, measure), errors in sums.items()
    ]
    return sorted(rows, key=lambda row: (-row.missing - row.surplus, row))


def corrections(differing: Iterable[Difference], first_number: int) -> Iterator[Change]:
    """Return what to add to the rows that differ, a change for each, numbered like the records of a shard."""
    by_row: dict[Row, Counts] = {}
    for each in differing:
        by_row.setdefault(each.row, Counter())[each.row, each.measure] = each.recounted - each.counted
    for number, counts in enumerate(by_row.values(), first_number):
        yield Change(pad_sequence_number(str(number)), counts)
