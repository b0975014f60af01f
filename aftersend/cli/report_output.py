"""Print the results of a report page by page: as a table for people, as CSV or JSON lines for scripts."""

import csv
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import typer

from aftersend.aws.athena import Column, Row
from aftersend.cli.failure_output import print_json, printable

Page = tuple[list[Column], list[Row]]

NUMBERS = {"bigint", "integer"}
NOTHING = (
    "The archive has nothing about this. Events arrive a minute or two after they occur; --since reaches further back."
)

FROM_TEXT: dict[str, Callable[[str], Any]] = {"bigint": int, "integer": int, "boolean": lambda text: text == "true"}
"""How values of a type are read; all others stay texts."""


def print_pages(pages: Iterable[Page], *, as_csv: bool, as_json: bool) -> None:
    """Print pages as they are read; the first decides how wide the columns of a table are."""
    iterator = iter(pages)
    columns, first = next(iterator)
    rows = chain(first, (row for _, page in iterator for row in page))
    if not first:
        typer.echo(NOTHING, err=True)
    if as_json:
        for row in rows:
            print_json(_object(columns, row))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        writer.writerows(rows)
    elif first:
        _print_table(columns, first, rows)


def _object(columns: list[Column], row: Row) -> dict[str, Any]:
    return {
        column.name: value if value is None else FROM_TEXT.get(column.type, str)(value)
        for column, value in zip(columns, row, strict=True)
    }


def _print_table(columns: list[Column], first: list[Row], rows: Iterable[Row]) -> None:
    names: Row = [column.name for column in columns]
    widths = [max(len(printable(value or "")) for value in values) for values in zip(names, *first, strict=True)]
    for row in chain([names], rows):
        cells = [
            printable(value or "").rjust(width) if column.type in NUMBERS else printable(value or "").ljust(width)
            for column, width, value in zip(columns, widths, row, strict=True)
        ]
        typer.echo("  ".join(cells).rstrip())
