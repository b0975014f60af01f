"""Run the world in which everything goes wrong as many times as you like. A seed repeats its run."""

import argparse
import sys
import time

from tests.world.burst import lost_in_burst
from tests.world.counting_scope import cases, failures, small_transactions
from tests.world.scenario import differences, run_scenario
from tests.world.world import function_process

PROGRESS_EVERY_RUNS = 100
DIFFERENCES_SHOWN = 3

BURST = 20_000
"""Bounces that are published at one moment."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many runs, with the seeds from 0 on")
    parser.add_argument("--seed", type=int, help="the seed of a single run, all of whose differences are shown")
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
    return 1 if failed or (arguments.seed is None and (burst() or small_streams())) else 0


def small_streams() -> int:
    """Count small streams in every way there is, and return how many ways end wrong."""
    started, every = time.monotonic(), list(cases())
    with small_transactions():
        wrong = list(failures(every))
    seconds = time.monotonic() - started
    print(f"{len(every):,} small streams in every order of calls: {len(wrong)} wrong, {seconds:.0f} seconds")
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
