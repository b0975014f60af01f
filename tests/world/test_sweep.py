"""Show that sweeps complete what time alone changes, wherever they are killed and however many run at once."""

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings

from aftersend.aws.suppressions_table import SEGMENTS, SuppressionsTable
from aftersend.events import Event
from aftersend.suppression import Entry
from tests.world.arrivals import READERS, decisive_events, deliver, published_events
from tests.world.calls import CLIENTS, Killed
from tests.world.examples import SEEDS, reproducible
from tests.world.turns import take_turns
from tests.world.world import Kill, World

CALLS_WITHOUT_ENTRIES = SEGMENTS + 1
"""Calls of a sweep: a page of each segment, and the counters of a day."""

CALLS_PER_ENTRY = 3
"""Calls for a recipient: read entry and events, write the entry."""


def add_temporary_entries(world: World, events: list[Event]) -> None:
    """Write entries of recipients as temporary ones that end at some time, as a policy may have called for."""
    table = SuppressionsTable(CLIENTS["dynamodb"], "suppressions")
    with world.answer_calls():
        for event in events:
            assert event.recipient
            until = world.clock.now() + timedelta(days=world.rng.choice([-1, 1, 3]))
            entry = Entry(
                recipient=event.recipient, reason="bounce", rule="soft-bounces", until=until, evidence=[event]
            )
            table.replace(table.entry(event.recipient), entry)


def ended_but_not_lifted(world: World) -> Iterator[str]:
    for entry in world.state().entries.values():
        if entry.is_temporary and not entry.is_in_force(world.clock.now()):
            yield f"{entry.recipient} in {entry.scope} ended at {entry.until}"


@settings(reproducible, max_examples=60)
@given(seed=SEEDS)
def test_no_ended_entry_stays_temporary_whatever_happened_to_earlier_sweeps(seed: int):
    world = World(seed)
    deliver(world, published_events(world.rng, world.clock.now(), 8), poison=False)
    rates = world.dynamodb.fault_rates
    for _ in range(3):
        rates.throttled = rates.unprocessed = rates.conflicts = 0.0
        add_temporary_entries(world, decisive_events(world, 2))
        rates.throttled, rates.unprocessed, rates.conflicts = 0.05, 0.1, 0.1
        world.kill = Kill("sweep_suppressions", world.rng.randrange(SEGMENTS + 10), world.rng.random() < 0.5)
        world.sweep()
        world.clock.advance(days=world.rng.choice([0, 1, 2, 40]))
        world.dynamodb.expire()
        take_turns(world, [world.sweep, world.sweep])
        world.run(kill_rate=0.2)
    rates.throttled = rates.unprocessed = rates.conflicts = 0.0
    world.kill = None
    world.sweep()
    assert [*ended_but_not_lifted(world)] == []


def world_with_an_ended_entry() -> World:
    world = World(seed=1)
    add_temporary_entries(world, decisive_events(world, 1))
    world.clock.advance(days=4)
    _ = world.recorder
    world.calls.clear()
    return world


def test_sweep_makes_the_calls_listed():
    world = world_with_an_ended_entry()
    world.sweep()
    made = sum(count for (function, _), count in world.calls.items() if function == "sweep_suppressions")
    assert made in range(CALLS_WITHOUT_ENTRIES + CALLS_PER_ENTRY, CALLS_WITHOUT_ENTRIES + CALLS_PER_ENTRY + 2)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_sweep_killed_before_or_after_any_call_is_completed_by_the_next(after: bool):
    for call in range(CALLS_WITHOUT_ENTRIES + CALLS_PER_ENTRY):
        world = world_with_an_ended_entry()
        world.kill = Kill("sweep_suppressions", call, after)
        with pytest.raises(Killed):
            world.function("sweep_suppressions")({})
        world.sweep()
        assert [*ended_but_not_lifted(world)] == []


def test_sweeps_change_no_entry_that_events_alone_decide():
    world = World(seed=4)
    deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.run()
    before = world.state()
    world.clock.advance(hours=1)
    world.sweep()
    assert world.state() == before
    assert world.operational_metrics["sweep_runs"] >= 1


def test_recipient_that_cannot_be_decided_about_stops_no_other():
    world = World(seed=5)
    events = decisive_events(world, 1)
    add_temporary_entries(world, [*events, msgspec.structs.replace(events[0], recipient="other@mail.example")])
    world.clock.advance(days=4)
    update = type(world.recorder).update_suppression

    def update_unless_reader(self: object, recipient: str) -> bool:
        assert recipient != READERS[0].lower()
        return update(world.recorder, recipient)

    with mock.patch.object(type(world.recorder), "update_suppression", update_unless_reader):
        world.sweep()
    assert world.operational_metrics["sweep_failed"] == 1
    assert len([*ended_but_not_lifted(world)]) == 1
