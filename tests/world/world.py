"""Run the real handlers over the real adapters on a model of AWS that does everything AWS may do.

All chance comes from one seed, so a run can be repeated. A function can be killed before and after any of its calls.
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

from aftersend import counting, ledger, retention
from aftersend.aws.archive import Archive
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.event_bus import EventBus as EventBusAdapter
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.list_sizes import ListSizes
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.aws.tombstones import Tombstones
from aftersend.events import Event
from aftersend.parsing import Options
from aftersend.recorder import Recorder, parse_recordable
from aftersend.suppression import WITHDRAWN, Entry, Policy, decide, needs_deliveries
from lambdas import count_tags, publish_suppressions, record_archive, record_feedback, sweep_suppressions
from lambdas.dependencies import logger
from tests.fakes import immediate_attempts
from tests.world.calls import CLIENTS, Fault, Killed, responder
from tests.world.dynamodb import DynamoDB
from tests.world.event_bus import EventBus
from tests.world.mappings import Invoke, QueueMapping, StreamMapping
from tests.world.queues import S3, Queue
from tests.world.streams import MappingApi, Streams

BEGIN = datetime(2026, 3, 14, 12, tzinfo=UTC)
RETENTION, POLICY = retention.Retention(), Policy()
COUNTED = counting.Counted(tags=("campaign", "genre"), link_tags=("position",))
OPTIONS = Options(tag_headers={"x-campaign": "campaign"})

HASH_KEY, HASH_KEY_SECRET = "the key", "hash-key"

SPLIT_RATE = 0.02
"""How often a shard of a stream is split, from one step to the next."""

COUNTING_PROCESSES = 2
"""Processes of count_tags that take turns: what one remembers of a shard may be older than what another committed."""

MAX_STEPS = 20_000
"""Far more than any run takes: one that takes them all never ends."""

SWEEP_RATE = 0.03
"""How often the suppression list is swept, from one step to the next."""

RECORDERS = ("record_feedback", "record_archive")
FUNCTIONS = (*RECORDERS, "count_tags", "publish_suppressions", "sweep_suppressions")
START = "start"
"""What the calls that a recorder's process makes once are counted under."""


@dataclass
class Clock:
    """A clock that tests move."""

    moment: datetime = BEGIN

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@dataclass
class Kill:
    """End a function at its call of that number (from 0), before or after the call takes effect."""

    function: str
    call: int
    after: bool


@dataclass(frozen=True)
class WorldState:
    """What the tables hold in the end. Equal states are what exactness means."""

    keys: frozenset[ledger.Key]
    counts: dict[tuple[counting.Row, str], int]
    entries: dict[tuple[str, str], Entry]
    """By recipient and scope, without those that were withdrawn: whether there was a time at which an event was known
    only by its poorer copy depends on the order of arrival."""


class World:
    """The queues, the bucket and the tables, and the functions that run between them."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.dynamodb = DynamoDB(self.rng, self.clock.now, plain=["counters"], streamed=["ledger", "suppressions"])
        self.event_bus = EventBus(self.rng)
        self.feedback_queue, self.object_queue = (Queue(self.rng, self.clock.now) for _ in range(2))
        self.s3 = S3(self.rng, self.object_queue)
        self.calls: Counter[tuple[str, str]] = Counter()
        """How many calls were made, by function and operation."""
        self.metrics: Counter[tuple[str, str]] = Counter()
        """What functions emitted, by configuration set and group of measures."""
        self.tag_metrics: Counter[tuple[str, str, str]] = Counter()
        """What functions emitted, by name and value of a tag and group of measures."""
        self.kill: Kill | None = None
        self.before_call: Callable[[], None] = lambda: None
        """Runs before each call; concurrent functions take turns here."""
        self.observe: Callable[[str, str, dict[str, Any]], None] = lambda function, operation, call: None
        """Is shown each call: the function, the operation and its parameters."""
        self.operational_metrics: Counter[str] = Counter()
        """What functions emitted about records that were put aside."""
        self.retention = RETENTION
        self._recorder: Recorder | None = None
        self.tombstones = Tombstones(CLIENTS["dynamodb"], "suppressions", read_hash_key)
        self.archive = Archive(CLIENTS["s3"])
        self.counters = self._new_counters()
        self._idle_counters = [self._new_counters() for _ in range(COUNTING_PROCESSES)]
        """What the idle processes of count_tags remember."""
        self.feedback_mapping = QueueMapping(self.feedback_queue, self.function("record_feedback"))
        self.object_mapping = QueueMapping(self.object_queue, self.function("record_archive"))
        self.ledger_mapping = StreamMapping(
            self.dynamodb.tables["ledger"], self.function("count_tags"), self.rng, self.clock.now
        )
        self.streams = Streams(self.dynamodb, self.rng)
        self.mapping_api = MappingApi(self.ledger_mapping, "ledger", self.rng)
        self.bus = EventBusAdapter(CLIENTS["events"], "bus", attempts=immediate_attempts)
        self.suppressions_mapping = StreamMapping(
            self.dynamodb.tables["suppressions"],
            self.function("publish_suppressions"),
            self.rng,
            self.clock.now,
            has_window=False,
        )

    @property
    def recorder(self) -> Recorder:
        """Return what the recording functions share; it is built on first use, as in a process of theirs."""
        if self._recorder is None:
            table = LedgerTable(CLIENTS["dynamodb"], "ledger", self.retention, attempts=immediate_attempts)
            with self.answer_calls(START):
                history = table.retention_history(self.clock.now())
            self._recorder = Recorder(
                ledger=table,
                suppressions=SuppressionsTable(CLIENTS["dynamodb"], "suppressions"),
                policy=POLICY,
                history=history,
                now=self.clock.now,
                attempts=immediate_attempts,
                forgotten=self.tombstones.read,
                options=OPTIONS,
            )
        return self._recorder

    def restart(self, **setting: int) -> None:
        """Start new processes, with another retention where one is given, as a deployment does."""
        self.retention = msgspec.structs.replace(self.retention, **setting)
        self._recorder = None

    def publish(self, payload: str) -> None:
        """Publish over SNS, as SES does."""
        self.feedback_queue.send(payload)

    def store(self, lines: Iterable[str], name: str) -> None:
        """Write an object of the archive, as Firehose does."""
        self.s3.put(f"events/{name}", gzip.compress("".join(line + "\n" for line in lines).encode()))

    def replay(self) -> None:
        """Announce every object of the archive again, as an operator does."""
        for key in [key for key in self.s3.objects if key.startswith("events/")]:
            self.s3.notify(key)

    def run(self, *, kill_rate: float = 0.0) -> None:
        """Let the mappings invoke functions, in any order, until there is nothing left to do."""
        for _ in range(MAX_STEPS):
            if not self.step(kill_rate):
                return
        raise AssertionError(f"Something is left to do after {MAX_STEPS} steps.")

    def step(self, kill_rate: float = 0.0) -> bool:
        """Let one mapping invoke its function; return False if there is nothing left to do."""
        mappings = [self.feedback_mapping, self.object_mapping, self.ledger_mapping, self.suppressions_mapping]
        if all(mapping.is_done() for mapping in mappings):
            return False
        if self.rng.random() < kill_rate:
            self.kill = Kill(self.rng.choice(FUNCTIONS), self.rng.randrange(8), self.rng.random() < 0.5)
        self.rng.choice([mapping for mapping in mappings if not mapping.is_done()]).step()
        if self.rng.random() < SWEEP_RATE:
            self.sweep()
        self.clock.advance(minutes=self.rng.choice([0, 0, 1, 3]))
        if self.rng.random() < SPLIT_RATE:
            self.dynamodb.split_shard(self.rng.choice(["ledger", "suppressions"]))
        return True

    def sweep(self) -> None:
        """Invoke sweep_suppressions as its schedule does. Nothing follows if it fails: the next run does its work."""
        with contextlib.suppress(Exception, Killed):
            self.function("sweep_suppressions")({})

    def state(self) -> WorldState:
        with self.answer_calls():
            counts: Counter[tuple[counting.Row, str]] = Counter()
            for row, measures in self.counters.rows():
                for measure, count in measures.items():
                    counts[row, measure] += count
            listed = SuppressionsTable(CLIENTS["dynamodb"], "suppressions").entries()
            entries = {(entry.recipient, entry.scope): msgspec.structs.replace(entry, version=0) for entry in listed}
        keys = frozenset(
            ledger.Key(*key)
            for key in self.dynamodb.tables["ledger"].items
            if not key[0].startswith(ledger.OWN_PARTITION)
        )
        entries = {key: entry for key, entry in entries.items() if entry.lifted_by != WITHDRAWN}
        return WorldState(keys, {key: count for key, count in counts.items() if count}, entries)

    def function(self, name: str) -> Invoke:
        """Return a callable that invokes the function with an event."""
        handlers: dict[str, Invoke] = {
            "record_feedback": lambda event: record_feedback.handler(event, recorder=self.recorder),
            "record_archive": lambda event: record_archive.handler(
                event, recorder=self.recorder, archive=self.archive, emit_metric=self._record_metric
            ),
            "count_tags": self._count,
            "publish_suppressions": lambda event: publish_suppressions.handler(
                event, bus=self.bus, hash_key=read_hash_key, emit_metric=self._record_metric
            ),
            "sweep_suppressions": lambda event: sweep_suppressions.handler(
                event,
                recorder=self.recorder,
                suppressions=SuppressionsTable(CLIENTS["dynamodb"], "suppressions"),
                counters=self.counters,
                sizes=ListSizes(CLIENTS["dynamodb"], "counters"),
                emit_metric=self._record_metric,
                now=self.clock.now(),
                rng=self.rng,
            ),
        }

        def invoke(event: dict[str, Any]) -> dict[str, Any]:
            try:
                with self.answer_calls(name):
                    return handlers[name](event)
            except Killed:
                self._recorder = None  # the process is gone
                raise

        return invoke

    def _new_counters(self) -> CountersTable:
        return CountersTable(
            CLIENTS["dynamodb"], "counters", now=lambda: self.clock.now().timestamp(), attempts=immediate_attempts
        )

    def _count(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke count_tags in any idle process; one that is killed does not come back."""
        self.rng.shuffle(self._idle_counters)
        counters = self._idle_counters.pop() if self._idle_counters else self._new_counters()
        try:
            return count_tags.handler(
                event, counters=counters, emit_metric=self._record_metric, attempts=immediate_attempts
            )
        except Killed:
            counters = self._new_counters()
            raise
        finally:
            self._idle_counters.append(counters)

    @contextlib.contextmanager
    def answer_calls(self, function: str = "") -> Generator[None]:
        """Answer the calls made in this block and thread, as made by the function."""
        numbers = itertools.count()

        def respond(operation: str, call: dict[str, Any]) -> dict[str, Any]:
            self.before_call()
            self.calls[function, operation] += 1
            for observed in RECORDERS if function == START else (function,):
                self.observe(observed, operation, call)
            kill, number = self.kill, next(numbers)
            if kill is None or (kill.function, kill.call) != (function, number):
                return self._perform(operation, call)
            self.kill = None
            if kill.after:
                with contextlib.suppress(Fault):
                    self._perform(operation, call)
            raise Killed

        token = responder.set(respond)
        try:
            yield
        finally:
            responder.reset(token)

    def _perform(self, operation: str, call: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetSecretValue":
            return {"SecretString": HASH_KEY}
        services = (self.s3, self.event_bus, self.dynamodb, self.streams, self.mapping_api)
        return next(getattr(service, operation) for service in services if hasattr(service, operation))(call)

    def _record_metric(self, document: dict[str, Any]) -> None:
        [directive] = document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            name, value = metric["Name"], document[metric["Name"]]
            if "ConfigurationSet" in document:
                self.metrics[document["ConfigurationSet"], name] += value
            elif "Tag" in document:
                self.tag_metrics[document["Tag"], document["Value"], name] += value
            else:
                self.operational_metrics[name] += value


def read_hash_key() -> str:
    return CLIENTS["secretsmanager"].get_secret_value(SecretId=HASH_KEY_SECRET)["SecretString"]


def best_copies(payloads: Iterable[str]) -> dict[ledger.Key, Event]:
    """Return the events of payloads, of each the copy that the ledger must have."""
    items: dict[ledger.Key, Event] = {}
    for payload in payloads:
        events = [
            event for result in parse_recordable(payload, OPTIONS) if isinstance(result, list) for event in result
        ]
        for event in ledger.with_first_events(events):
            key = ledger.key(event)
            if key not in items or ledger.rank(items[key]) < ledger.rank(event):
                items[key] = event
    return items


def expected_state(payloads: Iterable[str], now: datetime) -> WorldState:
    """Work out from the set of events alone what payloads must have led to now, whatever happened on the way."""
    items = best_copies(payloads)
    counts: Counter[tuple[counting.Row, str]] = Counter()
    by_recipient: dict[str, list[Event]] = {}
    for key, event in items.items():
        counts.update(counting.contributions(event, COUNTED))
        by_recipient.setdefault(key.partition, []).append(event)
    entries = {
        (recipient, scope): entry
        for recipient, events in by_recipient.items()
        for scope, entry in decide([event for event in events if may_decide(event, events)], POLICY, now).items()
    }
    return WorldState(frozenset(items), dict(counts), entries)


def may_decide(event: Event, events: list[Event]) -> bool:
    """Tell whether an event is read for decisions. Deliveries are where soft bounces may have suppressed."""
    if ledger.group(event) is ledger.Group.DELIVERY:
        return needs_deliveries(events, POLICY)
    return ledger.group(event) is ledger.Group.FEEDBACK


@contextlib.contextmanager
def function_process(counted: counting.Counted = COUNTED) -> Generator[None]:
    """Prepare the process the functions run in: their environment variables and no log."""
    variables = {
        "ENVIRONMENT": "world",
        "COUNTED": msgspec.json.encode(counted).decode(),
        "POLICY": msgspec.json.encode(POLICY).decode(),
        "INCLUDE_ADDRESS": "true",
    }
    with mock.patch.dict(os.environ, variables):
        level = logger.log_level
        logger.setLevel("CRITICAL")
        yield
        logger.setLevel(level)
