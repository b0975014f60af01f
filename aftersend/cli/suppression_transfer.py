"""Implement `aftersend suppressions import` and `export`: move suppression lists between providers and environments."""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aftersend.aws.deployed_recorder import deployed_hash_key, deployed_recorder, deployed_suppressions
from aftersend.aws.deployment import Deployment
from aftersend.aws.suppression_check import recipient_of
from aftersend.aws.suppression_importer import SuppressionImporter
from aftersend.cli.deployment import DryRunOption, EnvironmentOption, JsonOption, connected, one_sentence
from aftersend.cli.failure_output import print_json
from aftersend.cli.suppression_changes import OperatorOption
from aftersend.cli.suppression_editor import operator_of
from aftersend.cli.suppression_options import (
    INTERRUPTED,
    REFUSED,
    DomainOption,
    ReasonOption,
    RuleOption,
    ScopeOption,
    advance,
    progress,
)
from aftersend.cli.text_files import open_lines, open_writer
from aftersend.operations.suppression_export import FORMATS
from aftersend.operations.suppression_import import INVALID, SKIPPED, Skipped, parse_rows
from aftersend.operations.tabular import NotTabular
from aftersend.suppression.selection import Selection

IMPORTED = "imported"
"""What rows that are not skipped are counted under."""


class Format(StrEnum):
    """Name the formats of `export`."""

    CSV = "csv"
    JSON = "json"
    SES = "ses"


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV or JSON lines; `-` is standard input.", show_default=False)
]
RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write the line and the reason of each row that is not imported."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Add recipients that an operator removed here, too.")]


def import_file(
    file: FileArgument,
    env: EnvironmentOption,
    scope: ScopeOption = None,
    force: ForceOption = False,
    rejects: RejectsOption = None,
    operator: OperatorOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add the addresses of a file to the suppression list.

    Reads what SendGrid, Mailgun and Postmark export, the files of SES's import jobs, JSON lines, what `export` writes,
    and any CSV file with a column `email`. Each row becomes an operator's act, with the file's reason in its note. If
    interrupted, run it again: what is suppressed already is skipped.

    Exit codes: 0 done; 1 rows could not be read or recorded; 2 the deployment cannot be queried; 130 interrupted.

    Examples:

    - `aftersend suppressions import bounces.csv --env prod --dry-run`

    - `aftersend suppressions import unsubscribed.csv --env prod --scope stream#newsletter --rejects rejects.csv`
    """
    counts, status = Counter[str](), 0
    with connected(env) as target, open_lines(file, "importing") as lines, open_writer(rejects, file) as reject:
        importer = _importer(target.deployment, operator, force=force, dry_run=dry_run)
        rows = parse_rows(lines, recipient_of, datetime.now(UTC), scope)
        try:
            with one_sentence(NotTabular, code=REFUSED, describe=lambda error: f"{file}: {error}"):
                for result in importer.results(rows):
                    counts[result.reason if isinstance(result, Skipped) else IMPORTED] += 1
                    if isinstance(result, Skipped):
                        reject(f"{result.line},{result.reason}\n")
        except KeyboardInterrupt:
            status = INTERRUPTED
    _print_imported(counts, as_json, dry_run=dry_run)
    if status:
        typer.echo("Interrupted. To continue, run the same command again: rows that are done are skipped.", err=True)
    if status or any(counts[reason] for reason in INVALID):
        raise typer.Exit(status or REFUSED)


def _importer(deployment: Deployment, operator: str | None, *, force: bool, dry_run: bool) -> SuppressionImporter:
    return SuppressionImporter(
        recorder=deployed_recorder(deployment),
        suppressions=deployed_suppressions(deployment),
        hash_key=deployed_hash_key(deployment),
        operator=operator_of(deployment, operator),
        force=force,
        dry_run=dry_run,
    )


def _print_imported(counts: Counter[str], as_json: bool, *, dry_run: bool) -> None:
    skipped = {reason: counts[reason] for reason in SKIPPED if counts[reason]}
    if as_json:
        print_json({"dry_run": dry_run, "added": counts[IMPORTED], "skipped": skipped})
        return
    typer.echo(f"{'To add' if dry_run else 'Added'}: {counts[IMPORTED]:,}")
    for reason, number in skipped.items():
        typer.echo(f"Skipped, {reason}: {number:,} ({SKIPPED[reason]})")


OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="The file to write. Default: standard output.")
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="`ses` is the CSV of SES's import jobs: entries for all mail without an end.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Also entries that were lifted or have ended.")]


def export(
    env: EnvironmentOption,
    output: OutputOption = None,
    file_format: FormatOption = Format.CSV,
    reason: ReasonOption = None,
    rule: RuleOption = None,
    scope: ScopeOption = None,
    domain: DomainOption = None,
    every: AllOption = False,
) -> None:
    """Write the suppression list to a file, as CSV, JSON lines or an import job of SES.

    By default the entries in force. `import` reads the CSV and the JSON lines again. Forgotten recipients are not
    exported: their addresses are unknown.

    Exit codes: 0 done, 2 the deployment cannot be queried, 130 interrupted: the file is not written.

    Examples:

    - `aftersend suppressions export --env prod --output suppressions.csv`

    - `aftersend suppressions export --env prod --format ses --reason complaint | split -l 100000 - complaints-`
    """
    now = datetime.now(UTC)
    selection = Selection(reason=reason, rule=rule, scope=scope, domain=domain, in_force=None if every else True)
    with connected(env) as target:
        entries = deployed_suppressions(target.deployment).entries()
        selected = (entry for entry in entries if selection.includes(entry, now))
        if output is None:
            for line in FORMATS[file_format](selected, now):
                sys.stdout.write(line)
            return
        number = _write_complete(output, FORMATS[file_format](selected, now))
    typer.echo(f"{output}: {number:,} lines.", err=True)


def _write_complete(output: Path, lines: Iterable[str]) -> int:
    """Write a file that has its name only once it is complete, and return the number of its lines."""
    partial, number = output.with_name(f"{output.name}.partial"), 0
    try:
        with open_writer(partial) as write, progress("exporting") as bar:
            for line in lines:
                write(line)
                number += 1
                advance(bar)
        partial.replace(output)
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}.") from None
    except KeyboardInterrupt:
        typer.echo(f"Interrupted: {output} was not written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        partial.unlink(missing_ok=True)
    return number
