"""Tell functions that a schedule triggers the time of the schedule, and how much is left of their invocation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

SCHEDULE = "aws.events"
"""The source of events of an EventBridge schedule."""


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int: ...


def has_time(context: LambdaContext | None, reserved: int) -> bool:
    """Tell whether more milliseconds are left than those reserved. Without a context there is no limit."""
    return context is None or context.get_remaining_time_in_millis() > reserved


def is_scheduled(event: Mapping[str, Any] | None) -> bool:
    """Tell whether an invocation is by the schedule, and not by an operator."""
    return (event or {}).get("source") == SCHEDULE


def scheduled_time(event: Mapping[str, Any] | None) -> datetime:
    """Return the time of the schedule, which a repeated run has too; this moment if an operator invokes."""
    if event and is_scheduled(event):
        return datetime.fromisoformat(event["time"])
    return datetime.now(UTC).replace(microsecond=0)
