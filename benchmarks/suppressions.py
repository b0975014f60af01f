"""Measure what the commands of `aftersend suppressions` and the account comparison cost with 100,000 entries.

    python -m benchmarks.suppressions          100,000 entries
    python -m benchmarks.suppressions 1000000  as many

Each runs in a process of its own, over tables that are made up while they are read: all memory that is counted is the
command's. The entries are of hard bounces, as they are stored; the ledger has nothing but these bounces.
"""

import contextlib
import logging
import math
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import boto3
import msgspec
import typer

from aftersend import ledger
from aftersend.account_list import Listed, Progress
from aftersend.aws.connection import find_deployment
from aftersend.aws.deployed_recorder import FUNCTION_OUTPUT, deployed_recorder
from aftersend.aws.serialization import Item, serialize
from aftersend.cli.main import app
from aftersend.config.prices import DEFAULT_REGION, PRICES
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.retention import Retention
from aftersend.suppression import Entry, Policy, decide
from lambdas import account_list_comparison
from tests.event_factory import a_bounce

NUMBER = 100_000
PAGE_BYTES = 1_000_000
"""What one page of a scan has."""

NOW = datetime.now(UTC)
SENT = NOW - timedelta(hours=5)


def recipient_of(number: int) -> str:
    return f"reader-{number:07d}@mail.example"


EVENT = a_bounce(recipient=recipient_of(0), sent_at=SENT, diagnostic_code="smtp; 550 5.1.1 user unknown")
ENTRY: Entry = decide([EVENT], Policy(), NOW)["*"]


class Tables:
    """A DynamoDB client. The suppressions table has `number` entries, the ledger their bounces. Writes are dropped."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.requests, self.read_units, self.write_units = 0, 0.0, 0
        self._lock = threading.Lock()
        key = ledger.key(EVENT)
        stored = ledger.attributes(EVENT) | {PARTITION_KEY: key.partition, SORT_KEY: key.sort}
        entry = msgspec.to_builtins(msgspec.structs.replace(ENTRY, version=1))
        self._event = msgspec.json.encode(serialize(stored))
        self._entry = msgspec.json.encode(serialize(entry | {PARTITION_KEY: ENTRY.recipient, SORT_KEY: "*"}))

    def _item(self, template: bytes, recipient: str) -> Item:
        item = msgspec.json.decode(template.replace(ENTRY.recipient.encode(), recipient.encode()))
        if template is self._entry:  # the digest depends on the recipient
            event = msgspec.structs.replace(EVENT, recipient=recipient)
            item["decided_from"]["S"] = decide([event], Policy(), NOW)["*"].decided_from
        return item

    def _stored(self, table: str, recipient: str) -> list[Item]:
        is_listed = recipient.startswith("reader-") and int(recipient[7:14]) < self.number
        return [self._item(self._entry if table == "suppressions" else self._event, recipient)] if is_listed else []

    def _count(self, *, read: float = 0.0, written: int = 0) -> None:
        with self._lock:
            self.requests += 1
            self.read_units += read
            self.write_units += written

    def get_paginator(self, operation: str) -> Any:
        pages = {"scan": self._scan, "query": self._query}[operation]
        return mock.Mock(paginate=pages)

    def _scan(self, *, TableName: str, ConsistentRead: bool = False, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        template = self._entry if TableName == "suppressions" else self._event
        per_page = PAGE_BYTES // len(template)
        for start in range(0, self.number, per_page):
            numbers = range(start, min(start + per_page, self.number))
            self._count(read=math.ceil(len(numbers) * len(template) / 4_096) * (1 if ConsistentRead else 0.5))
            yield {"Items": [self._item(template, recipient_of(number)) for number in numbers]}

    def _query(self, *, TableName: str, ExpressionAttributeValues: Item, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        items = self._stored(TableName, ExpressionAttributeValues[":recipient"]["S"])
        self._count(read=1)
        yield {"Items": items}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": []}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        [(table, request)] = RequestItems.items()
        keys = [(key[PARTITION_KEY]["S"], key[SORT_KEY]["S"]) for key in request["Keys"]]
        self._count(read=len(keys) * (1 if request.get("ConsistentRead") else 0.5))
        return {
            "Responses": {table: [item for key, scope in keys if scope == "*" for item in self._stored(table, key)]}
        }

    def put_item(self, *, TableName: str, Item: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        self._count(written=math.ceil(len(msgspec.json.encode(Item)) / 1_024))
        return {}

    def describe_table(self, **_: Any) -> dict[str, Any]:
        return {"Table": {"TableSizeBytes": self.number * len(self._event)}}


class Session:
    """A boto3 session of a deployment with these tables."""

    region_name = DEFAULT_REGION

    def __init__(self, tables: Tables) -> None:
        settings = {"POLICY": Policy(), "RETENTION": Retention()}
        variables = {name: msgspec.json.encode(value).decode() for name, value in settings.items()}
        outputs = {
            "LedgerTableName": "ledger",
            "SuppressionsTableName": "suppressions",
            "RecipientHashKeySecretArn": "arn",
            FUNCTION_OUTPUT: "function",
        }
        stack = {"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}
        other = mock.Mock()
        other.get_caller_identity.return_value = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/a"}
        other.describe_stacks.return_value = {"Stacks": [stack]}
        other.get_secret_value.return_value = {"SecretString": "key"}
        other.get_function_configuration.return_value = {"Environment": {"Variables": variables}}
        self._clients = {"dynamodb": tables, "other": other}

    def client(self, service: str, **_: Any) -> Any:
        return self._clients.get(service, self._clients["other"])


def _write_addresses(file: Path, number: int, first: int) -> None:
    with file.open("w") as output:
        output.write("email,created,reason,status\n")
        output.writelines(
            f"{recipient_of(first + each)},1773480413,550 5.1.1 unknown,5.1.1\n" for each in range(number)
        )


def _command(*words: str) -> Callable[[Path, int], None]:
    def run(folder: Path, number: int) -> None:
        names = {"LIST": folder / "list.csv", "NEW": folder / "new.csv", "POLICY": folder / "policy.toml"}
        names["OUTPUT"] = folder / "output"
        app(["suppressions", *(str(names.get(word, word)) for word in words), "--env", "shop"], standalone_mode=False)

    return run


class SimulatedAccountList:
    """An account list that has exactly the recipients of the entries."""

    def __init__(self, number: int) -> None:
        self.number = number

    def can_be_changed(self) -> bool:
        return True

    def pages(self, token: str | None = None) -> Iterator[tuple[list[Listed], str | None]]:
        for start in range(0, self.number, 1_000):
            listed = [Listed(recipient_of(number), "BOUNCE", SENT) for number in range(start, start + 1_000)]
            yield listed, str(start)


def _compare(_: Path, number: int) -> None:
    recorder = deployed_recorder(find_deployment("shop"))._replace(policy=Policy(account_list="sync"))
    files: Any = mock.Mock(progress=Progress)
    listed: Any = SimulatedAccountList(number)
    suppressions: Any = recorder.suppressions
    comparison = account_list_comparison.Comparison(listed, files, suppressions, recorder, NOW, lambda _: True)
    comparison.run()
    assert comparison.report == account_list_comparison.Report(), comparison.report


CASES: dict[str, Callable[[Path, int], None]] = {
    "list": _command("list"),
    "list --count": _command("list", "--count"),
    "export": _command("export", "--output", "OUTPUT"),
    "check (all of them suppressed)": _command("check", "LIST"),
    "import (all of them new)": _command("import", "NEW"),
    "import (repeated)": _command("import", "LIST"),
    "preview": _command("preview", "--policy", "POLICY"),
    "preview --from-ledger": _command("preview", "--policy", "POLICY", "--from-ledger", "--yes"),
    "rebuild (nothing differs)": _command("rebuild", "--yes"),
    "comparison with the account list": _compare,
}


class Figures(NamedTuple):
    requests: int
    read_units: int
    write_units: int
    megabytes: float
    """How much the peak of the process grew."""
    seconds: float

    @property
    def dollars(self) -> float:
        prices = PRICES[DEFAULT_REGION]
        return self.read_units * prices.read_unit + self.write_units * prices.write_unit


def measure(name: str, number: int) -> Figures:
    """Run a case in this process, and return its figures."""
    logging.disable()
    tables = Tables(number)
    with tempfile.TemporaryDirectory() as path, open("/dev/null", "w") as nowhere:
        folder = Path(path)
        _write_addresses(folder / "list.csv", number, first=0)
        _write_addresses(folder / "new.csv", number, first=number)
        (folder / "policy.toml").write_text('[suppression.effects]\nhard-bounce = "90 days"\n')
        with (
            mock.patch.object(boto3, "Session", return_value=Session(tables)),
            mock.patch("sys.stdout", nowhere),
            mock.patch("sys.stderr", nowhere),
        ):
            before, started = _peak_megabytes(), time.monotonic()
            with contextlib.suppress(typer.Exit):  # with exit code 1: some are suppressed, something would change
                CASES[name](folder, number)
            took = time.monotonic() - started
    growth = _peak_megabytes() - before
    return Figures(tables.requests, round(tables.read_units), tables.write_units, growth, took)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _send(name: str, number: int, queue: Any) -> None:
    queue.put(measure(name, number))


def main(number: int) -> int:
    context = multiprocessing.get_context("spawn")
    print(f"| {number:,} entries | requests | read units | write units | $ | memory, MB | seconds |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in CASES:
        queue = context.Queue()
        process = context.Process(target=_send, args=(name, number, queue))
        process.start()
        figures = queue.get()
        process.join()
        counts = " | ".join(f"{count:,}" for count in figures[:3])
        print(
            f"| {name} | {counts} | {figures.dollars:.3f} | {figures.megabytes:.0f} | {figures.seconds:.0f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))
