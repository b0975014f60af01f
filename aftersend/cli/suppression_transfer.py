"""Implement `aftersend suppressions import` and `export`: move suppression lists between providers and environments."""

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, TextIO

import typer

from aftersend.aws.deployed_recorder import deployed_recorder, deployed_suppressions
from aftersend.aws.suppression_check import recipient_of
from aftersend.aws.suppression_importer import SuppressionImporter
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.cli.deployment import DryRunOption, EnvironmentOption, JsonOption, connected
from aftersend.cli.failure_output import print_json
from aftersend.cli.suppression_options import (
    INTERRUPTED,
    REFUSED,
    DomainOption,
    OperatorOption,
    ReasonOption,
    RuleOption,
    ScopeOption,
    advance,
    hash_key,
    operator_name,
    progress,
)
from aftersend.operations.suppression_export import FORMATS
from aftersend.operations.suppression_import import INVALID, SKIPPED, Row, Skipped, parse_rows
from aftersend.operations.tabular import NotTabular
from aftersend.suppression import Entry
from aftersend.suppression.selection import Selection

MAX_LINE_CHARACTERS = 1_000_000
"""A longer line is read in parts, so that a file without line breaks is never in memory as a whole."""

STANDARD_INPUT = Path("-")


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("import")(import_file)
    app.command("export")(export)


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
    counts = Counter[str]()
    is_interrupted = False
    try:
        with connected(env) as target, _lines(file) as (lines, total):
            rows = parse_rows(lines, recipient_of, datetime.now(UTC), scope)
            recorder = deployed_recorder(target.deployment)
            importer = SuppressionImporter(
                recorder=recorder,
                suppressions=deployed_suppressions(target.deployment),
                hash_key=hash_key(target.deployment),
                operator=operator_name(target.deployment, operator),
                force=force,
                dry_run=dry_run,
            )
            is_interrupted = _import(importer.results(rows), counts, total, rejects)
    except NotTabular as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    _print_summary(counts, dry_run=dry_run, as_json=as_json)
    if is_interrupted:
        typer.echo("Interrupted. To continue, run the command again: rows that are done are skipped.", err=True)
        raise typer.Exit(INTERRUPTED)
    if any(counts[reason] for reason in INVALID):
        raise typer.Exit(REFUSED)
