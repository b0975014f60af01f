"""Tell functions that a schedule triggers how much time is left of their invocation."""

from typing import Protocol


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int: ...


def has_time(context: LambdaContext | None, reserved: int) -> bool:
    """Tell whether more milliseconds are left than those reserved. Without a context there is no limit."""
    return context is None or context.get_remaining_time_in_millis() > reserved
