"""Records drawn at random, valid ones and damaged ones, and what must hold of whatever is read from them.

    make fuzz N=1000000

A seed draws a record; a finding is kept in tests/events/regressions and read again by every test run.
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
from typing import Any

from aftersend import ledger
from aftersend.aws.serialization import serialize
from aftersend.parsing.parser import Ignored, ParseResult, Unreadable, parse
from aftersend.suppression import Policy, decide
from tests.envelopes import ENVELOPES
from tests.record_files import RECORD_FILES

RECORDS = [json.loads(file.read_bytes()) for file in RECORD_FILES]
ODD = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
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
]
ODD += [
    "2026-03-14T09:26:53 +0000",
    "a@b.example, c@d.example",
    "<",
    ">",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "{}",
    "[",
    "null",
]
MUCH, MOST = 20_000, 1_100_000
"""Characters: what is not multiplied much any more, and the longest text."""

DAMAGES = 4
"""Most places of one record that are damaged."""


def valid(draw: random.Random) -> str:
    """A record as SES may send it: some optional fields missing or null, in any order."""
    return json.dumps(_thinned(draw.choice(RECORDS), draw))


NEVER_MISSING = ("eventType", "notificationType", "mail")


def _thinned(found: Any, draw: random.Random) -> Any:
    if isinstance(found, list):
        return [_thinned(value, draw) for value in found]
    if not isinstance(found, dict):
        return found
    kept = [name for name in found if name in NEVER_MISSING or draw.random() > 0.1]
    draw.shuffle(kept)
    return {
        name: None if name not in NEVER_MISSING and draw.random() < 0.05 else _thinned(found[name], draw)
        for name in kept
    }


def damaged(draw: random.Random) -> str | bytes:
    """A record with something wrong, somewhere, in some envelope."""
    record = json.loads(valid(draw))
    for _ in range(draw.randint(1, DAMAGES)):
        draw.choice(_DAMAGES)(record, draw)
    text = json.dumps(record)
    if draw.random() < 0.3 and isinstance(record, dict) and {"eventType", "notificationType"} & record.keys():
        text = _enveloped(text, draw)
    return _broken(text, draw)


def _enveloped(text: str, draw: random.Random) -> str:
    try:
        around = ENVELOPES[draw.choice(list(ENVELOPES))](text)
    except (TypeError, AttributeError, KeyError):
        return text  # the envelope needs a type that is text
    return around if isinstance(around, str) else around.decode()


def _places(found: Any) -> list[tuple[Any, Any]]:
    """Every place in a value: what holds it, and under which name or number."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    here = [(found, name) for name, _ in inside]
    return here + [place for holder, name in here for place in _places(holder[name])]


def _somewhere(change: Callable[[Any, Any, random.Random], None]) -> Callable[[Any, random.Random], None]:
    def damage(record: Any, draw: random.Random) -> None:
        if places := _places(record):
            change(*draw.choice(places), draw)

    return damage


def _drop(holder: Any, name: Any, _: random.Random) -> None:
    del holder[name]


def _replace(holder: Any, name: Any, draw: random.Random) -> None:
    holder[name] = copy.deepcopy(draw.choice(ODD))


def _stringify(holder: Any, name: Any, _: random.Random) -> None:
    holder[name] = json.dumps(holder[name])


def _nest(holder: Any, name: Any, draw: random.Random) -> None:
    for _ in range(draw.choice([1, 1, 2, 50])):
        holder[name] = draw.choice([[holder[name]], {"value": holder[name]}])


def _repeat(holder: Any, name: Any, draw: random.Random) -> None:
    times = draw.choice([0, 2, 3, 100])
    holder[name] = [holder[name]] * (times if len(str(holder[name])) < MUCH else 2)


def _swap(holder: Any, name: Any, draw: random.Random) -> None:
    others = list(holder) if isinstance(holder, dict) else range(len(holder))
    other = draw.choice(list(others))
    holder[name], holder[other] = holder[other], holder[name]


def _lengthen(holder: Any, name: Any, draw: random.Random) -> None:
    holder[name] = (str(holder[name]) * draw.choice([2, 10, 1000]))[:MOST]


_DAMAGES = [_somewhere(change) for change in (_drop, _replace, _replace, _stringify, _nest, _repeat, _swap, _lengthen)]


def _broken(text: str, draw: random.Random) -> str | bytes:
    """The text itself, cut, doubled or in other bytes, now and then."""
    match draw.randrange(20):
        case 0:
            return text[: draw.randrange(len(text))]
        case 1:
            return text + draw.choice(["", "\n", ","]) + text
        case 2:
            return text.encode("utf-16")
        case 3:
            raw = bytearray(text.encode())
            raw[draw.randrange(len(raw))] = draw.randrange(256)
            return bytes(raw)
        case 4:
            return text.replace('"', "'")
        case 5:
            return "\n".join([text, text[::-1], text])
    return text


def check(payload: str | bytes) -> list[ParseResult]:
    """Read a payload and hold what came of it against what must be, whatever the payload.

    Raises:
        AssertionError: if something does not hold.
    """
    outcomes = parse(payload)
    assert outcomes, "a payload becomes something"
    for outcome in outcomes:
        if isinstance(outcome, list):
            assert outcome, "a record becomes at least one event"
            for event in outcome:
                _check_event(event, payload)
        else:
            assert isinstance(outcome, Ignored | Unreadable)
            assert outcome.reason
    return outcomes


def _check_event(event: Any, payload: str | bytes) -> None:
    kept = ledger.attributes(event)
    serialize(kept)
    assert ledger.event_from_attributes(kept).recipient == event.recipient
    assert ledger.key(event).sort.encode()
    assert event.occurred_at is None or event.occurred_at.utcoffset().total_seconds() == 0
    if (event.message_id or event.recipient) and decide([event], Policy()):
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        is_written_otherwise = "\\" in text or "data" in text or "@" not in event.recipient  # as a number is
        assert event.recipient in text.lower() or is_written_otherwise, "nobody is made up"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--number", type=int, default=100_000, help="how many records")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    became: Counter[str] = Counter()
    slowest, started = (0.0, 0), time.perf_counter()
    for seed in range(arguments.first, arguments.first + arguments.number):
        payload = damaged(random.Random(seed))
        before = time.process_time()
        try:
            outcomes = check(payload)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            print(f"seed {seed}: {type(error).__name__}: {error}\n{payload!r:.2000}")
            return 1
        slowest = max(slowest, (time.process_time() - before, seed))
        became.update("event" if isinstance(found, list) else found.reason for found in outcomes)
        if (seed + 1 - arguments.first) % 100_000 == 0:
            print(f"{seed + 1 - arguments.first:,} records, {time.perf_counter() - started:.0f} seconds", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    took = f"{slowest[0] * 1000:.0f} ms (seed {slowest[1]})"
    print(f"{arguments.number:,} records read, no exception. The slowest took {took}.")
    print(f"The process used at most {memory} MB. The records became: {dict(became.most_common())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
