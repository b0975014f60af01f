"""Estimate how much an environment processes in a month: events, objects, batches and invocations."""

import math
from typing import NamedTuple

import msgspec

from aftersend.config.environment import ConfigurationSet, Environment
from aftersend.config.prices import SECONDS
from aftersend.events import Kind

MIX = {
    Kind.SEND: 1.0,
    Kind.DELIVERY: 405 / 420,
    Kind.OPEN: 120 / 420,
    Kind.CLICK: 30 / 420,
    Kind.BOUNCE: 15 / 420,
    Kind.DELIVERY_DELAY: 9 / 420,
    Kind.COMPLAINT: 1 / 420,
}
"""Events per message, as in benchmarks/cost.py. Other event types are too rare to matter."""
HARD_BOUNCES = 0.4
"""Part of the bounces that suppress a recipient at once (assumed)."""
SUPPRESSING = (Kind.BOUNCE, Kind.COMPLAINT)
"""Event types that may change the suppression list."""
SHORTEST_INTERVAL_SECONDS = 5
"""About how long Firehose takes to write an object if its interval is 0."""


class Counting(NamedTuple):
    """Say what counting costs at a volume."""

    messages: float
    """A month, counted in a window of MEASURED_WINDOW_SECONDS."""
    write_units: float
    """Of the counters per event, with two counted tags."""
    invocations: float
    """Of count_tags per event, those at the end of a tumbling window included."""


COUNTING: tuple[Counting, ...] = (
    Counting(10_000, 9.044, 0.89786),
    Counting(100_000, 4.104, 0.26285),
    Counting(1_000_000, 1.847, 0.03959),
    Counting(10_000_000, 0.622, 0.00417),
    Counting(100_000_000, 0.198, 0.00056),
    Counting(1_000_000_000, 0.167, 0.00019),
)
"""As `python -m benchmarks.month --counting` measures it. The larger a batch, the fewer items are written for it."""
MEASURED_WINDOW_SECONDS = 110
SHORTEST_WINDOW_SECONDS = 30
"""The window that no window is like: Firehose's objects bring events together, too (measured there)."""
MEASURED_TAGS = 2
ALWAYS_COUNTED_TAGS = 2
"""Configuration set and from-domain."""
COUNT_SECONDS = 0.12
"""Duration of an invocation of count_tags, with its transactions (measured there)."""

Events = dict[Kind, float]
"""Number of events by type."""


class Volume(msgspec.Struct, frozen=True):
    """Hold how much an environment processes in a month."""

    per_set: Events
    """Events of the mail of one configuration set, whether published or not."""
    events: Events
    """Events that Aftersend receives, without second copies."""
    notified: Events
    """Events that arrive through SNS, by event publishing and by identity notifications."""
    archived: Events
    """Events that arrive through Firehose."""
    objects: float
    """Objects that Firehose writes to the archive."""
    counter_writes: float
    """Write units of the counters."""
    count_invocations: float
    """Invocations of count_tags."""
    count_seconds: float
    """Duration of all of them."""

    @property
    def changes(self) -> Events:
        """Return the events that change the suppression list: at most all that suppress, each by itself."""
        return {kind: self.events[kind] for kind in SUPPRESSING}

    @property
    def invocations(self) -> dict[str, float]:
        """Return the number of invocations of each function that processes events."""
        return {
            "record_feedback": sum(self.notified.values()),
            "record_archive": self.objects,
            "count_tags": self.count_invocations,
            "publish_suppressions": sum(self.changes.values()),
        }


def estimate_volume(environment: Environment) -> Volume:
    """Estimate the volume, with the mail spread evenly over configuration sets, identities and time."""
    sets = list(environment.configuration_sets.values()) or [ConfigurationSet(feedback=(), archive=())]
    identities = environment.identities.values()
    notifying = {kind: sum(kind in each.notifications for each in identities) / (len(identities) or 1) for kind in MIX}
    per_set = {kind: environment.monthly_messages / len(sets) * rate for kind, rate in MIX.items()}
    received = {kind: sum(max(kind in each.published, notifying[kind]) for each in sets) for kind in MIX}
    notified = {kind: sum((kind in each.feedback) + notifying[kind] for each in sets) for kind in MIX}
    archived = {kind: sum(kind in each.archive for each in sets) for kind in MIX}
    events, notified, archived = (
        {kind: per_set[kind] * factors[kind] for kind in MIX} for factors in (received, notified, archived)
    )
    intervals = SECONDS / max(environment.archive_interval_seconds, SHORTEST_INTERVAL_SECONDS)
    objects = min(sum(archived.values()), intervals)
    number = sum(events.values())
    counting = estimate_counting(number / sum(MIX.values()), environment.counting_window_seconds)
    tags = (len(environment.counted_tags) + ALWAYS_COUNTED_TAGS) / (MEASURED_TAGS + ALWAYS_COUNTED_TAGS)
    return Volume(
        per_set=per_set,
        events=events,
        notified=notified,
        archived=archived,
        objects=objects,
        counter_writes=number * counting.write_units * tags,
        count_invocations=number * counting.invocations,
        count_seconds=number * counting.invocations * COUNT_SECONDS,
    )


def estimate_counting(messages: float, window_seconds: float = MEASURED_WINDOW_SECONDS) -> Counting:
    """Return what counting costs at a volume, between the volumes measured on a logarithmic scale.

    What counts is the size of a batch: twice the window is like twice the volume.
    """
    messages *= max(window_seconds, SHORTEST_WINDOW_SECONDS) / MEASURED_WINDOW_SECONDS
    above = next((number for number, each in enumerate(COUNTING) if each.messages >= messages), len(COUNTING))
    if above == len(COUNTING):
        return COUNTING[-1]
    if above == 0:
        return COUNTING[0]
    low, high = COUNTING[above - 1 : above + 1]
    part = math.log(messages / low.messages) / math.log(high.messages / low.messages)
    return Counting(*(a * (b / a) ** part for a, b in zip(low, high, strict=True)))
