"""One run of the world in which everything may go wrong, and what must come of it nevertheless."""

from dataclasses import dataclass

from aftersend import counting
from tests.world.arrivals import facts, tell
from tests.world.world import Outcome, World, ideal


@dataclass
class Run:
    world: World
    expected: Outcome
    outcome: Outcome


def run(seed: int, *, number: int = 20, killing: float = 0.3, trouble: float = 0.1) -> Run:
    """Facts arrive in any copies, order and number, while functions are killed and AWS is in trouble.

    Then all is quiet, and what ended in a dead-letter queue is handed back, as an operator would.
    """
    world = World(seed)
    told = facts(world.draw, world.clock.now(), number)
    delivered = tell(world, told)
    faults = world.dynamodb.trouble
    faults.throttled, faults.unprocessed, faults.conflicting = trouble / 5, trouble, trouble
    world.s3.repeated = trouble
    world.run(killing=killing)
    faults.throttled = faults.unprocessed = faults.conflicting = 0.0
    world.feedback.redrive()
    world.announcements.redrive()
    world.run()
    return Run(world, ideal(delivered), world.outcome())


def differences(found: Run) -> list[str]:
    """What is not as it must be; empty where everything is exact."""
    expected, outcome = found.expected, found.outcome
    said = [f"in the ledger but not expected: {key.sort}" for key in outcome.keys - expected.keys]
    said += [f"not in the ledger: {key.sort}" for key in expected.keys - outcome.keys]
    for key in sorted(expected.counts.keys() | outcome.counts.keys()):
        if expected.counts.get(key, 0) != outcome.counts.get(key, 0):
            said.append(f"{key}: {outcome.counts.get(key, 0)} instead of {expected.counts.get(key, 0)}")
    for name in sorted(expected.entries.keys() | outcome.entries.keys()):
        if expected.entries.get(name) != outcome.entries.get(name):
            said.append(f"{name}: {outcome.entries.get(name)} instead of {expected.entries.get(name)}")
    aside = found.world.from_ledger.aside
    return said + [f"put aside, not counted: {record.key}" for record in aside] + _doubled(found)


def _doubled(found: Run) -> list[str]:
    """Metrics may miss what a killed function counted; they never double."""
    totals: dict[tuple[str, str], int] = {}
    for (row, measure), count in found.outcome.counts.items():
        if row.tag == counting.CONFIGURATION_SET:
            totals[row.value, measure] = totals.get((row.value, measure), 0) + count
    return [
        f"metric {name}: {printed}, counted {totals.get(name, 0)}"
        for name, printed in found.world.printed.items()
        if printed > totals.get(name, 0)
    ]
