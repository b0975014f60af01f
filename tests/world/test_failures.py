"""Show that what is lost comes back, and that what can never be processed affects nothing else."""

import json
import random

import pytest
from hypothesis import given, settings

from aftersend import ledger
from aftersend.aws.serialization import serialize
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.recorder import parse_recordable
from tests.fuzz import damaged
from tests.world.arrivals import HARD_BOUNCE, READERS, a_record
from tests.world.dynamodb_limits import check_item
from tests.world.examples import SEEDS, reproducible
from tests.world.world import Kill, World, expected_state

READER = READERS[0].lower()


def test_lost_notification_is_healed_by_replay():
    world = World(seed=3)
    world.s3.lost_rate = 1.0
    payloads = [json.dumps(a_record(world, "Bounce", **HARD_BOUNCE)), json.dumps(a_record(world, "Open"))]
    world.store(payloads, "object-1")
    world.run()
    assert world.state() == expected_state([], world.clock.now())
    world.replay()
    world.run()
    assert world.state() == expected_state(payloads, world.clock.now())


@pytest.mark.parametrize("dead", ["SNS", "the archive"])
def test_dead_route_is_backed_up_by_the_other_and_healed_by_replay(dead: str):
    world = World(seed=4)
    payload = json.dumps(a_record(world, "Bounce", **HARD_BOUNCE))
    if dead == "the archive":
        world.publish(payload)
    world.store([payload], "object-1")
    if dead == "the archive":
        world.object_queue.messages.clear()
    world.run()
    assert world.state() == expected_state([payload], world.clock.now())
    world.replay()
    world.run()
    assert world.state() == expected_state([payload], world.clock.now())


def test_poisoned_message_neither_blocks_nor_fails_others():
    world = World(seed=6)
    payloads = [json.dumps(a_record(world, "Bounce", **HARD_BOUNCE)) for _ in range(12)]
    for payload in [*payloads[:6], "poison", *payloads[6:]]:
        world.publish(payload)
    world.store([*payloads[:3], "poison", *payloads[3:]], "object-1")
    world.object_queue.send("poison")
    world.run()
    assert world.state() == expected_state(payloads, world.clock.now())
    dead_letters = world.feedback_queue.dead_letters + world.object_queue.dead_letters
    assert [message.body for message in dead_letters] == ["poison", "poison"]
    assert json.loads(world.s3.objects["quarantine/events/object-1.jsonl"])["record"] == "poison"


def test_poisoned_stream_record_neither_blocks_nor_fails_others():
    world = World(seed=7)
    payloads = [json.dumps(a_record(world, "Open", seconds=number)) for number in range(20)]
    world.store(payloads[:10], "object-1")
    world.object_mapping.step(limit=10)
    poison = serialize({"partition_key": READER, "sort_key": "volume#message#Unknown#0", "kind": 7})
    world.dynamodb.PutItem({"TableName": "ledger", "Item": poison})
    world.store(payloads[10:], "object-2")
    world.run()
    assert world.state().counts == expected_state(payloads, world.clock.now()).counts
    assert world.ledger_mapping.failed_batches == []
    assert world.operational_metrics["uncountable_records"] >= 1


def test_records_that_dynamodb_would_refuse_are_quarantined_before_they_are_written():
    world = World(seed=8)
    payloads = [json.dumps(a_record(world, "Open", seconds=number)) for number in range(60)]
    hostile = [a_record(world, kind, **HARD_BOUNCE) for kind in ("Delivery", "Send", "Send", "Bounce")]
    hostile[0]["delivery"]["processingTimeMillis"] = 10**40
    hostile[1]["mail"]["tags"]["n" * 70_000] = ["spring"]
    hostile[2]["mail"]["tags"]["campaign"] = ["spring" * 100_000]
    hostile[3]["bounce"]["bouncedRecipients"][0]["emailAddress"] = "a" * 2_049 + "@mail.example"
    hostile[3]["mail"]["destination"] = [hostile[3]["bounce"]["bouncedRecipients"][0]["emailAddress"]]
    lines = payloads + [json.dumps(record) for record in hostile]
    world.rng.shuffle(lines)
    world.store(lines, "object-1")
    world.run()
    expected = expected_state(lines, world.clock.now())
    assert world.state() == expected
    assert len(expected.keys) < len(expected_state(payloads, world.clock.now()).keys) + len(hostile)
    assert world.object_queue.dead_letters == []


def test_dynamodb_takes_every_event_of_a_damaged_record_that_is_recordable():
    for seed in range(2_000):
        for result in parse_recordable(damaged(random.Random(seed))):
            for event in result if isinstance(result, list) else ():
                keys = dict(zip((PARTITION_KEY, SORT_KEY), ledger.key(event), strict=True))
                check_item(serialize(ledger.attributes(event) | keys))


@settings(reproducible, max_examples=20)
@given(seed=SEEDS)
def test_batches_that_were_given_up_and_handed_back_are_never_counted_twice(seed: int):
    """Where later batches of the shard were counted, they are not counted at all: only a recount brings them back."""
    world = World(seed)
    payloads = [json.dumps(a_record(world, world.rng.choice(["Open", "Send"]), seconds=each)) for each in range(60)]
    for number in range(3):
        world.store(payloads[20 * number : 20 * number + 20], f"object-{number}")
    world.object_mapping.step(limit=2)
    while not (world.ledger_mapping.failed_batches or world.ledger_mapping.is_done()):
        world.kill = Kill("count_tags", world.rng.choice([0, 0, 1, 2]), world.rng.random() < 0.5)
        world.ledger_mapping.step()
        world.clock.advance(hours=1)
    world.kill = None
    world.run()
    expected = expected_state(payloads, world.clock.now()).counts
    for _ in range(2):
        world.ledger_mapping.hand_back()
        assert all(0 < count <= expected[key] for key, count in world.state().counts.items())
