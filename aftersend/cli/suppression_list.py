"""Implement `aftersend suppressions list`: stream the entries of the suppression list."""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from aftersend.aws.deployed_recorder import deployed_suppressions
from aftersend.cli.deployment import EnvironmentOption, JsonOption, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.suppression_options import (
    DomainOption,
    ReasonOption,
    RuleOption,
    ScopeOption,
    SinceOption,
    UntilOption,
    print_counts,
    watched,
)
from aftersend.operations.suppression_export import entry_values
from aftersend.suppression import Entry
from aftersend.suppression.explanation import format_time
from aftersend.suppression.selection import Selection

COLUMNS = "{:21}  {:21}  {:12}  {:22}  {:16}  {}"
"""Fixed widths: a row is printed as soon as it is read."""


def list_entries(
    env: EnvironmentOption,
    reason: ReasonOption = None,
    rule: RuleOption = None,
    scope: ScopeOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    domain: DomainOption = None,
    ended: Annotated[bool, typer.Option("--ended", help="Only entries that were lifted or have ended.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only count the entries, by reason, rule and scope.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many entries.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the entries of the suppression list, in no order.

    By default all that are in force. The table is read page by page: memory does not grow with it. `--json` prints a
    line for each entry, without its evidence, which `explain` shows.

    Exit codes: 0 done, 2 the deployment cannot be queried.

    Examples:

    - `aftersend suppressions list --env prod --rule hard-bounce --since 2026-11-24`

    - `aftersend suppressions list --env prod --count`
    """
    selection = Selection(
        reason=reason, rule=rule, scope=scope, since=since, until=until, domain=domain, in_force=not ended
    )
    with connected(env) as target:
        table = deployed_suppressions(target.deployment).entries()
        is_printed_now = sys.stdout.isatty() and not count  # the lines themselves show the progress
        now, read = datetime.now(UTC), table if is_printed_now else watched(table, "reading")
        entries = islice((entry for entry in read if selection.includes(entry, now)), limit)
        if count:
            _print_counts(entries, as_json)
        elif as_json:
            for entry in entries:
                print_json(entry_values(entry))
        else:
            _print_rows(entries)


def _print_counts(entries: Iterable[Entry], as_json: bool) -> None:
    counts = Counter((entry.reason, entry.rule, entry.scope) for entry in entries)
    if not as_json:
        print_counts(counts, ("reason", "rule", "scope"))
        return
    for (reason, rule, scope), number in sorted(counts.items()):
        print_json({"reason": reason, "rule": rule, "scope": scope, "count": number})


def _print_rows(entries: Iterable[Entry]) -> None:
    number = 0
    for number, entry in enumerate(entries, 1):
        if number == 1:
            typer.echo(COLUMNS.format("since", "until", "reason", "rule", "scope", "address"))
        until = format_time(entry.until) if entry.until or entry.lifted_by else "lifted"
        shown = map(printable, (entry.scope, entry.recipient_raw or entry.recipient))
        typer.echo(COLUMNS.format(format_time(entry.since), until, entry.reason, entry.rule, *shown).rstrip())
    typer.echo(f"{number:,} entries." if number != 1 else "1 entry.", err=True)
