"""Compare parsing with django-anymail's and django-ses's over every record of tests/events: agreement and speed.

    make benchmark

The others parse what Amazon SNS posts to them, an envelope around the record. Aftersend's topic delivers raw messages,
so it has a figure for both. The floor (floor.py) is the least time any Python parser can take.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.peers.floor import parse_with_floor
from benchmarks.peers.parsers import (
    Request,
    Values,
    aftersend_values,
    anymail_values,
    django_ses_values,
    make_request,
    parse_with_aftersend,
    parse_with_anymail,
    parse_with_django_ses,
)
from tests.record_files import RECORD_FILES, in_sns_envelope

RECORDS = {f"{file.parent.name}/{file.stem}": json.dumps(json.loads(file.read_bytes())) for file in RECORD_FILES}
ENVELOPED = {name: in_sns_envelope(record) for name, record in RECORDS.items()}

MIN_SPEEDUPS = {"django-anymail": 3.0, "django-ses": 4.0}
"""How many times as fast as each peer Aftersend must be, each with the payload it gets in production."""
MAX_FLOOR_RATIO = 1.6
"""How many times the floor's time Aftersend may take."""

RAW = "Aftersend, raw"
PARSERS: dict[str, Callable[[Request], Any]] = {
    RAW: parse_with_aftersend,
    "Aftersend": parse_with_aftersend,
    "the floor": parse_with_floor,
    "django-anymail": parse_with_anymail,
    "django-ses": parse_with_django_ses,
}

KNOWN_DIFFERENCES = {
    ("django-anymail", "occurred_at"): "it returns the time Amazon SNS sent the message, not the event's own time",
    ("django-anymail", "kind"): "it does not know the type and calls it unknown",
    ("django-ses", "record"): "it knows six types, and drops the others with a line in the log",
}


def differing_parts(expected: Values, actual: Values | None) -> list[str]:
    if actual is None:
        return ["record"]
    return [part for part in Values._fields if getattr(expected, part) != getattr(actual, part)]


def compare() -> int:
    """Print the differences with their reasons; return how many have none."""
    records_by_difference: dict[tuple[str, str], list[str]] = {}
    agreeing = 0
    for name, payload in ENVELOPED.items():
        expected = aftersend_values(make_request(payload))
        for peer, peer_values in (("django-anymail", anymail_values), ("django-ses", django_ses_values)):
            parts = differing_parts(expected, peer_values(make_request(payload)))
            agreeing += 0 if parts == ["record"] else len(Values._fields) - len(parts)
            for part in parts:
                records_by_difference.setdefault((peer, part), []).append(name)
    print(f"Agreement on {len(RECORDS)} records: {agreeing} values are equal. The others:")
    for (peer, part), names in records_by_difference.items():
        print(f"  {peer}, {part}: {KNOWN_DIFFERENCES.get((peer, part), 'UNEXPLAINED')}\n    {', '.join(names)}")
    return sum(len(names) for key, names in records_by_difference.items() if key not in KNOWN_DIFFERENCES)


def measure(rounds: int, repetitions: int) -> dict[str, float]:
    """Return each parser's median seconds per record. All take turns in each round, so that load affects all."""
    seconds: dict[str, list[float]] = {name: [] for name in PARSERS}
    for _ in range(rounds):
        for name, parser in PARSERS.items():
            payloads = RECORDS if name == RAW else ENVELOPED
            requests = [make_request(payload) for payload in payloads.values() for _ in range(repetitions)]
            gc.collect()
            started = time.perf_counter()
            for request in requests:
                parser(request)
            seconds[name].append((time.perf_counter() - started) / len(requests))
    return {name: statistics.median(values) for name, values in seconds.items()}


def report_speed(seconds: dict[str, float]) -> int:
    """Print the speed of each parser; return how many targets Aftersend misses."""
    for name, value in sorted(seconds.items(), key=lambda item: item[1]):
        print(f"  {name:<16}{value * 1e6:7.1f} µs per record")
    print()
    missed = 0
    for peer, target in MIN_SPEEDUPS.items():
        raw, enveloped = (seconds[peer] / seconds[name] for name in (RAW, "Aftersend"))
        missed += raw < target
        print(
            f"  {raw:.1f} times as fast as {peer} (target: at least {target:g}); with an envelope {enveloped:.1f} times"
        )
    floor_ratio = seconds["Aftersend"] / seconds["the floor"]
    print(f"  {floor_ratio:.2f} times the floor's time (target: at most {MAX_FLOOR_RATIO:g})")
    return missed + (floor_ratio > MAX_FLOOR_RATIO)


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare parsing of tests/events with other projects.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds in which all parsers take turns (15)")
    parser.add_argument("--repetitions", type=int, default=100, help="how often a round parses each record (100)")
    arguments = parser.parse_args()
    unexplained = compare()
    print(f"\nSpeed, on Python {sys.version.split()[0]}: the median of {arguments.rounds} rounds")
    missed = report_speed(measure(arguments.rounds, arguments.repetitions))
    if unexplained:
        print(f"\n{unexplained} differences have no reason.")
    return 1 if unexplained or missed else 0


if __name__ == "__main__":
    sys.exit(main())
