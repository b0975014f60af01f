"""Recount at any moment, among deliveries, kills and faults: whatever was wrong before, counters end exact."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings

from aftersend.aws.attempts import Attempts
from aftersend.aws.counting_mapping import CountingMapping, NotPaused
from aftersend.aws.ledger_stream import LedgerStream, NotCut
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.recount import CountingContinues, Recount, is_unfinished
from tests.fakes import immediate_attempts
from tests.world.arrivals import deliver, published_events
from tests.world.calls import CLIENTS, Killed
from tests.world.examples import SEEDS, reproducible
from tests.world.mappings import MAX_RECORD_AGE
from tests.world.world import COUNTED, World, expected_state

STEP_RATE = 0.3
"""How often the rest of the world takes a step before a call of the recount."""

KILL_RATE = 0.01
RUNS = 60


@settings(reproducible, max_examples=20)
@given(seed=SEEDS)
def test_recount_at_any_moment_ends_exact(seed: int):
    world = World(seed)
    payloads = deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    rates = world.dynamodb.fault_rates
    rates.throttled, rates.unprocessed, rates.conflicts = 0.01, 0.1, 0.05
    let_pass(world, steps=60)
    if world.rng.random() < 0.7:
        discard(world)
    damage(world)
    let_pass(world, steps=10)
    run_until_done(world, kill_rate=KILL_RATE)
    end(world)
    assert world.state().counts == expected_state(payloads, world.clock.now()).counts


@settings(reproducible, max_examples=20)
@given(seed=SEEDS)
def test_recount_succeeds_at_once_while_events_arrive(seed: int):
    world = World(seed)
    payloads = deliver(world, published_events(world.rng, world.clock.now(), 30), poison=False)
    let_pass(world, steps=30)
    damage(world)
    try:
        with beside(world, STEP_RATE, kill_rate=0):
            run(world)
    except CountingContinues as error:
        raise AssertionError("It must not need a second run.") from error
    end(world)
    assert world.state().counts == expected_state(payloads, world.clock.now()).counts


@pytest.mark.parametrize("days", [1, 29, 31, 33, 91, 399, 401])
def test_recount_changes_no_count_whose_events_may_have_expired(days: int):
    world = World(seed=days)
    deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.run()
    before = world.state().counts
    world.clock.advance(days=days)
    world.dynamodb.expire()
    with world.answer_calls("recount"):
        assert run(world) == 0
    world.run()
    assert world.state().counts == before


def test_recount_that_was_killed_while_it_corrected_is_recognized_and_leaves_counting_paused():
    world = World(seed=2)
    payloads = deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.run()
    damage(world)
    seen: list[bool] = []

    def observe(function: str, operation: str, call: dict[str, Any]) -> None:
        if function == "recount" and operation == "TransactWriteItems":
            seen.append(True)
        if len(seen) > 3:
            raise Killed

    world.observe = observe
    with suppress(Killed), world.answer_calls("recount"):
        run(world)
    world.observe = lambda function, operation, call: None
    assert world.ledger_mapping.is_paused
    with world.answer_calls():
        assert is_unfinished(world.counters)
    with world.answer_calls("recount"), recount_of(world).paused():
        pass  # as if the answer were no
    assert world.ledger_mapping.is_paused
    with world.answer_calls("recount"):
        run(world)
        assert not is_unfinished(world.counters)
    assert not world.ledger_mapping.is_paused
    assert world.state().counts == expected_state(payloads, world.clock.now()).counts


def test_what_only_waits_to_be_counted_is_no_error_wherever_it_was_written():
    world = World(seed=3)
    deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.mapping_api.window_seconds = 110
    world.ledger_mapping.is_paused = True  # as if Lambda collected everything that is written
    world.run()
    world.ledger_mapping.is_paused = False

    def counted_meanwhile(limit: int) -> Iterator[int]:
        for attempt in range(1, limit + 1):
            yield attempt
            world.clock.advance(seconds=1)
            if attempt == 100:
                with world.answer_calls():
                    world.run()

    with world.answer_calls("recount"):
        recount = recount_of(world, counted_meanwhile)
        recount.count()
        with recount.paused():
            assert [each for each in recount.compare() if each.error] == []


def test_item_that_is_erased_while_the_ledger_is_read_is_an_error_that_counting_does_not_correct():
    world = World(seed=4)
    deliver(world, published_events(world.rng, world.clock.now(), 20), poison=False)
    world.run()
    with world.answer_calls("recount"):
        recount = recount_of(world)
        recount.count()
        for partition, sort in [key for key in world.dynamodb.tables["ledger"].items if key[1].startswith("volume#")]:
            key = {"partition_key": {"S": partition}, "sort_key": {"S": sort}}
            CLIENTS["dynamodb"].delete_item(TableName="ledger", Key=key)
        with recount.paused():
            errors = [each.error for each in recount.compare()]
    assert errors
    assert all(error < 0 for error in errors)


def test_interruption_while_counting_is_being_paused_resumes_it(monkeypatch: pytest.MonkeyPatch):
    world = World(seed=5)

    def interrupt(_mapping: CountingMapping) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(CountingMapping, "is_paused", interrupt)
    with world.answer_calls("recount"), pytest.raises(KeyboardInterrupt), recount_of(world).paused():
        pass
    assert world.mapping_api.enabled


def let_pass(world: World, steps: int) -> None:
    for _ in range(world.rng.randrange(steps)):
        world.step(kill_rate=0.3)


def discard(world: World) -> None:
    """Let what waits become too old, and Lambda give all of it up, also newer records in the same batches."""
    world.clock.advance(hours=21)
    mapping, limit = world.ledger_mapping, world.clock.now() - MAX_RECORD_AGE
    while any(record.at < limit for shard in mapping.table.shards for record in mapping.waiting(shard)):
        mapping.step()


def damage(world: World) -> None:
    """Change counters as by hand: other numbers, none, whole items gone."""
    items = world.dynamodb.tables["counters"].items
    for key, item in list(items.items()):
        numbers = [name for name, value in item.items() if "N" in value and name != "expires"]
        if not numbers or world.rng.random() < 0.5:
            continue
        name = world.rng.choice(numbers)
        match world.rng.randrange(3):
            case 0:
                item[name] = {"N": str(world.rng.randrange(-3, 100))}
            case 1:
                del item[name]
            case 2:
                del items[key]


def run_until_done(world: World, kill_rate: float) -> None:
    """Run the command as often as an operator must, who sometimes enables the mapping by hand in between."""
    for _ in range(RUNS):
        with suppress(Killed, ClientError, CountingContinues, NotCut, NotPaused), beside(world, STEP_RATE, kill_rate):
            run(world)
            return
        if world.rng.random() < 0.2:
            world.mapping_api.enabled, world.ledger_mapping.is_paused = True, False
        let_pass(world, steps=10)
    raise AssertionError(f"No recount of {RUNS} ended.")


def run(world: World) -> int:
    """Do what the command does, and return how many counters differed."""
    recount = recount_of(world)
    recount.count()
    with recount.paused():
        return recount.correct(recount.compare())


def recount_of(world: World, attempts: Attempts = immediate_attempts) -> Recount:
    return Recount(
        ledger=LedgerTable(CLIENTS["dynamodb"], "ledger", world.retention, attempts=immediate_attempts),
        stream=LedgerStream(CLIENTS["dynamodbstreams"], "ledger", attempts=immediate_attempts),
        counters=world.counters,
        mapping=CountingMapping(CLIENTS["lambda"], "mapping", attempts=immediate_attempts),
        counted=COUNTED,
        now=world.clock.now,
        attempts=attempts,
    )


@contextmanager
def beside(world: World, step_rate: float, kill_rate: float) -> Generator[None]:
    """Make the calls of a block as the recount, with steps of the rest of the world between them. Once it is killed, it
    makes no more."""
    state = {"is_dead": False, "is_nested": False}

    def before_call() -> None:
        if state["is_nested"]:
            return
        if state["is_dead"] or world.rng.random() < kill_rate:
            state["is_dead"] = True
            raise Killed
        state["is_nested"] = True
        while world.rng.random() < step_rate:
            world.step(kill_rate=0.1)
        state["is_nested"] = False

    unchanged: Callable[[], None] = world.before_call
    world.before_call = before_call
    try:
        with world.answer_calls("recount"):
            yield
    finally:
        world.before_call = unchanged


def end(world: World) -> None:
    """Let faults end, and redrive what failed, as in every scenario."""
    rates = world.dynamodb.fault_rates
    rates.throttled = rates.unprocessed = rates.conflicts = 0.0
    world.kill = None
    world.feedback_queue.redrive()
    world.object_queue.redrive()
    world.run()
