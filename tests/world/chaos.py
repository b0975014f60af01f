"""`make chaos`: as many runs as one likes of the world in which everything goes wrong. A seed repeats its run."""

import argparse
import sys
import time

from tests.world.scenario import differences, run
from tests.world.world import prepared

SAID_EVERY = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many runs")
    parser.add_argument("--seed", type=int, help="this run alone, with all it has to say")
    arguments = parser.parse_args()
    seeds = range(arguments.seeds) if arguments.seed is None else [arguments.seed]
    started, failed = time.monotonic(), []
    with prepared():
        for number, seed in enumerate(seeds, 1):
            found = differences(run(seed, number=10 + seed % 30))
            if found:
                failed.append(seed)
                print(f"seed {seed}: {len(found)} differences; repeat with: make chaos SEED={seed}")
                print(
                    "\n".join(f"  {difference}" for difference in (found if arguments.seed is not None else found[:3]))
                )
            if number % SAID_EVERY == 0:
                print(
                    f"{number} runs, {len(failed)} with differences, {time.monotonic() - started:.0f} seconds",
                    flush=True,
                )
    print(f"{len(seeds)} runs, {len(failed)} with differences{': seeds ' + str(failed) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
