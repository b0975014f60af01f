"""Show that subscribers who missed nothing and saw events repeatedly, in any order, know the suppression list."""

import json
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aftersend.aws.serialization import deserialize, serialize
from aftersend.contract import PARTITION_KEY, SORT_KEY
from aftersend.recipient_hash import keyed_hash
from tests.world.examples import SEEDS, reproducible
from tests.world.scenario import run_scenario
from tests.world.world import HASH_KEY, World

Key = tuple[str, str]

ESSENTIALS = ("rule", "reason", "until", "lifted_by")


def histories(world: World) -> dict[Key, list[dict[str, Any]]]:
    """Return every state of every entry, in the order in which they were written."""
    records = [record for shard in world.dynamodb.tables["suppressions"].shards for record in shard.records]
    states = defaultdict(list)
    for record in sorted(records, key=lambda record: record.sequence):
        if record.new is not None:
            states[record.key].append(deserialize(record.new))
    return states


def essentials(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(name) for name in ESSENTIALS)


def published(world: World) -> dict[Key, dict[int, tuple[str, dict[str, Any]]]]:
    """Return what was published about each entry, by version. Copies must be equal and have the same id."""
    by_id: dict[str, tuple[str, dict[str, Any]]] = {}
    changes: dict[Key, dict[int, tuple[str, dict[str, Any]]]] = defaultdict(dict)
    for entry in world.event_bus.published:
        detail = json.loads(entry["Detail"])
        change = entry["DetailType"], detail
        assert by_id.setdefault(detail["id"], change) == change
        changes[detail["recipient"], detail["scope"]][detail["version"]] = change
    assert len(by_id) == sum(map(len, changes.values()))
    return changes


@settings(reproducible, max_examples=40)
@given(seed=SEEDS, number=st.integers(1, 30))
def test_every_change_in_force_is_published_and_nothing_that_never_was(seed: int, number: int):
    world = run_scenario(seed, number=number, kill_rate=0.3, fault_rate=0.3).world
    changes = published(world)
    assert not world.suppressions_mapping.failed_batches
    for key, states in histories(world).items():
        known: tuple[Any, ...] | None = None
        for state in states:
            is_in_force = "lifted_by" not in state
            is_due = essentials(state) != known if is_in_force else known is not None
            assert (state["version"] in changes[key]) == is_due
            if is_due:
                kind, detail = changes[key][state["version"]]
                assert kind == ("Recipient Suppressed" if is_in_force else "Suppression Lifted")
                assert essentials(detail) == essentials(state)
                assert detail["recipient_hash"] == keyed_hash(key[0], HASH_KEY)
            known = essentials(state) if is_in_force else None
    assert {key for key in changes if changes[key]} <= histories(world).keys()


def test_poisoned_record_and_forgotten_recipient_block_no_other():
    world = World(seed=1)
    entry = {"recipient": "a@mail.example", "reason": "bounce", "rule": "hard-bounce", "version": 1}
    for partition, values in (("forgotten", {}), ("poison@mail.example", {"rule": 7}), ("a@mail.example", entry)):
        keys = {PARTITION_KEY: partition, SORT_KEY: "*"}
        world.dynamodb.PutItem({"TableName": "suppressions", "Item": serialize(keys | values)})
    world.run()
    assert {json.loads(each["Detail"])["recipient"] for each in world.event_bus.published} == {"a@mail.example"}
    assert world.operational_metrics["unpublishable_changes"] >= 1
    assert not world.suppressions_mapping.failed_batches
