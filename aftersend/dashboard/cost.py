"""Show what this month costs so far and what it will cost at this rate, by part: an estimate, as `lint` prints it."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from aftersend.contract import CostTable
from aftersend.dashboard.elements import Cell, Content, banner, command, element, empty, table
from aftersend.dashboard.numbers import count, dollars

FIRST_HOURS = timedelta(hours=12)
"""Before, the month is too short to say what all of it will cost."""


def month_start(now: datetime) -> datetime:
    """Return when the month began (UTC)."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def elapsed_share(now: datetime) -> float:
    """Return what share of the month is over, at least one hour of it."""
    elapsed = max(now - month_start(now), timedelta(hours=1))
    return elapsed / timedelta(days=monthrange(now.year, now.month)[1])


def month_costs(costs: CostTable, messages: float) -> Mapping[str, float]:
    """Return what each part costs in a month with so many messages, the largest first."""
    by_part = {name: _interpolate(costs.messages, values, messages) for name, values in costs.parts.items()}
    return dict(sorted(by_part.items(), key=lambda item: -item[1]))


def _interpolate(volumes: tuple[int, ...], values: tuple[float, ...], messages: float) -> float:
    """Return the value at a volume on the straight line between two points, or beyond the last two."""
    points = [*pairwise(zip(volumes, values, strict=True))]
    (low, first), (high, second) = next((pair for pair in points if messages <= pair[1][0]), points[-1])
    return first + (second - first) * (messages - low) / (high - low)


def render(costs: CostTable, messages: int, now: datetime, environment: str) -> Iterator[Content]:
    """Render the estimate, given the messages that were counted this month."""
    share = elapsed_share(now)
    by_part = month_costs(costs, messages / share)
    total = sum(by_part.values())
    is_early = now - month_start(now) < FIRST_HOURS
    forecast = "too early for a forecast" if is_early else f"about {dollars(total)} for the month at this rate"
    yield banner(
        f"About {dollars(total * share)} so far in {now:%B}, {forecast}.",
        element(
            "p",
            f"An estimate from the mail counted since 1 {now:%B} (UTC), {count(messages)} sent, and the prices of AWS "
            f"({costs.basis.removeprefix('prices: ')}), without what SES charges for mail. AWS's bill decides.",
            css="soft",
        ),
    )
    if not messages:
        yield empty(
            "No mail was counted this month: these are the costs of what is there without any.",
            command(f"aftersend status --env {environment}"),
        )
    rows = [
        (
            Cell.of(name),
            Cell.of(dollars(amount * share)),
            Cell.of("-" if is_early else dollars(amount)),
            Cell.of(f"{100 * amount / total:.0f} %" if amount >= total / 100 else "below 1 %"),
        )
        for name, amount in by_part.items()
        if amount >= 0.005
    ]
    yield table("By part, the largest first", ("Part", "So far", "Month", "Share"), rows, numeric_from=1)
