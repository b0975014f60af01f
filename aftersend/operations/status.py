"""Describe what a deployment does at this moment, a line for each thing, and pick what needs attention."""

import re
from collections.abc import Iterable, Mapping
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
    panel: Mapping[str, str] | None = None
    """Parameters of the panel of the dashboard that has more about it."""
    since: datetime | None = None
    """Since when an alarm is on; of mail, when the newest object of the archive was written."""


ALARM = "alarm"
"""The name of an alarm's line."""


def short_name(name: str) -> str:
    """Return the part of a physical name that its construct gave it, without what CloudFormation and the CDK add."""
    logical_id = STACK_PREFIX.sub("", name).partition("-")[0]
    return HASH.sub("", logical_id) or name


def problems(lines: Iterable[Line]) -> list[Line]:
    """Return what needs attention, each cause once: an alarm is left out if another line has what it is about."""
    found = [line for line in lines if line.is_problem]
    since = {line.section: line.since for line in found if line.name == ALARM}
    explained = {line.section for line in found if line.name != ALARM}
    return [
        line._replace(since=since.get(line.section))
        for line in found
        if line.name != ALARM or line.section not in explained
    ]


def headline(number: int) -> str:
    """Return how many things need attention as a sentence without its end."""
    if not number:
        return "healthy"
    return "1 thing needs attention" if number == 1 else f"{number} things need attention"


def duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(0, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
