"""Show bounce and complaint rates against the thresholds, and what the guard does about them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aftersend.dashboard.campaign import thresholds_of
from aftersend.dashboard.charts import threshold_bar
from aftersend.dashboard.elements import Action, Cell, Content, command, element, empty, level, link, table
from aftersend.dashboard.numbers import UNKNOWN, count, moment, percent
from aftersend.dashboard.tags import send_command
from aftersend.metrics.guard import NOTHING, GuardState
from aftersend.metrics.reputation import AWS_PERCENT, DAY, DECIMALS, Level, Reputation, Verdict

MAX_PROVIDERS = 10
FILLS = {Level.CRITICAL: "bar-bad", Level.WARNING: "bar-warn"}


class Rates(NamedTuple):
    """The verdicts on a configuration set or a mailbox provider."""

    tag: str
    value: str
    verdicts: Sequence[Verdict]
    """As `judge` returns them: the worst first."""
    state: GuardState = NOTHING

    def of(self, signal: str, *, is_day: bool) -> Verdict:
        """Return the verdict on a rate in the longer or the shorter window."""
        return next(each for each in self.verdicts if each.signal == signal and (each.window is DAY) == is_day)

    @property
    def sends(self) -> int:
        """Return what SES attempted to deliver in the longer window."""
        return self.of("bounce", is_day=True).sends


def render(
    sets: Iterable[Rates], providers: Iterable[Rates], reputation: Reputation, environment: str, show: str
) -> Iterator[Content]:
    """Yield what the panel consists of."""
    rows = sorted(sets, key=_severity)
    yield element("p", _explanation(reputation), css="soft")
    if not rows:
        yield empty("The environment has no configuration set: add one to its file, and deploy it.")
        return
    titles = ("Configuration set", "Verdict", "Bounces, 24 h", "Complaints, 24 h", "Last hour", "Guard")
    cells = ([*_cells(each, reputation, show), _guard(each, reputation, environment)] for each in rows)
    yield table("By configuration set, the worst first", titles, cells)
    if not any(each.sends for each in rows):
        yield empty("Nothing was sent within 24 hours. Send something:", send_command(environment))
        return
    worst = sorted((each for each in providers if each.sends), key=_severity)[:MAX_PROVIDERS]
    if worst:
        cells = (_cells(each, reputation, show) for each in worst)
        yield table("By mailbox provider, the worst first", ("Provider", *titles[1:5]), cells)


def _severity(rates: Rates) -> tuple[float, ...]:
    worst = rates.verdicts[0]
    return -worst.level, -worst.percent / worst.threshold_percent, -rates.sends


def _explanation(reputation: Reputation) -> str:
    review, pause = (
        " or ".join(f"{each[index]} {signal}s" for signal, each in AWS_PERCENT.items()) for index in (0, 1)
    )
    return (
        f"AWS reviews an account from {review}, and may pause it from {pause}. A verdict needs "
        f"{count(reputation.day_sends)} sent in 24 hours, or {count(reputation.hour_sends)} in the last; otherwise it "
        "is “too few”. Times are in UTC. What to do: docs/reputation.md."
    )


def _cells(rates: Rates, reputation: Reputation, show: str) -> list[Cell]:
    campaign = Action(show, {"panel": "campaign", "tag": rates.tag, "value": rates.value})
    return [
        Cell.of(*link(rates.value, campaign)),
        Cell.of(level(rates.verdicts[0].level.text)),
        *(Cell.of(*_bar(rates.of(signal, is_day=True), reputation)) for signal in AWS_PERCENT),
        Cell.of(*_last_hour(rates)),
    ]


def _bar(verdict: Verdict, reputation: Reputation) -> Iterator[Content]:
    rate = _rate(verdict)
    text = f"{rate} ({count(verdict.events)} of {count(verdict.sends)})"
    yield element("div", text)
    if rate != UNKNOWN:
        label = f"{verdict.signal} rate {rate}, {verdict.level.text}"
        fill = FILLS.get(verdict.level, "bar")
        yield threshold_bar(verdict.percent, thresholds_of(verdict.signal, reputation), label, fill)


def _rate(verdict: Verdict) -> str:
    return percent(verdict.events, verdict.sends, DECIMALS[verdict.signal])


def _last_hour(rates: Rates) -> Iterator[Content]:
    for signal in AWS_PERCENT:
        verdict = rates.of(signal, is_day=False)
        rate = f", {_rate(verdict)}" if verdict.sends else ""
        word = f", {verdict.level.text}" if verdict.level >= Level.WARNING else ""
        yield element("div", f"{signal.capitalize()}s: {count(verdict.events)}{rate}{word}")
    yield element("small", f"of {count(rates.of('bounce', is_day=False).sends)} sent")


def _guard(rates: Rates, reputation: Reputation, environment: str) -> Cell:
    state = rates.state
    if state.is_paused:
        resume = f"aftersend resume {rates.value} --env {environment} --reason REASON"
        paused = element("div", element("span", "paused", css="level bad"), f" since {moment(state.paused_at)}")
        return Cell.of(paused, element("small", state.reason), command(resume))
    if state.critical_since and reputation.guard == "dry-run":
        return Cell.of(
            f"Would pause: critical since {moment(state.critical_since)}",
            element("small", "The guard only reports: dry-run."),
        )
    if state.critical_since and reputation.guard == "pause":
        return Cell.of(f"Pauses soon: critical since {moment(state.critical_since)}")
    names = {"off": "Off", "dry-run": "Reports only (dry-run)", "pause": "Pauses at a critical rate"}
    return Cell.of(names[reputation.guard])
