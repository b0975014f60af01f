"""Fold soft bounces into temporary suppressions, each longer than the one before. Pure.

A recipient who bounces softly on several distinct days, with no delivery in between, is suppressed for a day. If their
next soft bounce after that still completes as many days, it is for longer, and after the last step until removed. A
delivery resets everything, unless its own message bounced later. So does a time without soft bounces.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from aftersend.events import Event, Kind
from aftersend.suppression.rules import Effect, Policy, Rule, rule_for

LATE_ARRIVAL_DAYS = 1
"""Days by which a soft bounce may arrive late and still count in full."""


class Ruling(NamedTuple):
    """An event, and the rule as it applies in one scope."""

    event: Event
    rule: Rule


class Step(NamedTuple):
    """One suppression by the ladder."""

    cause: Ruling
    until: datetime | None
    """None after the last step: until removed."""


class Ladder:
    """Take soft bounces and deliveries in the order in which they occurred."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._window = timedelta(days=policy.soft_bounce_window_days)
        self.reset()

    def reset(self) -> None:
        """Forget all soft bounces, as after a delivery or an operator's removal."""
        self._days: dict[date, Ruling] = {}
        self._steps: list[Step] = []
        self._evidence: list[Ruling] = []

    @property
    def step(self) -> Step | None:
        """Return the last suppression, which may have ended."""
        return self._steps[-1] if self._steps else None

    @property
    def evidence(self) -> list[Ruling]:
        """Return the soft bounces that led to every step: taken alone, they lead to the same steps."""
        return list(self._evidence)

    def add(self, bounce: Ruling) -> None:
        """Take a soft bounce."""
        time = bounce.event.occurred_at
        if time is None:
            return  # it cannot be assigned to a day
        if self.step and self.step.until and self.step.until + self._window < time:
            self._steps, self._evidence = [], []
        first_day = (time - self._window).date()
        self._days = {day: first for day, first in self._days.items() if day > first_day}
        self._days.setdefault(time.date(), bounce)
        if len(self._days) >= self._policy.soft_bounce_days and not self._is_suppressed(time):
            self._climb(bounce, time)

    def _is_suppressed(self, time: datetime) -> bool:
        return self.step is not None and (self.step.until is None or time < self.step.until)

    def _climb(self, bounce: Ruling, time: datetime) -> None:
        lengths = self._policy.soft_bounce_ladder_days
        number = len(self._steps)
        until = time + timedelta(days=lengths[number]) if number < len(lengths) else None
        self._steps.append(Step(bounce, until))
        latest = sorted(self._days.items())[-self._policy.soft_bounce_days :]
        self._evidence += [*(first for _, first in latest), bounce]


def needs_deliveries(events: Iterable[Event], policy: Policy) -> bool:
    """Tell whether deliveries may matter: without enough soft bounces the ladder suppresses nobody anyway."""
    days = {event.occurred_at.date() for event in events if event.occurred_at and _is_soft(event, policy)}
    return len(days) >= policy.soft_bounce_days


def is_outdated(event: Event, policy: Policy, now: datetime) -> bool:
    """Tell whether a soft bounce is so old that deliveries after it may have expired. Only as evidence it still counts:
    then no delivery came in between."""
    oldest = now - timedelta(days=policy.soft_bounce_window_days + LATE_ARRIVAL_DAYS)
    return event.occurred_at is not None and event.occurred_at < oldest and _is_soft(event, policy)


def _is_soft(event: Event, policy: Policy) -> bool:
    return event.kind == Kind.BOUNCE and rule_for(event, policy).effect is Effect.SOFT_BOUNCE
