from datetime import UTC, datetime, timedelta

import pytest
import typer

from aftersend.cli.replay import parse_time
from aftersend.operations.failures import StoredObject
from aftersend.operations.replay import (
    HourRange,
    batches,
    estimate,
    events_in,
    object_notification,
    retention_notice,
    whole_hours,
)
from aftersend.parsing import ArchivedObject, parse_object_notification
from aftersend.retention import Retention

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOURS = HourRange(NOON, NOON + timedelta(hours=3))


def stored(key: str, size_bytes: int = 250) -> StoredObject:
    return StoredObject(key, NOON, size_bytes)


def test_ranges_are_extended_to_whole_hours():
    assert whole_hours(NOON, HOURS.end) == HOURS
    assert whole_hours(NOON + timedelta(minutes=59), HOURS.end - timedelta(minutes=59)) == HOURS


def test_ranges_include_the_keys_of_their_hours_alone():
    assert HOURS.start_after == "events/2026/03/14/12"
    keys = [f"events/2026/03/14/{hour}/stream-1.gz" for hour in ("11", "12", "14", "15")]
    assert [HOURS.includes(key) for key in keys] == [False, True, True, False]
    assert not HOURS.includes("events/a folder/lines=2")


def test_events_are_estimated_by_size_and_compression():
    assert events_in(stored("events/1.gz", 250_000)) == 1_000
    assert events_in(stored("events/1", 1_500_000)) == 1_000
    assert events_in(stored("events/1.gz", 1)) == 1


def test_estimate_adds_up_and_costs_something():
    total = estimate([stored("events/1.gz", 250_000), stored("events/2.gz", 250_000)])
    assert total[:3] == (2, 500_000, 2_000)
    assert 0.001 < total.dollars < 0.01
    assert estimate([]).dollars == 0


def test_requests_hold_ten_objects_or_a_second_of_events():
    small, large = [stored(f"events/{n}.gz") for n in range(12)], stored("events/large.gz", 250 * 5_000)
    assert [len(batch) for batch in batches([*small, large, small[0]], 2_000)] == [10, 2, 1, 1]
    assert [len(batch) for batch in batches(small, 3)] == [3, 3, 3, 3]
    assert list(batches([], 3)) == []


@pytest.mark.parametrize("key", ["events/2026/03/14/12/stream-1.gz", "events/a b+c%/ä=1&2", 'events/"'])
def test_notifications_are_read_as_those_of_amazon_s3(key: str):
    assert parse_object_notification(object_notification("archive", key)) == [ArchivedObject("archive", key)]


def test_notice_names_what_is_older_than_the_ledger_keeps():
    retention = Retention(volume_days=30, feedback_days=400)
    assert retention_notice(HOURS, retention, NOON + timedelta(days=29)) is None
    volume = retention_notice(HOURS, retention, NOON + timedelta(days=31))
    assert volume is not None
    assert "sends, deliveries, opens" in volume
    assert "before 2026-03-15 12:00 UTC (older than 30 days)" in volume
    assert "bounces" not in volume
    assert "bounces, complaints" in str(retention_notice(HOURS, retention, NOON + timedelta(days=401)))


def test_times_are_utc_unless_they_say_otherwise():
    for text in ("2026-03-14T12", "2026-03-14T12:00Z", "2026-03-14T13:00+01:00"):
        assert parse_time(text) == NOON
    with pytest.raises(typer.BadParameter, match="no time"):
        parse_time("yesterday")
