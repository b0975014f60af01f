"""Implement `aftersend suppressions check`: which addresses of a mailing list are suppressed."""

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from aftersend.aws.deployed_recorder import deployed_hash_key
from aftersend.aws.deployment import AWS_ERRORS, Unavailable
from aftersend.aws.suppression_check import CheckResult, SuppressionUnknown
from aftersend.aws.suppression_check import check as check_addresses
from aftersend.cli.deployment import CANNOT_QUERY, EnvironmentOption, JsonOption, Target, connected
from aftersend.cli.failure_output import print_json
from aftersend.cli.suppression_options import SUPPRESSED, advance, print_counts, progress
from aftersend.operations.mailing_list import Row, rows

CHUNK = 1_000
"""Lines that are checked at once."""

SHOWN_LINES = 5
"""Numbers of lines with unknown addresses that are printed."""

STANDARD_INPUT = Path("-")

OUTPUT_COLUMNS = ("address", "reason", "rule", "scope", "since", "until")


class Tally:
    """Count the lines of a file by what was learned about their addresses."""

    def __init__(self) -> None:
        self.addresses, self.unknown = 0, 0
        self.suppressed: Counter[tuple[str, str, str]] = Counter()
        self.unknown_lines: list[int] = []

    def add(self, chunk: list[Row], result: CheckResult) -> None:
        """Count the lines of a chunk."""
        unknown = set(result.unknown)
        self.addresses += len(chunk)
        for row in chunk:
            if suppression := result.suppressed.get(row.address):
                self.suppressed[suppression.reason, suppression.rule, suppression.scope] += 1
            elif row.address in unknown:
                self.unknown += 1
                self.unknown_lines += [row.line][: SHOWN_LINES - len(self.unknown_lines)]


def add_commands(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command()(check)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list; - is standard input.", show_default=False)],
    env: EnvironmentOption,
    stream: Annotated[str | None, typer.Option(help="The stream that is sent in.")] = None,
    contact_list: Annotated[str | None, typer.Option("--list", help="The contact list that is sent to.")] = None,
    topic: Annotated[str | None, typer.Option(help="The topic of the contact list.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="CSV", help="Write the suppressed addresses to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check which addresses of a mailing list are suppressed, before it is sent to.

    FILE has an address per line, or is CSV with a column `email` or the addresses in its first column. It is read
    line by line: memory does not grow with it. Lines without one valid address are counted as unknown.

    Exit codes: 0 none is suppressed, 1 some are suppressed or unknown, 2 the file or the deployment cannot be read.

    Examples:

    - `aftersend suppressions check readers.csv --env prod --output suppressed.csv`

    - `cut -f 3 readers.tsv | aftersend suppressions check - --env prod --stream newsletter`
    """
    if topic and not contact_list:
        raise typer.BadParameter("--topic needs the contact list: --list NAME.")
    tally = Tally()
    scopes = {"stream": stream, "contact_list": contact_list, "topic": topic}
    try:
        with connected(env) as target, ExitStack() as files:
            lines = files.enter_context(_opened(file))
            written = files.enter_context(output.open("w", encoding="utf-8", newline="")) if output else None
            _check(target, rows(lines), scopes, tally, written)
    except OSError as error:
        typer.echo(f"{error.filename or file} cannot be opened: {error.strerror}.", err=True)
        raise typer.Exit(CANNOT_QUERY) from None
    _print(tally, as_json)
    if tally.suppressed or tally.unknown:
        raise typer.Exit(SUPPRESSED)


def _opened(file: Path) -> Any:
    """Open the list. What is not UTF-8 makes its line invalid, and no other."""
    if file == STANDARD_INPUT:
        return nullcontext(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    return file.open(encoding="utf-8", errors="replace")


def _check(
    target: Target, all_rows: Iterable[Row], scopes: dict[str, Any], tally: Tally, output: TextIO | None
) -> None:
    deployment = target.deployment
    reader = scopes | {
        "table": deployment.output("SuppressionsTableName"),
        "client": deployment.client("dynamodb"),
        "hash_key": deployed_hash_key(deployment),
    }
    writer = csv.writer(output) if output else None
    if writer:
        writer.writerow(OUTPUT_COLUMNS)
    with progress("checking") as bar:
        for chunk in _chunks(all_rows):
            result = _result([row.address for row in chunk], reader)
            tally.add(chunk, result)
            if writer:
                writer.writerows(_output_rows(result))
            advance(bar, len(chunk))


def _result(addresses: list[str], reader: dict[str, Any]) -> CheckResult:
    """Check addresses. Invalid ones are unknown; if the table cannot be read, nothing is known, and the check ends."""
    try:
        return check_addresses(addresses, **reader)
    except SuppressionUnknown as error:
        cause = error.__cause__
        if isinstance(cause, AWS_ERRORS):
            raise cause from None
        if cause:
            raise Unavailable(f"The suppressions table cannot be read: {cause} Try again later.") from None
        return error.result


def _output_rows(result: CheckResult) -> Iterator[list[Any]]:
    for address, suppression in result.suppressed.items():
        times = (time.isoformat() if time else "" for time in (suppression.since, suppression.until))
        yield [address, suppression.reason, suppression.rule, suppression.scope, *times]


def _chunks(all_rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(all_rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _print(tally: Tally, as_json: bool) -> None:
    suppressed = tally.suppressed.total()
    if as_json:
        names = ("reason", "rule", "scope", "count")
        rows = [dict(zip(names, (*key, count), strict=True)) for key, count in sorted(tally.suppressed.items())]
        print_json(
            {"addresses": tally.addresses, "suppressed": suppressed, "unknown": tally.unknown, "suppressions": rows}
        )
        return
    typer.echo(f"{suppressed:,} of {tally.addresses:,} addresses are suppressed.")
    if suppressed:
        print_counts(tally.suppressed, ("reason", "rule", "scope"))
    if tally.unknown:
        lines = ", ".join(map(str, tally.unknown_lines))
        more = ", …" * (tally.unknown > len(tally.unknown_lines))
        have = "line has" if tally.unknown == 1 else "lines have"
        typer.echo(f"{tally.unknown:,} {have} no single valid e-mail address: {lines}{more}")
