"""Show that soft bounces over weeks end in the decision that all events call for, whatever happens on the way."""

import json
import random

from hypothesis import given, settings

from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.suppression import Entry
from local.ses import event_record
from tests.event_factory import decide_everywhere
from tests.world.arrivals import READERS, SOFT_BOUNCE, a_message
from tests.world.calls import CLIENTS
from tests.world.examples import SEEDS, reproducible
from tests.world.world import POLICY, World, best_copies

READER = READERS[0].lower()

DAYS = 60


def a_day(world: World) -> list[str]:
    """Return the events of a message sent today: mostly soft bounces, some deliveries, some of which bounce later."""
    message = a_message(world.rng, world.clock.now())
    message.destination[:] = [READERS[0]]
    kinds = world.rng.choices([["Bounce"], ["Delivery"], ["Delivery", "Bounce"], []], [12, 1, 1, 3])[0]
    details = {"Bounce": SOFT_BOUNCE, "Delivery": {}}
    records = [
        event_record(message, {"event": kind, "seconds": 60 + 600 * number, "feedbackId": kind, **details[kind]})
        for number, kind in enumerate(kinds)
    ]
    return [json.dumps(record) for record in records]


def state(entry: Entry | None) -> tuple[object, ...]:
    return (entry.rule, entry.until, entry.lifted_by) if entry else ()


@settings(reproducible, max_examples=6)
@given(seed=SEEDS)
def test_ladder_over_weeks_ends_as_all_events_call_for(seed: int):
    world, payloads = World(seed), []
    rng = random.Random(seed)
    for _ in range(DAYS):
        world.clock.advance(days=1)
        new = a_day(world)
        payloads += new
        for payload in rng.sample([*new, *new], len(new) * 2):
            if rng.random() < 0.5:
                world.publish(payload)
            else:
                world.store([payload], f"object-{rng.random()}")
        world.run(kill_rate=0.2)
        world.feedback_queue.redrive()
        world.object_queue.redrive()
        world.run()
        world.dynamodb.expire()
    with world.answer_calls():
        world.recorder.update_suppression(READER)  # as the sweep does
        entry = SuppressionsTable(CLIENTS["dynamodb"], "suppressions").entries_of(READER).get("*")
    expected = decide_everywhere(best_copies(payloads).values(), POLICY, world.clock.now())
    assert state(entry) == state(expected)
