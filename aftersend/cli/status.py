"""Implement `aftersend status`: what a deployment does at this moment, in one screen."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import typer

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.deployed_recorder import deployed_reputation
from aftersend.aws.guard_states import GuardStates
from aftersend.aws.observer import Observer
from aftersend.cli.deployment import EnvironmentOption, JsonOption, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.cli.failures import count_records, sources
from aftersend.counting import CONFIGURATION_SET
from aftersend.metrics.reputation import Level, judge, sentence, watched_hours

NEEDS_ATTENTION = 1
"""Exit code: an alarm is on, a record has failed, a rate is high or sending is paused."""

STACK_PREFIX, HASH = re.compile(r"^Aftersend-.+?-(Pipeline|Publishing)-"), re.compile(r"[0-9A-F]{8,}$")
"""What comes before and after the path of a construct in a physical name."""

LATE_SECONDS = 15 * 60
"""From this age on, alarms say that a queue or a stream is late."""


class Line(NamedTuple):
    """One thing that the screen shows."""

    name: str
    text: str
    is_problem: bool = False


def status(env: EnvironmentOption, as_json: JsonOption = False) -> None:
    """Show what a deployment does at this moment: mail, routes, delays, failed records, alarms and rates.

    The first line says whether anything needs attention. This changes nothing. `aftersend doctor` checks the settings.

    Exit codes: 0 healthy, 1 something needs attention, 2 the deployment cannot be queried.

    Example:

    - `aftersend status --env prod`
    """
    with connected(env) as target:
        observer = Observer(target.deployment, target.environment, datetime.now(UTC))
        lines = [*_mail(observer), *_routes(observer), *_failures(observer), *_alarms(observer), *_verdicts(observer)]
    problems = sum(line.is_problem for line in lines)
    if as_json:
        print_json({"environment": env, "problems": problems, "lines": [line._asdict() for line in lines]})
    else:
        _print(env, lines, problems)
    if problems:
        raise typer.Exit(NEEDS_ATTENTION)


def _print(env: str, lines: Iterable[Line], problems: int) -> None:
    things = "1 thing needs" if problems == 1 else f"{problems} things need"
    typer.echo(f"{env}: {f'{things} attention' if problems else 'healthy'}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    for line in lines:
        typer.echo(f"{'!' if line.is_problem else ' '} {line.name:16}  {printable(line.text)}")


def _mail(observer: Observer) -> Iterator[Line]:
    """Describe the newest mail that is counted, and the newest object of the archive."""
    newest_object, newest_hour = observer.newest_object(), observer.newest_counters()
    archived = f"last object of the archive {_ago(observer.now, newest_object)}" if newest_object else "none archived"
    if newest_hour is None:
        yield Line("mail", f"none was counted within a day, {archived}")
        return
    table = CountersTable(observer.deployment.client("dynamodb"), observer.output("CountersTableName"))
    sends = table.totals(CONFIGURATION_SET, [newest_hour])["send"]
    yield Line("mail", f"{sends:,} messages counted of {newest_hour:%H:%M} UTC and the hour after, {archived}")


def _routes(observer: Observer) -> Iterator[Line]:
    """Describe how long the oldest record of each queue and stream has waited."""
    for name, seconds in observer.ages().items():
        waited = "nothing waits" if not seconds else f"the oldest record has waited for {_duration(seconds)}"
        yield Line(_short(name), waited, is_problem=(seconds or 0) > LATE_SECONDS)


def _failures(observer: Observer) -> Iterator[Line]:
    counts = {source.kind: count_records(source) for source in sources(observer.deployment)}
    failed = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    yield Line("failed records", f"{failed}: `aftersend failures list`" if failed else "none", is_problem=bool(failed))


def _alarms(observer: Observer) -> Iterator[Line]:
    ringing = [name for name, alarm in observer.alarms.items() if alarm and alarm.get("StateValue") == "ALARM"]
    names = ", ".join(sorted(map(_short, ringing)))
    yield Line("alarms", f"{names}: docs/operations.md" if names else "none", is_problem=bool(names))


def _verdicts(observer: Observer) -> Iterator[Line]:
    """Describe the worst rate of each configuration set, and what the guard has paused."""
    dynamodb, counters = observer.deployment.client("dynamodb"), observer.output("CountersTableName")
    states, reputation = GuardStates(dynamodb, counters), deployed_reputation(observer.deployment)
    sums = CountersTable(dynamodb, counters).sums(CONFIGURATION_SET, watched_hours(observer.now))
    for name in observer.set_names():
        state = states.get(name)
        worst = judge(sums.get(name, {}), observer.now, reputation, state.judged_since)[0]
        yield Line("rates", sentence(name, worst), is_problem=worst.level >= Level.WARNING)
        if state.is_paused:
            resume = f"aftersend resume {name} --env {observer.deployment.name} --reason REASON"
            yield Line("paused", f"The guard paused {name} at {state.paused_at:%Y-%m-%d %H:%M} UTC: {resume}", True)


def _ago(now: datetime, moment: datetime) -> str:
    return f"{_duration((now - moment).total_seconds())} ago"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(0, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _short(name: str) -> str:
    """Return the part of a physical name that its construct gave it, without what CloudFormation and the CDK add."""
    logical_id = STACK_PREFIX.sub("", name).partition("-")[0]
    return HASH.sub("", logical_id) or name
