"""Show that what expires, is erased or is replayed counts once, whatever the retention was, and decides the same."""

import json
import random
from collections import Counter
from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersend.aws.serialization import serialize
from aftersend.events import Event
from aftersend.suppression import ENDED, Entry
from local.ses import event_record
from tests.event_factory import decide_everywhere
from tests.world.arrivals import READERS, a_message, a_record, decisive_events, deliver, published_events
from tests.world.examples import SEEDS, reproducible
from tests.world.world import POLICY, World, WorldState

READER = READERS[0].lower()


def lasting(state: WorldState) -> dict[tuple[str, str], Entry]:
    """Return the entries that do not end by themselves, without what they were decided from: a sweep decides again
    about recipients of temporary entries, from the evidence."""
    lasting = {key: each for key, each in state.entries.items() if not each.is_temporary and each.lifted_by != ENDED}
    return {key: msgspec.structs.replace(each, evidence=[], decided_from="") for key, each in lasting.items()}


@settings(reproducible, max_examples=40)
@given(seed=SEEDS, days=st.sampled_from([0, 1, 29, 30, 31, 33, 60, 89, 91, 365, 399, 401]))
def test_expiry_and_replay_after_expiry_change_no_count(seed: int, days: int):
    world = World(seed)
    deliver(world, published_events(world.rng, world.clock.now(), 12), poison=False)
    world.run()
    before = world.state()
    for _ in range(3):
        world.clock.advance(days=days / 3 + 0.02)
        world.dynamodb.expire()
        world.replay()
        world.run()
    after = world.state()
    assert (after.counts, lasting(after)) == (before.counts, lasting(before))
    assert after.keys <= before.keys


@settings(reproducible, max_examples=20)
@given(seed=SEEDS)
def test_erasure_of_a_reader_changes_no_count(seed: int):
    world = World(seed)
    deliver(world, published_events(world.rng, world.clock.now(), 12), poison=False)
    world.run()
    before = world.state()
    for partition, sort in list(world.dynamodb.tables["ledger"].items):
        if partition == READER:
            key = serialize({"partition_key": partition, "sort_key": sort})
            world.dynamodb.DeleteItem({"TableName": "ledger", "Key": key})
    world.run()
    assert world.state().counts == before.counts


def test_open_after_volume_has_expired_is_no_second_unique_open():
    world = World(seed=1)
    message = a_message(world.rng, world.clock.now())
    for number, days in enumerate((1, 45, 80)):
        world.clock.moment = message.sent_at + timedelta(days=days)
        world.dynamodb.expire()
        record = event_record(message, {"event": "Open", "seconds": days * 24 * 3600})
        world.store([json.dumps(record)], f"open-{number}")
        world.run()
    counts = Counter({measure: count for (_, measure), count in world.state().counts.items()})
    assert {name: count for name, count in counts.items() if "within" not in name} == {"open": 3, "unique_opens": 1}


@settings(reproducible, max_examples=25)
@given(seed=SEEDS)
def test_retention_changed_between_runs_counts_nothing_twice(seed: int):
    world = World(seed)
    deliver(world, published_events(world.rng, world.clock.now(), 12), poison=False)
    world.run()
    before = world.state()
    for _ in range(4):
        world.clock.advance(days=world.rng.choice([0, 4, 10, 26, 45, 80]))
        for _ in range(2):
            world.dynamodb.expire()
        world.restart(volume_days=world.rng.choice([5, 30, 90]), feedback_days=world.rng.choice([90, 400]))
        world.replay()
        world.run()
    after = world.state()
    assert after.counts == before.counts
    assert after.keys <= before.keys


def test_object_of_45_days_ago_is_not_counted_again_when_retention_is_raised_to_90_days():
    world = World(seed=10)
    world.store([json.dumps(a_record(world, "Open"))], "object-1")
    world.run()
    before = world.state()
    world.clock.advance(days=45)
    for _ in range(10):
        world.dynamodb.expire()
    assert world.state().keys < before.keys
    world.restart(volume_days=90)
    world.replay()
    world.run()
    assert world.state().counts == before.counts


@settings(reproducible, max_examples=30)
@given(seed=SEEDS)
def test_expiry_between_decisions_changes_no_entry(seed: int):
    """Time-to-live removes what has expired in any order, or does not; an entry may not depend on it."""
    expiring, keeping = World(seed), World(seed)
    events: list[Event] = []
    rng = random.Random(seed)
    for _ in range(8):
        days = rng.choice([1, 30, 150, 250, 390])
        for world in (expiring, keeping):
            world.clock.advance(days=days)
        new = decisive_events(keeping, 1)
        events += new
        for _ in range(rng.randrange(3)):
            expiring.dynamodb.expire()
        again = rng.sample(events, min(2, len(events)))
        for world in (expiring, keeping):
            with world.answer_calls():
                world.recorder.record([*new, *again])
        assert expiring.state().entries == keeping.state().entries
        expected, entry = decide_everywhere(events, POLICY), keeping.state().entries.get((READER, "*"))
        assert bool(expected and expected.lifted_by is None) == bool(entry and entry.lifted_by is None)
