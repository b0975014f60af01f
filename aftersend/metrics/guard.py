"""Decide whether the guard pauses a configuration set, and what it remembers about it.

The guard acts on rates that stay critical: bounces are counted before the sends they belong to, so a rate may be
critical for as long as it takes until those are counted.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from aftersend.metrics.reputation import Level, Reputation, Verdict, sentence

HOUR = timedelta(hours=1)


class GuardState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hold what the guard remembers about a configuration set. It is stored as JSON: new fields need a default."""

    critical_since: datetime | None = None
    """Since which run its rate is critical."""
    paused_at: datetime | None = None
    reason: str = ""
    """Why it was paused, with the figures."""
    resumed_at: datetime | None = None
    """When an operator resumed sending; then it is no longer paused."""
    resumed_by: str = ""
    resume_reason: str = ""

    @property
    def is_paused(self) -> bool:
        """Return whether sending must stay paused."""
        return self.paused_at is not None and self.resumed_at is None

    @property
    def judged_since(self) -> datetime | None:
        """Return the hour of sending from which mail is judged: after a resumption, the next full hour."""
        if self.resumed_at is None:
            return None
        return self.resumed_at.replace(minute=0, second=0, microsecond=0) + HOUR


NOTHING = GuardState()


class Decision(NamedTuple):
    """Hold what the guard decides about a configuration set."""

    state: GuardState
    is_due: bool = False
    """Whether it is to be paused, which only the mode "pause" does."""


def decide(
    name: str, state: GuardState, worst: Verdict, now: datetime, reputation: Reputation, settling: timedelta
) -> Decision:
    """Decide about a configuration set from its worst verdict. `settling`: how long a rate must have been critical."""
    if state.is_paused:
        return Decision(state)
    if worst.level is not Level.CRITICAL or reputation.guard == "off":
        return Decision(msgspec.structs.replace(state, critical_since=None))
    since = state.critical_since or now
    if now - since < settling:
        return Decision(msgspec.structs.replace(state, critical_since=since))
    if reputation.guard == "pause":
        return Decision(GuardState(paused_at=now, reason=sentence(name, worst)), is_due=True)
    return Decision(state, is_due=True)


def resumed(state: GuardState, now: datetime, operator: str, reason: str) -> GuardState:
    """Return the state after an operator resumes sending."""
    return msgspec.structs.replace(state, resumed_at=now, resumed_by=operator, resume_reason=reason)
