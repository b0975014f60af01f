"""Define how long the ledger keeps events, and refuse events whose items may have been removed already.

An item that time-to-live removed is new to the ledger's stream when it is written again, and would be counted twice.
Retention may change between two writes of an event. So the ledger stores every setting that was ever in force, and an
event expires by the shortest of those that any of its copies may have been written under.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from aftersend import ledger
from aftersend.events import Event

COUNTERS_OUTLIVE_DAYS = 60
"""Days counters outlive events: more than lie between sending and any event, opens (volume) aside."""

FIRST_EVENT_DAYS = 90
"""Days after sending that first opens and clicks are kept: as long as opens are accepted."""

DELIVERY_DAYS = 2
"""Days that deliveries are kept longer than other volume. They reset the ladder of soft bounces, whose window may be
as long as volume is kept, counts a soft bounce that arrives a day late, and may begin while a message is under way."""

EXPIRY_MARGIN = timedelta(hours=1)
"""An event this close to its expiry is no longer written: an item that time-to-live removed must not return."""

OVERLAP = timedelta(days=1)
"""How long processes of the previous setting may go on writing after a deployment has changed it; far more than any."""

MAX_PERIODS = 100
"""Periods of a stored history. Of more, the oldest are merged with the shortest days of each: they refuse more."""

Days = Annotated[int, msgspec.Meta(ge=1, description="a whole number of days, from 1 on")]
FeedbackDays = Annotated[int, msgspec.Meta(ge=90, description="a whole number of days, from 90 on")]
"""They are counted from sending: fewer would refuse late complaints, which nothing would then suppress."""


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set how long the ledger keeps an event, in days from `common_time`."""

    volume_days: Days = 30
    """Days for Send, Delivery, Open, Click, DeliveryDelay and all other kinds that do not decide about a recipient."""
    feedback_days: FeedbackDays = 400
    """Days for Bounce, Complaint, Subscription and operators' acts."""

    @property
    def counters_days(self) -> int:
        """Return how many days after sending counters are kept: as long as an event in the ledger may still be
        replaced by a better copy, which moves them."""
        return max(self.volume_days, self.feedback_days) + COUNTERS_OUTLIVE_DAYS


def common_time(event: Event) -> datetime | None:
    """Return the time by which an event expires, which all its copies share.

    For kinds whose key has a time it is that time, for all others when the message was sent. Only copies without
    `mail.timestamp` differ: they expire by when the event occurred, and never if that is unknown too. Such a copy can
    outlive the others or be written after they were removed, and counts again then. SES always sends the timestamp.
    """
    return event.occurred_at if event.kind in ledger.KINDS_WITH_TIME else event.sent_at or event.occurred_at


class Period(msgspec.Struct, frozen=True):
    """Hold a setting and since when it is in force. The first one is taken to have been in force always."""

    volume_days: int
    feedback_days: int
    since: datetime


def expires_at(event: Event, setting: Retention | Period) -> datetime | None:
    """Return when the ledger expires an event under one setting; None, which means never, if it has no time."""
    time = common_time(event)
    if time is None:
        return None
    if event.kind in ledger.FIRST_KINDS.values():
        return time + timedelta(days=FIRST_EVENT_DAYS)
    days = {
        ledger.Group.FEEDBACK: setting.feedback_days,
        ledger.Group.DELIVERY: setting.volume_days + DELIVERY_DAYS,
        ledger.Group.VOLUME: setting.volume_days,
    }
    return time + timedelta(days=days[ledger.group(event)])


class RetentionHistory(msgspec.Struct, frozen=True):
    """Hold every setting that was ever in force, the present one last."""

    periods: tuple[Period, ...] = ()

    def with_setting(self, retention: Retention, now: datetime) -> "RetentionHistory":
        """Return the history in which the setting is in force from now on; the same one if it is already."""
        new = Period(retention.volume_days, retention.feedback_days, since=now)
        if self.periods and msgspec.structs.replace(self.periods[-1], since=now) == new:
            return self
        first, *later = [*self.periods, new]
        while len(later) >= MAX_PERIODS:
            first = _merge(first, later.pop(0))
        return RetentionHistory((first, *later))

    def is_expired(self, event: Event, now: datetime) -> bool:
        """Tell whether the event's item may have been removed, under any setting it may have been written with.

        Whatever is refused here is left out of decisions too: time-to-live removes items in no order, and what is left
        of a complaint and its retraction must not depend on which of them goes first.
        """
        time = common_time(event)
        if time is None:
            return False
        ends = [period.since + OVERLAP for period in self.periods[1:]]
        possible = [self.periods[-1], *(period for period, end in zip(self.periods, ends, strict=False) if end > time)]
        earliest = min(expiry for period in possible if (expiry := expires_at(event, period)))
        return earliest <= now + EXPIRY_MARGIN


def _merge(one: Period, other: Period) -> Period:
    volume_days = min(one.volume_days, other.volume_days)
    return Period(volume_days, min(one.feedback_days, other.feedback_days), one.since)
