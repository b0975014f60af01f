"""Simulate what a month costs, and how long events take to their counters.

    python -m benchmarks.month                      1, 10 and 100 million messages
    python -m benchmarks.month --messages 5000000   another volume; may be repeated
    python -m benchmarks.month --sensitivity        with each assumption halved and doubled
    python -m benchmarks.month --parameters         the assumptions and their sources
    python -m benchmarks.month --counting           the table COUNTING of aftersend/config/volume.py
    python -m benchmarks.month --json               as JSON

benchmarks/month/simulation.py explains how a month is sampled.
"""

import argparse
import json
import sys
from typing import Any

import msgspec

from benchmarks.figures import OPTION, print_figures
from benchmarks.month.parameters import SOURCES, Parameters
from benchmarks.month.report import Month, simulate_month
from benchmarks.month.simulation import Sampling

VOLUMES = (1_000_000, 10_000_000, 100_000_000)
COUNTING_VOLUMES = (10_000, 100_000, *VOLUMES, 1_000_000_000)
PLAIN_VOLUME = 10_000_000
"""For which volume it is measured what providers, times and machines add to the cost of counters."""

SENSITIVITY = Sampling(strata=6, seconds=300)
"""The smaller sample that each assumption is varied in."""


def figures(months: list[Month]) -> dict[str, float]:
    """Return the figures of docs/performance.md."""
    measured: dict[str, float] = {}
    for month in months:
        volume = f"{month.messages // 10**6:,} million messages a month"
        measured |= {
            f"counter write units per 1,000 events, {volume}": month.counter_writes_per_thousand,
            f"dollars per million events, {volume}": month.dollars_per_million,
            f"estimate of `aftersend lint` in simulated costs, {volume}": month.estimate_ratio,
            f"seconds from event to counter, 99th percentile, {volume}": month.counting.lag(99),
        }
        if month.messages == PLAIN_VOLUME:
            name = f"counter write units, in those without providers, times and machines, {volume}"
            plain = simulate_month(month.messages, is_plain=True)
            measured[name] = month.counter_writes_per_thousand / plain.counter_writes_per_thousand
    return measured


def as_json(month: Month) -> dict[str, Any]:
    counting = {name: value for name, value in month.counting._asdict().items() if name != "lags"}
    return {
        "messages": month.messages,
        "events": month.events,
        "dollars": month.dollars,
        "dollars_per_million_events": month.dollars_per_million,
        "estimated_dollars": month.estimated_dollars,
        "counter_write_units_per_thousand_events": month.counter_writes_per_thousand,
        "counting": counting,
        "lag_seconds": {str(percentile): seconds for percentile, seconds in month.lags().items()},
        "parts": msgspec.to_builtins(month.parts),
    }


def print_month(month: Month) -> None:
    counting = month.counting
    print(f"\n{month.messages:,} messages a month: {month.events:,.0f} events, ${month.dollars:,.2f}")
    print(
        f"  ${month.dollars_per_million:.2f} per million events; the estimate is {month.estimate_ratio:.2f} times that"
    )
    for part in month.parts:
        print(f"  {part.name:22}${part.dollars:>10,.2f}  {part.basis}")
    print(f"  counters: {month.counter_writes_per_thousand:,.0f} write units per 1,000 events,", end=" ")
    print(f"{counting.entries / counting.batches:,.0f} changes a batch, {counting.batches:,.0f} batches,", end=" ")
    print(f"{counting.requests:,.0f} requests, {counting.conflicts:,.0f} conflicts")
    lags = ", ".join(f"{seconds:,.0f} s ({percentile} %)" for percentile, seconds in month.lags().items())
    print(f"  from event to counter: {lags}")


def print_sensitivity(messages: int) -> None:
    """Print by how much costs change where one assumption is halved or doubled."""
    base = simulate_month(messages, sampling=SENSITIVITY)
    print(f"\n{messages:,} messages: {base.counter_writes_per_thousand:,.0f} counter write units per 1,000 events,")
    print(f"${base.dollars_per_million:.2f} per million events, lag {base.counting.lag(99):,.0f} s (99 %)")
    print("| assumption | write units | $ per million events | lag, s (99 %) |\n|---|---:|---:|---:|")
    for name in SOURCES:
        varied = [simulate_month(messages, changed(name, factor), SENSITIVITY) for factor in (0.5, 2)]
        cells = (
            " / ".join(f"{month.counter_writes_per_thousand:,.0f}" for month in varied),
            " / ".join(f"{month.dollars_per_million:.2f}" for month in varied),
            " / ".join(f"{month.counting.lag(99):,.0f}" for month in varied),
        )
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


def changed(name: str, factor: float) -> Parameters:
    """Return the assumptions with one of them multiplied; parts of a whole stay below 1."""
    value = getattr(Parameters(), name) * factor
    return msgspec.structs.replace(Parameters(), **{name: min(value, 1.0) if name.endswith("_share") else value})


def print_counting() -> None:
    for messages in COUNTING_VOLUMES:
        month = simulate_month(messages)
        invocations = (month.counting.batches + month.counting.window_ends) / month.events
        row = f"    Counting({messages:,}, {month.counting.write_units / month.events:.3f}, {invocations:.5f}),"
        print(row.replace(",0", "_0"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate what a month costs.")
    parser.add_argument("--messages", type=int, action="append", help="messages a month (1, 10 and 100 million)")
    for option, text in OPTIONS.items():
        parser.add_argument(option, action="store_true", help=text)
    arguments = parser.parse_args()
    volumes = arguments.messages or VOLUMES
    if arguments.parameters:
        for name, source in SOURCES.items():
            print(f"| `{name}` | {getattr(Parameters(), name):g} | {source.meaning} | {source.source} |")
    elif arguments.counting:
        print_counting()
    elif arguments.sensitivity:
        for messages in arguments.messages or [10_000_000]:
            print_sensitivity(messages)
    else:
        months = [simulate_month(messages) for messages in volumes]
        if arguments.figures:
            print_figures(figures(months))
        elif arguments.json:
            print(json.dumps([as_json(month) for month in months]))
        else:
            for month in months:
                print_month(month)


OPTIONS = {
    "--sensitivity": "vary each assumption",
    "--parameters": "print the assumptions",
    "--counting": "print what counting costs by volume",
    "--json": "print JSON",
    OPTION: "print the figures of docs/performance.md",
}


if __name__ == "__main__":
    sys.exit(main())
