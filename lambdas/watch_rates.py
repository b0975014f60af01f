"""Watch bounce and complaint rates, and guard configuration sets. Triggered every five minutes by a schedule.

Every tag and every configuration set fails alone. The function may be killed anywhere and run twice at once: that a
configuration set is to be paused is stored before SES is asked to pause it, and each run pauses again what is stored as
paused. So neither a deployment nor a click in the console resumes sending; only `aftersend resume` does.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec

from aftersend.aws.clients import client
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.guard_states import GuardStates
from aftersend.aws.sending_switch import SendingSwitch
from aftersend.contract import METRICS_DIMENSIONS, RATES_METRICS, Variable
from aftersend.counting import CONFIGURATION_SET, PROVIDER, Counted
from aftersend.metrics import emf_document
from aftersend.metrics.guard import GuardState, decide
from aftersend.metrics.reputation import Level, Reputation, Verdict, judge, rates, sentence, watched_hours
from lambdas import counting, dependencies
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting

ByHour = Mapping[datetime, Mapping[str, int]]


class Report(msgspec.Struct):
    """Count what a run found; those that are not 0 are metrics."""

    rates_runs: int = 1
    rates_warning: int = 0
    """Configuration sets and tag values with a rate at this level."""
    rates_critical: int = 0
    guard_paused: int = 0
    """Configuration sets that the guard has paused, now or earlier."""
    guard_would_pause: int = 0
    guard_errors: int = 0
    """Tags that could not be read, and configuration sets that could not be guarded."""


class Settings(NamedTuple):
    """Hold what the environment sets."""

    environment: str
    configuration_sets: tuple[str, ...]
    tags: tuple[str, ...]
    """Counted tags whose values are judged, besides the configuration set."""
    reputation: Reputation
    settling: timedelta


class Watch:
    """One run."""

    def __init__(
        self,
        counters: CountersTable,
        states: GuardStates,
        switch: SendingSwitch,
        settings: Settings,
        now: datetime,
        emit_metric: Callable[[dict[str, Any]], None],
    ) -> None:
        self._counters, self._states, self._switch = counters, states, switch
        self._settings, self._now, self._emit_metric = settings, now, emit_metric
        self.report = Report()

    def run(self) -> None:
        """Judge and guard each configuration set, then judge each value of the other tags."""
        sets = self._sums(CONFIGURATION_SET)
        for name in self._settings.configuration_sets:
            by_hour = None if sets is None else sets.get(name, {})
            self._attempt(f"{CONFIGURATION_SET}={name}", partial(self._guard, name, by_hour))
        for tag in self._settings.tags:
            for value, by_hour in (self._sums(tag) or {}).items():
                self._report(f"{tag}={value}", judge(by_hour, self._now, self._settings.reputation)[0])

    def _sums(self, tag: str) -> Mapping[str, ByHour] | None:
        return self._attempt(tag, lambda: self._counters.sums(tag, watched_hours(self._now)))

    def _attempt(self, subject: str, action: Callable[[], Any]) -> Any:
        """Do something that fails alone; return its result, or None."""
        try:
            return action()
        except Exception as error:  # noqa: BLE001 (each tag and configuration set fails alone)
            self.report.guard_errors += 1
            reason = {"subject": subject, "reason": type(error).__name__, "detail": str(error)}
            logger.error("Rates could not be read, or sending not paused.", extra=reason)
            return None

    def _guard(self, name: str, by_hour: ByHour | None) -> None:
        """Judge a set and apply the guard. Of one whose counters could not be read (None), only a pause is applied."""
        reputation, state = self._settings.reputation, self._states.get(name)
        if by_hour is None:
            if state.is_paused:
                self._pause(name, state)
            return
        verdicts = judge(by_hour, self._now, reputation, state.judged_since)
        self._report(name, verdicts[0])
        self._emit_rates(name, verdicts)
        decision = decide(name, state, verdicts[0], self._now, reputation, self._settings.settling)
        if not self._states.replace(name, state, decision.state):
            return  # another run or an operator has just changed it: the next run sees that
        if decision.state.is_paused:
            self._pause(name, decision.state)
        elif decision.is_due:
            self.report.guard_would_pause += 1
            logger.warning("The guard would pause a configuration set.", extra={"configuration_set": name})

    def _pause(self, name: str, state: GuardState) -> None:
        """Pause sending if SES does not have it paused, unless an operator resumed it meanwhile."""
        self.report.guard_paused += 1
        if self._switch.is_enabled(name) and self._states.get(name).is_paused:
            self._switch.set(name, enabled=False)
            if not self._states.get(name).is_paused:  # resumed in between, and perhaps enabled before it was paused
                self._switch.set(name, enabled=True)
                return
            details = {"configuration_set": name, "paused_at": str(state.paused_at), "reason": state.reason}
            logger.error("The guard paused a configuration set.", extra=details)

    def _report(self, name: str, worst: Verdict) -> None:
        self.report.rates_warning += worst.level is Level.WARNING
        self.report.rates_critical += worst.level is Level.CRITICAL
        if worst.level >= Level.WARNING:
            logger.warning("A rate is high.", extra={"level": worst.level.name, "verdict": sentence(name, worst)})

    def _emit_rates(self, name: str, verdicts: list[Verdict]) -> None:
        if measured := rates(verdicts, self._settings.reputation):
            dimensions = dict(zip(METRICS_DIMENSIONS, (self._settings.environment, name), strict=True))
            self._emit_metric(emf_document(measured, dimensions, self._now))


def handler(
    _event: object = None,
    _context: object = None,
    *,
    counters: CountersTable | None = None,
    states: GuardStates | None = None,
    switch: SendingSwitch | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
    now: datetime | None = None,
) -> dict[str, int]:
    """Judge all rates, apply the guard and emit the counts as metrics."""
    watch = Watch(
        counters or counting.counters(),
        states or GuardStates(client("dynamodb"), text_setting(Variable.COUNTERS_TABLE)),
        switch or SendingSwitch(client("sesv2"), pace_seconds=setting(Variable.PACE_SECONDS, float)),
        _settings(),
        now or datetime.now(UTC),
        emit_metric,
    )
    watch.run()
    counts = {name: count for name, count in msgspec.structs.asdict(watch.report).items() if count}
    logger.info("Watched bounce and complaint rates.", extra=counts)
    emit_metric(dependencies.environment_document(counts, RATES_METRICS))
    return counts


def _settings() -> Settings:
    tags = dict.fromkeys((*setting(Variable.COUNTED, Counted).tags, PROVIDER))
    return Settings(
        environment=text_setting(Variable.ENVIRONMENT),
        configuration_sets=setting(Variable.CONFIGURATION_SETS, tuple[str, ...]),
        tags=tuple(tag for tag in tags if tag != CONFIGURATION_SET),
        reputation=setting(Variable.REPUTATION, Reputation),
        settling=timedelta(seconds=setting(Variable.SETTLING_SECONDS, int)),
    )
