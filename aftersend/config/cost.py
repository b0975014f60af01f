"""What an environment costs a month, in dollars, SES's own price aside. Pure, and an estimate.

Taken dear where it is uncertain: mail comes evenly over the month, so that no collect interval is without an event, and
archive and ledger have become as large as what expires lets them. The free tier is not counted.
"""

import msgspec

from aftersend.config.environment import ConfigurationSet, Environment
from aftersend.counting import SLOTS
from aftersend.events import Kind
from aftersend.ledger import FIRST_EVENT_DAYS, GROUPS, Group

# Dollars in us-east-1, as generally published. Beside each: what costs that, and the page it stands on.
PRICES_OF = "us-east-1, November 2026"
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6  # a request unit: "Amazon DynamoDB pricing", on demand
TABLE_STORAGE = 0.25 + 0.20  # a GB-month, and its point-in-time recovery: "Amazon DynamoDB pricing"
PUBLISH = 0.50e-6  # a message of up to 64 KB, handed to SQS for nothing: "Amazon SNS pricing", standard topics
QUEUE_REQUEST = 0.40e-6  # a request of up to 64 KB: "Amazon SQS pricing", standard queues
STREAM_INGEST = 0.029  # a GB: "Amazon Data Firehose pricing", Direct PUT
OBJECT_STORAGE, OBJECT_PUT, OBJECT_GET = 0.023, 5e-6, 0.4e-6  # a GB-month, a request: "Amazon S3 pricing", Standard
INVOCATION, GB_SECOND = 0.20e-6, 13.3334e-6  # "AWS Lambda pricing", arm64
METRIC = 0.30  # a custom metric a month, by the hours it has data in: "Amazon CloudWatch pricing", the first 10,000
DASHBOARD, ALARM, LOGS = 3.00, 0.10, 0.50  # one a month, one a month, a GB written: "Amazon CloudWatch pricing"
KEY, KEY_REQUEST = 1.00, 3e-6  # a customer managed key a month, a request: "AWS Key Management Service pricing"

GB, HOURS, DAYS = 2**30, 730, 365 / 12
"""Bytes AWS bills as a GB; the hours and days of a month."""
SECONDS = HOURS * 3600

MIX = {
    Kind.SEND: 1.0,
    Kind.DELIVERY: 405 / 420,
    Kind.OPEN: 120 / 420,
    Kind.CLICK: 30 / 420,
    Kind.BOUNCE: 15 / 420,
    Kind.DELIVERY_DELAY: 9 / 420,
    Kind.COMPLAINT: 1 / 420,
}
"""Events a message: the mix of benchmarks/cost.py. Other event types are too rare to cost anything."""
UNIQUE = (Kind.OPEN, Kind.CLICK)
"""What writes a second item and counts in a second measure, the unique one."""

# Write units as counted in the cost table of docs/architecture.md.
EVENT_UNITS = 1.0
"""Each copy of an item: 1,150 for a second copy of 1,000 events and the 150 items of their unique opens and clicks."""
DECISION_UNITS, DECISION_READS = 1.0, 2.0
"""Each fact that decides: 32 for 16 of them, half of which are the ledger's; entry and facts are read for each copy."""
COUNTER_UNITS = 0.248
"""Each event, counted in batches of a thousand: 1,232 in all, less 984 for the ledger's items."""

SHARDS, TRANSACTED = 4, 2
"""Shards of a new on-demand table's stream, each counted by itself; write units of an item in a transaction."""
ITEM_BYTES, RECORD_BYTES, ARCHIVED_BYTES = 252 + 100, 5 * 1024, 250
"""An event in the ledger (the median, and what DynamoDB adds), as Firehose rounds it up, and compressed (assumed)."""
SHORTEST_INTERVAL = 5
"""Seconds, about, that Firehose takes where it is to collect for none."""
POLLS = 2 * 5 * SECONDS / 20
"""Requests for nothing: Lambda listens to two queues, with five pollers each that wait for 20 seconds."""
MESSAGE_REQUESTS = 3
"""To send, receive and delete a message that comes alone."""
INVOCATION_SECONDS, EVENT_SECONDS, MEMORY_GB = 0.06, 0.001, 1.0
"""Of an invocation, with its share of cold starts, and of each event in it: assumed; memory is record_archive's."""
COUNT_INVOCATIONS = 2
"""Of count_tags for a batch: the batch, and the end of its window."""
LOG_BYTES = 1_000
"""An invocation: Lambda's own lines, ours, and documents of metrics."""
ALARMS, BOUNCE_MEASURES, REPUTATION_METRICS = 9, 5, 2
"""Alarms of an environment, measures of bounces (aftersend/counting.py), metrics that `reputation_metrics` makes."""
DIMENSION_VALUES = 10
"""Assumed of each dimension of a CloudWatch event destination; those of several multiply."""
KEY_REUSED_SECONDS = 300
"""How long SNS reuses a data key, for which it makes two requests ("Managing Amazon SNS encryption keys and costs")."""


class Part(msgspec.Struct, frozen=True):
    """What one kind of thing costs a month."""

    name: str
    dollars: float
    basis: str
    """The quantities, for a person."""


class _Month(msgspec.Struct, frozen=True):
    """How much there is of everything; events by type."""

    facts: dict[Kind, float]
    """What Aftersend hears of, each once."""
    noted: dict[Kind, float]
    """What comes to Aftersend over SNS: of event publishing, and of identity notifications."""
    archived: dict[Kind, float]
    objects: float
    batches: float
    """Changes of the ledger that are counted together."""
    elsewhere: float
    """Messages to topics the environment names."""
    metrics: float
    """One with data in half of the hours is half a metric."""


def parts(environment: Environment) -> list[Part]:
    """What costs anything, dearest first."""
    month = _month(environment)
    facts, noted, records = (sum(events.values()) for events in (month.facts, month.noted, month.archived))
    publishes, requests = noted + month.elsewhere, POLLS + MESSAGE_REQUESTS * (noted + month.objects)
    queues = publishes * PUBLISH + requests * QUEUE_REQUEST
    archived = records * ARCHIVED_BYTES / GB * environment.archive_days / DAYS
    archive = archived * OBJECT_STORAGE + month.objects * (OBJECT_PUT + OBJECT_GET)
    invocations = noted + month.objects + COUNT_INVOCATIONS * month.batches
    gb_seconds = MEMORY_GB * (invocations * INVOCATION_SECONDS + (noted + records + facts) * EVENT_SECONDS)
    functions = invocations * INVOCATION + gb_seconds * GB_SECOND
    logged = invocations * LOG_BYTES / GB
    asked = 2 * min(noted, SECONDS / KEY_REUSED_SECONDS)
    key = KEY + asked * KEY_REQUEST if environment.encrypted_topics else 0
    every = [
        _tables(environment, month),
        Part("SNS and SQS", queues, f"{_many(publishes)} messages, {_many(requests)} queue requests, idle ones too"),
        Part("Firehose", records * RECORD_BYTES / GB * STREAM_INGEST, f"{_many(records)} records"),
        Part("S3 archive", archive, f"{_many(month.objects)} objects written and read, {archived:,.1f} GB stored"),
        Part("Lambda", functions, f"{_many(invocations)} invocations, {_many(gb_seconds)} GB-seconds"),
        Part("CloudWatch metrics", month.metrics * METRIC, f"{month.metrics:,.1f} metrics"),
        Part("CloudWatch dashboard", DASHBOARD, "1 dashboard"),
        Part("CloudWatch alarms", ALARMS * ALARM, f"{ALARMS} alarms"),
        Part("CloudWatch logs", logged * LOGS, f"{logged:,.1f} GB written"),
        Part("KMS key", key, f"1 key, {_many(asked)} requests"),
    ]
    return sorted((part for part in every if part.dollars), key=lambda part: -part.dollars)


def format_estimate(environment: Environment) -> str:
    """The estimate for a terminal: the total, then a line for each part. What is shown adds up to the cent."""
    found, messages = parts(environment), environment.monthly_messages
    volume = f"for {messages:,} message{'s' if messages != 1 else ''}" if messages else "before any mail"
    total = sum(round(part.dollars, 2) for part in found)
    lines = [f"about ${total:,.2f} a month {volume}, SES aside; prices of {PRICES_OF}"]
    if not messages:
        lines.append("Naming `monthly_messages` in the file gives an estimate for that volume.")
    shown = [f"${part.dollars:,.2f}" for part in found]
    name_width, dollars_width = max(len(part.name) for part in found), max(map(len, shown))
    for part, dollars in zip(found, shown, strict=True):
        lines.append(f"  {part.name:{name_width}}  {dollars:>{dollars_width}}  {part.basis}")
    return "\n".join(lines)


def _month(environment: Environment) -> _Month:
    """Mail is spread evenly over configuration sets, identities and time."""
    sets = list(environment.configuration_sets.values()) or [ConfigurationSet(feedback=(), archive=())]
    identities = environment.identities.values()
    notifying = {kind: sum(kind in each.notifications for each in identities) / (len(identities) or 1) for kind in MIX}
    of_set = {kind: environment.monthly_messages / len(sets) * rate for kind, rate in MIX.items()}
    facts = {kind: n * sum(max(kind in each.published, notifying[kind]) for each in sets) for kind, n in of_set.items()}
    noted = {kind: n * sum((kind in each.feedback) + notifying[kind] for each in sets) for kind, n in of_set.items()}
    archived = {kind: n * sum(kind in each.archive for each in sets) for kind, n in of_set.items()}
    intervals = SECONDS / max(environment.archive_interval_seconds, SHORTEST_INTERVAL)
    objects = min(sum(archived.values()), intervals)
    others = [other for each in sets for other in each.event_destinations.values()]
    topics = [other for other in others if other.enabled and other.sns_topic_arn]
    return _Month(
        facts=facts,
        noted=noted,
        archived=archived,
        objects=objects,
        batches=min(sum(facts.values()), SHARDS * objects + sum(noted.values())),
        elsewhere=sum(of_set.get(kind, 0) for topic in topics for kind in topic.events),
        metrics=sum(_metrics(each, of_set) for each in sets),
    )


def _metrics(configuration_set: ConfigurationSet, events: dict[Kind, float]) -> float:
    """Metrics of a configuration set: Aftersend's own, its CloudWatch event destinations', and its reputation's."""
    measures = {Kind.BOUNCE: BOUNCE_MEASURES} | dict.fromkeys(UNIQUE, 2)
    hours = sum(measures.get(kind, 1) * min(events.get(kind, 0), HOURS) for kind in configuration_set.published)
    for destination in configuration_set.event_destinations.values():
        if destination.enabled and destination.cloudwatch_dimensions:
            # An event is data of one combination of values, in one hour.
            combinations = DIMENSION_VALUES ** len(destination.cloudwatch_dimensions)
            hours += sum(min(events.get(kind, 0), HOURS * combinations) for kind in destination.events)
    if configuration_set.reputation_metrics:
        hours += REPUTATION_METRICS * min(events[Kind.SEND], HOURS)
    return hours / HOURS


def _tables(environment: Environment, month: _Month) -> Part:
    """What is written of each copy, of each decision and of each count. Lambda reads the stream for nothing."""
    deciding = [kind for kind in MIX if GROUPS.get(kind) is Group.FEEDBACK]
    copies = {kind: month.noted[kind] + month.archived[kind] for kind in MIX}
    rows = 2 + len(environment.counted_tags)  # configuration set and from-domain, with one value each
    writes = (
        EVENT_UNITS * (sum(copies.values()) + sum(copies[kind] for kind in UNIQUE))
        + DECISION_UNITS * sum(month.facts[kind] for kind in deciding)
        + max(COUNTER_UNITS * sum(month.facts.values()), TRANSACTED * (SLOTS + rows) * month.batches)
    )
    reads = DECISION_READS * sum(copies[kind] for kind in deciding) + month.batches
    retention = environment.retention
    item_days = sum(
        n * (retention.feedback_days if kind in deciding else retention.volume_days) for kind, n in month.facts.items()
    ) + FIRST_EVENT_DAYS * sum(month.facts[kind] for kind in UNIQUE)
    stored = item_days / DAYS * ITEM_BYTES / GB
    dollars = writes * WRITE_UNIT + reads * READ_UNIT + stored * TABLE_STORAGE
    return Part("DynamoDB", dollars, f"{_many(writes)} writes, {_many(reads)} reads, {stored:,.1f} GB stored")


def _many(count: float) -> str:
    return f"{count / 1e6:,.1f} million" if count >= 100_000 else f"{count:,.0f}"
