"""Measure what asking the suppression list costs: requests and read units per 1,000 addresses, and processor time.

    python -m benchmarks.check

The processor time is that of `aftersend.check` with a boto3 client that gets its responses from memory, compared with
a GetItem for each key. Only the ratio is of interest.
"""

import json
import logging
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from aftersend.aws.suppression_check import check
from aftersend.config.prices import DEFAULT_REGION, PRICES
from aftersend.recipient_hash import keyed_hash
from aftersend.suppression import Entry
from tests.fake_dynamodb import TABLE, FakeDynamoDB

ADDRESSES = [f"reader-{number}@mail.example" for number in range(1_000)]
SUPPRESSED_EACH = 50
"""One of so many addresses has an entry."""

HASH_KEY = "key"
CASES: dict[str, dict[str, Any]] = {
    "without forgotten recipients (`ignore_forgotten`)": {"ignore_forgotten": True},
    "with forgotten recipients": {"hash_key": HASH_KEY},
    "and a stream": {"hash_key": HASH_KEY, "stream": "newsletter"},
    "and a contact list and a topic": {
        "hash_key": HASH_KEY,
        "stream": "newsletter",
        "contact_list": "readers",
        "topic": "sci-fi",
    },
    "with forgotten recipients, `consistent`": {"hash_key": HASH_KEY, "consistent": True},
}


class Cost(NamedTuple):
    requests: int
    read_units: int

    @property
    def dollars(self) -> float:
        return self.read_units * PRICES[DEFAULT_REGION].read_unit


def measure_costs() -> dict[str, Cost]:
    """Count the requests and read units of each case."""
    costs = {}
    for name, options in CASES.items():
        client = FakeDynamoDB(*(_entry(address) for address in ADDRESSES[::SUPPRESSED_EACH]))
        result = check(ADDRESSES, table=TABLE, client=client, **options)
        assert len(result.suppressed) == len(ADDRESSES) // SUPPRESSED_EACH
        costs[name] = Cost(client.requests, round(client.read_units))
    return costs


def _entry(recipient: str) -> Entry:
    return Entry(recipient=recipient, reason="bounce", rule="hard-bounce", since=datetime(2026, 11, 20, tzinfo=UTC))


def measure_ratio(runs: int = 7) -> float:
    """Return how many times the processor time of `check` a GetItem for each key takes: the median of several runs."""
    client = _client_without_network()

    def get_each() -> None:
        for address in ADDRESSES:
            for key in ((address, "*"), ("forgotten", keyed_hash(address, HASH_KEY))):
                client.get_item(TableName=TABLE, Key={"partition_key": {"S": key[0]}, "sort_key": {"S": key[1]}})

    def check_all() -> None:
        check(ADDRESSES, table=TABLE, client=client, hash_key=HASH_KEY)

    check_all()
    return statistics.median(_seconds(get_each) / _seconds(check_all) for _ in range(runs))


def _client_without_network() -> Any:
    """Return a boto3 client whose requests are all answered with a response that contains no item."""

    class Body:
        def stream(self) -> Iterator[bytes]:
            yield json.dumps({"Responses": {TABLE: []}}).encode()

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, {}, Body())

    session = boto3.Session("test", "test", region_name=DEFAULT_REGION)
    client = session.client("dynamodb", config=Config(parameter_validation=False))
    client.meta.events.register("before-send.dynamodb", answer)
    return client


def _seconds(action: Callable[[], None]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    logging.disable()
    print("| 1,000 addresses | requests | read units | $ |\n|---|---:|---:|---:|")
    for name, cost in measure_costs().items():
        print(f"| {name} | {cost.requests:,} | {cost.read_units:,} | {cost.dollars:.5f} |")
    print(f"\nA GetItem for each key takes {measure_ratio():.0f} times the processor time.")


if __name__ == "__main__":
    main()
