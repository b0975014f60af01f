"""Simulate when the events of a month's mail happen: campaigns in bursts, other mail by the day's curve, late opens.

Mail is divided into slices: messages with equal tags, sent within some minutes. How many events of a slice fall into a
time window follows from the distribution of their delay, so that a window needs no event before it.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, cached_property
from statistics import NormalDist
from typing import NamedTuple

from aftersend.config.prices import DAYS
from aftersend.config.volume import MIX
from aftersend.events import Kind
from benchmarks.month.parameters import Parameters

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
LOOK_BACK_DAYS = 10
"""Days before the simulated ones whose mail is still opened: 99 % of opens come sooner."""
CAMPAIGN_SLICE = 10 * MINUTE
PEAK_HOUR = 15
CAMPAIGN_HOURS = (7, 19)
"""Campaigns begin between these hours."""

NORMAL = NormalDist()
_normal_part = cache(NORMAL.cdf)  # slices that were sent at the same time share it


class Delay(NamedTuple):
    """A log-normal distribution of the seconds from sending to an event."""

    median: float
    sigma: float

    def part_before(self, seconds: float) -> float:
        return _normal_part(math.log(seconds / self.median) / self.sigma) if seconds > 0 else 0.0

    def quantile(self, part: float) -> float:
        return self.median * math.exp(self.sigma * NORMAL.inv_cdf(min(max(part, 1e-12), 1 - 1e-12)))


class Slice(NamedTuple):
    """Messages with equal tags, sent evenly within some time."""

    begin: float
    seconds: float
    messages: float
    configuration_set: str
    campaign: str
    template: str

    @property
    def middle(self) -> float:
        return self.begin + self.seconds / 2


class Happening(NamedTuple):
    """One event: when it happens, its type, and the mail it is about."""

    time: float
    kind: Kind
    mail: Slice


class Expected(NamedTuple):
    """Hold how many events of a slice a window is expected to have, and the parts before it and before its end."""

    number: float
    before: float
    until: float


class Arrival:
    """The mail of some days, and the events of any time window within them. Time is in seconds; day 0 begins at 0."""

    def __init__(self, monthly_messages: float, parameters: Parameters, seed: int, days: int = 1) -> None:
        self._parameters = parameters
        self._daily = monthly_messages / DAYS
        self._days = days
        self._seed = seed
        tracked = Delay(parameters.open_median_hours * HOUR, parameters.open_sigma)
        self._delays = {
            Kind.SEND: Delay(0.5, 0.3),
            Kind.DELIVERY: Delay(3, 1.0),
            Kind.BOUNCE: Delay(5, 1.5),
            Kind.DELIVERY_DELAY: Delay(600, 1.0),
            Kind.COMPLAINT: Delay(12 * HOUR, 1.2),
            Kind.OPEN: tracked,
            Kind.CLICK: tracked,
        }
        self.rates = MIX | {kind: MIX[kind] * parameters.tracked for kind in (Kind.OPEN, Kind.CLICK)}

    @cached_property
    def slices(self) -> list[Slice]:
        """Return all mail, in the order of sending."""
        rng = random.Random(self._seed)
        slices = [
            each
            for day in range(-LOOK_BACK_DAYS, self._days)
            for each in (*self._campaigns(day, rng), *self._others(day))
        ]
        return sorted(slices)

    def _campaigns(self, day: int, rng: random.Random) -> Iterator[Slice]:
        sizes = zipf(round(self._parameters.campaigns_a_day), self._parameters.zipf_exponent)
        burst = self._parameters.burst_minutes * MINUTE
        pieces = max(1, round(burst / CAMPAIGN_SLICE))
        templates = max(1, round(self._parameters.other_values))
        for number, size in enumerate(sizes):
            begin = day * DAY + rng.uniform(*CAMPAIGN_HOURS) * HOUR
            messages = self._daily * self._parameters.campaign_share * size / pieces
            for piece in range(pieces):
                template = f"template-{number % templates}"
                campaign, width = f"campaign-{day}-{number}", burst / pieces
                yield Slice(begin + piece * width, width, messages, "newsletter", campaign, template)

    def _others(self, day: int) -> Iterator[Slice]:
        shares = zipf(max(1, round(self._parameters.other_values)), self._parameters.zipf_exponent)
        for hour in range(24):
            begin = day * DAY + hour * HOUR
            messages = self._daily * (1 - self._parameters.campaign_share) * self.curve(begin) / 24
            for number, share in enumerate(shares):
                yield Slice(begin, HOUR, messages * share, "receipts", f"other-{number}", f"template-{number}")

    def curve(self, time: float) -> float:
        """Return how much more than the mean is sent at a time of the day."""
        return 1 + self._parameters.day_swing * math.cos(2 * math.pi * (time / HOUR - PEAK_HOUR) / 24)

    def number(self, begin: float, end: float) -> float:
        """Return how many events a window is expected to have."""
        prompt = sum(self.rates[kind] for kind in PROMPT)
        sent = sum(_sent(mail, begin, end) for mail in self.slices)
        late = (self._expected(kind, mail, begin, end).number for mail in self._before(end) for kind in LATE)
        return prompt * sent + sum(late)

    def _expected(self, kind: Kind, mail: Slice, begin: float, end: float) -> Expected:
        before, until = (self._delays[kind].part_before(time - mail.middle) for time in (begin, end))
        return Expected(mail.messages * self.rates[kind] * (until - before), before, until)

    def _before(self, end: float) -> list[Slice]:
        return self.slices[: bisect_left(self.slices, end, key=lambda mail: mail.begin)]

    def totals(self, begin: float, end: float) -> Iterator[tuple[Kind, Slice, float]]:
        """Return how many events of each type and slice a window is expected to have."""
        for mail in self._before(end):
            for kind in PROMPT:
                yield kind, mail, _sent(mail, begin, end) * self.rates[kind]
            for kind in LATE:
                yield kind, mail, self._expected(kind, mail, begin, end).number

    def events(self, begin: float, end: float, rng: random.Random) -> list[Happening]:
        """Return the events of a time window, in order."""
        events: list[Happening] = []
        for mail in self._before(end):
            first, last = max(mail.begin, begin), min(mail.begin + mail.seconds, end)
            for kind in PROMPT if first < last else ():
                for _ in range(poisson(_sent(mail, begin, end) * self.rates[kind], rng)):
                    time = rng.uniform(first, last) + self._delays[kind].quantile(rng.random())
                    events.append(Happening(time, kind, mail))
            for kind in LATE:
                number, before, until = self._expected(kind, mail, begin, end)
                for _ in range(poisson(number, rng)):
                    time = mail.middle + self._delays[kind].quantile(rng.uniform(before, until))
                    events.append(Happening(time, kind, mail))
        events.sort(key=lambda event: event.time)
        return events


def _sent(mail: Slice, begin: float, end: float) -> float:
    """Return how many messages of a slice are sent within a window."""
    return mail.messages * max(0.0, min(mail.begin + mail.seconds, end) - max(mail.begin, begin)) / mail.seconds


PROMPT = (Kind.SEND, Kind.DELIVERY, Kind.BOUNCE)
"""Events that follow sending within seconds."""
LATE = (Kind.DELIVERY_DELAY, Kind.COMPLAINT, Kind.OPEN, Kind.CLICK)


def zipf(number: int, exponent: float) -> list[float]:
    """Return parts that add up to 1, each smaller than the one before."""
    weights = [1 / rank**exponent for rank in range(1, number + 1)]
    return [weight / sum(weights) for weight in weights]


def poisson(mean: float, rng: random.Random) -> int:
    """Return a random number of independent events."""
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, number, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        number += 1
        product *= rng.random()
    return number
