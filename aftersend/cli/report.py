"""Implement `aftersend report`: ask the archive what the counters do not answer."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from aftersend.aws.athena import ENDED, Query, Status, start_query
from aftersend.cli.deployment import CsvOption, JsonOption, OptionalEnvironmentOption, Target, connected
from aftersend.cli.replay import INTERRUPTED, parse_time
from aftersend.cli.report_output import print_pages
from aftersend.config.loader import suggestion
from aftersend.operations.reports import DEFAULT_RANGE, REPORTS, InvalidSubject, Report, dollars, parameters

FAILED = 1
POLL_SECONDS = 1.0

EMULATED = "The emulator accepts queries but does not run them: every result of a local run is empty."

FIXES = {
    "Bytes scanned limit": "Shorten the range with --since and --until.",
    "Insufficient permissions": "Use a role with the permissions that docs/operations.md lists.",
    "Access Denied": "Use a role with the permissions that docs/operations.md lists.",
    "exhausted resources": "Shorten the range with --since and --until.",
}
"""What to do, by a part of Athena's reason."""


NameArgument = Annotated[
    str | None, typer.Argument(metavar="REPORT", help="Without one, the reports are listed.", show_default=False)
]
SubjectArgument = Annotated[
    str | None,
    typer.Argument(metavar="MESSAGE_ID|TAG=VALUE", help="What the report is asked about.", show_default=False),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", parser=parse_time, help="Messages sent since this time; by default, 30 days."),
]
UntilOption = Annotated[
    datetime | None, typer.Option(metavar="TIME", parser=parse_time, help="Messages sent before this time.")
]


def report(
    name: NameArgument = None,
    subject: SubjectArgument = None,
    env: OptionalEnvironmentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_csv: CsvOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the archive what the counters do not answer, with Amazon Athena.

    Prints a table to standard output, and to standard error what was scanned and what that costs: $5 per TB, and at
    least $0.00005 a report. Every event is counted once, however often the archive has it. Results contain
    addresses; their copy in the archive bucket expires after a day.

    Exit codes: 0 done, 1 the query failed, 2 the deployment cannot be queried, 130 interrupted: the query is stopped.

    Examples:

    - `aftersend report`

    - `aftersend report campaign campaign=spring-catalogue --env prod --since 2026-11-01`

    - `aftersend report message 0102018e3f2a4b5c-1a2b3c4d-0000-0000-0000-000000000000-000000 --env prod`
    """
    if name is None:
        _list_reports()
        return
    if env is None:
        raise typer.BadParameter("No environment is named: add --env NAME.")
    if as_csv and as_json:
        raise typer.BadParameter("Choose --csv or --json.")
    chosen, end = _find(name), until or datetime.now(UTC)
    values = _parameters(chosen, subject, since or end - DEFAULT_RANGE, end)
    with connected(env) as target:
        _print_results(_start(target, chosen, values), as_csv=as_csv, as_json=as_json)


def _find(name: str) -> Report:
    if name not in REPORTS:
        raise typer.BadParameter(f'There is no report "{name}".{suggestion(name, [*REPORTS])}')
    return REPORTS[name]


def _list_reports() -> None:
    for each in REPORTS.values():
        typer.echo(f"{each.name:10}{each.subject or '':12}{each.summary}")


def _parameters(report: Report, subject: str | None, since: datetime, until: datetime) -> list[str]:
    if since >= until:
        raise typer.BadParameter("--until must be later than --since.")
    try:
        return parameters(report, subject, since, until)
    except InvalidSubject as error:
        raise typer.BadParameter(str(error)) from None


def _start(target: Target, report: Report, values: list[str]) -> Query:
    if target.is_local:
        typer.echo(EMULATED, err=True)
    deployment = target.deployment
    return start_query(
        deployment.client("athena"),
        report.query,
        values,
        work_group=deployment.output("ReportsWorkGroupName"),
        database=deployment.output("ReportsDatabaseName"),
    )


def _print_results(query: Query, *, as_csv: bool, as_json: bool) -> None:
    """Print the results of a query once it has ended, and stop it if the command is interrupted."""
    try:
        _check(query, _wait(query))
        print_pages(query.pages(), as_csv=as_csv, as_json=as_json)
    except KeyboardInterrupt:
        query.stop()
        typer.echo("Stopped. What was scanned until now is charged.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _wait(query: Query) -> Status:
    """Wait until a query has ended, and show on standard error how far it is."""
    with Console(stderr=True).status("Starting") as progress:
        while (status := query.status()).state not in ENDED:
            progress.update(f"{status.state.capitalize()}, {_size(status.scanned_bytes)} scanned")
            time.sleep(POLL_SECONDS)
    return status


def _check(query: Query, status: Status) -> None:
    """Print what a query costs, or why it failed and what to do."""
    if status.state == "SUCCEEDED":
        price = f"${dollars(status.scanned_bytes):.5f}"
        typer.echo(f"Scanned {_size(status.scanned_bytes)}, which costs {price}.", err=True)
        return
    fix = next((fix for part, fix in FIXES.items() if part in status.reason), "Look at it in the console of Athena.")
    reason = status.reason.rstrip(".") or "no reason is given"
    typer.echo(f"Athena ended the query {query.id} as {status.state}: {reason}. {fix}", err=True)
    raise typer.Exit(FAILED)


def _size(scanned_bytes: int) -> str:
    return f"{scanned_bytes / 1e6:,.1f} MB"
