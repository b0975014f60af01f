"""What a thousand events cost in DynamoDB, counted in the model of the world: requests and write units, no seconds.

    python -m benchmarks.cost

The mix: 420 sends, 405 deliveries, 120 opens, 30 clicks, 15 bounces, 9 delays and a complaint, of mail sent within one
hour in 100 campaigns with 20 templates; one object of the archive, and one batch of the ledger's stream.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple
from unittest import mock

from aftersend import counting, ledger
from aftersend.events import Event
from local.ses import Message, SimulatedEvent, event_record, new_id
from tests.world.world import BEGIN, World, prepared

MIX = {"Send": 420, "Delivery": 405, "Open": 120, "Click": 30, "Bounce": 15, "DeliveryDelay": 9, "Complaint": 1}
CAMPAIGNS, TEMPLATES = 100, 20
FEEDBACK = ("Bounce", "Complaint")

COUNTED = counting.Counted(tags=("campaign", "template"))
HARD: SimulatedEvent = {"bounceType": "Permanent", "bounceSubType": "General", "action": "failed", "status": "5.1.1"}


class Cost(NamedTuple):
    requests: int
    write_units: int

    def minus(self, other: "Cost") -> "Cost":
        return Cost(self.requests - other.requests, self.write_units - other.write_units)


class Costs(NamedTuple):
    volume: Cost
    """Recording and counting all that is not feedback, and counting the feedback."""
    feedback: Cost
    """Recording feedback and deciding about its recipients, all of it together."""
    unique: Cost
    """What unique opens and clicks add."""
    again: Cost
    """What everything arriving a second time adds."""


def measured() -> Costs:
    with prepared(COUNTED):
        without_unique = _run(mix=_lines(MIX), unique=False)
        with_unique, twice = _run(mix=_lines(MIX), unique=True), _run(mix=_lines(MIX) * 2, unique=True)
        volume_alone = _run(mix=_lines({kind: n for kind, n in MIX.items() if kind not in FEEDBACK}), unique=False)
    # Feedback shares the counters' rows with volume: what it adds to volume alone is what recording it costs.
    feedback = without_unique.minus(volume_alone)
    return Costs(without_unique.minus(feedback), feedback, with_unique.minus(without_unique), twice.minus(with_unique))


def one_bounce() -> Cost:
    """A bounce over SNS, up to the suppression list; what counting it adds is shared by the batch it is counted in."""
    with prepared(COUNTED):
        world = World(seed=0)
        world.publish(_lines({"Bounce": 1})[0])
        world.from_feedback.step(most=1)
    return Cost(sum(world.calls.values()), sum(world.dynamodb.units.values()))


def _run(mix: list[str], *, unique: bool) -> Cost:
    """Record an object of these lines, then count all changes in one batch."""
    world = World(seed=0)
    world.store(mix, "object-1")
    with mock.patch.object(ledger, "with_first_events", ledger.with_first_events if unique else _as_they_are):
        world.from_archive.step(most=1)
    shard = world.from_ledger.table.shards[0]
    world.from_ledger.deliver(shard, 0, len(shard.records))
    requests = sum(count for (_, operation), count in world.calls.items() if not operation.endswith("Object"))
    return Cost(requests, sum(world.dynamodb.units.values()))


def _as_they_are(events: Iterable[Event]) -> Iterable[Event]:
    return events


def _lines(mix: dict[str, int]) -> list[str]:
    draw = World(seed=1).draw
    sent_at = BEGIN - timedelta(hours=2)
    lines = []
    for number, kind in enumerate(kind for kind, count in mix.items() for _ in range(count)):
        message = Message(
            id=new_id(sent_at, draw),
            source="Moonlit Books <news@bookshop.example>",
            destination=[f"reader-{number}@mail.example"],
            subject="Your next book",
            sent_at=sent_at,
            configuration_set="newsletter",
            tags={"campaign": [f"campaign-{number % CAMPAIGNS}"], "template": [f"template-{number % TEMPLATES}"]},
        )
        details = HARD if kind == "Bounce" else {"complaintFeedbackType": "abuse"}
        lines.append(json.dumps(event_record(message, {"event": kind, "feedbackId": str(number), **details})))
    draw.shuffle(lines)
    return lines


def main() -> None:
    costs, bounce = measured(), one_bounce()
    feedback_events = sum(MIX[kind] for kind in FEEDBACK)
    print(f"1,000 events, {CAMPAIGNS} campaigns, {TEMPLATES} templates        requests   write units")
    for name, cost in (
        ("record_archive and count_tags", costs.volume),
        (f"beside it: {feedback_events} feedback events", costs.feedback),
        ("beside it: unique opens and clicks", costs.unique),
        ("beside it: a second copy of everything", costs.again),
        ("one bounce over SNS", bounce),
    ):
        print(f"{name:50} {cost.requests:8} {cost.write_units:13}")


if __name__ == "__main__":
    main()
