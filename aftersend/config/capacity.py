"""Calculate how many events a second each part of an environment carries, and which setting or quota raises that.

A load is what one event takes of a limit; the mix of events is that of volume.py. docs/scale.md shows the results.
"""

import math
from typing import NamedTuple

import msgspec

from aftersend.config.cost import EVENT_SECONDS, EVENT_UNITS, UNIQUE
from aftersend.config.environment import Environment
from aftersend.config.prices import SECONDS
from aftersend.config.toml_file import KeyPath
from aftersend.config.volume import COUNTING, MIX, Volume, estimate_volume

PEAK_FACTOR = 7
"""Events of the busiest half hour, as a multiple of the month's mean: on the day of benchmarks/month/parameters.py,
whose largest campaign is a quarter of the day's mail and is sent within an hour."""

FIREHOSE_MEBIBYTES, LARGE_FIREHOSE_MEBIBYTES = 1, 5
"""What a stream takes a second by Direct PUT ("Amazon Data Firehose quota"). The quotas of records (100,000 or 500,000)
and of requests (1,000 or 2,000) are reached later, even if SES put each record by itself."""
LARGE_FIREHOSE_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
RECORD_BYTES = 2_000
"""A record of event publishing, as in benchmarks/month/parameters.py."""

TABLE_WRITES, PARTITION_WRITES = 4_000, 1_000
"""Write units a second of a new on-demand table, and of a partition ("DynamoDB warm throughput")."""
COUNTER_PARTITIONS = 8
"""Partitions of a tag and day (aftersend/aws/counters_table.py); each shard of the ledger's stream writes to one."""
TRANSACTION_UNITS = 2
"""Write units per KB that a transaction writes."""

CONCURRENCY = 1_000
"""Instances of all functions in an account and Region ("Lambda quotas"). New accounts have fewer."""
FEEDBACK_SECONDS = 0.05
"""record_feedback per message: five requests (docs/performance.md) of 8 ms each (assumed), and its processor time."""
COUNT_SECONDS = 0.0002
"""count_tags per change of the ledger, as in benchmarks/month/parameters.py. It has one instance per shard of the
ledger's stream, which has one per partition of the ledger."""

WRITES, INSTANCES = "writes a second", "instances"


class Capacity(NamedTuple):
    """Hold what one part carries."""

    part: str
    limit: float
    unit: str
    load: float
    """What an event takes of the limit."""
    lever: str
    """The setting or quota that raises the limit."""
    key: KeyPath | None = None
    """The setting's path in the file; None for a quota of AWS."""

    @property
    def events(self) -> float:
        """Return the events a second that it carries."""
        return self.limit / self.load if self.load else math.inf

    def needed(self, events: float) -> int:
        """Return the limit that so many events a second need."""
        return math.ceil(round(events * self.load, 6))


def capacities(environment: Environment) -> list[Capacity]:
    """Return the capacity of each part, the smallest first."""
    volume, functions, existing = _event(environment), environment.functions, environment.existing_state
    archived, notified, writes = sum(volume.archived.values()), sum(volume.notified.values()), _ledger_writes(volume)
    instances = archived * EVENT_SECONDS + notified * FEEDBACK_SECONDS + writes * COUNT_SECONDS
    ledger, counters = (_writes(environment, table) for table in (existing.ledger_table, existing.counters_table))
    parts = [
        _firehose(environment.region, archived),
        _setting("ledger", ledger, WRITES, writes, "warm_throughput"),
        _setting("counters", counters, WRITES, volume.counter_writes, "warm_throughput"),
        _setting("count_tags", ledger, WRITES, writes * PARTITION_WRITES * COUNT_SECONDS, "warm_throughput"),
        _setting(
            "record_archive",
            functions.archive_max_concurrency,
            INSTANCES,
            archived * EVENT_SECONDS,
            "functions.archive_max_concurrency",
        ),
        _setting(
            "record_feedback",
            functions.feedback_max_concurrency,
            INSTANCES,
            notified * FEEDBACK_SECONDS,
            "functions.feedback_max_concurrency",
        ),
        Capacity("all functions", CONCURRENCY, INSTANCES, instances, "Lambda's quota of concurrent executions"),
    ]
    return sorted(parts, key=lambda capacity: capacity.events)


def hot_spots(environment: Environment) -> list[Capacity]:
    """Return what the partitions of one recipient and of one tag and day carry, whatever the settings."""
    writes = min(COUNTER_PARTITIONS * PARTITION_WRITES, _writes(environment, None))
    return [
        Capacity("one recipient", PARTITION_WRITES, WRITES, EVENT_UNITS, "more recipients"),
        Capacity(
            "a counted tag with a value per message", writes, WRITES, TRANSACTION_UNITS, "a tag with fewer values"
        ),
    ]


def peak_events(environment: Environment) -> float:
    """Return the events a second to expect at the month's peak."""
    return PEAK_FACTOR * sum(estimate_volume(environment).events.values()) / SECONDS


def _event(environment: Environment) -> Volume:
    """Return what one event of a large month takes: the larger the month, the less its counting."""
    month = estimate_volume(msgspec.structs.replace(environment, monthly_messages=int(COUNTING[-1].messages)))
    number = sum(month.events.values()) or 1
    shares = {name: {kind: getattr(month, name)[kind] / number for kind in MIX} for name in ("notified", "archived")}
    return msgspec.structs.replace(month, counter_writes=month.counter_writes / number, **shares)


def _ledger_writes(volume: Volume) -> float:
    """Return the write units of each copy of an event, and of unique opens and clicks."""
    items = [kinds[kind] * (2 if kind in UNIQUE else 1) for kinds in (volume.notified, volume.archived) for kind in MIX]
    return EVENT_UNITS * sum(items)


def _firehose(region: str, archived: float) -> Capacity:
    limit = LARGE_FIREHOSE_MEBIBYTES if region in LARGE_FIREHOSE_REGIONS else FIREHOSE_MEBIBYTES
    load = archived * RECORD_BYTES / 2**20
    return Capacity(f"Firehose in {region}", limit, "MiB a second", load, "Firehose's quota of Direct PUT")


def _setting(part: str, limit: float, unit: str, load: float, key: str) -> Capacity:
    return Capacity(part, limit, unit, load, f"`{key}`", [*key.split(".")])


def _writes(environment: Environment, existing: str | None) -> float:
    """Return the write units a second of a table; of one that was retained they are unknown and not limited here."""
    return math.inf if existing else environment.warm_throughput or TABLE_WRITES
