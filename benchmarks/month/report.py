"""Simulate a month and put a price on it, with the prices and the fixed costs of the estimate."""

from typing import Any, NamedTuple

import msgspec

from aftersend.config.cost import Part, parts
from aftersend.config.environment import UNTRACKED_EVENTS, ConfigurationSet, Environment, Identity
from aftersend.config.prices import DAYS
from aftersend.config.volume import Volume, estimate_volume
from aftersend.events import Kind
from aftersend.suppression import Policy
from benchmarks.month.arrival import DAY
from benchmarks.month.parameters import Parameters
from benchmarks.month.simulation import MonthOfCounting, Sampling, Simulation
from benchmarks.month.sizes import measure_sizes

TRACKED = ConfigurationSet(archive=(*UNTRACKED_EVENTS, Kind.OPEN, Kind.CLICK))
ENVIRONMENT = Environment(
    name="month",
    account="111111111111",
    region="us-east-1",
    counted_tags=("campaign", "template"),
    configuration_sets={"newsletter": TRACKED, "receipts": TRACKED},
    identities={"bookshop.example": Identity(configuration_set="newsletter", feedback_forwarding=False)},
    suppression=Policy(account_list="off"),
)
"""A newsletter and receipts; two counted tags; opens and clicks; default settings otherwise."""

DEFAULTS = Parameters()
PERCENTILES = (50, 90, 99, 99.9)


class Month(NamedTuple):
    """Hold what a month costs."""

    messages: int
    events: float
    parts: list[Part]
    counting: MonthOfCounting
    estimated_dollars: float

    @property
    def dollars(self) -> float:
        return sum(part.dollars for part in self.parts)

    @property
    def counter_writes_per_thousand(self) -> float:
        return 1_000 * self.counting.write_units / self.events

    @property
    def dollars_per_million(self) -> float:
        return 1e6 * self.dollars / self.events

    @property
    def estimate_ratio(self) -> float:
        """Return how many times the simulated cost `aftersend lint` estimates."""
        return self.estimated_dollars / self.dollars

    def lags(self) -> dict[float, float]:
        return {percentile: self.counting.lag(percentile) for percentile in PERCENTILES}


def simulate_month(
    messages: int,
    parameters: Parameters = DEFAULTS,
    sampling: Sampling | None = None,
    *,
    is_plain: bool = False,
    **settings: Any,
) -> Month:
    """Simulate a month of so many messages, in ENVIRONMENT with other settings; `is_plain` as in Simulation."""
    environment = msgspec.structs.replace(ENVIRONMENT, monthly_messages=messages, **settings)
    simulation = Simulation(environment, parameters, measure_sizes(), is_plain=is_plain)
    counting = simulation.month(sampling)
    volume = _measured(estimate_volume(environment), counting, parameters)
    events = simulation.arrival.number(0, DAY) * DAYS
    estimated = sum(part.dollars for part in parts(environment))
    return Month(messages, events, parts(environment, volume), counting, estimated)


def _measured(volume: Volume, counting: MonthOfCounting, parameters: Parameters) -> Volume:
    """Return the volume with what the simulation measured instead of what the estimate assumes."""
    factors = {kind: parameters.tracked if kind in (Kind.OPEN, Kind.CLICK) else 1.0 for kind in Kind}
    return msgspec.structs.replace(
        volume,
        events={kind: number * factors[kind] for kind, number in volume.events.items()},
        archived={
            kind: number * factors[kind] * (1 + parameters.duplicate_share) for kind, number in volume.archived.items()
        },
        objects=counting.objects,
        counter_writes=counting.write_units,
        count_invocations=counting.batches + counting.window_ends,
        count_seconds=counting.busy_seconds + counting.window_ends * parameters.invocation_seconds,
    )
