"""Test what the simulated month is made of."""

import random

import pytest

from aftersend.config.cost import ITEM_BYTES
from aftersend.config.prices import DAYS
from aftersend.config.volume import MIX
from aftersend.events import Kind
from benchmarks.month.arrival import DAY, HOUR, Arrival, Happening, Slice, zipf
from benchmarks.month.charges import ChargingTable
from benchmarks.month.parameters import SOURCES, Parameters
from benchmarks.month.sizes import measure_sizes
from benchmarks.month.stream import Entry, ShardReader, collect_objects
from tests.world.dynamodb_limits import write_units

FEW_VALUES = Parameters(other_values=4, campaigns_a_day=5)
"""Parameters with few slices of mail, which take the time."""


def test_every_assumption_has_a_source():
    assert SOURCES.keys() == set(Parameters.__struct_fields__)


def test_day_has_a_day_s_part_of_the_month_s_events():
    arrival = Arrival(1e6, FEW_VALUES, seed=1)
    assert arrival.number(0, DAY) == pytest.approx(1e6 / DAYS * sum(MIX.values()), rel=0.01)
    quarters = sum(arrival.number(quarter * DAY / 4, (quarter + 1) * DAY / 4) for quarter in range(4))
    assert quarters == pytest.approx(arrival.number(0, DAY))


def test_drawn_events_are_as_many_as_expected():
    arrival = Arrival(1e6, FEW_VALUES, seed=1)
    events = arrival.events(9 * HOUR, 12 * HOUR, random.Random(1))
    assert len(events) == pytest.approx(arrival.number(9 * HOUR, 12 * HOUR), rel=0.05)


def test_parts_add_up_and_become_smaller():
    parts = zipf(20, 1.0)
    assert sum(parts) == pytest.approx(1)
    assert parts == sorted(parts, reverse=True)


def test_object_is_written_when_its_first_record_is_old_or_it_is_large():
    arrival = Arrival(1e5, FEW_VALUES, seed=1)
    events = arrival.events(0, 3 * HOUR, random.Random(1))
    by_time = list(collect_objects(events, Parameters(), 60))
    assert sum(len(each.events) for each in by_time) == len(events)
    assert all(each.written == each.events[0].time + 60 for each in by_time)
    by_size = list(collect_objects(events, Parameters(record_bytes=1024 * 1024), 900))
    assert {len(each.events) for each in by_size[:-1]} == {5}


def batches(*times: float, size: int = 3, window: float = 0.0) -> list[tuple[float, int]]:
    """Return when each batch is invoked and how many records it has, if an invocation takes a second."""
    event = Happening(0, Kind.SEND, Slice(0, HOUR, 1, "newsletter", "campaign", "template"))
    entries = [Entry(time, 0, event, "Send") for time in times]
    reader = ShardReader(entries, {"Send": 1_000}, Parameters(), size=size, window=window, phase=0)
    result = []
    while batch := reader.batch:
        result.append((batch.invoked, len(batch.entries)))
        reader.advance(batch.invoked + 1)
    return result


def test_batch_has_what_was_written_up_to_a_poll():
    assert batches(0.1, 0.2, 0.3) == [(0.25, 2), (1.5, 1)]


def test_window_collects_until_it_ends_or_the_batch_is_full():
    assert batches(0.1, 5.0, window=10) == [(10.25, 2)]
    assert batches(0.1, 5.0, 6.0, 7.0, window=10) == [(6.25, 3), (17.5, 1)]


def test_transactions_are_charged_twice_and_conflict_where_they_overlap():
    table = ChargingTable(transaction_seconds=0.02)
    item = {"partition_key": {"S": "p"}, "sort_key": {"S": "s"}, "text": {"S": "x" * 1_500}}
    table.begin(10.0)
    table.transact_write_items(TransactItems=[{"Put": {"TableName": "counters", "Item": item}}])
    assert table.charges.write_units == 2 * write_units(item) == 4
    table.begin(10.01)
    with pytest.raises(Exception, match="TransactionCanceled"):
        table.transact_write_items(TransactItems=[{"Put": {"TableName": "counters", "Item": item}}])
    assert (table.charges.conflicts, table.charges.write_units, table.charges.requests) == (1, 8, 2)


def test_ledger_items_have_the_size_that_the_estimate_assumes_and_take_one_write_unit():
    sizes = measure_sizes()
    assert {size.write_units for size in sizes.values()} == {1}
    number = {str(kind): rate for kind, rate in MIX.items()}
    number |= {"FirstOpen": number["Open"], "FirstClick": number["Click"]}
    mean = sum(number[kind] * sizes[kind].item_bytes for kind in number) / sum(number.values())
    assert mean + 100 == pytest.approx(ITEM_BYTES, rel=0.02)
