"""Forget a recipient at any moment: nothing names them afterwards, and no count changes, whatever is replayed."""

import json
from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

import aftersend
from aftersend import counting, ledger
from aftersend.aws.erasure import Erasure
from aftersend.aws.serialization import deserialize
from aftersend.events import Event
from tests.world.arrivals import READERS, deliver, published_events
from tests.world.calls import CLIENTS, Killed
from tests.world.examples import SEEDS, reproducible
from tests.world.world import COUNTED, HASH_KEY, Kill, World, best_copies

READER = READERS[0].lower()
ERASURE = Erasure(CLIENTS["dynamodb"], "ledger", "suppressions")
KILL_RATE = 0.3


@settings(reproducible, max_examples=30)
@given(seed=SEEDS, number=st.integers(4, 30))
def test_recipient_forgotten_at_any_moment_is_named_nowhere_and_counted_once(seed: int, number: int):
    world = World(seed)
    payloads = deliver(world, published_events(world.rng, world.clock.now(), number), poison=False)
    let_pass(world, steps=number * 2)
    bury(world)
    counted = events_of_reader(world)
    let_pass(world, steps=10)
    erase(world)
    let_pass(world, steps=number)
    for _ in range(2):
        world.feedback_queue.redrive()
        world.object_queue.redrive()
        world.replay()
        world.run()
        with world.answer_calls():
            assert ERASURE.erase(READER) == (0, 0)
    others = [event for event in best_copies(payloads).values() if event.recipient != READER]
    assert world.state().counts == counts_of([*others, *counted])
    assert READER not in everything_stored(world)
    assert is_suppressed(world)


def let_pass(world: World, steps: int) -> None:
    for _ in range(world.rng.randrange(steps)):
        world.step(KILL_RATE)


def bury(world: World) -> None:
    """Write the tombstone, as `aftersend forget` does before it waits."""
    with world.answer_calls():
        world.tombstones.put(READER, world.clock.now())


def erase(world: World) -> None:
    """Erase, killed at any call, until nothing is left."""
    for _ in range(world.rng.randrange(4)):
        world.kill = Kill("forget", world.rng.randrange(8), world.rng.random() < 0.5)
        with suppress(Killed), world.answer_calls("forget"):
            ERASURE.erase(READER)
        let_pass(world, steps=4)
    world.kill = None
    with world.answer_calls():
        ERASURE.erase(READER)


def events_of_reader(world: World) -> list[Event]:
    items = world.dynamodb.tables["ledger"].items
    return [ledger.event_from_attributes(deserialize(item)) for key, item in items.items() if key[0] == READER]


def counts_of(events: list[Event]) -> dict[tuple[counting.Row, str], int]:
    counts: Counter[tuple[counting.Row, str]] = Counter()
    for event in events:
        counts.update(counting.contributions(event, COUNTED))
    return dict(counts)


def everything_stored(world: World) -> str:
    return json.dumps([list(table.items.values()) for table in world.dynamodb.tables.values()]).lower()


def is_suppressed(world: World) -> bool:
    with world.answer_calls():
        result = aftersend.check([READERS[0]], table="suppressions", client=CLIENTS["dynamodb"], hash_key=HASH_KEY)
    return [each.reason for each in result.suppressed.values()] == ["forgotten"]
