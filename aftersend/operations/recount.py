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
    CONFIGURATION_SET,
    FROM_DOMAIN,
    MEASURES,
    SIMULATED,
    Change,
    Counted,
    Counts,
    Row,
    contributions,
    pad_sequence_number,
)
from aftersend.events import Event, Kind
from aftersend.ledger import FIRST_OPEN, Key
from aftersend.retention import Retention, RetentionHistory

FEEDBACK_MEASURES = frozenset(
    {
        "hard_bounce",
        "soft_bounce",
        "sender_refused",
        "out_of_office",
        "suppression_list_echo",
        "complaint",
        "not_spam",
    }
)
"""The measures of bounces and complaints, which the ledger keeps longest."""

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


class Tally:
    """Count ledger items. It takes 16 bytes for each, so 10 million items take 160 MB."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._keys, self._numbers = array("q"), array("Q")
        self._changed: dict[int, int] = {}
        self._distinct: dict[tuple[tuple[Row, str], ...], int] = {(): 0}
        """Few events contribute differently: those of one hour, kind and tags are alike."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: Key, event: Event | None) -> None:
        """Count an item as it was read; None is an item that counts nothing."""
        self._keys.append(hash(key))
        self._numbers.append(self._number(event))

    def change(self, key: Key, event: Event | None) -> None:
        """Count an item as a change left it, whatever was or will be read of it."""
        self._changed[hash(key)] = self._number(event)

    def _number(self, event: Event | None) -> int:
        counts = tuple(contributions(event, self._counted)) if event else ()
        return self._distinct.setdefault(counts, len(self._distinct))

    def counts(self) -> Counts:
        """Return the counts of all items."""
        unchanged = (number for key, number in zip(self._keys, self._numbers, strict=True) if key not in self._changed)
        occurrences = Counter(unchanged)
        occurrences.update(self._changed.values())
        total: Counts = Counter()
        for counts, number in self._distinct.items():
            total.update(dict.fromkeys(counts, occurrences[number]))
        return total


class Difference(NamedTuple):
    """Describe a counter that is not what the ledger says."""

    row: Row
    measure: str
    counted: int
    recounted: int


class Reach:
    """Tell which counters can be rebuilt: those of which no event can have expired. All others stay as they are."""

    def __init__(self, counted: Counted, history: RetentionHistory, now: datetime) -> None:
        self._tags = {CONFIGURATION_SET, FROM_DOMAIN, *counted.tags}
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
        """Return the first hour of sending whose counters of this kind can be rebuilt."""
        latest = self._now.replace(minute=0, second=0, microsecond=0)
        hours = range(Retention.counters_days.fget(self._history.periods[-1]) * 24)
        return (
            latest
            - hours[bisect_left(hours, True, key=lambda age: not self._is_kept(kind, latest - age * HOUR)) - 1] * HOUR
        )


def differences(rebuilt: Counts, stored: Counts, reach: Reach) -> list[Difference]:
    """Return the counters to correct, the largest difference first."""
    result = [
        Difference(row, measure, stored[row, measure], rebuilt[row, measure])
        for row, measure in rebuilt.keys() | stored.keys()
        if rebuilt[row, measure] != stored[row, measure] and reach.includes(row, measure)
    ]
    return sorted(result, key=lambda each: (-abs(each.recounted - each.counted), each))


def totals(found: Iterable[Difference]) -> list[tuple[str, str, int, int]]:
    """Return counted and recounted sums of the counters that differ, by tag and measure, the largest first."""
    sums: dict[tuple[str, str], list[int]] = {}
    for each in found:
        total = sums.setdefault((each.row.tag, each.measure), [0, 0])
        total[0] += each.counted
        total[1] += each.recounted
    rows = [(tag, measure, counted, recounted) for (tag, measure), (counted, recounted) in sums.items()]
    return sorted(rows, key=lambda row: (-abs(row[3] - row[2]), row))


def corrections(found: Iterable[Difference], first_number: int) -> Iterator[Change]:
    """Return what to add to the rows that differ, a change for each, numbered like the records of a shard."""
    by_row: dict[Row, Counts] = {}
    for each in found:
        by_row.setdefault(each.row, Counter())[each.row, each.measure] = each.recounted - each.counted
    for number, counts in enumerate(by_row.values(), first_number):
        yield Change(pad_sequence_number(str(number)), counts)
