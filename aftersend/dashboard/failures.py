"""Show the failed records: how many of each kind and reason, since when, where they are kept, and what to do."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from aftersend.dashboard.elements import Cell, Content, banner, command, element, empty, table
from aftersend.dashboard.numbers import UNKNOWN, ago, count
from aftersend.dashboard.runbook import runbook_section
from aftersend.operations.failures import KINDS, NOT_OPENED, Failure, FailureKind

MAX_ROWS = 20
"""Kinds and reasons that are shown; Firehose chooses the reasons of some."""


def render(
    groups: Sequence[Failure], places: Mapping[FailureKind, str], now: datetime, *, environment: str, runbook: str
) -> Iterator[Content]:
    """Render the failures of each kind and reason. `places` says where each kind is kept."""
    if not groups:
        yield empty("No record has failed.", command(f"aftersend failures list --env {environment}"))
        return
    total = sum(group.count for group in groups)
    yield banner(
        f"{count(total)} {'record has' if total == 1 else 'records have'} failed.",
        element("p", "Each is kept until it is redriven or expires. Remove the cause first.", css="soft"),
        tone="warn",
    )
    rows = (_row(group, places[group.kind], now, runbook) for group in groups[:MAX_ROWS])
    yield table("By kind and reason", ("What failed", "Reason", "Records", "Oldest", "Kept in", "Read first"), rows)
    if len(groups) > MAX_ROWS:
        yield element("p", f"{MAX_ROWS} of {len(groups)} reasons are shown.", css="soft")
    yield element("dl", *_commands(groups, environment))


def _row(group: Failure, place: str, now: datetime, runbook: str) -> list[Cell]:
    kind = KINDS[group.kind]
    reason = "not opened: there are many" if group.reason == NOT_OPENED else group.reason
    return [
        Cell.of(kind.meaning, element("small", group.kind)),
        Cell.of(reason),
        Cell.of(count(group.count), css="number"),
        Cell.of(ago(now, group.since) if group.since else UNKNOWN, css="time"),
        Cell.of(place, css="id"),
        Cell.of(runbook_section(runbook, kind.section)),
    ]


def _commands(groups: Sequence[Failure], environment: str) -> Iterator[Content]:
    example = next((group.id for group in groups if group.id), "ID")
    steps = {
        "List all": f"aftersend failures list --env {environment}",
        "Show one": f"aftersend failures show {shlex.quote(example)} --env {environment}",
        "Redrive, after a fix": f"aftersend failures redrive --env {environment}",
    }
    if any(group.kind is FailureKind.BATCH for group in groups):
        steps["Count failed batches"] = f"aftersend recount --env {environment}"
    for name, text in steps.items():
        yield element("dt", name)
        yield element("dd", command(text))
