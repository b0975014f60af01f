"""Count what a thousand events cost in DynamoDB, on the model in tests/world: requests and write units, not seconds.

    python -m benchmarks.cost

The mix: 420 sends, 405 deliveries, 120 opens, 30 clicks, 15 bounces, 9 delays and a complaint, of mail sent within one
hour in 100 campaigns with 20 templates; one object of the archive, and one batch of the ledger's stream.
"""

import json
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from unittest import mock

from aftersend import counting, ledger
from aftersend.events import Event
from benchmarks.figures import is_asked_for, print_figures
from local.ses import Message, event_record, new_id
from tests.world.arrivals import HARD_BOUNCE
from tests.world.world import BEGIN, World, function_process

MIX = {"Send": 420, "Delivery": 405, "Open": 120, "Click": 30, "Bounce": 15, "DeliveryDelay": 9, "Complaint": 1}
CAMPAIGNS, TEMPLATES = 100, 20
FEEDBACK = ("Bounce", "Complaint")
FEEDBACK_EVENTS = sum(MIX[kind] for kind in FEEDBACK)

COUNTED = counting.Counted(tags=("campaign", "template"))

DETAILS: dict[str, dict[str, Any]] = {"Bounce": HARD_BOUNCE, "Complaint": {"complaintFeedbackType": "abuse"}}


class Cost(NamedTuple):
    requests: int
    write_units: int

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.requests - other.requests, self.write_units - other.write_units)


class Costs(NamedTuple):
    volume: Cost
    """Recording and counting everything but feedback, and counting the feedback."""
    feedback: Cost
    """Recording all the feedback and updating its recipients' suppression entries."""
    unique: Cost
    """What unique opens and clicks add."""
    second_copy: Cost
    """What a second copy of everything adds."""


def measure_costs() -> Costs:
    with function_process(COUNTED):
        without_unique = _run(archive_lines(MIX), unique=False)
        with_unique, twice = _run(archive_lines(MIX), unique=True), _run(archive_lines(MIX) * 2, unique=True)
        volume_mix = {kind: number for kind, number in MIX.items() if kind not in FEEDBACK}
        volume_alone = _run(archive_lines(volume_mix), unique=False)
    # Feedback shares the counters' rows with volume: what it adds to volume alone is what recording it costs.
    feedback = without_unique - volume_alone
    return Costs(without_unique - feedback, feedback, with_unique - without_unique, twice - with_unique)


def one_bounce() -> Cost:
    """Measure a bounce over SNS, up to its suppression entry, without its share of counting a batch."""
    with function_process(COUNTED):
        world = _started_world()
        world.publish(archive_lines({"Bounce": 1})[0])
        world.feedback_mapping.step(limit=1)
    return Cost(sum(world.calls.values()), sum(world.dynamodb.write_units.values()))


def _started_world() -> World:
    """Return a world in which the processes have started: what they read and write once is not an event's cost."""
    world = World(seed=0)
    _ = world.recorder
    world.calls.clear()
    world.dynamodb.write_units.clear()
    return world


def _run(lines: list[str], *, unique: bool) -> Cost:
    """Record an object of these lines, then count all changes in one batch."""
    world = _started_world()
    world.store(lines, "object-1")
    with mock.patch.object(ledger, "with_first_events", ledger.with_first_events if unique else _without_first_events):
        world.object_mapping.step(limit=1)
    shard = world.ledger_mapping.table.shards[0]
    world.ledger_mapping.deliver(shard, 0, len(shard.records))
    requests = sum(count for (_, operation), count in world.calls.items() if not operation.endswith("Object"))
    return Cost(requests, sum(world.dynamodb.write_units.values()))


def _without_first_events(events: Iterable[Event]) -> Iterable[Event]:
    return events


def archive_lines(mix: dict[str, int]) -> list[str]:
    """Return events of the mix, as lines of an object of the archive."""
    rng = World(seed=1).rng
    sent_at = BEGIN - timedelta(hours=2)
    lines = []
    for number, kind in enumerate(kind for kind, count in mix.items() for _ in range(count)):
        message = Message(
            id=new_id(sent_at, rng),
            source="Moonlit Books <news@bookshop.example>",
            destination=[f"reader-{number}@mail.example"],
            subject="Your next book",
            sent_at=sent_at,
            configuration_set="newsletter",
            tags={"campaign": [f"campaign-{number % CAMPAIGNS}"], "template": [f"template-{number % TEMPLATES}"]},
        )
        event = {"event": kind, "feedbackId": str(number), **DETAILS.get(kind, {})}
        lines.append(json.dumps(event_record(message, event)))
    rng.shuffle(lines)
    return lines


def figures() -> dict[str, float]:
    """Return the figures of docs/performance.md."""
    costs, bounce = measure_costs(), one_bounce()
    named = {
        "1,000 events in one object, recorded and counted": costs.volume,
        f"{FEEDBACK_EVENTS} feedback events among them, in addition": costs.feedback,
        "unique opens and clicks, in addition": costs.unique,
        "a second copy of everything, in addition": costs.second_copy,
        "one bounce over SNS, up to the suppression list": bounce,
    }
    requests = {f"requests of {name}": cost.requests for name, cost in named.items()}
    return requests | {f"write units of {name}": cost.write_units for name, cost in named.items()}


def main() -> None:
    measured = figures()
    if is_asked_for(sys.argv):
        print_figures(measured)
        return
    print(f"1,000 events, {CAMPAIGNS} campaigns, {TEMPLATES} templates")
    for name, value in measured.items():
        print(f"{value:8,}  {name}")


if __name__ == "__main__":
    main()
