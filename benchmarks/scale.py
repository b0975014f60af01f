"""Print what each part carries, and what breaks first at 100, 1,000 and 10,000 events a second.

    python -m benchmarks.scale

Nothing is measured: aftersend/config/capacity.py has the limits and what an event takes of them, with their sources.
A test holds the tables of docs/scale.md to these.
"""

from collections.abc import Iterator

import msgspec

from aftersend.config.capacity import PEAK_FACTOR, Capacity, capacities, hot_spots
from aftersend.config.environment import Environment
from aftersend.config.prices import SECONDS
from aftersend.config.volume import MIX
from benchmarks.month.report import ENVIRONMENT

RATES = (100, 1_000, 10_000)
SMALL_REGION = "eu-central-1"
"""A Region with Firehose's smaller quota."""
ELSEWHERE = msgspec.structs.replace(ENVIRONMENT, region=SMALL_REGION)


def main() -> None:
    print("\n\n".join("\n".join(table()) for table in TABLES))


def rate_table() -> Iterator[str]:
    """Return what each rate means, and the parts that do not carry it, the first to break first."""
    yield f"| events a second | messages a month with this peak | {ENVIRONMENT.region} | {SMALL_REGION} |"
    yield "|---:|---:|---|---|"
    for rate in RATES:
        messages = rate / sum(MIX.values()) * SECONDS / PEAK_FACTOR / 1e6
        yield f"| {rate:,} | {messages:,.0f} million | {_broken(ENVIRONMENT, rate)} | {_broken(ELSEWHERE, rate)} |"


def capacity_table() -> Iterator[str]:
    """Return each part's capacity, the smallest first, and how much of its limit each rate needs."""
    yield f"| part | limit | carries, events a second | {' | '.join(f'needed at {rate:,}' for rate in RATES)} | lever |"
    yield f"|---|---:|---:|{'---:|' * len(RATES)}---|"
    parts = {each.part: each for each in (*capacities(ENVIRONMENT), *capacities(ELSEWHERE))}  # Firehose differs
    for each in sorted(parts.values(), key=lambda part: part.events):
        needed = " | ".join(_needed(each, rate) for rate in RATES)
        yield f"| {each.part} | {each.limit:,} {each.unit} | {each.events:,.0f} | {needed} | {each.lever} |"


def hot_spot_table() -> Iterator[str]:
    """Return what single partitions carry."""
    yield "| partition of | limit | carries, events a second | lever |"
    yield "|---|---:|---:|---|"
    for each in hot_spots(ENVIRONMENT):
        yield f"| {each.part} | {each.limit:,} {each.unit} | {each.events:,.0f} | {each.lever} |"


TABLES = (rate_table, capacity_table, hot_spot_table)


def _broken(environment: Environment, rate: float) -> str:
    broken = (each.part.partition(" in ")[0] for each in capacities(environment) if rate > each.events)
    return ", ".join(broken) or "nothing breaks"


def _needed(capacity: Capacity, rate: float) -> str:
    needed = f"{capacity.needed(rate):,}"
    return f"**{needed}**" if rate > capacity.events else needed


if __name__ == "__main__":
    main()
