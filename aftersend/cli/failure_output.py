"""Print failed records: as tables and text for people, as JSON for scripts."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from aftersend.operations.failures import QUEUES, Failure, FailureKind, group_by_reason
from aftersend.operations.masking import mask_addresses, mask_record

WIDTH_WITHOUT_TERMINAL = 200

NO_FAILURES = "There are no failed records."

RECOUNT_NOTICE = (
    "Failed batches are not redriven: the checkpoints of the counters are past them. `aftersend recount` counts them."
)


def print_lines(failures: Iterator[Failure]) -> int:
    """Print a line of JSON for each failed record, without its content, and return their number."""
    total = 0
    for failure in failures:
        total += failure.count
        print_json({name: value for name, value in msgspec.to_builtins(failure).items() if name != "record"})
    return total


def print_table(failures: Iterator[Failure], env: str) -> int:
    """Print a row for each kind and reason, with the id of the oldest record, and return the number of records."""
    rows = group_by_reason(failures)
    console = _console()
    if not rows:
        console.print(NO_FAILURES)
        return 0
    table = plain_table("kind", "reason", "count", "oldest", "id of the oldest", right=("count", "oldest"))
    table.columns[-1].overflow = "fold"
    for row in rows:
        table.add_row(row.kind, printable(row.reason), str(row.count), _age(row.since), printable(row.id))
    console.print(table)
    console.print(f"To show a record: aftersend failures show ID --env {env}")
    if any(row.kind != FailureKind.BATCH for row in rows):
        console.print(f"To redrive, after a fix: aftersend failures redrive --env {env}")
    if any(row.kind == FailureKind.BATCH for row in rows):
        console.print(RECOUNT_NOTICE)
    return sum(row.count for row in rows)


def print_failure(failure: Failure, addresses: bool, as_json: bool) -> None:
    """Print a failed record with its content; addresses are masked unless `addresses` is set."""
    record = failure.record if addresses else mask_record(failure.record)
    if as_json:
        text = record if isinstance(record, str) else json.dumps(record)
        print_json(msgspec.to_builtins(failure) | {"record": text, "detail": mask_addresses(failure.detail)})
        return
    if addresses:
        with suppress(ValueError, RecursionError):
            record = json.loads(failure.record)
    for name, value in (
        ("id", failure.id),
        ("kind", failure.kind),
        ("reason", failure.reason),
        ("detail", failure.detail if addresses else mask_addresses(failure.detail)),
        ("age", _age(failure.since)),
    ):
        typer.echo(f"{name:8}{printable(value)}")
    text = record if isinstance(record, str) else json.dumps(record, indent=2, ensure_ascii=False)
    typer.echo("\n".join(printable(line) for line in text.split("\n")) + "\n")


def print_plan(counts: Mapping[FailureKind, int]) -> None:
    """Print how many records of each kind would be redriven, and where to."""
    for kind, count in counts.items():
        if kind is not FailureKind.BATCH:
            typer.echo(f"{kind}: {count}, to {_target(kind)}")
    if FailureKind.BATCH in counts:
        typer.echo(RECOUNT_NOTICE)
    if not counts:
        typer.echo(NO_FAILURES)


def _target(kind: FailureKind) -> str:
    if kind is FailureKind.UNPUBLISHED:
        return "publish_suppressions"
    return "the queue" if kind in QUEUES else "a new object below events/"


def print_redriven(redriven: Mapping[str, int], refused: Iterable[str], as_json: bool) -> None:
    """Print how many records of each kind were redriven, and what was refused; standard output stays JSON."""
    for kind, count in redriven.items():
        typer.echo(f"Redriven, {kind}: {count}", err=as_json)
    for sentence in refused:
        typer.echo(sentence, err=True)


def print_json(value: dict[str, Any]) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def _age(since: datetime | None) -> str:
    if since is None:
        return "?"
    minutes = int((datetime.now(UTC) - since).total_seconds() // 60)
    if minutes < 120:
        return f"{max(0, minutes)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def printable(text: str) -> str:
    """Escape characters that would control the terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def plain_table(*names: str, right: Collection[str]) -> Table:
    """Return a table without rows, some of whose columns have numbers."""
    table = Table(*names, box=box.SIMPLE_HEAD)
    for column in table.columns:
        column.justify = "right" if column.header in right else "left"
    return table


def print_rich(table: Table) -> None:
    _console().print(table)


def _console() -> Console:
    """Return the console; without a terminal it is wide enough for a row to be one line."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console
