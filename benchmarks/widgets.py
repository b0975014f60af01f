"""Measure what the panels about counters take: requests, processor time, and the time in which AWS would answer.

    python -m benchmarks.widgets

The counters are made: 1,000 values of a tag and 10 million events within the last seven days. Of the values, 990 are
campaigns whose mail was sent within three hours of a day, and ten have mail in every hour. Each value has an item in
every partition of a day, though few shards are open at once. The panels are those of show_widgets, over responses from
memory that botocore receives as AWS sends them.
"""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
from botocore.awsrequest import AWSRequest, AWSResponse

from aftersend.aws.counters_table import CODES, SUFFIXES
from aftersend.aws.deployment import Deployment
from aftersend.aws.serialization import serialize
from aftersend.contract import EXPIRES, PARTITION_KEY, SORT_KEY, Variable
from aftersend.counting import CONFIGURATION_SET, Counted
from aftersend.dashboard.elements import widget
from aftersend.dashboard.request import Functions, parse_request
from aftersend.metrics.reputation import Reputation
from aftersend.operations.parallel import WORKERS
from aftersend.retention import Retention
from aftersend.suppression import Policy
from benchmarks.figures import is_asked_for, print_figures
from lambdas import show_widgets

NOW = datetime(2026, 3, 14, 21, 30, tzinfo=UTC)
DAYS, VALUES, STEADY_VALUES, EVENTS = 7, 1_000, 10, 10_000_000
REQUEST_SECONDS = 0.005
"""What DynamoDB takes for a request: "single-digit milliseconds" (its product page); assumed."""

SHARES = {
    "send": 0.36,
    "delivery": 0.35,
    "open": 0.12,
    "unique_opens": 0.08,
    "open_proxy": 0.05,
    "click": 0.015,
    "unique_clicks": 0.01,
    "click_scanner": 0.008,
    "hard_bounce_no_email": 0.004,
    "soft_bounce": 0.002,
    "complaint": 0.001,
}
"""How much of the events each measure has."""

PANELS = {
    "tags, 7 days": ("tags", DAYS, {"tag": "campaign"}),
    "tags, 24 hours": ("tags", 1, {"tag": "campaign"}),
    "campaign, 7 days": ("campaign", DAYS, {"tag": "campaign", "value": "campaign-0000"}),
    "campaign, 30 days": ("campaign", 30, {"tag": "campaign", "value": "campaign-0000"}),
    "rates": ("rates", 1, {}),
}
SETTINGS = {
    Variable.COUNTED: Counted(tags=("campaign",)),
    Variable.RETENTION: Retention(),
    Variable.REPUTATION: Reputation(),
    Variable.POLICY: Policy(),
}


class Measured(NamedTuple):
    requests: int
    """Of DynamoDB."""
    processor_seconds: float
    size: int
    """Bytes of HTML."""

    @property
    def seconds(self) -> float:
        """Return the time until the answer: so many requests are under way at a time."""
        return self.processor_seconds + math.ceil(self.requests / WORKERS) * REQUEST_SECONDS


def made_counters() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the items of each partition, by value."""
    random, partitions = Random(1), dict[str, dict[str, dict[str, Any]]]()
    each_hour = EVENTS // (DAYS * 24 * 2)
    hours = [(NOW - timedelta(hours=number)).replace(minute=0) for number in range(DAYS * 24)]
    for number in range(VALUES):
        is_steady = number < STEADY_VALUES
        first = random.randrange(len(hours) - 3)
        for hour in hours if is_steady else hours[first : first + 3]:
            events = each_hour // STEADY_VALUES if is_steady else EVENTS // 2 // (VALUES - STEADY_VALUES) // 3
            _count(partitions, "campaign", f"campaign-{number:04}", hour, events)
    for hour in hours:
        _count(partitions, CONFIGURATION_SET, "newsletter", hour, EVENTS // len(hours))
    return partitions


def _count(partitions: dict[str, dict[str, dict[str, Any]]], tag: str, value: str, hour: datetime, events: int) -> None:
    for suffix in range(SUFFIXES):
        partition = f"{tag}#{hour:%Y-%m-%d}#{suffix}"
        key = serialize({PARTITION_KEY: partition, SORT_KEY: value, EXPIRES: 1_773_482_400})
        item = partitions.setdefault(partition, {}).setdefault(value, key)
        for measure, share in SHARES.items():
            if number := round(events * share / SUFFIXES):
                item[f"{CODES[measure]}{hour:%H}"] = {"N": str(number)}


class FakeTables:
    """Answers the requests of DynamoDB as bytes."""

    def __init__(self) -> None:
        self.items = made_counters()
        self.whole = {partition: _body([*items.values()]) for partition, items in self.items.items()}
        self.requests = 0

    def respond(self, request: AWSRequest, **_: Any) -> AWSResponse:
        """Answer instead of the network."""
        self.requests += 1
        headers: Any = request.headers  # bytes, once the request is prepared
        if not headers["X-Amz-Target"].endswith(b".Query"):
            return _response(request, b"{}")
        values = json.loads(request.body)["ExpressionAttributeValues"]
        partition = values.get(":partition", {}).get("S", "")
        if ":value" in values:
            item = self.items.get(partition, {}).get(values[":value"]["S"])
            return _response(request, _body([item] if item else []))
        return _response(request, self.whole.get(partition, _body([])))


def _body(items: list[Any]) -> bytes:
    return json.dumps({"Items": items, "Count": len(items), "ScannedCount": len(items)}).encode()


def _response(request: AWSRequest, body: bytes) -> AWSResponse:
    def stream() -> Iterator[bytes]:
        yield body

    return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=stream))


def deployment(tables: FakeTables) -> Deployment:
    """Return a deployment of these tables."""
    variables = {name: msgspec.json.encode(value).decode() for name, value in SETTINGS.items()}
    functions = SimpleNamespace(get_function_configuration=lambda **_: {"Environment": {"Variables": variables}})
    made = Deployment("prod", show_widgets.FunctionSession())
    dynamodb = made.client("dynamodb")
    dynamodb.meta.events.register("before-send.dynamodb", tables.respond)
    made.client = lambda service: functions if service == "lambda" else dynamodb  # ty: ignore[invalid-assignment]
    made.outputs = {f"{name}TableName": name for name in ("Counters", "Ledger")}
    made.outputs |= {f"{name}FunctionName": name for name in ("CountTags", "WatchRates", "RecordFeedback")}
    made.outputs["ConfigurationSets"] = "newsletter"
    return made


def measure(name: str, made: Deployment, tables: FakeTables, runs: int = 3) -> Measured:
    """Measure a panel: the least processor time of some runs."""
    panel, days, parameters = PANELS[name]
    times = {"start": (NOW - timedelta(days=days)).timestamp() * 1_000, "end": NOW.timestamp() * 1_000}
    event = {"panel": panel, **parameters, "widgetContext": {"timeRange": times}}
    measured = []
    for _ in range(runs):
        tables.requests, start = 0, time.process_time()
        request = parse_request(event, NOW, Functions("arn:aws:lambda:x", None))
        html = widget(*show_widgets.PANELS[panel](request, made), is_dark=False)
        measured.append(Measured(tables.requests, time.process_time() - start, len(html.encode())))
    return min(measured, key=lambda each: each.processor_seconds)


ENVIRONMENT = {
    Variable.TRACKED: '{"newsletter": ["Open", "Click"]}',
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


def main() -> None:
    tables = FakeTables()
    with patch.dict("os.environ", ENVIRONMENT):
        made = deployment(tables)
        measured = {name: measure(name, made, tables) for name in PANELS}
    if is_asked_for(sys.argv):
        print_figures({f"requests of the panel {name}": each.requests for name, each in measured.items()})
        return
    attributes = Counter(
        key.partition("#")[0] for key, items in tables.items.items() for item in items.values() for _ in item
    )
    print(f"{VALUES:,} values, {EVENTS:,} events, {attributes['campaign']:,} attributes of counters")
    for name, each in measured.items():
        print(
            f"{name:18} {each.requests:4} requests  {each.processor_seconds:5.2f} s of the processor  "
            f"{each.seconds:5.2f} s until the answer  {each.size / 1e3:4.0f} KB"
        )


if __name__ == "__main__":
    main()
