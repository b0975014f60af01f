"""Describe what a deployment does at this moment, a line for each thing, and pick what needs attention."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

LATE_SECONDS = 15 * 60
"""From this age on, alarms say that a queue or a stream is late."""

STACK_PREFIX, HASH = re.compile(r"^Aftersend-.+?-(Pipeline|Publishing)-"), re.compile(r"[0-9A-F]{8,}$")
"""What comes before and after the path of a construct in a physical name."""


class Line(NamedTuple):
    """One thing about a deployment."""

    name: str
    text: str
    is_problem: bool = False
    section: str = ""
    """The anchor of its section in docs/operations.md: an alarm's id in lower case."""
    panel: str = ""
    """The panel of the dashboard that has more about it."""
    command: str = ""
    """The command to run next."""
    since: datetime | None = None
    """Since when an alarm is on; of mail, when the newest object of the archive was written."""
    severity: str = ""
    """Of an alarm: page or ticket (docs/operations.md)."""


ALARM, URGENT = "alarm", "page"
"""The name of an alarm's line, and the severity of those to look at now."""


def short_name(name: str) -> str:
    """Return the part of a physical name that its construct gave it, without what CloudFormation and the CDK add."""
    logical_id = STACK_PREFIX.sub("", name).partition("-")[0]
    return HASH.sub("", logical_id) or name


def problems(lines: Iterable[Line]) -> list[Line]:
    """Return what needs attention, the urgent first and each cause once: another line may say what an alarm is about,
    with more figures; then it has the alarm's time and severity."""
    marked = [line for line in lines if line.is_problem]
    alarms = {line.section: line for line in marked if line.name == ALARM}
    others = [_with_alarm(line, alarms.get(line.section, line)) for line in marked if line.name != ALARM]
    explained = {line.section for line in others}
    unexplained = [line for section, line in alarms.items() if section not in explained]
    return sorted([*others, *unexplained], key=lambda line: line.severity != URGENT)


def _with_alarm(line: Line, alarm: Line) -> Line:
    return line._replace(since=alarm.since, severity=alarm.severity)


def headline(number: int) -> str:
    """Return how many things need attention as a sentence without its end."""
    if not number:
        return "healthy"
    return "1 thing needs attention" if number == 1 else f"{number} things need attention"


def duration(seconds: float) -> str:
    """Return a duration in the largest unit of which it has at least two."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"
