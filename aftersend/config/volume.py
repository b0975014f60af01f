"""Estimate how much an environment processes in a month: events, objects, batches and invocations."""

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
SUPPRESSING = (Kind.BOUNCE, Kind.COMPLAINT)
"""Event types that may change the suppression list."""
SHARDS = 4
"""Shards of a new on-demand table's stream; each is read separately."""
SHORTEST_INTERVAL_SECONDS = 5
"""About how long Firehose takes to write an object if its interval is 0."""
COUNT_INVOCATIONS = 2
"""Invocations of count_tags per batch: for the batch, and for the end of its window."""

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
    batches: float
    """Batches of the ledger's stream that are counted together."""

    @property
    def changes(self) -> Events:
        """Return the events that change the suppression list: at most all that suppress, each by itself."""
        return {kind: self.events[kind] for kind in SUPPRESSING}

    @property
    def invocations(self) -> dict[str, float]:
        """Return the number of invocations of each function that processes events."""
        counts = COUNT_INVOCATIONS * self.batches
        return {
            "record_feedback": sum(self.notified.values()),
            "record_archive": self.objects,
            "count_tags": counts,
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
    batches = min(sum(events.values()), SHARDS * objects + sum(notified.values()))
    return Volume(per_set, events, notified, archived, objects, batches)
