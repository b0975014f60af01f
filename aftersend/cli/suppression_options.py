"""Define what the commands of `aftersend suppressions` share: options, progress and summaries."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from aftersend.aws.suppression_check import recipient_of
from aftersend.cli.failure_output import printable
from aftersend.cli.replay import parse_time
from aftersend.parsing.addresses import bare_address
from aftersend.suppression import RULES
from aftersend.suppression.entry import REASONS, SCOPE

SUPPRESSED = 1
"""Exit code: the address, or some of the addresses, are suppressed or could not be checked."""
REFUSED = 1
"""Exit code: something was refused or has failed."""
INTERRUPTED = 130

Read = TypeVar("Read")

RULE_IDS = tuple(rule.id for rule in RULES)


def parse_scope(text: str) -> str:
    """Check the spelling of a scope."""
    if not SCOPE.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is no scope. Valid scopes: '*' (every message), stream#NAME, list#NAME, topic#LIST/NAME."
        )
    return text


def parse_address(text: str) -> str:
    """Return an address without its display name, as it is spelled."""
    if recipient_of(text) is None:
        raise typer.BadParameter("ADDRESS is not one e-mail address.")
    return bare_address(text)


def one_of(kind: str, names: Sequence[str]) -> Callable[[str], str]:
    """Return a parser that refuses every other name: a misspelled one would select nothing."""

    def parse(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is no {kind}. Valid ones: {', '.join(names)}.")
        return text

    return parse


AddressArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", parser=parse_address, help="An e-mail address, in any spelling.")
]
SCOPE_OPTION = typer.Option(metavar="SCOPE", parser=parse_scope, help="'*', stream#NAME, list#NAME or topic#LIST/NAME.")
ScopeOption = Annotated[str | None, SCOPE_OPTION]
ReasonOption = Annotated[
    str | None,
    typer.Option(
        metavar="REASON", parser=one_of("reason", REASONS), help="Only entries with this reason, such as bounce."
    ),
]
RuleOption = Annotated[
    str | None,
    typer.Option(
        metavar="RULE", parser=one_of("rule", RULE_IDS), help="Only entries of this rule, such as hard-bounce."
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", parser=parse_time, help="Only entries since this time; UTC, unless it has an offset."),
]
UntilOption = Annotated[
    datetime | None, typer.Option(metavar="TIME", parser=parse_time, help="Only entries since before this time.")
]
DomainOption = Annotated[str | None, typer.Option(help="Only addresses of this domain, without its subdomains.")]

ContactListOption = Annotated[str | None, typer.Option("--list", help="The contact list that is sent to.")]
TopicOption = Annotated[str | None, typer.Option(help="The topic of the contact list.")]


@contextmanager
def progress(action: str, total: int | None = None) -> Generator[Progress]:
    """Show on standard error how far a command is; advance its only task with `advance(progress)`."""
    columns = [TextColumn(action), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    console = Console(stderr=True)  # what the command prints stays where it belongs: nothing is redirected to it
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        bar.add_task("", total=total)
        yield bar


def advance(bar: Progress, number: int = 1) -> None:
    """Advance the task of a progress bar."""
    bar.advance(bar.task_ids[0], number)


def watched(entries: Iterable[Read], action: str) -> Generator[Read]:
    """Yield what is read, and show on standard error how many were read."""
    with progress(action) as bar:
        for entry in entries:
            yield entry
            advance(bar)


def print_counts(counts: Mapping[tuple[str, str, str], int], names: Iterable[str]) -> None:
    """Print counts by the values of some columns, the greatest first."""
    rows = [(*values, f"{count:,}") for values, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))]
    table = [(*names, "count"), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for *values, count in table:
        cells = [printable(value).ljust(width) for value, width in zip(values, widths, strict=False)]
        typer.echo("  ".join(["", *cells, count.rjust(widths[-1])]))
