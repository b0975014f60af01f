"""Measure the processor time in which count_tags counts a record, against the least that reading the record takes.

    python -m benchmarks.counting

The least is to deserialize the record's image to plain values. Only the ratio is of interest.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from aftersend import ledger
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.serialization import deserialize, serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.recorder import parse_recordable
from benchmarks.cost import COUNTED, MIX, archive_lines
from benchmarks.figures import is_asked_for, print_figures
from lambdas.count_tags import count, stream_changes


class EmptyTable:
    """A DynamoDB client that stores nothing: what the SDK takes for a transaction is not measured."""

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def transact_write_items(self, **_: Any) -> dict[str, Any]:
        return {}


def stream_records() -> list[dict[str, Any]]:
    """Return the records of a thousand events, with those of unique opens and clicks."""
    results = [result for line in archive_lines(MIX) for result in parse_recordable(line)]
    events = [event for result in results if isinstance(result, list) for event in ledger.with_first_events(result)]
    records = []
    for number, event in enumerate(events):
        partition, sort = ledger.key(event)
        item = {PARTITION_KEY: partition, SORT_KEY: sort, "copy_rank": ledger.rank(event), EXPIRES: 1_773_482_400}
        change = {"SequenceNumber": str(10**20 + number), "NewImage": serialize(ledger.attributes(event) | item)}
        records.append({"eventName": "INSERT", "dynamodb": change})
    return records


def measure_ratio(runs: int = 9) -> tuple[float, float]:
    """Return how many times the least a record takes, and its microseconds: the medians of several runs."""
    records = stream_records()

    def deserialize_all() -> None:
        for record in records:
            deserialize(record["dynamodb"]["NewImage"])

    def count_all() -> None:
        count(stream_changes(records, COUNTED).changes, "shard", CountersTable(EmptyTable(), "counters"))

    pairs = [(_seconds(count_all), _seconds(deserialize_all)) for _ in range(runs)]
    microseconds = statistics.median(seconds for seconds, _ in pairs) / len(records) * 1e6
    return statistics.median(seconds / least for seconds, least in pairs), microseconds


def _seconds(action: Callable[[], None]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    ratio, microseconds = measure_ratio()
    if is_asked_for(sys.argv):
        print_figures({"processor time of count_tags, in that of deserializing a change": ratio})
        return
    print(f"count_tags takes {microseconds:.0f} µs a record, {ratio:.1f} times what deserializing its image takes.")


if __name__ == "__main__":
    main()
