"""One world for all tests of exactness: the real handlers over the real adapters, on a model of AWS that misbehaves.

Everything is drawn from one seed, so a run can be repeated. A function can be killed before and after any of its calls.
"""

import contextlib
import gzip
import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import msgspec

from aftersend import counting, ledger
from aftersend.aws.archive import Archive
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.events import Event
from aftersend.recorder import Recorder, parse_recordable
from aftersend.suppression import Entry, Policy, decide
from lambdas import count_tags, record_archive, record_feedback
from lambdas.dependencies import logger
from tests.fakes import immediate_attempts
from tests.world.calls import CLIENTS, Fault, Killed, answering
from tests.world.dynamodb import DynamoDB
from tests.world.mappings import FromQueue, FromStream
from tests.world.queues import S3, Queue

BEGIN = datetime(2026, 3, 14, 12, tzinfo=UTC)
RETENTION, POLICY = ledger.Retention(), Policy()
COUNTED = counting.Counted(tags=("campaign", "genre"))

SPLITTING = 0.02
"""How often a shard of the ledger's stream is split, from one step to the next."""

FUNCTIONS = ("record_feedback", "record_archive", "count_tags")


@dataclass
class Clock:
    """Jumps where it is told to; in between it moves on by itself a little."""

    moment: datetime = BEGIN

    def now(self) -> datetime:
        return self.moment

    def jump(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Kill:
    """A function is to be ended at its call of that number (from 0), before or after it takes effect."""

    function: str
    call: int
    after: bool


@dataclass(frozen=True)
class Outcome:
    """What the world has come to. Equal outcomes are what exactness means."""

    keys: frozenset[ledger.Key]
    counts: dict[tuple[counting.Row, str], int]
    entries: dict[str, Entry]


class World:
    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.clock = Clock()
        self.dynamodb = DynamoDB(self.draw, self.clock.now, plain=["counters", "suppressions"], streamed=["ledger"])
        self.feedback, self.announcements = (Queue(self.draw, self.clock.now) for _ in range(2))
        self.s3 = S3(self.draw, self.announcements)
        self.calls: Counter[tuple[str, str]] = Counter()
        """How many calls were made, by function and operation."""
        self.kill: Kill | None = None
        self.printed: Counter[tuple[str, str]] = Counter()
        """The metrics functions printed, by configuration set and measure."""
        self.yield_turn: Callable[[], None] = lambda: None
        """Called before each call: where functions running at once may take turns."""
        dynamodb = CLIENTS["dynamodb"]
        self.recorder = Recorder(
            ledger=LedgerTable(dynamodb, "ledger", RETENTION, attempts=immediate_attempts),
            suppressions=SuppressionsTable(dynamodb, "suppressions"),
            policy=POLICY,
            retention=RETENTION,
            now=self.clock.now,
            attempts=immediate_attempts,
        )
        self.archive = Archive(CLIENTS["s3"])
        self.counters = CountersTable(
            dynamodb, "counters", now=lambda: self.clock.now().timestamp(), attempts=immediate_attempts
        )
        self.from_feedback = FromQueue(self.feedback, self.function("record_feedback"))
        self.from_archive = FromQueue(self.announcements, self.function("record_archive"))
        self.from_ledger = FromStream(
            self.dynamodb.tables["ledger"], self.function("count_tags"), self.draw, self.clock.now
        )

    # What happens to the world.

    def publish(self, payload: str) -> None:
        """SES publishes over SNS."""
        self.feedback.send(payload)

    def store(self, lines: Iterable[str], name: str, *, packed: bool = True) -> None:
        """Firehose writes an object."""
        content = "".join(line + "\n" for line in lines).encode()
        self.s3.put(f"events/{name}", gzip.compress(content) if packed else content)

    def replay(self) -> None:
        """An operator announces every object of the archive again."""
        for key in [key for key in self.s3.objects if key.startswith("events/")]:
            self.s3.announce(key)

    def run(self, *, killing: float = 0.0, at_most: int = 20_000) -> None:
        """Let everything happen that is due, in any order, until nothing is left to do."""
        mappings = [self.from_feedback, self.from_archive, self.from_ledger]
        for _ in range(at_most):
            if all(mapping.is_done() for mapping in mappings):
                return
            if self.draw.random() < killing:
                self.kill = Kill(self.draw.choice(FUNCTIONS), self.draw.randrange(8), self.draw.random() < 0.5)
            self.draw.choice([mapping for mapping in mappings if not mapping.is_done()]).step()
            self.clock.jump(minutes=self.draw.choice([0, 0, 1, 3]))
            if self.draw.random() < SPLITTING:
                self.dynamodb.split("ledger")
        raise AssertionError(f"Something is left to do after {at_most} steps.")

    def outcome(self) -> Outcome:
        with self.answering():
            counts: Counter[tuple[counting.Row, str]] = Counter()
            for row, measures in self.counters.rows():
                for measure, count in measures.items():
                    counts[row, measure] += count
            listed = SuppressionsTable(CLIENTS["dynamodb"], "suppressions").entries()
            entries = {entry.recipient: _without_version(entry) for entry in listed}
        keys = frozenset(ledger.Key(*key) for key in self.dynamodb.tables["ledger"].items)
        return Outcome(keys, {key: count for key, count in counts.items() if count}, entries)

    # How functions run.

    def function(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "record_feedback": lambda event: record_feedback.handler(event, recorder=self.recorder),
            "record_archive": lambda event: record_archive.handler(event, recorder=self.recorder, archive=self.archive),
            "count_tags": lambda event: count_tags.handler(
                event, counters=self.counters, emit_metric=self._note_metric, attempts=immediate_attempts
            ),
        }

        def invoke(event: dict[str, Any]) -> dict[str, Any]:
            with self.answering(name):
                return handlers[name](event)

        return invoke

    @contextlib.contextmanager
    def answering(self, function: str = "") -> Generator[None]:
        """Calls made in this block (and thread) are answered by this world, as made by the function."""
        numbers = itertools.count()

        def answer(operation: str, call: dict[str, Any]) -> dict[str, Any]:
            self.yield_turn()
            self.calls[function, operation] += 1
            kill, number = self.kill, next(numbers)
            if kill is None or (kill.function, kill.call) != (function, number):
                return self._perform(operation, call)
            self.kill = None
            if kill.after:
                with contextlib.suppress(Fault):
                    self._perform(operation, call)
            raise Killed

        token = answering.set(answer)
        try:
            yield
        finally:
            answering.reset(token)

    def _perform(self, operation: str, call: dict[str, Any]) -> dict[str, Any]:
        return getattr(self.s3 if operation.endswith("Object") else self.dynamodb, operation)(call)

    def _note_metric(self, document: dict[str, Any]) -> None:
        [directive] = document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            self.printed[document["ConfigurationSet"], metric["Name"]] += document[metric["Name"]]


def ideal(payloads: Iterable[str]) -> Outcome:
    """What must come of payloads, whatever happens on the way: worked out from the set of facts alone."""
    kept: dict[ledger.Key, Event] = {}
    for payload in payloads:
        told = [event for outcome in parse_recordable(payload) if isinstance(outcome, list) for event in outcome]
        for event in ledger.with_first_events(told):
            key = ledger.key(event)
            if key not in kept or ledger.rank(kept[key]) < ledger.rank(event):
                kept[key] = event
    counts: Counter[tuple[counting.Row, str]] = Counter()
    by_recipient: dict[str, list[Event]] = {}
    for key, event in kept.items():
        counts.update(counting.contributions(event, COUNTED))
        if ledger.group(event) is ledger.Group.FEEDBACK:
            by_recipient.setdefault(key.partition, []).append(event)
    entries = {recipient: decide(facts, POLICY) for recipient, facts in by_recipient.items()}
    return Outcome(frozenset(kept), dict(counts), {name: entry for name, entry in entries.items() if entry})


def _without_version(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, version=0)


@contextlib.contextmanager
def prepared(counted: counting.Counted = COUNTED) -> Generator[None]:
    """What functions find in the process they run in: settings, and no log."""
    settings = {"ENVIRONMENT": "world", "COUNTED": msgspec.json.encode(counted).decode()}
    with mock.patch.dict(os.environ, settings):
        level = logger.log_level
        logger.setLevel("CRITICAL")
        yield
        logger.setLevel(level)
