"""Kill each function before and after each of its calls: everything still ends exact."""

import json

import pytest

from tests.world.arrivals import HARD_BOUNCE, a_record
from tests.world.calls import Killed
from tests.world.world import BEGIN, START, Kill, World, expected_state

CALLS = {
    # read the tombstones, then for each of two messages: write the event, read entries and events, write the entry
    "record_feedback": 9,
    # get the object, read the tombstones, write 60 items in three batches and an event, read entry and events, write
    # the entry, quarantine a line
    "record_archive": 10,
    # read the checkpoint and the tag values that have metrics, then one transaction
    "count_tags": 3,
    # read the hash key, then one request for all changes
    "publish_suppressions": 2,
}
"""How many calls a function makes in the world of `world_before`."""


def world_before(function: str) -> tuple[World, list[str]]:
    """Return a world in which the function's next invocation has everything to do, and the payloads in it."""
    world = World(seed=1)
    feedback = [json.dumps(a_record(world, "Bounce", **HARD_BOUNCE)), json.dumps(a_record(world, "Complaint"))]
    volume = [json.dumps(a_record(world, "Open", seconds=number)) for number in range(30)]
    for payload in feedback:
        world.publish(payload)
    world.store([*volume, "no record", feedback[0]], "object-1")
    if function in ("count_tags", "publish_suppressions"):
        world.object_mapping.step(limit=10)
    world.calls.clear()
    return world, feedback + volume


def invoke(world: World, function: str) -> None:
    match function:
        case "record_feedback":
            world.feedback_mapping.step(limit=10)
        case "record_archive":
            world.object_mapping.step(limit=10)
        case "count_tags":
            shard = world.ledger_mapping.table.shards[0]
            world.ledger_mapping.deliver(shard, 0, len(shard.records))
        case "publish_suppressions":
            shard = world.suppressions_mapping.table.shards[0]
            world.suppressions_mapping.deliver(shard, 0, len(shard.records))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [0, 1], ids=["read the history", "write the history"])
def test_process_killed_while_it_starts_leaves_one_history_of_retention_settings(call: int, after: bool):
    world = World(seed=1)
    world.kill = Kill(START, call, after)
    with pytest.raises(Killed):
        _ = world.recorder
    assert [(period.volume_days, period.since) for period in world.recorder.history.periods] == [(30, BEGIN)]


@pytest.mark.parametrize("function", CALLS)
def test_function_makes_the_calls_listed(function: str):
    world, _ = world_before(function)
    invoke(world, function)
    assert sum(count for (name, _), count in world.calls.items() if name == function) == CALLS[function]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("function", "call"), [(name, call) for name, calls in CALLS.items() for call in range(calls)])
def test_function_killed_before_or_after_any_call_ends_exact(function: str, call: int, after: bool):
    world, payloads = world_before(function)
    world.kill = Kill(function, call, after)
    invoke(world, function)
    assert world.kill is None, "the function was not killed"
    world.run()
    assert world.state() == expected_state(payloads, world.clock.now())
