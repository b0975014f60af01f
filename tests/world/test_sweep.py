"""Show that sweeps complete what time alone changes, wherever they are killed and however many run at once."""

from collections.abc import Generator, Iterator
from datetime import timedelta
from unittest import mock

import pytest
from hypothesis import given, settings

from aftersend.aws.counters_table import SUFFIXES
from aftersend.aws.suppressions_table import SEGMENTS
from aftersend.events import Kind
from aftersend.recorder import Recorder
from aftersend.suppression import ENDED, Entry, Policy
from tests.event_factory import a_bounce, an_event
from tests.world import world as world_module
from tests.world.arrivals import READERS, decisive_events, deliver, published_events
from tests.world.calls import Killed
from tests.world.examples import SEEDS, reproducible
from tests.world.turns import take_turns
from tests.world.world import Kill, World

READER = READERS[0].lower()

CALLS = SUFFIXES + SEGMENTS + 5
"""Calls of a sweep with one ended entry: read the counters of a day; a page of each segment; read tombstones, entries
and events, write the entry; store the size."""


@pytest.fixture(autouse=True)
def temporary_causes() -> Generator[None]:
    """Let bounces and complaints suppress for some days."""
    policy = Policy(effects={"hard-bounce": "3 days", "complaint": "1 day"})
    with mock.patch.object(world_module, "POLICY", policy):
        yield


def record_causes(world: World, number: int) -> None:
    with world.answer_calls():
        world.recorder.record(decisive_events(world, number))


def entries(world: World) -> dict[str, Entry]:
    return {recipient: entry for (recipient, _), entry in world.state().entries.items()}


def ended_but_temporary(world: World) -> Iterator[str]:
    for (recipient, scope), entry in world.state().entries.items():
        if entry.is_temporary and not entry.is_in_force(world.clock.now()):
            yield f"{recipient} in {scope} ended at {entry.until}"


@settings(reproducible, max_examples=15)
@given(seed=SEEDS)
def test_no_ended_entry_stays_temporary_whatever_happened_to_earlier_sweeps(seed: int):
    world = World(seed)
    deliver(world, published_events(world.rng, world.clock.now(), 8), poison=False)
    rates = world.dynamodb.fault_rates
    for _ in range(3):
        record_causes(world, 2)
        rates.throttled, rates.unprocessed, rates.conflicts = 0.05, 0.1, 0.1
        world.kill = Kill("sweep_suppressions", world.rng.randrange(CALLS + 6), world.rng.random() < 0.5)
        world.sweep()
        world.clock.advance(days=world.rng.choice([0, 1, 2, 40]))
        world.dynamodb.expire()
        take_turns(world, [world.sweep, world.sweep])
        world.run(kill_rate=0.2)
        rates.throttled = rates.unprocessed = rates.conflicts = 0.0
    world.kill = None
    world.sweep()
    assert [*ended_but_temporary(world)] == []


def world_with_an_ended_entry() -> World:
    world = World(seed=1)
    with world.answer_calls():
        world.recorder.record([a_bounce(recipient=READER, sent_at=world.clock.now())])
    world.clock.advance(days=4)
    world.calls.clear()
    return world


def test_sweep_records_that_an_entry_has_ended():
    world = world_with_an_ended_entry()
    assert len([*ended_but_temporary(world)]) == 1
    world.sweep()
    assert entries(world)[READER].lifted_by == ENDED
    made = sum(count for (function, _), count in world.calls.items() if function == "sweep_suppressions")
    assert made == CALLS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_sweep_killed_before_or_after_any_call_is_completed_by_the_next(after: bool):
    for call in range(CALLS):
        world = world_with_an_ended_entry()
        world.kill = Kill("sweep_suppressions", call, after)
        with pytest.raises(Killed):
            world.function("sweep_suppressions")({})
        world.sweep()
        assert entries(world)[READER].lifted_by == ENDED


def test_delivery_lifts_a_temporary_entry_at_the_next_sweep():
    world = World(seed=2)
    begin = world.clock.now()
    with world.answer_calls():
        for day in range(5):
            sent_at = begin + timedelta(days=day)
            bounce = a_bounce("Transient", status="4.2.2", message=f"{day}", recipient=READER, sent_at=sent_at)
            world.recorder.record([bounce])
        world.clock.advance(days=4, minutes=10)
        assert entries(world)[READER].is_temporary
        delivery = an_event(Kind.DELIVERY, message="arrived", recipient=READER, sent_at=world.clock.now(), minutes=1)
        world.recorder.record([delivery])
    assert entries(world)[READER].is_temporary
    world.clock.advance(minutes=10)
    world.sweep()
    assert entries(world)[READER].lifted_by == "delivered"


def test_sweeps_change_no_entry_before_its_time():
    world = World(seed=4)
    record_causes(world, 3)
    deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.run()
    world.sweep()
    before = world.state()
    world.clock.advance(minutes=1)
    world.sweep()
    assert world.state() == before


def test_recipient_that_cannot_be_decided_about_stops_no_other():
    world = World(seed=5)
    with world.answer_calls():
        for recipient in (READER, "other@mail.example"):
            world.recorder.record([a_bounce(recipient=recipient, sent_at=world.clock.now() - timedelta(days=1))])
    world.clock.advance(days=4)
    update = Recorder.update_suppression

    def refuse_reader(self: Recorder, recipient: str) -> bool:
        assert recipient != READER
        return update(self, recipient)

    with mock.patch.object(Recorder, "update_suppression", refuse_reader):
        world.sweep()
    assert world.operational_metrics["sweep_failed"] == 1
    assert entries(world)["other@mail.example"].lifted_by == ENDED
