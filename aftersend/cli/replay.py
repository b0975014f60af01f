"""Implement `aftersend replay`: announce objects of the archive again."""

import shlex
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aftersend.aws.announcer import Announcer, NotAnnounced
from aftersend.aws.deployment import AWS_ERRORS, describe_error
from aftersend.cli.deployment import DryRunOption, EnvironmentOption, JsonOption, Target, YesOption, confirm, connected
from aftersend.cli.failure_output import print_json
from aftersend.operations.failures import StoredObject
from aftersend.operations.findings import quantity
from aftersend.operations.replay import (
    EVENTS_PER_SECOND,
    Estimate,
    HourRange,
    batches,
    estimate,
    events_in,
    retention_notice,
    whole_hours,
)
from aftersend.retention import Retention

STOPPED = 1
INTERRUPTED = 130


def parse_time(text: str) -> datetime:
    """Parse a time in ISO 8601; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time. Valid times: 2026-03-14, 2026-03-14T09, 2026-03-14T09:30Z."
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


FirstOption = Annotated[
    datetime, typer.Option("--from", metavar="TIME", parser=parse_time, help="The start; UTC, unless it has an offset.")
]
EndOption = Annotated[
    datetime, typer.Option("--to", metavar="TIME", parser=parse_time, help="The end, which is not included.")
]
PaceOption = Annotated[int, typer.Option(min=1, help="Events per second, estimated from the sizes of the objects.")]
AfterOption = Annotated[str | None, typer.Option(metavar="KEY", help="Continue after this object.")]


def replay(
    env: EnvironmentOption,
    first: FirstOption,
    end: EndOption,
    per_second: PaceOption = EVENTS_PER_SECOND,
    after: AfterOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Announce the archive's objects of a time range again, so that missing events are recorded.

    The range is that of the events' arrival, extended to whole hours, and to the hour before where one of its objects
    may have events of the range. Recording an event again changes nothing; an event older than the ledger's retention
    is ignored. The default pace leaves half the initial throughput of a new table to live events; raise it if the
    tables have scaled up. Replay does not repair counts: counters change only with new items in the ledger. If
    interrupted, the command prints how to continue.

    Exit codes: 0 announced, or nothing to announce; 1 refused; 2 the deployment cannot be queried; 130 interrupted.

    Examples:

    - `aftersend replay --env prod --from 2026-03-14T09 --to 2026-03-14T12 --dry-run`

    - `aftersend replay --env prod --from 2026-03-14 --to 2026-03-15 --per-second 500 --yes`
    """
    hours = _hours(first, end)
    with connected(env) as target:
        announcer, notice = _announcer(target), _retention_notice(target, hours)
        total = estimate(announcer.objects(hours, after))
        if not as_json:
            _print_estimate(hours, total, per_second, notice)
        refused = bool(total.objects and not dry_run and not yes and not confirm(f"Replay them in {env}?"))
        run = _Run(announcer, per_second)
        is_announced = total.objects and not dry_run and not refused
        status = run.announce(announcer.objects(hours, after), total) if is_announced else 0
    if as_json:
        numbers = {**total._asdict(), "dollars": round(total.dollars, 4)}
        print_json({**numbers, "ignored": notice, "announced": run.announced})
    elif not dry_run and total.objects:
        typer.echo("Nothing was announced." if refused else f"Announced {quantity(run.announced, 'object')}.")
    if status:
        typer.echo(f"Continue with: {_command(env, first, end, per_second, run.last or after)}", err=True)
    if status or refused:
        raise typer.Exit(status or STOPPED)


class _Run:
    """Announce objects at a pace, and record the last one."""

    def __init__(self, announcer: Announcer, per_second: int) -> None:
        self.announced, self.last = 0, ""
        self._announcer, self._per_second = announcer, per_second

    def announce(self, objects: Iterable[StoredObject], total: Estimate) -> int:
        """Announce objects, and return the exit code: 0 if all were announced."""
        columns = (TextColumn("announcing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        try:
            with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task("", total=total.objects)
                due = time.monotonic()
                for batch in batches(objects, self._per_second):
                    time.sleep(max(0.0, due - time.monotonic()))
                    self._announcer.announce(batch)
                    self.announced, self.last = self.announced + len(batch), batch[-1].key
                    progress.advance(task, len(batch))
                    due = max(due, time.monotonic() - 1) + sum(map(events_in, batch)) / self._per_second
        except KeyboardInterrupt:
            return INTERRUPTED
        except (NotAnnounced, *AWS_ERRORS) as error:
            typer.echo(str(error) if isinstance(error, NotAnnounced) else describe_error(error), err=True)
            return STOPPED
        return 0


def _hours(first: datetime, end: datetime) -> HourRange:
    if first >= end:
        raise typer.BadParameter("--to must be later than --from.")
    return whole_hours(first, end)


def _announcer(target: Target) -> Announcer:
    deployment = target.deployment
    bucket, queue = deployment.output("ArchiveBucketName"), deployment.output("ArchiveQueueUrl")
    return Announcer(deployment.client("s3"), deployment.client("sqs"), bucket, queue)


def _retention_notice(target: Target, hours: HourRange) -> str | None:
    retention = target.environment.retention if target.environment else Retention()
    return retention_notice(hours, retention, datetime.now(UTC))


def _print_estimate(hours: HourRange, total: Estimate, per_second: int, notice: str | None) -> None:
    when = f"{hours.first:%Y-%m-%d %H:%M} to {hours.end:%Y-%m-%d %H:%M} UTC"
    if not total.objects:
        typer.echo(f"The archive has no objects from {when}.")
        return
    minutes, dollars = max(1, round(total.events / per_second / 60)), max(0.01, total.dollars)
    number = quantity(total.objects, "object")
    typer.echo(
        f"{number} from {when}: {total.size_bytes / 1e6:,.1f} MB, about {total.events:,} events.\n"
        f"At {per_second:,} events per second, it takes about {minutes:,} min and costs at most about ${dollars:,.2f}."
    )
    if notice:
        typer.echo(notice)


def _command(env: str, first: datetime, end: datetime, per_second: int, after: str | None) -> str:
    """Return the command that continues where this one stopped."""
    times = ["--from", first.isoformat(), "--to", end.isoformat()]
    words = ["aftersend", "replay", "--env", env, *times, "--per-second", str(per_second)]
    return shlex.join([*words, *(["--after", after] if after else [])])
