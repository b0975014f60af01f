"""Run the world in which everything goes wrong as many times as you like. A seed repeats its run."""

import argparse
import sys
import time
from resource import RUSAGE_CHILDREN, getrusage

from tests.world.burst import lost_in_burst
from tests.world.counting_scope import cases, failures, small_transactions
from tests.world.scenario import differences, run_scenario
from tests.world.volume import SLICE, run_slices
from tests.world.world import function_process

PROGRESS_EVERY_RUNS, PROGRESS_EVERY_SLICES = 100, 10
DIFFERENCES_SHOWN = 3

EVENTS = 1_000_000
"""How many events are counted and compared with an oracle."""

BURST = 20_000
"""Bounces that are published at one moment."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many runs, with the seeds from 0 on")
    parser.add_argument("--seed", type=int, help="the seed of a single run, all of whose differences are shown")
    parser.add_argument("--events", type=int, default=EVENTS, help="how many are counted beside an oracle")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds) if arguments.seed is None else [arguments.seed]
    started, failed = time.monotonic(), []
    with function_process():
        for number, seed in enumerate(seeds, 1):
            if lines := differences(run_scenario(seed, number=10 + seed % 30)):
                failed.append(seed)
                print(f"seed {seed}: {len(lines)} differences; repeat with: make chaos SEED={seed}")
                shown = lines if arguments.seed is not None else lines[:DIFFERENCES_SHOWN]
                print("\n".join(f"  {line}" for line in shown))
            if number % PROGRESS_EVERY_RUNS == 0:
                seconds = time.monotonic() - started
                print(f"{number} runs, {len(failed)} with differences, {seconds:.0f} seconds", flush=True)
    print(f"{len(seeds)} runs, {len(failed)} with differences{': seeds ' + str(failed) if failed else ''}")
    return 1 if failed or (arguments.seed is None and (burst() or small_streams() or volume(arguments.events))) else 0


def small_streams() -> int:
    """Count small streams in every way there is, and return how many ways end wrong."""
    started, every = time.monotonic(), list(cases())
    with small_transactions():
        wrong = list(failures(every))
    seconds = time.monotonic() - started
    print(f"{len(every):,} small streams in every order of calls: {len(wrong)} wrong, {seconds:.0f} seconds")
    print("\n".join(wrong[:DIFFERENCES_SHOWN]))
    return len(wrong)


def volume(events: int) -> int:
    """Count very many events beside an oracle, and return how many counters or metrics are wrong."""
    started, wrong = time.monotonic(), list[str]()
    for number, lines in enumerate(run_slices(events), 1):
        wrong += lines
        if number % PROGRESS_EVERY_SLICES == 0:
            print(
                f"{number * SLICE:,} events, {len(wrong)} wrong, {time.monotonic() - started:.0f} seconds", flush=True
            )
    mebibytes = getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{events:,} events beside an oracle: {len(wrong)} wrong, at most {mebibytes:.0f} MB a process")
    print("\n".join(wrong[:DIFFERENCES_SHOWN]))
    return len(wrong)


def burst() -> int:
    """Let 20,000 recipients bounce at once, and return how many of them are not suppressed at the end."""
    started = time.monotonic()
    with function_process():
        lost, world = lost_in_burst(BURST, seed=0)
    requests, seconds = sum(world.calls.values()), time.monotonic() - started
    print(f"Burst of {BURST:,} bounces: {len(lost)} lost, {requests:,} requests, {seconds:.0f} seconds")
    return len(lost)


if __name__ == "__main__":
    sys.exit(main())
