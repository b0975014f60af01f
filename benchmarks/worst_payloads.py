"""Measure how long the worst payloads take to parse, and how much memory that takes.

    python -m benchmarks.worst_payloads          as long as the functions parse them
    python -m benchmarks.worst_payloads 6291456  as long as `aftersend inspect` does

Each is parsed in a process of its own. Amazon SES sends nothing of the kind: this is what somebody could send to the
queue or put into the archive, and what the memory and the timeout of the functions must bear.
"""

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from aftersend.parsing import MAX_PAYLOAD_BYTES, parse
from tests.record_files import published

HERE = "the place of what is repeated"


def _repeat(before: str, element: str, after: str, size: int, separator: str = ",") -> str:
    times = (size - len(before) - len(after)) // (len(element) + len(separator))
    return before + separator.join([element] * times) + after


def _destinations(element: str) -> Callable[[int], str]:
    """Make a record of a Send with as many destinations as fit."""
    record = published("send")
    record["mail"]["destination"] = [HERE]
    before, _, after = json.dumps(record).partition(f'"{HERE}"')
    return lambda size: _repeat(before, element, after, size)


def _bounced_recipients(size: int) -> str:
    """Make a bounce of as many recipients as fit, whose addresses are given to no destination."""
    record = published("bounce")
    number = (size - len(json.dumps(record))) // 60
    record["mail"]["destination"] = [f"{each}@a.example" for each in range(number)]
    record["bounce"]["bouncedRecipients"] = [{"emailAddress": f"{each}@b.example"} for each in range(number)]
    return json.dumps(record)


def _empty_bounced_recipients(size: int) -> str:
    return _repeat('{"eventType":"Bounce","bounce":{"bouncedRecipients":[', "{}", "]}}", size)


def _tags(size: int) -> str:
    return json.dumps(published("open") | {"mail": {"tags": {str(each): each for each in range(size // 20)}}})


PAYLOADS: dict[str, Callable[[int], str]] = {
    "destinations": _destinations('""'),
    "destinations of another type": _destinations("1"),
    "destinations with comments": _destinations(json.dumps("(" * 480 + "a" + ")" * 480)),
    "destinations joined by commas": _destinations(json.dumps(",".join(["a@b"] * 12_000))),
    "bounced recipients": _bounced_recipients,
    "empty bounced recipients": _empty_bounced_recipients,
    "tags of another type": _tags,
    "a list of numbers": lambda size: _repeat("[", "1", "]", size),
    "a list of objects": lambda size: _repeat("[", "{}", "]", size),
    "a list of envelopes": lambda size: _repeat('{"Records":[', '{"body":"{}"}', "]}", size),
    "lines": lambda size: _repeat("", "{}", "", size, separator="\n"),
    "nested lists": lambda size: "[" * (size // 2) + "]" * (size // 2),
}


def _measure(name: str, size: int, queue: Any) -> None:
    payload = PAYLOADS[name](size)
    before, started = _peak_megabytes(), time.process_time()
    results = parse(payload, max_bytes=size)
    took = time.process_time() - started
    events = sum(len(result) for result in results if isinstance(result, list))
    queue.put((took, _peak_megabytes() - before, len(results), events))


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(size: int) -> int:
    context = multiprocessing.get_context("spawn")
    print(f"Payloads of {size:,} bytes:\n\n  seconds        MB    results     events  payload")
    for name in PAYLOADS:
        queue = context.Queue()
        process = context.Process(target=_measure, args=(name, size, queue))
        process.start()
        took, memory, results, events = queue.get()
        process.join()
        print(f"{took:9.1f} {memory:9.0f} {results:10,} {events:10,}  {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MAX_PAYLOAD_BYTES))
