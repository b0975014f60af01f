"""Simulate a day with the real counting code, and scale what it costs to a month.

A day of 100 million messages a month has too many events to simulate them all: it is divided into strata of equal
length, and in each, one window is simulated after a lead-in. What was measured is scaled by time; requests and units
then by the number of events that the day is expected to have. Where a whole day can be simulated, it is: a few windows
meet too many bursts of campaigns or too few.
"""

import math
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from aftersend.aws.counters_table import CountersTable
from aftersend.config.environment import Environment
from aftersend.config.prices import DAYS
from aftersend.config.volume import HARD_BOUNCES
from aftersend.counting import (
    CONFIGURATION_SET,
    DELIVERY_TIMES,
    OPEN_TIMES,
    PROVIDER,
    TIME_MEASURES,
    Change,
    Counted,
    Counts,
    Row,
    contributions,
    pad_sequence_number,
)
from aftersend.events import BounceType, Event, Kind, Machine
from aftersend.mailbox_providers import OTHER, PROVIDERS
from benchmarks.month.arrival import DAY, LOOK_BACK_DAYS, Arrival, Delay, Slice, zipf
from benchmarks.month.charges import ChargingTable
from benchmarks.month.parameters import Parameters
from benchmarks.month.sizes import Size
from benchmarks.month.stream import Batch, Entry, ShardReader, batches_in_order, collect_objects, write_stream
from lambdas.count_tags import count
from stacks.counting import BATCH_SIZE
from tests.world.world import BEGIN

MIDNIGHT = BEGIN.replace(hour=0).timestamp()
"""When the simulated day 0 begins."""

TUMBLING_SECONDS = 900
EVENTS_SIMULATED = 800_000
"""About how many per volume, by default: the whole day of 10 million messages a month."""
STRATA = 24
"""Windows of a day, fewer if even short ones have too many events."""
SHORTEST_SECONDS = 130
LEAD_IN_SECONDS = 20
"""Before a window, in addition to the time that Firehose and Lambda collect for."""

COUNTED = Counted(tags=("campaign", "template"))

DOMAINS = list({provider: domain for domain, provider in reversed(PROVIDERS.items())}.values())[::-1][:12]
"""A domain of each of the mailbox providers that mail is sent to."""

OTHER_DOMAIN = "books.example"
ALL_DOMAINS = (OTHER_DOMAIN, *DOMAINS)

DELIVERY = Delay(3, 1.0)
"""The time from sending to a delivery, as in benchmarks/month/arrival.py."""

FILLED_SECONDS: dict[str, tuple[float, ...]] = {Kind.DELIVERY: (2, 5, 10), Kind.OPEN: OPEN_TIMES.limits}
"""Seconds from sending to the events that rows are filled with, each equally often; others do not matter."""

LONGEST_SECONDS = 90 * DAY
TIMES = (*sorted({*DELIVERY_TIMES.limits, *OPEN_TIMES.limits}), math.inf)
"""The times that counters distinguish, in seconds."""

Cell = tuple[Row, str]
"""A row and a measure."""

PER_ENTRY = ("entries", "requests", "write_units", "read_units", "conflicts")
"""What is scaled by the number of events; everything else is scaled by time."""


class Sampling(NamedTuple):
    """Say how many strata a day has, and how many seconds of each are simulated."""

    strata: int
    seconds: float


WHOLE_DAY = Sampling(1, DAY)


class Sample(NamedTuple):
    """Hold what a window's measured part has."""

    entries: int
    batches: int
    window_ends: int
    busy_seconds: float
    requests: int
    write_units: int
    read_units: float
    conflicts: int
    objects: int
    lags: list[float]


class Traits(NamedTuple):
    """Hold what the counters of an event depend on."""

    kind: str
    mail: Slice
    domain: str
    is_hard: bool
    is_machine: bool
    seconds: float
    """From sending to the event, rounded up to one of TIMES."""


class CountedBatch(NamedTuple):
    """Hold what counting a batch costs."""

    invoked: float
    finished: float
    entries: list[Entry]
    windows: set[tuple[int, float]]
    """Tumbling windows with records of the batch: Lambda invokes the function once more at the end of each."""
    requests: int
    write_units: int
    read_units: float
    conflicts: int


class MonthOfCounting(NamedTuple):
    """Hold what counting costs a month, and how long it takes."""

    entries: float
    objects: float
    batches: float
    window_ends: float
    busy_seconds: float
    requests: float
    write_units: float
    read_units: float
    conflicts: float
    lags: list[float]
    """Sorted samples of the seconds from an event to its counters, each for as many events."""

    def lag(self, percentile: float) -> float:
        return self.lags[min(len(self.lags) - 1, int(len(self.lags) * percentile / 100))]


SCALED = MonthOfCounting._fields[:-1]


class Simulation:
    """A day of mail, its counters, and the code that counts it."""

    def __init__(
        self,
        environment: Environment,
        parameters: Parameters,
        sizes: dict[str, Size],
        seed: int = 1,
        *,
        is_plain: bool = False,
    ) -> None:
        """With `is_plain`, events are counted without mailbox providers, times, and reasons of machines."""
        self._environment, self._parameters, self._sizes = environment, parameters, sizes
        self._payload_bytes = {kind: size.payload_bytes for kind, size in sizes.items()}
        self._rng = random.Random(seed)
        random.seed(seed)  # pauses between attempts
        self.arrival = Arrival(environment.monthly_messages, parameters, seed)
        self._table = ChargingTable(parameters.transaction_seconds)
        self._counters = CountersTable(self._table, "counters", attempts=self._table.attempts)
        self._sequence = 0
        self._filled_until = -LOOK_BACK_DAYS * DAY
        self._counts = _plain if is_plain else _contributions
        self._contributions, self._expected = cache(self._counts), cache(self._expected_counts)
        parts = domain_parts(parameters)
        self._domains = list(accumulate(parts))
        self._providers = {PROVIDERS.get(each, OTHER): part for each, part in zip(ALL_DOMAINS, parts, strict=True)}

    def month(self, sampling: Sampling | None = None) -> MonthOfCounting:
        """Simulate a window in each stratum of a day, and scale them to a month."""
        strata, seconds = sampling or self._default_sampling()
        length = DAY / strata
        totals: Counter[str] = Counter()
        lags: list[float] = []
        for stratum in range(strata):
            begin = stratum * length + self._rng.uniform(0, max(0.0, length - seconds))
            sample = self._window(begin, begin + seconds)
            totals.update({name: getattr(sample, name) * length / seconds for name in SCALED})
            lags += sample.lags
        # A window that misses a burst of its stratum is made up for by one that meets a burst: the ratio of the totals
        # has no bias, while ratios of single strata would charge a burst at the price of quiet hours.
        expected = self.arrival.number(0, DAY) * self._entries_per_event()
        factors = {name: expected / totals["entries"] if name in PER_ENTRY else 1.0 for name in SCALED}
        return MonthOfCounting(*(totals[name] * factors[name] * DAYS for name in SCALED), sorted(lags))

    def _default_sampling(self) -> Sampling:
        part = EVENTS_SIMULATED / self.arrival.number(0, DAY)
        seconds = max(SHORTEST_SECONDS, DAY / STRATA * part)
        return Sampling(min(STRATA, round(DAY * part / seconds)), seconds) if part < 1 else WHOLE_DAY

    def _entries_per_event(self) -> float:
        rates = self.arrival.rates
        first = self._parameters.first_share * (rates[Kind.OPEN] + rates[Kind.CLICK])
        return 1 + first / sum(rates.values())

    def _window(self, begin: float, end: float) -> Sample:
        """Simulate a window after a lead-in, in which whatever arrived before it is recorded."""
        environment, parameters = self._environment, self._parameters
        lead_in = environment.archive_interval_seconds + counting_window(environment) + LEAD_IN_SECONDS
        self._fill(begin - lead_in)
        events = self.arrival.events(begin - lead_in, end, self._rng)
        objects = list(collect_objects(events, parameters, environment.archive_interval_seconds))
        servers = environment.functions.archive_max_concurrency
        entries = write_stream(events, objects, parameters, servers, self._rng)
        measured = list(self._count(entries, begin, end))
        self._filled_until = end
        counted = [batch for batch in measured if begin <= batch.invoked < end]
        return Sample(
            entries=sum(len(batch.entries) for batch in counted),
            batches=len(counted),
            window_ends=len({window for batch in counted for window in batch.windows}),
            busy_seconds=sum(batch.finished - batch.invoked for batch in counted),
            requests=sum(batch.requests for batch in counted),
            write_units=sum(batch.write_units for batch in counted),
            read_units=sum(batch.read_units for batch in counted),
            conflicts=sum(batch.conflicts for batch in counted),
            objects=sum(begin <= each.written < end for each in objects),
            lags=[batch.finished - entry.event.time for batch in counted for entry in batch.entries],
        )

    def _count(self, entries: list[Entry], begin: float, end: float) -> Iterator[CountedBatch]:
        shards = round(self._parameters.shards)
        readers = [self._reader([entry for entry in entries if entry.shard == shard]) for shard in range(shards)]
        for shard, reader, batch in batches_in_order(readers):
            if batch.invoked >= end:
                return
            counted = self._count_batch(shard, batch)
            reader.advance(counted.finished)
            yield counted

    def _reader(self, entries: list[Entry]) -> ShardReader:
        return ShardReader(
            entries,
            self._payload_bytes,
            self._parameters,
            size=BATCH_SIZE,
            window=counting_window(self._environment),
            phase=self._rng.random(),
        )

    def _count_batch(self, shard: int, batch: Batch) -> CountedBatch:
        table = self._table
        before = table.charges
        table.begin(batch.invoked + self._parameters.invocation_seconds)
        table.now += self._parameters.count_record_seconds * len(batch.entries)
        changes = [self._change(self._contributions(self._traits(entry))) for entry in batch.entries]
        count(changes, f"shard-{shard}", self._counters, table.attempts)
        windows = {(shard, entry.written // TUMBLING_SECONDS) for entry in batch.entries}
        return CountedBatch(batch.invoked, table.now, batch.entries, windows, *(table.charges - before))

    def _change(self, counts: Counts) -> Change:
        self._sequence += 1
        return Change(pad_sequence_number(str(self._sequence)), counts)

    def _traits(self, entry: Entry) -> Traits:
        kind, mail = entry.kind, entry.event.mail
        is_hard = kind == Kind.BOUNCE and self._rng.random() < HARD_BOUNCES
        is_machine = kind == Kind.OPEN and self._rng.random() < self._parameters.machine_share
        seconds = entry.event.time - mail.middle if kind == Kind.OPEN else DELIVERY.quantile(self._rng.random())
        return Traits(kind, mail, self._provider(), is_hard, is_machine, TIMES[bisect_left(TIMES, seconds)])

    def _provider(self) -> str:
        """Return the domain of a recipient."""
        return self._rng.choices(ALL_DOMAINS, cum_weights=self._domains)[0]

    def _expected_counts(self, kind: str, mail: Slice) -> dict[Cell, float]:
        """Return what an event of one kind is expected to add to the counters, as far as rows grow by it."""
        expected: dict[Cell, float] = defaultdict(float)
        for is_machine, seconds, part in self._variants(kind):
            traits = Traits(kind, mail, OTHER_DOMAIN, False, is_machine, seconds)
            for row, measure in self._counts(traits):
                parts = self._providers if row.tag == PROVIDER else {row.value: 1.0}
                for value, share in parts.items():
                    expected[row._replace(value=value), measure] += part * share
        return expected

    def _variants(self, kind: str) -> Iterator[tuple[bool, float, float]]:
        """Yield whether an event of one kind is a machine's, its seconds since sending, and which part of all is so."""
        machine = self._parameters.machine_share if kind == Kind.OPEN else 0.0
        if machine:
            yield True, FILLED_SECONDS[kind][0], machine
        times = FILLED_SECONDS.get(kind, (1,))
        for seconds in times:
            yield False, seconds, (1 - machine) / len(times)

    def _fill(self, until: float) -> None:
        """Bring the counters to where they are at a time, without charges: rows have the sizes they would have."""
        if until <= self._filled_until:
            return
        totals: dict[Row, dict[Cell, float]] = defaultdict(lambda: defaultdict(float))
        for kind, mail, number in self.arrival.totals(self._filled_until, until):
            for counter, part in self._expected(str(kind), mail).items() if number else ():
                totals[counter[0]][counter] += part * number
        before, shards = self._table.charges, round(self._parameters.shards)
        for shard in range(shards):  # each has rows of its own, where they are spread by shard
            rows = (
                Counter({counter: int(total / shards + self._rng.random()) for counter, total in row.items()})
                for row in totals.values()
            )
            changes = [self._change(+counts) for counts in rows if any(counts.values())]
            count(changes, f"shard-{shard}", self._counters, self._table.attempts)
        self._table.charges = before


def _contributions(traits: Traits) -> Counts:
    """Return what an event adds to the counters."""
    kind, mail = traits.kind, traits.mail
    sent_at = datetime.fromtimestamp(MIDNIGHT + mail.middle, UTC)
    event = Event(
        kind=kind,
        sent_at=sent_at,
        occurred_at=sent_at + timedelta(seconds=min(traits.seconds, LONGEST_SECONDS)),
        recipient=f"reader@{traits.domain}",
        source=f"news@{mail.configuration_set}.bookshop.example",
        tags={CONFIGURATION_SET: [mail.configuration_set], "campaign": [mail.campaign], "template": [mail.template]},
        bounce_type=(BounceType.PERMANENT if traits.is_hard else BounceType.TRANSIENT) if kind == Kind.BOUNCE else None,
        machine=Machine.PROXY if traits.is_machine else None,
    )
    return contributions(event, COUNTED)


def _plain(traits: Traits) -> Counts:
    """Return what an event would add to the counters if less were counted."""
    counts = _contributions(traits._replace(is_machine=False))
    return Counter(
        {
            (row, measure): count
            for (row, measure), count in counts.items()
            if row.tag != PROVIDER and measure not in TIME_MEASURES
        }
    )


def domain_parts(parameters: Parameters) -> list[float]:
    """Return which part of the mail goes to OTHER_DOMAIN, and to each of DOMAINS."""
    other = parameters.other_provider_share
    return [other, *((1 - other) * part for part in zipf(len(DOMAINS), parameters.zipf_exponent))]


def counting_window(environment: Environment) -> float:
    """Return for how long Lambda collects changes before it invokes count_tags."""
    return getattr(environment, "counting_window_seconds", 0)
