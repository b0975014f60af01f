"""Estimate what an environment costs a month, in US dollars, without the price of SES itself.

Where the estimate must assume something it assumes the higher cost: mail is spread evenly over the month, so that
Firehose writes an object in every interval, and archive and ledger hold as much as their retention allows. The free
tier is not counted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aftersend.config import prices
from aftersend.config.alarms import ACCOUNT_LIST_ALARMS, ALARMS, CANARY_ALARMS, COUNT_CHECK_ALARMS, RATES_ALARMS
from aftersend.config.environment import ConfigurationSet, Environment
from aftersend.config.prices import DAYS, GB, HOURS, PRICES, SECONDS, Prices, price_region
from aftersend.config.volume import HARD_BOUNCES, MIX, Events, Volume, estimate_volume
from aftersend.contract import (
    FEEDBACK_INDEXES,
    FUNCTIONS,
    RATE_METRICS,
    RATES_EVERY_MINUTES,
)
from aftersend.counting import CONFIGURATION_SET, PROVIDER
from aftersend.events import Kind
from aftersend.ledger import GROUPS, Group
from aftersend.metrics import OTHER_VALUES
from aftersend.retention import FIRST_EVENT_DAYS
from aftersend.suppression.list_size import sweep_hours

UNIQUE = (Kind.OPEN, Kind.CLICK)
"""Event types with a second item in the ledger and a second measure: `unique_opens` and `unique_clicks`."""
FEEDBACK = [kind for kind in MIX if GROUPS.get(kind) is Group.FEEDBACK]

# DynamoDB: units as docs/performance.md has them.
EVENT_UNITS = 1.0
"""Write units per copy of an item: 1,150 for a second copy of 1,000 events and 150 items of unique opens and clicks."""
DECISION_UNITS, DECISION_READS = 1.0, 2.0
"""Write units per feedback event: 32 for 16, of which 16 are for the ledger. Read units per copy: entry and events."""
INDEX_UNITS = len(FEEDBACK_INDEXES)
"""Write units of the ledger's indexes per feedback event: one each. A second copy does not change the item."""
ITEM_BYTES = 632 + 100
"""An event in the ledger, of complete SES records (benchmarks/month/sizes.py): the mean, and DynamoDB's overhead."""
ENTRY_BYTES = 502 + 100
"""A suppression entry of a hard bounce. Counters are too few to matter: some megabytes."""

ENTRIES_PER_READ = 4
"""Suppression entries per read unit of a consistent scan: an entry with its evidence has up to 1 KB."""
SWEPT_PER_READ = 2 * ENTRIES_PER_READ
"""Entries per read unit of a sweep, whose scan is eventually consistent."""
BOUNCES_PER_TEMPORARY, TEMPORARY_READS = 5, 3
"""Soft bounces before an entry that lasts up to a month, and read units of each decision by a sweep: entries, feedback
and deliveries."""

MAX_DECISIONS = 30_000
"""Decisions that a sweep has time for (docs/architecture.md, Limits)."""

RATE_READS_PER_TAG = 16
"""Read units of a tag in a run of watch_rates: two days in eight partitions, each with up to 8 KB, which is about six
values of a tag (assumed), read eventually consistent."""

TAG_VALUE_UNITS = 4
"""Write units for a value of a counted tag and day: two transactions, one for a send and one for its delivery."""

# SNS, SQS and KMS
IDLE_REQUESTS = 2 * 5 * SECONDS / 20
"""Requests to empty queues: Lambda polls two queues with five pollers each, for 20 seconds at a time."""
MESSAGE_REQUESTS = 3
"""Requests per message: send, receive and delete."""
DATA_KEY_SECONDS, DATA_KEY_REQUESTS = 300, 2
"""How long SNS reuses a data key; requests for a new one ("Managing Amazon SNS encryption keys and costs")."""

# Firehose and S3
RECORD_BYTES, ARCHIVED_BYTES = 5 * 1024, 250
"""A record as Firehose rounds it up; the same record compressed in the archive (assumed)."""

# Lambda
INVOCATION_SECONDS, EVENT_SECONDS = 0.06, 0.001
"""Duration of an invocation, including its share of cold starts, and of each event in it (both assumed)."""
SWEEP_SECONDS, COMPARISON_SECONDS = 60e-6, 1.2e-3
"""Duration of a sweep and of a comparison with the account list per entry (assumed). SES lists 1,000 a second."""
LOG_BYTES = 1_000
"""Written to the log per invocation: Lambda's lines, Aftersend's and the metrics."""

# CloudWatch
WIDGETS, STATUS_METRICS = 8, 12
"""Custom widgets of the dashboard, and the metrics that the panel `status` reads each time."""
DASHBOARD_HOURS, WIDGET_SECONDS = 22, 0.3
"""How long the dashboard is open a month, refreshed every minute, and what a widget takes (both assumed)."""
BOUNCE_GROUPS = 5
"""Metrics of bounces (aftersend/metrics/summary.py)."""
VALUE_GROUPS = 12
"""Metrics of a value of a counted tag that have data, of those of aftersend/metrics/summary.py (assumed)."""
REPUTATION_METRICS = 2
"""Metrics that SES publishes for `reputation_metrics`."""
DIMENSION_VALUES = 10
"""Values of each dimension of a CloudWatch event destination (assumed). With several dimensions they multiply."""


class Part(msgspec.Struct, frozen=True):
    """Hold what one service costs a month."""

    name: str
    dollars: float
    basis: str
    """The quantities behind it, for people."""


def format_estimate(environment: Environment) -> str:
    """Format the estimate for a terminal: the total, then a line per service. The rounded lines add up to the total."""
    estimate, messages = parts(environment), environment.monthly_messages
    volume = f"for {messages:,} message{'s' if messages != 1 else ''}" if messages else "without any mail"
    lines = [
        f"Estimated cost: ${total(estimate):,.2f} a month {volume}, excluding SES charges ({price_basis(environment)})"
    ]
    if not messages:
        lines.append("To estimate the cost of mail, set `monthly_messages` in the file, or use `lint --messages N`.")
    amounts = [f"${part.dollars:,.2f}" for part in estimate]
    name_width, amount_width = max(len(part.name) for part in estimate), max(map(len, amounts))
    for part, amount in zip(estimate, amounts, strict=True):
        lines.append(f"  {part.name:{name_width}}  {amount:>{amount_width}}  {part.basis}")
    return "\n".join(lines)


def estimate_cost(environment: Environment) -> dict[str, Any]:
    """Return the estimate for scripts."""
    estimate = parts(environment)
    return {
        "dollars": round(total(estimate), 2),
        "monthly_messages": environment.monthly_messages,
        "prices": price_region(environment.region),
        "parts": estimate,
    }


def total(estimate: Iterable[Part]) -> float:
    """Add up the rounded dollars of all services."""
    return sum(round(part.dollars, 2) for part in estimate)


def price_basis(environment: Environment) -> str:
    """Return of which Region and date the prices are."""
    region, used = environment.region, price_region(environment.region)
    return f"prices: {used}, {prices.DATE}" + (f"; those of {region} are not known" if used != region else "")


def parts(environment: Environment, volume: Volume | None = None) -> list[Part]:
    """Estimate each service, most expensive first, without those that cost nothing."""
    volume, regional = volume or estimate_volume(environment), PRICES[price_region(environment.region)]
    estimates = [
        _dynamodb(environment, volume, regional),
        _sns_and_sqs(environment, volume),
        _firehose(volume, regional),
        _s3(environment, volume, regional),
        _lambda(environment, volume),
        _event_bridge(volume),
        _metrics(environment, volume),
        _dashboard(),
        _alarms(environment),
        _logs(volume, regional),
        _kms(environment, volume),
        Part("Secrets Manager", prices.SECRET, "1 secret"),
    ]
    return sorted((part for part in estimates if part.dollars), key=lambda part: -part.dollars)


def _dynamodb(environment: Environment, volume: Volume, regional: Prices) -> Part:
    """Estimate writes of each copy, decision and count, reads, and storage. Reading a stream from Lambda is free."""
    copies = {kind: volume.notified[kind] + volume.archived[kind] for kind in MIX}
    writes = EVENT_UNITS * (_sum(copies) + _sum(copies, UNIQUE)) + DECISION_UNITS * _sum(volume.events, FEEDBACK)
    writes += INDEX_UNITS * _sum(volume.events, FEEDBACK)
    writes += volume.counter_writes
    reads = DECISION_READS * _sum(copies, FEEDBACK) + volume.count_invocations
    entries = _entries(environment, volume)
    reads += HOURS * entries / ENTRIES_PER_READ if _compares(environment) else 0
    reads += sweep_reads(environment, volume) + _rate_reads(environment)
    ledger, suppressions = _stored_items(environment, volume) * ITEM_BYTES / GB, entries * ENTRY_BYTES / GB
    indexes = len(FEEDBACK_INDEXES) * _feedback_items(environment, volume) * ITEM_BYTES / GB
    stored = ledger + indexes + suppressions
    # Point-in-time recovery is charged for tables without their indexes ("Amazon DynamoDB pricing").
    recoverable = suppressions + (ledger if environment.ledger_recovery else 0)
    dollars = writes * regional.write_unit + reads * regional.read_unit
    dollars += stored * regional.table_storage + recoverable * regional.table_recovery
    return Part("DynamoDB", dollars, f"{_many(writes)} writes, {_many(reads)} reads, {stored:,.1f} GB stored")


def sweep_reads(environment: Environment, volume: Volume) -> float:
    """Estimate the read units of sweeps: of all entries, and of decisions about temporary ones."""
    entries = _entries(environment, volume)
    temporary = min(MAX_DECISIONS, (1 - HARD_BOUNCES) * volume.events[Kind.BOUNCE] / BOUNCES_PER_TEMPORARY)
    return HOURS / sweep_hours(entries) * (entries / SWEPT_PER_READ + temporary * TEMPORARY_READS)


def _rate_reads(environment: Environment) -> float:
    """Estimate the read units of watch_rates, which reads the counters of some tags in each run."""
    tags = len(environment.counted_tags) + len((CONFIGURATION_SET, PROVIDER))
    runs = HOURS * 60 / RATES_EVERY_MINUTES if environment.configuration_sets else 0
    return runs * (tags * RATE_READS_PER_TAG + len(environment.configuration_sets))


def _entries(environment: Environment, volume: Volume) -> float:
    """Estimate how many suppression entries there are: one for each hard bounce and complaint in the ledger."""
    suppressed = HARD_BOUNCES * volume.events[Kind.BOUNCE] + volume.events[Kind.COMPLAINT]
    return suppressed * environment.retention.feedback_days / DAYS


def _compares(environment: Environment) -> bool:
    return environment.suppression.account_list != "off"


def _stored_items(environment: Environment, volume: Volume) -> float:
    volume_items = _sum(volume.events) - _sum(volume.events, FEEDBACK)
    item_days = volume_items * environment.retention.volume_days + _sum(volume.events, UNIQUE) * FIRST_EVENT_DAYS
    return _feedback_items(environment, volume) + item_days / DAYS


def _feedback_items(environment: Environment, volume: Volume) -> float:
    return _sum(volume.events, FEEDBACK) * environment.retention.feedback_days / DAYS


def _sns_and_sqs(environment: Environment, volume: Volume) -> Part:
    """Estimate Aftersend's topics and queues, and publishing to topics of other event destinations."""
    destinations = [
        destination
        for each in environment.configuration_sets.values()
        for destination in each.event_destinations.values()
    ]
    topics = [each for each in destinations if each.enabled and each.sns_topic_arn]
    messages = _sum(volume.notified) + sum(_sum(volume.per_set, topic.events) for topic in topics)
    requests = IDLE_REQUESTS + MESSAGE_REQUESTS * (_sum(volume.notified) + volume.objects)
    dollars = messages * prices.PUBLISH + requests * prices.QUEUE_REQUEST
    return Part("SNS and SQS", dollars, f"{_many(messages)} messages, {_many(requests)} queue requests (some idle)")


def _firehose(volume: Volume, regional: Prices) -> Part:
    records = _sum(volume.archived)
    return Part("Firehose", records * RECORD_BYTES / GB * regional.stream_ingest, f"{_many(records)} records")


def _s3(environment: Environment, volume: Volume, regional: Prices) -> Part:
    stored = _sum(volume.archived) * ARCHIVED_BYTES / GB * environment.archive_days / DAYS
    dollars = stored * regional.object_storage + volume.objects * (regional.object_put + regional.object_get)
    return Part("S3 archive", dollars, f"{_many(volume.objects)} objects written and read, {stored:,.1f} GB stored")


def _lambda(environment: Environment, volume: Volume) -> Part:
    """Estimate the functions that process events or read every entry. Other scheduled ones cost some cents."""
    events = {
        "record_feedback": volume.notified,
        "record_archive": volume.archived,
        "publish_suppressions": volume.changes,
    }
    invocations = _sum(volume.invocations)
    seconds = {
        name: volume.invocations[name] * INVOCATION_SECONDS + _sum(events[name]) * EVENT_SECONDS for name in events
    } | {"count_tags": volume.count_seconds}
    entries = _entries(environment, volume)
    comparisons = HOURS if _compares(environment) else 0
    seconds["sync_account_list"] = comparisons * _duration("sync_account_list", entries * COMPARISON_SECONDS)
    sweeps = HOURS / sweep_hours(entries)
    seconds["sweep_suppressions"] = sweeps * _duration("sweep_suppressions", entries * SWEEP_SECONDS)
    gb_seconds = sum(seconds[name] * FUNCTIONS[name].memory_mebibytes / 1024 for name in seconds)
    dollars = invocations * prices.INVOCATION + gb_seconds * prices.GB_SECOND
    return Part("Lambda", dollars, f"{_many(invocations)} invocations, {_many(gb_seconds)} GB-seconds")


def _duration(name: str, seconds: float) -> float:
    return min(seconds, FUNCTIONS[name].timeout_seconds)


def _event_bridge(volume: Volume) -> Part:
    events = _sum(volume.changes)
    return Part("EventBridge", events * prices.CUSTOM_EVENT, f"{_many(events)} changes of the suppression list")


def _metrics(environment: Environment, volume: Volume) -> Part:
    sets = environment.configuration_sets.values()
    metrics = sum(_metric_hours(configuration_set, volume.per_set) for configuration_set in sets) / HOURS
    metrics += len(environment.compared_sets) * min(volume.per_set[Kind.SEND], HOURS) / HOURS
    metrics += _rate_metrics(environment, volume) + _value_metrics(environment, volume)
    metrics += sum(ALARMS[name].is_heartbeat for name in alarm_names(environment))  # every hour has data
    metrics += _mapping_metrics(volume)
    read = HOURS * (1 + len(environment.compared_sets)) if environment.compared_sets else 0
    dollars = metrics * prices.METRIC + read * prices.METRIC_READ
    return Part("CloudWatch metrics", dollars, f"{metrics:,.1f} metrics")


def _mapping_metrics(volume: Volume) -> float:
    """Return the metrics of the event source mappings of both streams ("Event source mapping metrics" in the Lambda
    guide), assumed to cost what others do. Polls are counted in every hour; what is filtered out, and what the function
    is invoked with, in those with changes.
    """
    return sum(1 + 2 * min(changes, HOURS) / HOURS for changes in (_sum(volume.events), _sum(volume.changes)))


def _rate_metrics(environment: Environment, volume: Volume) -> int:
    """Count the metrics of watch_rates besides its heartbeat: two of each configuration set with enough mail a day."""
    sets, enough = environment.configuration_sets.values(), environment.reputation.day_sends
    judged = [each for each in sets if Kind.SEND in each.published and volume.per_set[Kind.SEND] / DAYS >= enough]
    return len(RATE_METRICS) * len(judged)


def _value_metrics(environment: Environment, volume: Volume) -> float:
    """Return how many metrics the values of counted tags have at most, as if each had data in every hour.

    Each event adds data to one metric in one hour, the first opens and clicks of a recipient to two.
    """
    values = environment.tag_metric_values + len((OTHER_VALUES,)) if environment.tag_metric_values else 0
    events = _sum(volume.events) + _sum(volume.events, UNIQUE)
    return len(environment.counted_tags) * min(values * VALUE_GROUPS, events / HOURS)


def _dashboard() -> Part:
    """Estimate the dashboard and what its widgets do while it is open, beside few reads of tables."""
    refreshes = DASHBOARD_HOURS * 60
    invocations, reads = refreshes * WIDGETS, refreshes * STATUS_METRICS
    gb_seconds = invocations * WIDGET_SECONDS * FUNCTIONS["show_widgets"].memory_mebibytes / 1024
    dollars = prices.DASHBOARD + invocations * prices.INVOCATION + gb_seconds * prices.GB_SECOND
    dollars += reads * prices.METRIC_READ
    return Part("CloudWatch dashboard", dollars, f"1 dashboard, {_many(invocations)} invocations of its widgets")


def _alarms(environment: Environment) -> Part:
    number = len(alarm_names(environment))
    return Part("CloudWatch alarms", number * prices.ALARM, f"{number} alarms")


def alarm_names(environment: Environment) -> set[str]:
    """Return the alarms that the environment has."""
    absent: set[str] = set()
    absent |= set() if _compares(environment) else ACCOUNT_LIST_ALARMS.keys()
    absent |= set() if environment.checks_counts else COUNT_CHECK_ALARMS.keys()
    absent |= set() if environment.canary else CANARY_ALARMS.keys()
    absent |= set() if environment.configuration_sets else RATES_ALARMS.keys()
    return ALARMS.keys() - absent


def tag_value_dollars(environment: Environment) -> float:
    """Return what a value that a counted tag has every day costs at least a month, in writes of its counters."""
    return TAG_VALUE_UNITS * DAYS * PRICES[price_region(environment.region)].write_unit


def _metric_hours(configuration_set: ConfigurationSet, events: Events) -> float:
    """Add up the hours with data of Aftersend's metrics, CloudWatch event destinations and reputation metrics."""
    measures = {Kind.BOUNCE: BOUNCE_GROUPS} | dict.fromkeys(UNIQUE, 3)
    hours = sum(measures.get(kind, 1) * min(events.get(kind, 0), HOURS) for kind in configuration_set.published)
    for destination in configuration_set.event_destinations.values():
        if destination.enabled and destination.cloudwatch_dimensions:
            # Each event adds data to one combination of values in one hour.
            combinations = DIMENSION_VALUES ** len(destination.cloudwatch_dimensions)
            hours += sum(min(events.get(kind, 0), HOURS * combinations) for kind in destination.events)
    if configuration_set.reputation_metrics:
        hours += REPUTATION_METRICS * min(events[Kind.SEND], HOURS)
    return hours


def _logs(volume: Volume, regional: Prices) -> Part:
    written = _sum(volume.invocations) * LOG_BYTES / GB
    return Part("CloudWatch logs", written * regional.logs, f"{written:,.1f} GB written")


def _kms(environment: Environment, volume: Volume) -> Part:
    requests = DATA_KEY_REQUESTS * min(_sum(volume.notified), SECONDS / DATA_KEY_SECONDS)
    dollars = prices.KEY + requests * prices.KEY_REQUEST if environment.encrypted_topics else 0
    return Part("KMS key", dollars, f"1 key, {_many(requests)} requests")


def _sum(numbers: Mapping[Any, float], keys: Iterable[Any] | None = None) -> float:
    """Add up the numbers, or those of some keys."""
    return sum(numbers.values()) if keys is None else sum(numbers.get(key, 0) for key in keys)


def _many(number: float) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 100_000 else f"{number:,.0f}"
