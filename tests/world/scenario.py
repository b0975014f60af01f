"""Run a world in which everything may go wrong, and compare it with the state it must reach nevertheless."""

from collections import Counter
from dataclasses import dataclass

from aftersend import counting
from aftersend.metrics import summarize
from tests.world.arrivals import deliver, published_events
from tests.world.world import World, WorldState, expected_state


@dataclass
class Run:
    world: World
    expected: WorldState
    actual: WorldState


def run_scenario(seed: int, *, number: int = 20, kill_rate: float = 0.3, fault_rate: float = 0.1) -> Run:
    """Deliver events in any copies, order and number, while functions are killed and AWS refuses calls.

    Then let all faults end, and redrive the dead letters, as an operator would.
    """
    world = World(seed)
    sent_at_missing = world.rng.choice([0.0, 0.2])
    events = published_events(world.rng, world.clock.now(), number, sent_at_missing=sent_at_missing)
    payloads = deliver(world, events)
    rates = world.dynamodb.fault_rates
    rates.throttled, rates.unprocessed, rates.conflicts = fault_rate / 5, fault_rate, fault_rate
    world.s3.repeated_rate = world.event_bus.refused_rate = fault_rate
    world.run(kill_rate=kill_rate)
    rates.throttled = rates.unprocessed = rates.conflicts = world.event_bus.refused_rate = 0.0
    world.feedback_queue.redrive()
    world.object_queue.redrive()
    world.run()
    expected = expected_state(payloads, world.clock.now())
    return Run(world, expected, world.state())


def differences(run: Run) -> list[str]:
    """Describe what is not as it must be; empty where everything is exact."""
    expected, actual = run.expected, run.actual
    lines = [f"in the ledger but not expected: {key.sort}" for key in actual.keys - expected.keys]
    lines += [f"not in the ledger: {key.sort}" for key in expected.keys - actual.keys]
    for key in sorted(expected.counts.keys() | actual.counts.keys()):
        if expected.counts.get(key, 0) != actual.counts.get(key, 0):
            lines.append(f"{key}: {actual.counts.get(key, 0)} instead of {expected.counts.get(key, 0)}")
    for name in sorted(expected.entries.keys() | actual.entries.keys()):
        if expected.entries.get(name) != actual.entries.get(name):
            lines.append(f"{name}: {actual.entries.get(name)} instead of {expected.entries.get(name)}")
    for batch in run.world.ledger_mapping.failed_batches:
        lines += [f"given up, not counted: {record.key}" for record in batch.records]
    return lines + _overcounted_metrics(run)


def _overcounted_metrics(run: Run) -> list[str]:
    """Metrics may miss what a killed function counted; they never exceed the counters."""
    totals: dict[str, Counter[str]] = {}
    for (row, measure), count in run.actual.counts.items():
        if row.tag == counting.CONFIGURATION_SET:
            totals.setdefault(row.value, Counter()).update(summarize({measure: count}))
    return [
        f"metric {name} {group}: {emitted}, counted {totals.get(name, {}).get(group, 0)}"
        for (name, group), emitted in run.world.metrics.items()
        if emitted > totals.get(name, {}).get(group, 0)
    ]
