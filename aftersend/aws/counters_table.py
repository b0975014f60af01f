"""Store the counters in DynamoDB, and beside them the checkpoints up to which the ledger's stream was counted.

Counters are packed: one item per tag value and day of sending, one attribute per hour and measure; of mailbox
providers, one item per hour, one attribute per provider and measure. A write costs by the size of the whole item, so
the names of attributes are short: `s09` counts the sends of messages sent from 9 to 10, `s_gm` those to Gmail.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from time import time as unix_time
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aftersend.aws.attempts import Attempts, attempts
from aftersend.aws.conditional_put import put_if
from aftersend.aws.serialization import Item as Attributes
from aftersend.aws.serialization import serialize
from aftersend.aws.table_query import query_items
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY
from aftersend.counting import DELIVERY_TIMES, OPEN_TIMES, PROVIDER, SIMULATED, Checkpoint, Counts, Item, Row, item_of
from aftersend.ledger import digest
from aftersend.metrics import Published
from aftersend.retention import Retention

CHECKPOINT_DAYS = 7
"""Days after which a checkpoint expires. The stream keeps a shard's records for 24 hours."""

CHECKPOINT = "checkpoint"

PUBLISHED, PUBLISHED_SECONDS = "published", 300
PUBLISHED_KEY = serialize({PARTITION_KEY: PUBLISHED, SORT_KEY: PUBLISHED})
"""The item with the tag values that have CloudWatch metrics, and how long a process remembers it."""

SUFFIXES = 8
"""How many items a tag value and day is spread over, by shard, in partitions of their own: one partition takes 1,000
writes a second, and two transactions on one item conflict."""

COUNTERS_PARTITION = re.compile(r".+#\d{4}-\d\d-\d\d#\d", re.DOTALL)
"""The partitions of counters. The table has other items as well: checkpoints, and what functions remember."""

CODES = {
    "send": "s",
    "delivery": "d",
    "open": "o",
    "click": "c",
    "unique_opens": "p",
    "unique_clicks": "k",
    "hard_bounce": "h",
    "soft_bounce": "b",
    "out_of_office": "a",
    "sender_refused": "n",
    "suppression_list_echo": "e",
    "complaint": "m",
    "not_spam": "t",
    "delivery_delay": "y",
    "reject": "r",
    "rendering_failure": "f",
    "subscription": "u",
    "other": "x",
    "hard_bounce_no_email": "l",
    "hard_bounce_suppressed": "g",
    "validation_suppressed": "i",
    "unsubscribed_recipient": "j",
    "mailbox_full": "v",
    "content_refused": "w",
    "delivery_timeout": "z",
    "undetermined": "q",
    "open_bot": "ob",
    "open_proxy": "op",
    "open_scanner": "os",
    "click_bot": "cb",
    "click_proxy": "cp",
    "click_scanner": "cs",
}
"""The code of each measure in the names of attributes; in upper case, that of the same measure of simulated events."""

CODES |= {SIMULATED + measure: code.upper() for measure, code in CODES.items()}

ATTRIBUTES = {f"{code}{hour:02}": (measure, hour) for measure, code in CODES.items() for hour in range(24)}
"""Measure and hour by the name of the attribute that counts them."""

TIME_CODES = {
    measure: f"{prefix}{number}"
    for prefix, distribution in (("td", DELIVERY_TIMES), ("to", OPEN_TIMES))
    for number, measure in enumerate(distribution.measures)
}
"""The attribute of each measure that is counted by day."""

ATTRIBUTES |= {name: (measure, 0) for measure, name in TIME_CODES.items()}

PROVIDER_CODES = {
    "gmail": "gm",
    "microsoft": "ms",
    "yahoo": "yh",
    "yahoo-japan": "yj",
    "apple": "ap",
    "gmx": "gx",
    "t-online": "to",
    "orange": "or",
    "free": "fr",
    "laposte": "lp",
    "libero": "li",
    "comcast": "cc",
    "charter": "ch",
    "att": "at",
    "cox": "cx",
    "bt": "bt",
    "sky": "sk",
    "proton": "pr",
    "fastmail": "fm",
    "zoho": "zo",
    "mail.ru": "mr",
    "yandex": "ya",
    "seznam": "se",
    "wp": "wp",
    "onet": "on",
    "uol": "uo",
    "terra": "te",
    "docomo": "do",
    "au": "au",
    "softbank": "sb",
    "naver": "nv",
    "daum": "dm",
    "qq": "qq",
    "netease": "ne",
    "sina": "si",
    "rediff": "rd",
    "other": "xx",
}
"""The code of each mailbox provider in the names of attributes. It must never change."""

_MEASURES, _PROVIDERS = ({code: name for name, code in codes.items()} for codes in (CODES, PROVIDER_CODES))
"""Measure and mailbox provider by code: the attribute `s_gm` has one of each."""

RETRYABLE_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Cancellation reasons of a transaction that may succeed when it is tried again."""

COMMIT_ATTEMPTS = 8

Sums = dict[str, dict[datetime, Counter[str]]]
"""Counts of measures by value of a tag and hour of sending."""

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Apply a function to each item, in order: `map`, or operations.parallel.in_parallel, which does several at a time."""


class CheckpointMoved(Exception):
    """Another invocation advanced this shard's checkpoint: read it and count what is left."""


class CountersTable:
    """Read and write per-tag counters."""

    def __init__(
        self,
        dynamodb: Any,
        table: str,
        *,
        retention_days: int = Retention().counters_days,
        now: Callable[[], float] = unix_time,
        attempts: Attempts = attempts,
        each: Each = map,
    ) -> None:
        """Items expire `retention_days` after the day their messages were sent on. `each` sends queries."""
        self._dynamodb = dynamodb
        self._table = table
        self._retention = timedelta(days=retention_days + 1)
        self._now = now
        self._attempts = attempts
        self._each = each
        self._checkpoints: dict[str, Checkpoint | None] = {}
        """The checkpoints this process has reached, by shard. Each commit verifies its own."""
        self._published, self._published_until = Published(), 0.0

    def checkpoint(self, shard: str) -> Checkpoint | None:
        """Return up to where a shard was counted: as this process committed last, or as stored; None if never."""
        if shard not in self._checkpoints:
            self._checkpoints[shard] = self.stored_checkpoint(shard)
        return self._checkpoints[shard]

    def stored_checkpoint(self, shard: str) -> Checkpoint | None:
        """Return up to where a shard was counted, as stored; None if never."""
        key = _checkpoint_key(shard)
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return tuple(item[CHECKPOINT]["S"].split(",")) if item else None

    def commit(self, shard: str, expected: Checkpoint | None, checkpoint: Checkpoint, counts: Counts) -> None:
        """Add counts and advance the shard's checkpoint from the expected one, both or neither.

        Raises:
            CheckpointMoved: if the shard's checkpoint is not the expected one.
        """
        self._checkpoints.pop(shard, None)  # whatever happens, what is stored is unknown until it is done
        self._write([self._advance_checkpoint(shard, expected, checkpoint), *self._additions(shard, counts)])
        self._checkpoints[shard] = checkpoint

    def _write(self, actions: list[dict[str, Any]]) -> None:
        for attempt in self._attempts(COMMIT_ATTEMPTS):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
                return
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
                if "ConditionalCheckFailed" in reasons:
                    raise CheckpointMoved from error
                if attempt == COMMIT_ATTEMPTS or not reasons & RETRYABLE_REASONS:
                    raise

    def published_values(self) -> Published:
        """Return the tag values that have CloudWatch metrics, as stored a few minutes ago; none if they expired."""
        if (now := self._now()) >= self._published_until:
            stored, today = self.stored_values(), datetime.fromtimestamp(now, UTC).date()
            self._published = Published() if stored.has_expired(today) else stored
            self._published_until = now + PUBLISHED_SECONDS
        return self._published

    def stored_values(self) -> Published:
        """Return the tag values that have CloudWatch metrics, as stored."""
        item = self._dynamodb.get_item(TableName=self._table, Key=PUBLISHED_KEY).get("Item")
        return msgspec.json.decode(item[PUBLISHED]["S"], type=Published) if item else Published()

    def publish_values(self, expected: Published, chosen: Published) -> bool:
        """Replace the values that have metrics, if they are still the expected ones; return whether they were."""
        text, before = (msgspec.json.encode(each).decode() for each in (chosen, expected))
        return put_if(
            self._dynamodb,
            TableName=self._table,
            Item=PUBLISHED_KEY | serialize({PUBLISHED: text}),
            ConditionExpression=f"{PUBLISHED} = :expected OR attribute_not_exists({PARTITION_KEY})",
            ExpressionAttributeValues=serialize({":expected": before}),
        )

    def rows(self) -> Iterator[tuple[Row, dict[str, int]]]:
        """Return every row and its measures, unordered; a row that several shards counted occurs repeatedly."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                if COUNTERS_PARTITION.fullmatch(item[PARTITION_KEY]["S"]):
                    yield from _rows(item)

    def totals(self, tag: str, hours: Iterable[datetime]) -> Counter[str]:
        """Return the sum of each measure over all values of a tag, for messages sent within some hours."""
        totals = Counter[str]()
        for by_hour in self.sums(tag, hours).values():
            for measures in by_hour.values():
                totals.update(measures)
        return totals

    def sums(self, tag: str, hours: Iterable[datetime], value: str | None = None) -> Sums:
        """Return the sum of each measure by value of a tag and hour of sending, for some hours.

        It takes a query for each day and suffix. Without a value, these read all values of their days.
        """
        wanted: dict[date, list[datetime]] = {}
        for hour in hours:
            wanted.setdefault(hour.date(), []).append(hour)
        partitions = [(day, suffix) for day in wanted for suffix in range(SUFFIXES)]
        answers = self._each(lambda partition: self._items(tag, *partition, value), partitions)
        sums: Sums = {}
        by_day: dict[date, dict[str, dict[str, int]]] = {day: {} for day in wanted}
        for (day, _), items in zip(partitions, answers, strict=True):
            for item in items:
                if tag == PROVIDER:
                    _add_providers(item, wanted[day], sums)
                else:
                    _add(item, by_day[day])
        for day, counts in by_day.items():
            _add_day(counts, wanted[day], sums)
        return sums if value is None else {name: sums[name] for name in (value,) if name in sums}

    def latest_hour(self, tag: str, values: Collection[str], day: date) -> datetime | None:
        """Return the latest hour of a day for which one of a tag's values was counted."""
        return max((row.hour for row, _ in self.rows_of(tag, day) if row.value in values), default=None)

    def rows_of(self, tag: str, day: date) -> Iterator[tuple[Row, dict[str, int]]]:
        """Return the rows of a tag's values for a day, as `rows` does."""
        for suffix in range(SUFFIXES):
            for item in self._items(tag, day, suffix):
                yield from _rows(item)

    def _items(self, tag: str, day: date, suffix: int, value: str | None = None) -> list[Attributes]:
        """Query the items of a partition, or the one of a value. Those of providers are by hour."""
        condition, values = f"{PARTITION_KEY} = :partition", {":partition": _partition(tag, day, suffix)}
        if value is not None and tag != PROVIDER:
            condition, values = f"{condition} AND {SORT_KEY} = :value", values | {":value": value}
        return list(query_items(self._dynamodb, self._table, condition, values))

    def _advance_checkpoint(self, shard: str, expected: Checkpoint | None, checkpoint: Checkpoint) -> dict[str, Any]:
        """Return the action that puts a checkpoint on condition that the present one is the expected one."""
        expires = int(self._now()) + CHECKPOINT_DAYS * 86_400
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": _checkpoint_key(shard) | serialize({CHECKPOINT: ",".join(checkpoint), EXPIRES: expires}),
            "ConditionExpression": f"attribute_not_exists({PARTITION_KEY})",
        }
        if expected is not None:
            put |= {
                "ConditionExpression": f"{CHECKPOINT} = :expected",
                "ExpressionAttributeValues": serialize({":expected": ",".join(expected)}),
            }
        return {"Put": put}

    def _additions(self, shard: str, counts: Counts) -> Iterator[dict[str, Any]]:
        """Return the actions that add counts, one per item."""
        additions: dict[Item, dict[str, int]] = {}
        for (row, measure), count in counts.items():
            additions.setdefault(item_of(row), {})[_attribute(row, measure)] = count
        suffix = int(digest(shard), 16) % SUFFIXES
        for item, added in additions.items():
            terms = ", ".join(f"{name} :{name}" for name in added)
            values = {f":{name}": count for name, count in added.items()}
            expires = int((datetime.combine(item.day, time.min, UTC) + self._retention).timestamp())
            yield {
                "Update": {
                    "TableName": self._table,
                    "Key": serialize({PARTITION_KEY: _partition(item.tag, item.day, suffix), SORT_KEY: item.value}),
                    "UpdateExpression": f"ADD {terms} SET {EXPIRES} = :expires",
                    "ExpressionAttributeValues": serialize(values | {":expires": expires}),
                }
            }


def _checkpoint_key(shard: str) -> Attributes:
    return serialize({PARTITION_KEY: f"checkpoint#{shard}", SORT_KEY: CHECKPOINT})


def _partition(tag: str, day: date, suffix: int) -> str:
    return f"{tag}#{day}#{suffix}"


def _attribute(row: Row, measure: str) -> str:
    """Return the name of the attribute that counts a measure of a row in its item."""
    if row.tag == PROVIDER:
        return f"{CODES[measure]}_{PROVIDER_CODES[row.value]}"
    return TIME_CODES.get(measure) or f"{CODES[measure]}{row.hour:%H}"


def _rows(item: Attributes) -> Iterator[tuple[Row, dict[str, int]]]:
    """Return the rows of an item."""
    tag, day, _ = item[PARTITION_KEY]["S"].rsplit("#", 2)
    midnight, sort_key = datetime.fromisoformat(day).replace(tzinfo=UTC), item[SORT_KEY]["S"]
    rows: dict[Row, dict[str, int]] = {}
    for name, value in item.items():
        code, _, provider_code = name.partition("_")
        if tag == PROVIDER and code in _MEASURES and provider_code in _PROVIDERS:
            measure, row = _MEASURES[code], Row(tag, _PROVIDERS[provider_code], midnight.replace(hour=int(sort_key)))
        elif tag != PROVIDER and name in ATTRIBUTES:
            measure, hour = ATTRIBUTES[name]
            row = Row(tag, sort_key, midnight.replace(hour=hour))
        else:
            continue
        rows.setdefault(row, {})[measure] = int(value["N"])
    yield from rows.items()


def _add(item: Attributes, counts: dict[str, dict[str, int]]) -> None:
    """Add the numbers of an item to those of its value, by attribute. There may be hundreds of thousands of them."""
    numbers = counts.setdefault(item[SORT_KEY]["S"], {})
    for name, number in item.items():
        if text := number.get("N"):
            numbers[name] = numbers.get(name, 0) + int(text)


def _add_day(counts: Mapping[str, Mapping[str, int]], hours: Iterable[datetime], sums: Sums) -> None:
    """Add the counts of a day's attributes, by value, to sums."""
    by_number = {hour.hour: hour for hour in hours}
    places = {name: (by_number[hour], measure) for name, (measure, hour) in ATTRIBUTES.items() if hour in by_number}
    for value, numbers in counts.items():
        by_hour: dict[datetime, Counter[str]] = defaultdict(Counter)
        for name, count in numbers.items():
            if place := places.get(name):
                by_hour[place[0]][place[1]] = count
        if by_hour:
            sums.setdefault(value, {}).update(by_hour)


def _add_providers(item: Attributes, hours: Collection[datetime], sums: Sums) -> None:
    for row, measures in _rows(item):
        if row.hour in hours:
            sums.setdefault(row.value, {}).setdefault(row.hour, Counter()).update(measures)
