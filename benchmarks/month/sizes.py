"""Measure the ledger's items and stream records of complete SES records, by type of event."""

import json
from typing import Any, NamedTuple

from aftersend import ledger
from aftersend.aws.ledger_table import LedgerTable
from aftersend.recorder import parse_recordable
from aftersend.retention import Retention
from benchmarks.cost import MIX, archive_lines
from tests.world.dynamodb_limits import item_bytes, write_units

STREAM_RECORD_BYTES = 400
"""What a stream record has beside its image: ids, names, keys, sequence number ("Using AWS Lambda with DynamoDB")."""


class Size(NamedTuple):
    item_bytes: int
    write_units: int
    payload_bytes: int
    """Of its record in a batch of the stream, as JSON."""


def measure_sizes() -> dict[str, Size]:
    """Return the size of each type of event in the ledger, the unique opens and clicks included."""
    table = LedgerTable(None, "ledger", Retention())
    sizes = {}
    for line in archive_lines(dict.fromkeys(MIX, 1)):
        for events in parse_recordable(line):
            assert isinstance(events, list)
            for event in ledger.with_first_events(events):
                sizes[str(event.kind)] = _size(table._item(ledger.key(event), event))
    return sizes


def _size(item: dict[str, Any]) -> Size:
    return Size(item_bytes(item), write_units(item), len(json.dumps(item)) + STREAM_RECORD_BYTES)
