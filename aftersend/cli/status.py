"""Implement `aftersend status`: what a deployment does at this moment, in one screen."""

from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from aftersend.aws.status import read_lines
from aftersend.cli.deployment import EnvironmentOption, JsonOption, connected
from aftersend.cli.failure_output import print_json, printable
from aftersend.contract import RUNBOOK
from aftersend.operations.status import Line, headline, problems

NEEDS_ATTENTION = 1
"""Exit code: an alarm is on, a record has failed, a rate is high or sending is paused."""


def status(env: EnvironmentOption, as_json: JsonOption = False) -> None:
    """Show what a deployment does at this moment: mail, routes, delays, failed records, alarms and rates.

    The first line says whether anything needs attention. This changes nothing. `aftersend doctor` checks the settings.

    Exit codes: 0 healthy, 1 something needs attention, 2 the deployment cannot be queried.

    Example:

    - `aftersend status --env prod`
    """
    now = datetime.now(UTC)
    with connected(env) as target:
        lines = read_lines(target.deployment, now)
    number = len(problems(lines))
    if as_json:
        print_json({"environment": env, "problems": number, "lines": [_as_json(line) for line in lines]})
    else:
        _print(f"{env}: {headline(number)}, {now:%Y-%m-%d %H:%M} UTC", lines)
    if number:
        raise typer.Exit(NEEDS_ATTENTION)


def _as_json(line: Line) -> dict[str, str | bool]:
    return {"name": line.name, "text": line.text, "is_problem": line.is_problem}


def _print(first: str, lines: Iterable[Line]) -> None:
    typer.echo(first)
    for line in lines:
        typer.echo(f"{'!' if line.is_problem else ' '} {line.name:16}  {printable(_with_next_step(line))}")


def _with_next_step(line: Line) -> str:
    if not line.is_problem:
        return line.text
    return f"{line.text}: {line.command or f'{RUNBOOK}#{line.section}'}"
