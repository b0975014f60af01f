"""Draw valid and damaged records at random, parse them, and check what must hold of every result.

    make fuzz N=1000000

A seed determines a record. Records that once failed are in tests/events/regressions, which every test run parses.
"""

import argparse
import copy
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aftersend import ledger
from aftersend.aws.serialization import serialize
from aftersend.parsing import Ignored, ParseResult, Unreadable, parse
from aftersend.suppression import Policy, decide
from tests.envelopes import ENVELOPES
from tests.record_files import RECORD_FILES

RECORDS = [json.loads(file.read_bytes()) for file in RECORD_FILES]
UNEXPECTED_VALUES = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    10**40,
    1.5,
    1e308,
    "",
    " ",
    "x",
    "\ud83d",
    "\x00",
    "é" * 50,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"": ["x"]},
    {"x" * 70_000: ["x"]},
    [1] * 1000,
]
NESTED = "a value that is nested nearly as deeply as can be decoded"
UNEXPECTED_VALUES += [
    NESTED,
    "1e308",
    "9" * 40,
    "2026-03-14T09:26:53 +0000",
    "a@b.example, c@d.example",
    "<",
    ">",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "{}",
    "[",
    "null",
]
LARGE_CHARACTERS, MAX_CHARACTERS = 20_000, 900_000
"""Values longer than the first are repeated only twice; no text becomes longer than the second."""

MAX_DAMAGES = 4
"""The most changes to one record."""


def valid(rng: random.Random) -> str:
    """Draw a record as SES may send it: some optional fields missing or null, in any order."""
    return json.dumps(_drop_optional_fields(rng.choice(RECORDS), rng))


def with_extreme_times(record: str, rng: random.Random) -> str:
    """Replace the times of a record, some by times with many decimals and around the years that are possible."""
    value = json.loads(record)
    for container, key in _locations(value):
        if key in ("timestamp", "expirationTime") and container[key]:
            container[key] = _extreme_time(rng)
    return json.dumps(value)


def _extreme_time(rng: random.Random) -> str:
    year = rng.choice([1, 1999, 2000, 2026, 2026, 2100, 2101, 9999])
    moment = rng.choice(["01-01T00:00:00", "12-31T23:59:59", "06-15T12:34:56"])
    decimals = "".join(rng.choice("0499") for _ in range(rng.randrange(13)))
    offset = rng.choice(["Z", "", "+00:01", "-00:01", "+14:00", "-12:00"])
    return f"{year:04}-{moment}{'.' if decimals else ''}{decimals}{offset}"


REQUIRED = ("eventType", "notificationType", "mail")


def _drop_optional_fields(value: Any, rng: random.Random) -> Any:
    if isinstance(value, list):
        return [_drop_optional_fields(element, rng) for element in value]
    if not isinstance(value, dict):
        return value
    keys = [key for key in value if key in REQUIRED or rng.random() > 0.1]
    rng.shuffle(keys)
    return {
        key: None if key not in REQUIRED and rng.random() < 0.05 else _drop_optional_fields(value[key], rng)
        for key in keys
    }


def damaged(rng: random.Random) -> str | bytes:
    """Draw a record with damages at random locations, perhaps in an envelope, perhaps no longer JSON."""
    record = json.loads(valid(rng))
    for _ in range(rng.randint(1, MAX_DAMAGES)):
        rng.choice(_DAMAGES)(record, rng)
    text = json.dumps(record)
    if rng.random() < 0.3 and isinstance(record, dict) and {"eventType", "notificationType"} & record.keys():
        text = _wrap(text, rng)
        if rng.random() < 0.3 and text.startswith("{"):
            record = json.loads(text)
            rng.choice(_DAMAGES)(record, rng)
            text = json.dumps(record)
    return _break_text(_nest_deeply(text, rng), rng)


def _nest_deeply(text: str, rng: random.Random) -> str:
    """Write the value that stands for a nested one: Python itself cannot encode it."""
    depth = rng.choice([rng.randrange(900, 1_010), rng.randrange(9_900, 10_050), 100_000])
    nested = "[" * depth + "]" * depth if rng.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth
    return text.replace(f'"{NESTED}"', nested, 1).replace(f'\\"{NESTED}\\"', nested.replace('"', '\\"'), 1)


def _wrap(text: str, rng: random.Random) -> str:
    try:
        wrapped = ENVELOPES[rng.choice(list(ENVELOPES))](text)
    except (TypeError, AttributeError, KeyError):
        return text  # this envelope needs a type key that is text
    return wrapped if isinstance(wrapped, str) else wrapped.decode()


def _locations(value: Any) -> list[tuple[Any, Any]]:
    """Return every location in a value: a container, and a key or index of it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    here = [(value, key) for key, _ in items]
    return here + [location for container, key in here for location in _locations(container[key])]


def _at_random_location(change: Callable[[Any, Any, random.Random], None]) -> Callable[[Any, random.Random], None]:
    def damage(record: Any, rng: random.Random) -> None:
        if locations := _locations(record):
            change(*rng.choice(locations), rng)

    return damage


def _drop(container: Any, key: Any, _: random.Random) -> None:
    del container[key]


def _replace(container: Any, key: Any, rng: random.Random) -> None:
    container[key] = copy.deepcopy(rng.choice(UNEXPECTED_VALUES))


def _encode(container: Any, key: Any, _: random.Random) -> None:
    container[key] = json.dumps(container[key])


def _nest(container: Any, key: Any, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 1, 2, 50])):
        container[key] = rng.choice([[container[key]], {"value": container[key]}])


def _repeat(container: Any, key: Any, rng: random.Random) -> None:
    times = rng.choice([0, 2, 3, 100])
    container[key] = [container[key]] * (times if len(str(container[key])) < LARGE_CHARACTERS else 2)


def _swap(container: Any, key: Any, rng: random.Random) -> None:
    others = list(container) if isinstance(container, dict) else range(len(container))
    other = rng.choice(list(others))
    container[key], container[other] = container[other], container[key]


def _lengthen(container: Any, key: Any, rng: random.Random) -> None:
    text = str(container[key])[:MAX_CHARACTERS]
    times = min(rng.choice([2, 10, 1000]), MAX_CHARACTERS // (len(text) or 1) + 1)
    container[key] = (text * times)[:MAX_CHARACTERS]


_DAMAGES = [
    _at_random_location(change) for change in (_drop, _replace, _replace, _encode, _nest, _repeat, _swap, _lengthen)
]


def _break_text(text: str, rng: random.Random) -> str | bytes:
    """Now and then cut or double the text, or change its bytes."""
    match rng.randrange(24):
        case 0:
            return text[: rng.randrange(len(text))]
        case 1:
            return text + rng.choice(["", "\n", ","]) + text
        case 2:
            return text.encode("utf-16")
        case 3:
            raw = bytearray(text.encode())
            raw[rng.randrange(len(raw))] = rng.randrange(256)
            return bytes(raw)
        case 4:
            return text.replace('"', "'")
        case 5:
            return "\n".join([text, text[::-1], text])
        case 6:
            place = rng.randrange(len(text))
            return f"{text[:place]}\ud83d{text[place:]}"
    return text


def check(payload: str | bytes) -> list[ParseResult]:
    """Parse a payload and check what must hold of every payload's results.

    Raises:
        AssertionError: if something does not hold.
    """
    results = parse(payload)
    assert results, "a payload has a result"
    for result in results:
        if isinstance(result, list):
            assert result, "a record has at least one event"
            for event in result:
                _check_event(event, payload)
        else:
            assert isinstance(result, Ignored | Unreadable)
            assert result.reason
    return results


def _check_event(event: Any, payload: str | bytes) -> None:
    attributes = ledger.attributes(event)
    serialize(attributes)
    _check_storable(attributes)
    assert ledger.event_from_attributes(attributes).recipient == event.recipient
    assert ledger.key(event).sort.encode()
    assert event.occurred_at is None or event.occurred_at.utcoffset().total_seconds() == 0
    if (event.message_id or event.recipient) and decide([event], Policy(), datetime.now(UTC)):
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        # Escaped or encoded text, and numbers instead of an address, are spelled otherwise in the payload.
        is_encoded = "\\" in text or "\ud83d" in text or "data" in text or "@" not in event.recipient
        assert event.recipient in text.lower() or is_encoded, "a suppressed recipient is in the payload"


def _check_storable(value: Any) -> None:
    """Check what DynamoDB demands of numbers and of names."""
    if isinstance(value, dict):
        assert all(1 <= len(name.encode()) <= 65_535 for name in value)
    if isinstance(value, int):
        assert len(str(abs(value))) <= 38
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_storable(each)


class Failed(Exception):
    """A payload raised an exception or has a wrong result."""


def check_seeds(seeds: range) -> None:
    """Check the payload of every seed, and print how long that took and how many results of each kind there are."""
    results: Counter[str] = Counter()
    slowest, started = (0.0, 0), time.perf_counter()
    for number, seed in enumerate(seeds, 1):
        payload = damaged(random.Random(seed))
        before = time.process_time()
        try:
            checked = check(payload)
        except Exception as error:
            raise Failed(f"seed {seed}: {type(error).__name__}: {error}\n{payload!r:.2000}") from error
        slowest = max(slowest, (time.process_time() - before, seed))
        results.update("event" if isinstance(result, list) else result.reason for result in checked)
        if number % 100_000 == 0:
            print(f"{number:,} records, {time.perf_counter() - started:.0f} seconds", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = f"{slowest[0] * 1000:.0f} ms (seed {slowest[1]})"
    print(f"{len(seeds):,} records parsed, no exception. The slowest took {took}.")
    print(f"The process used at most {memory} MB. Results: {dict(results.most_common())}")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--number", type=int, default=100_000, help="how many records")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    try:
        check_seeds(range(arguments.first, arguments.first + arguments.number))
    except Failed as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
