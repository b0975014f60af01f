"""Implement `aftersend recount`: rebuild the counters from the ledger, and correct those that differ."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.counting_mapping import CountingMapping, NotPaused
from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_recorder import deployed_counting, deployed_ledger
from aftersend.aws.deployment import AWS_ERRORS
from aftersend.aws.failure_sources import stored_failures
from aftersend.aws.ledger_stream import LedgerStream, NotCut
from aftersend.aws.recount import CountingContinues, Recount, delete_recounted, is_unfinished
from aftersend.cli.deployment import (
    CANNOT_QUERY,
    DryRunOption,
    EnvironmentOption,
    JsonOption,
    Target,
    YesOption,
    confirm,
    connected,
)
from aftersend.cli.failure_output import plain_table, print_json, print_rich, printable
from aftersend.cli.suppression_options import INTERRUPTED, REFUSED, advance, progress
from aftersend.contract import ONLY_SHARD
from aftersend.operations.failures import FailureKind
from aftersend.operations.recount import PARTS, Difference, Reach, totals

MAPPING_OUTPUT = "CountTagsMappingId"
"""The output of the stack Pipeline with the id of the event source mapping of count_tags."""

MAX_SHOWN = 20

AGAIN = "Run the command again; `aftersend doctor` shows if counting is paused."
RESUMED = "Counting was resumed, and nothing was changed."
UNFINISHED = (
    "The last recount ended while it corrected counters. "
    "Counting stays paused and counters are wrong until you run the command again."
)

AbortOption = Annotated[
    bool, typer.Option("--abort", help="Resume counting after a recount that was killed while it compared.")
]


def recount(
    env: EnvironmentOption,
    dry_run: DryRunOption = False,
    abort: AbortOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild the counters from the ledger, and correct those that differ.

    Counts what the ledger has, compares, shows the difference and, on confirmation, corrects it; then deletes the
    failed batches that are counted now. Counting is paused from the comparison to the end of the correction; events are
    recorded and recipients suppressed all the while. Counters of which the ledger no longer has all events stay as they
    are. You can stop it at any time and run it again. `--dry-run` pauses counting as well, and changes nothing.

    Exit codes: 0 all counters are right; 1 some are not (`--dry-run`), or refused; 2 the deployment cannot be queried,
    or counting could not be paused; 130 interrupted.

    Examples:

    - `aftersend recount --env prod --dry-run`

    - `aftersend recount --env prod`
    """
    with connected(env) as target, explained():
        if abort:
            _abort(target)
            return
        job = _count(target)
        with job.paused():
            differences = job.compare()
            wrong = [each for each in differences if each.error]
            if not as_json:
                _print(job, wrong)
            is_wanted = not dry_run and (not wrong or yes or confirm(f"Correct {len(wrong):,} counters of {env}?"))
            if is_wanted:
                job.correct(differences)
        batches = stored_failures(target.deployment, FailureKind.BATCH)
        deleted, kept = delete_recounted(batches, job.includes, job.cut_at) if is_wanted else (0, 0)
    if as_json:
        _print_json(job, wrong, is_corrected=is_wanted, deleted=deleted)
    else:
        _print_end(job, len(wrong), deleted, kept, is_corrected=is_wanted)
    if wrong and not is_wanted:
        raise typer.Exit(REFUSED)


@contextmanager
def explained() -> Generator[None]:
    """End the command with a sentence if the recount cannot go on, and say what to do.

    A terminal that is closed, and a process that is asked to end, interrupt like Ctrl-C: counting is resumed.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Interrupted. {AGAIN}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (NotPaused, NotCut, CountingContinues) as error:
        typer.echo(f"{error} {AGAIN}", err=True)
        raise typer.Exit(CANNOT_QUERY) from None
    except AWS_ERRORS:
        typer.echo(f"The recount failed. {AGAIN}", err=True)
        raise


def _count(target: Target) -> Recount:
    """Count the ledger, and announce the pause that follows."""
    job = _recount(target)
    with progress("reading the ledger") as bar:
        job.count(lambda number: advance(bar, number))
    typer.echo("Pausing counting, to compare. This takes some minutes.", err=True)
    return job


def _recount(target: Target) -> Recount:
    deployment = target.deployment
    mapping = CountingMapping(deployment.client("lambda"), deployment.output(MAPPING_OUTPUT))
    settings = deployed_counting(deployment)
    return Recount(
        ledger=deployed_ledger(deployment),
        stream=LedgerStream(deployment.client("dynamodbstreams"), mapping.stream_arn()),
        counters=CountersTable(
            deployment.client("dynamodb"),
            deployment.output("CountersTableName"),
            retention_days=settings.retention.counters_days,
        ),
        mapping=mapping,
        counted=settings.counted,
        now=lambda: datetime.now(UTC),
        shard_alias=ONLY_SHARD if target.is_local else None,
    )


def _abort(target: Target) -> None:
    if is_unfinished(deployed_counters(target.deployment)):
        typer.echo(UNFINISHED, err=True)
        raise typer.Exit(REFUSED)
    CountingMapping(target.deployment.client("lambda"), target.deployment.output(MAPPING_OUTPUT)).resume()
    typer.echo("Counting was resumed.", err=True)


def _print(job: Recount, wrong: list[Difference]) -> None:
    """Print what is wrong by tag and measure, then the largest differences, then what was left as it is."""
    typer.echo(
        f"{len(wrong):,} counters differ from the ledger." if wrong else "All counters are as the ledger has them."
    )
    if wrong:
        _print_table(
            ("tag", "measure"),
            ("counters", "missing", "surplus"),
            [(each.tag, each.measure, *(f"{number:,}" for number in each[2:])) for each in totals(wrong)],
        )
        typer.echo(f"The largest {MAX_SHOWN}:" if len(wrong) > MAX_SHOWN else "In detail:")
        _print_table(
            ("tag", "value", "sent", "measure"), ("counted", "recounted"), [_cells(each) for each in wrong[:MAX_SHOWN]]
        )
    typer.echo("Counters of earlier messages stay as they are: the ledger no longer has all their events.")
    for part, begin in begins(job.reach).items():
        typer.echo(f"  {part}: sent before {begin:%Y-%m-%d %H:%M} UTC")
    if job.undecodable:
        typer.echo(f"{job.undecodable:,} ledger items cannot be decoded and are not counted.", err=True)


def begins(reach: Reach) -> dict[str, datetime]:
    """Return from which hour of sending on counters can be rebuilt."""
    return {part: reach.begins(kind) for part, kind in PARTS.items()}


def _cells(each: Difference) -> tuple[str, ...]:
    numbers = (f"{number:,}" for number in (each.counted + each.waiting, each.recounted))
    return (each.row.tag, each.row.value, f"{each.row.hour:%Y-%m-%d %H}:00", each.measure, *numbers)


def _print_table(names: tuple[str, ...], numbers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = plain_table(*names, *numbers, right=numbers)
    for row in rows:
        table.add_row(*map(printable, row))
    print_rich(table)


def _print_json(job: Recount, wrong: list[Difference], *, is_corrected: bool, deleted: int) -> None:
    rows = [
        {**each.row._asdict(), "measure": each.measure, "counted": each.counted + each.waiting}
        | {"recounted": each.recounted}
        for each in wrong
    ]
    print_json(
        {
            "items": job.items,
            "undecodable": job.undecodable,
            "since": msgspec.to_builtins(begins(job.reach)),
            "differences": msgspec.to_builtins(rows),
            "corrected": is_corrected,
            "batches_deleted": deleted,
        }
    )


def _print_end(job: Recount, counters: int, deleted: int, kept: int, *, is_corrected: bool) -> None:
    if not is_corrected:
        typer.echo(UNFINISHED if job.is_correcting else RESUMED, err=True)
        return
    staying = f"; {kept:,} stay, because they have changes of counters that cannot be rebuilt" if kept else ""
    typer.echo(f"Corrected {counters:,} counters. Counting goes on.")
    typer.echo(f"Deleted {deleted:,} failed batches that are counted now{staying}.")
