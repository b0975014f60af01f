"""Implement `aftersend suppressions check`: which addresses of a mailing list are suppressed."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from aftersend.aws.deployed_recorder import deployed_hash_key
from aftersend.aws.deployment import AWS_ERRORS, Deployment, Unavailable
from aftersend.aws.suppression_check import CheckResult, SuppressionUnknown
from aftersend.aws.suppression_check import check as check_addresses
from aftersend.cli.deployment import CANNOT_QUERY, EnvironmentOption, JsonOption, Target, connected, one_sentence
from aftersend.cli.failure_output import print_json
from aftersend.cli.suppression_options import SUPPRESSED, ContactListOption, TopicOption, print_counts
from aftersend.cli.text_files import open_lines, open_writer
from aftersend.operations.parallel import batched
from aftersend.operations.suppression_export import csv_line
from aftersend.operations.suppression_import import parse_addresses
from aftersend.operations.tabular import NotTabular

CHUNK = 1_000
"""Lines that are checked at once."""

SHOWN_LINES = 5
"""Numbers of lines with unknown addresses that are printed."""

OUTPUT_COLUMNS = ("address", "reason", "rule", "scope", "since", "until")


class Tally:
    """Count the lines of a file by what was learned about their addresses."""

    def __init__(self) -> None:
        self.addresses, self.unknown = 0, 0
        self.suppressed: Counter[tuple[str, str, str]] = Counter()
        self.unknown_lines: list[int] = []

    def add(self, chunk: list[tuple[int, str]], result: CheckResult) -> None:
        """Count the lines of a chunk."""
        unknown = set(result.unknown)
        self.addresses += len(chunk)
        for line, address in chunk:
            if suppression := result.suppressed.get(address):
                self.suppressed[suppression.reason, suppression.rule, suppression.scope] += 1
            elif address in unknown:
                self.unknown += 1
                self.unknown_lines += [line][: SHOWN_LINES - len(self.unknown_lines)]


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list; - is standard input.", show_default=False)],
    env: EnvironmentOption,
    stream: Annotated[str | None, typer.Option(help="The stream that is sent in.")] = None,
    contact_list: ContactListOption = None,
    topic: TopicOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="CSV", help="Write the suppressed addresses to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check which addresses of a mailing list are suppressed, before it is sent to.

    FILE has an address per line, or is CSV with a column `email`, or without a header and with the addresses in its
    first column. Memory does not grow with it. Lines without one valid address are counted as unknown.

    Exit codes: 0 none is suppressed, 1 some are suppressed or unknown, 2 the file or the deployment cannot be read.

    Examples:

    - `aftersend suppressions check readers.csv --env prod --output suppressed.csv`

    - `cut -f 3 readers.tsv | aftersend suppressions check - --env prod --stream newsletter`
    """
    if topic and not contact_list:
        raise typer.BadParameter("--topic needs the contact list: --list NAME.")
    tally = Tally()
    scopes = {"stream": stream, "contact_list": contact_list, "topic": topic}
    with (
        connected(env) as target,
        open_lines(file, "checking") as lines,
        open_writer(output, file) as write,
        one_sentence(NotTabular, code=CANNOT_QUERY, describe=lambda error: f"{file}: {error}"),
    ):
        _check(target, parse_addresses(lines), scopes, tally, write)
    _print(tally, as_json)
    if tally.suppressed or tally.unknown:
        raise typer.Exit(SUPPRESSED)


def _check(
    target: Target,
    addresses: Iterable[tuple[int, str]],
    scopes: dict[str, Any],
    tally: Tally,
    write: Callable[[str], object],
) -> None:
    reader = reader_arguments(target.deployment, scopes)
    write(csv_line(OUTPUT_COLUMNS))
    for chunk in batched(addresses, CHUNK):
        result = check_deployed([address for _, address in chunk], reader)
        tally.add(chunk, result)
        for row in _output_rows(result):
            write(csv_line(row))


def reader_arguments(deployment: Deployment, scopes: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `check` for a deployment: the scopes, the table, the client and the hash key."""
    return scopes | {
        "table": deployment.output("SuppressionsTableName"),
        "client": deployment.client("dynamodb"),
        "hash_key": deployed_hash_key(deployment),
    }


def check_deployed(addresses: list[str], reader: dict[str, Any]) -> CheckResult:
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
