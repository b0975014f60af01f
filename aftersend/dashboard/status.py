"""Show whether a deployment is healthy: one sentence, what needs attention, and what is fine."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from aftersend.dashboard.elements import Action, Cell, Content, banner, command, element, link, table
from aftersend.dashboard.layout import STATUS
from aftersend.dashboard.numbers import UNKNOWN, ago, moment
from aftersend.dashboard.runbook import runbook_section
from aftersend.operations.status import URGENT, Line, headline, problems

SEVERITIES = {URGENT: ("now", "level bad"), "ticket": ("in working hours", "level warn")}
"""When to look, by the severity of an alarm, and how it is shown; what has no alarm yet is not as urgent."""


def render(lines: Iterable[Line], now: datetime, *, show: str, runbook: str) -> Iterator[Content]:
    """Render the lines. `show` is the function that shows other panels, `runbook` where its sections are."""
    lines = [*lines]
    attention = problems(lines)
    arrived = next((line.since for line in lines if line.name == "mail"), None)
    last = f"Events last arrived {ago(now, arrived)}." if arrived else "No event has arrived within a day."
    tone = "bad" if any(line.severity == URGENT for line in attention) else "warn" if attention else "good"
    yield banner(f"{headline(len(attention)).capitalize()}. {last}", tone=tone)
    if attention:
        rows = (_row(line, show, runbook) for line in attention)
        yield table("What needs attention", ("What", "Look", "Since (UTC)", "Next"), rows)
    fine = [line for line in lines if not line.is_problem]
    half = (len(fine) + 1) // 2
    columns = element("div", *(_list(part) for part in (fine[:half], fine[half:])), css="row")
    yield element("details", element("summary", "What is fine"), columns) if attention else columns


def _row(line: Line, show: str, runbook: str) -> list[Cell]:
    when, css = SEVERITIES.get(line.severity, SEVERITIES["ticket"])
    steps: list[Content] = [element("div", runbook_section(runbook, line.section))] if line.section else []
    if line.panel:
        steps.append(
            element("div", *link(f"Show {line.panel}", Action(show, {"panel": line.panel, "back": STATUS.name})))
        )
    if line.command:
        steps.append(element("div", command(line.command)))
    return [
        Cell.of(line.name.capitalize(), element("div", line.text)),
        Cell.of(element("span", when, css=css)),
        Cell.of(moment(line.since) if line.since else UNKNOWN, css="time"),
        Cell.of(element("div", *steps)),
    ]


def _list(lines: Iterable[Line]) -> Content:
    return element("dl", *(part for line in lines for part in (element("dt", line.name), element("dd", line.text))))
