"""Define the group `aftersend tags`: without a command, the table of tag values."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.table import Table

from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_recorder import deployed_counting, deployed_reputation
from aftersend.aws.deployment import Deployment
from aftersend.cli.deployment import JsonOption, OptionalEnvironmentOption, connected
from aftersend.cli.failure_output import print_json, print_rich, printable
from aftersend.cli.feedback import parse_moment
from aftersend.dashboard.numbers import UNKNOWN, percent
from aftersend.metrics.reputation import HOURS
from aftersend.metrics.tag_table import Order, TagRow, sort_rows, tag_row

HOUR = timedelta(hours=1)
DEFAULT_RANGE = timedelta(hours=24)
MAX_DAYS = 400
"""More than counters are kept by default; each day is read with several queries."""

app = typer.Typer(help="Show the counters per message tag.", rich_markup_mode="markdown")

TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME", help="Only this tag. Repeatable. Default: every counted tag."),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", parser=parse_moment, help="Messages sent since a time, or 7d, 24h. Default: 24h."),
]
SortOption = Annotated[Order, typer.Option("--sort", help="What comes first.")]
LimitOption = Annotated[int, typer.Option(min=1, help="How many rows are shown.")]


@app.callback(invoke_without_command=True)
def tags(
    context: typer.Context,
    env: OptionalEnvironmentOption = None,
    tag: TagOption = None,
    since: SinceOption = None,
    sort: SortOption = Order.WORST,
    limit: LimitOption = 30,
    as_json: JsonOption = False,
) -> None:
    """Show what became of the mail, for each value of each counted tag.

    Rates are as AWS counts them: hard bounces and complaints of what SES attempted. A rate is `-` while bounces are
    counted of which the sends are not. The verdict is that on the last 24 hours, by the thresholds of the environment.
    Opens and clicks are people's. `--json` prints a line for each row.

    Exit codes: 0 done, 2 the deployment cannot be queried.

    Examples:

    - `aftersend tags --env prod`

    - `aftersend tags --env prod --tag campaign --since 7d --sort sends`
    """
    if context.invoked_subcommand:
        return
    if env is None:
        raise typer.BadParameter("Name the environment: --env NAME.")
    now = datetime.now(UTC)
    begin = _hour(since or now - DEFAULT_RANGE)
    if now - begin > timedelta(days=MAX_DAYS):
        raise typer.BadParameter(f"--since is more than {MAX_DAYS} days ago.")
    with connected(env) as target:
        names = deployed_counting(target.deployment).counted.row_tags
        if unknown := [name for name in tag or () if name not in names]:
            raise typer.BadParameter(f"{unknown[0]!r} is not counted in {env}. Counted are: {', '.join(names)}.")
        rows = sort_rows(tag_rows(target.deployment, dict.fromkeys(tag or names), begin, now), sort)
    _print(rows, limit, begin, as_json)


def tag_rows(deployment: Deployment, tags: Iterable[str], since: datetime, now: datetime) -> Iterator[TagRow]:
    """Yield a row for each value of some tags with messages sent since an hour, unordered."""
    table, reputation = deployed_counters(deployment), deployed_reputation(deployment)
    hours = _hours(min(since, _hour(now) - HOURS * HOUR), now)
    for tag in tags:
        for value, by_hour in table.sums(tag, hours).items():
            if any(by_hour[hour] for hour in by_hour if hour >= since):
                yield tag_row(tag, value, by_hour, since, now, reputation)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hours(begin: datetime, end: datetime) -> list[datetime]:
    return [begin + number * HOUR for number in range((end - begin) // HOUR + 1)]


def _print(rows: list[TagRow], limit: int, since: datetime, as_json: bool) -> None:
    if as_json:
        for row in rows[:limit]:
            print_json(msgspec.to_builtins(row))
    elif rows:
        print_rich(tag_table(rows[:limit], since))
    else:
        typer.echo(f"No mail of messages sent since {since:%Y-%m-%d %H:%M} UTC is counted.")
    if (omitted := len(rows) - limit) > 0:
        typer.echo(f"{omitted:,} more rows: --limit shows them.", err=True)


def tag_table(rows: Iterable[TagRow], since: datetime) -> Table:
    """Return the table that the command prints."""
    title = f"Messages sent since {since:%Y-%m-%d %H:%M} UTC"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("tag", overflow="fold")
    for name in ("sent", "delivered", "hard bounces", "soft bounces", "complaints", "opened", "clicked"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for row in rows:
        table.add_row(
            f"{row.tag}={printable(row.value)}",
            f"{row.sends:,}",
            percent(row.deliveries, row.sends),
            f"{row.hard_bounces:,} ({_rate(row.bounce_percent, 1)})",
            f"{row.soft_bounces:,}",
            f"{row.complaints:,} ({_rate(row.complaint_percent, 2)})",
            percent(row.opened, row.deliveries),
            percent(row.clicked, row.deliveries) if row.sends else f"{row.clicks:,}",
            row.level,
        )
    return table


def _rate(rate: float | None, decimals: int) -> str:
    return UNKNOWN if rate is None else f"{rate:.{decimals}f} %"
