"""Judge bounce and complaint rates by the thresholds at which AWS reviews an account or may pause its sending.

AWS counts hard bounces and complaints of an account's mail ("Amazon SES sending review process FAQs" in the SES
developer guide); an echo of a suppression list is in no rate. Here the same is counted per configuration set and tag
value, in windows of fixed length: AWS's own "representative volume" is not published, and it leaves out recipients in
the account's own domains and, of complaints, those whose provider reports none. So these rates are similar to AWS's and
never the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from aftersend.counting import COMPLAINT, ECHO
from aftersend.metrics.summary import REFUSED, summarize

AWS_PERCENT = {"bounce": ("5 %", "10 %"), "complaint": ("0.1 %", "0.5 %")}
"""From which rate AWS reviews an account, and from which it may pause it ("sending review process FAQs")."""

DECIMALS, MAX_DECIMALS = {"bounce": 1, "complaint": 2}, 6
"""Of a rate that is shown: usually, and at most where fewer would hide on which side of a threshold it is."""

Percent = Annotated[float, Meta(gt=0, le=100, description="a number above 0 and at most 100")]
AtLeastOne = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]


class Reputation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Set which rates are reported, and what follows for a configuration set.

    Below the least numbers of a window, one person's mail or a few bad addresses would be a high rate.
    """

    guard: Literal["off", "dry-run", "pause"] = "dry-run"
    """What happens at a critical rate of a configuration set: nothing, a log line and a metric, or its sending is
    paused."""
    bounce_warning_percent: Percent = 5
    bounce_critical_percent: Percent = 10
    complaint_warning_percent: Percent = 0.1
    complaint_critical_percent: Percent = 0.5
    hour_sends: AtLeastOne = 200
    """How much mail the shorter window must have to be judged."""
    hour_bounces: AtLeastOne = 20
    hour_complaints: AtLeastOne = 5
    day_sends: AtLeastOne = 1_000
    day_bounces: AtLeastOne = 50
    day_complaints: AtLeastOne = 10


class Level(IntEnum):
    """Order verdicts from the least to the most severe."""

    TOO_FEW = 0
    """No verdict: there is too little mail or feedback, or its sends are not counted yet."""
    HEALTHY = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        """Return the level as people read it, as `too-few`."""
        return self.name.lower().replace("_", "-")

    @property
    def text(self) -> str:
        """Return the level as it stands in a sentence, as `too few`."""
        return self.word.replace("-", " ")


class Window(NamedTuple):
    """Define which mail is judged together: that sent in this hour and in the hours before it."""

    name: str
    """As in the settings and in sentences: how long the window is at least."""
    rows: int
    """Hours of sending (UTC), the one that has begun included: alone, it has hardly any mail in its first minutes."""
    text: str


WINDOWS = (Window("hour", 2, "1 hour"), Window("day", 25, "24 hours"))
HOURS = max(window.rows for window in WINDOWS)
DAY = WINDOWS[-1]


class Figures(NamedTuple):
    """Hold what a rate is calculated from."""

    sends: int = 0
    bounces: int = 0
    complaints: int = 0


class Verdict(NamedTuple):
    """Hold the level of one rate in one window, with the figures behind it."""

    level: Level
    signal: str
    """`bounce` or `complaint`."""
    window: Window
    events: int
    sends: int
    threshold_percent: float
    """What the rate has reached, or else the lowest threshold."""

    @property
    def percent(self) -> float:
        """Return the rate; 0 without sends."""
        return 100 * self.events / self.sends if self.sends else 0.0


def watched_hours(now: datetime) -> list[datetime]:
    """Return the beginnings of the hours of all windows, the latest first."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return [hour - timedelta(hours=number) for number in range(HOURS)]


def figures(measures: Mapping[str, int]) -> Figures:
    """Return what rates are calculated from: what SES attempted, without simulated mail, which has other measures.

    Of bounces, those that are permanent; not those that SES itself refused because of a suppression list, its
    validation of addresses or an opt-out.
    """
    groups = summarize(measures)
    return Figures(groups["send"] - groups[ECHO], groups["hard_bounce"] + groups[REFUSED], groups[COMPLAINT])


def judge(
    measures_by_hour: Mapping[datetime, Mapping[str, int]],
    now: datetime,
    reputation: Reputation,
    since: datetime | None = None,
) -> list[Verdict]:
    """Return the verdict on each rate in each window, the worst first. `since` leaves out what was sent before."""
    by_hour = {hour: figures(measures) for hour, measures in measures_by_hour.items() if not since or hour >= since}
    hours = watched_hours(now)
    verdicts = [
        _verdict(signal, window, _sum(by_hour[hour] for hour in hours[: window.rows] if hour in by_hour), reputation)
        for signal in AWS_PERCENT
        for window in WINDOWS
    ]
    return sorted(verdicts, key=_severity)


def _severity(verdict: Verdict) -> tuple[float, float]:
    return -verdict.level, -verdict.percent


def judge_range(
    measures_by_hour: Mapping[datetime, Mapping[str, int]], hours: Sequence[datetime], reputation: Reputation
) -> list[Verdict]:
    """Return the verdict on each rate of all mail sent within some hours, and in the windows at their end, the worst
    first: mail that has just gone bad is a small part of a week's.

    The least numbers of all mail are those of the longer window, or of the shorter one for as few hours.
    """
    window = next((window for window in WINDOWS if len(hours) <= window.rows), DAY)._replace(text="this time range")
    total = _sum(figures(counts) for hour, counts in measures_by_hour.items() if hours[0] <= hour <= hours[-1])
    verdicts = [_verdict(signal, window, total, reputation) for signal in AWS_PERCENT]
    latest = {hour: measures_by_hour[hour] for hour in watched_hours(hours[-1]) if hour in measures_by_hour}
    return sorted([*verdicts, *judge(latest, hours[-1], reputation)], key=_severity)


def high_since(
    measures_by_hour: Mapping[datetime, Mapping[str, int]], hours: Iterable[datetime], reputation: Reputation
) -> dict[str, datetime]:
    """Return the first of some hours, in order of time, at which each signal's rate was a warning or worse; none
    of a signal whose rate never was. Each hour is judged as it is counted now."""
    since: dict[str, datetime] = {}
    for hour in hours:
        if hour in measures_by_hour and len(since) < len(AWS_PERCENT):
            judged = {each: measures_by_hour[each] for each in watched_hours(hour) if each in measures_by_hour}
            for verdict in judge(judged, hour, reputation):
                if verdict.level >= Level.WARNING:
                    since.setdefault(verdict.signal, hour)
    return since


def _sum(each_hour: Iterable[Figures]) -> Figures:
    total = Figures(*map(sum, zip(*each_hour, strict=True)))
    return total._replace(sends=max(0, total.sends))  # echoes arrive before the sends they are subtracted from


def _verdict(signal: str, window: Window, total: Figures, reputation: Reputation) -> Verdict:
    events = total.bounces if signal == "bounce" else total.complaints
    warning, critical = (getattr(reputation, f"{signal}_{level}_percent") for level in ("warning", "critical"))
    least_sends, least_events = (getattr(reputation, f"{window.name}_{name}") for name in ("sends", f"{signal}s"))
    level = _level(events, total.sends, warning=warning, critical=critical)
    # Bounces arrive before the sends they belong to, which the archive brings a minute or two later.
    if total.sends < least_sends or events > total.sends or (level > Level.HEALTHY and events < least_events):
        level = Level.TOO_FEW
    return Verdict(level, signal, window, events, total.sends, critical if level is Level.CRITICAL else warning)


def _level(events: int, sends: int, *, warning: float, critical: float) -> Level:
    if _reaches(events, sends, critical):
        return Level.CRITICAL
    return Level.WARNING if _reaches(events, sends, warning) else Level.HEALTHY


def _reaches(events: int, sends: int, percent: float) -> bool:
    """Compare in whole numbers: 0.1 % of 3,000 is exactly 3. Thresholds have three decimal places."""
    return events * 100_000 >= round(percent * 1_000) * sends


def sentence(name: str, verdict: Verdict) -> str:
    """Describe a verdict with its figures."""
    figures = f"{verdict.events:,} of {verdict.sends:,} sent in {verdict.window.text}"
    rate = f"{name}: {verdict.signal} rate {_shown_percent(verdict)} % ({figures})"
    if verdict.level is Level.TOO_FEW:
        return f"{rate}: too few for a verdict."
    threshold = f"{verdict.threshold_percent:g} %"
    if verdict.level is Level.HEALTHY:
        return f"{rate} is below {threshold}."
    review, pause = AWS_PERCENT[verdict.signal]
    return f"{rate} is {threshold} or more: AWS reviews accounts from {review} and may pause them from {pause}."


def _shown_percent(verdict: Verdict) -> str:
    """Return the rate with as many decimals as it takes to show on which side of the threshold it is."""
    rate, threshold, decimals = verdict.percent, verdict.threshold_percent, DECIMALS[verdict.signal]
    while decimals < MAX_DECIMALS and (round(rate, decimals) >= threshold) != (rate >= threshold):
        decimals += 1
    return f"{rate:.{decimals}f}"


def rates(verdicts: Iterable[Verdict], reputation: Reputation) -> dict[str, float]:
    """Return the rates of the longer window in percent, as metrics, where there is enough mail to speak of one."""
    return {
        f"{verdict.signal}_rate": round(verdict.percent, 3)
        for verdict in verdicts
        if verdict.window is DAY and reputation.day_sends <= verdict.sends >= verdict.events
    }
