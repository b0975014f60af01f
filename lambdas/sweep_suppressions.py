"""Measure mass suppression every hour, and decide again about every temporary suppression entry every sixth hour;
once a day if the list is large.

A temporary entry ends, and a delivery may lift it, without an event that decides. It is safe to stop anywhere and to
run twice at once: each recipient is decided about as after an event, and nothing is stored about a run but the size of
the list at its end. Segments of the table are read in random order, so that runs that are out of time leave out
different recipients. No address is logged.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

import msgspec

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.list_sizes import ListSizes
from aftersend.aws.suppressions_table import SEGMENTS, SuppressionsTable
from aftersend.contract import SWEEP_METRICS
from aftersend.counting import COMPLAINT, CONFIGURATION_SET, HARD_BOUNCES, MEASURES
from aftersend.events import Kind
from aftersend.recorder import Recorder
from aftersend.suppression import Entry, mass_suppression_percent, watched_hours
from aftersend.suppression.list_size import SWEEP_EVERY_HOURS, SizeCount, sweep_hours
from lambdas import counting, dependencies, recording
from lambdas.dependencies import logger
from lambdas.scheduled import LambdaContext, has_time, is_scheduled, scheduled_time

SUPPRESSING_MEASURES = (*HARD_BOUNCES, COMPLAINT)
"""What counts as suppressing. An operator's act is deliberate, and so is a recipient's subscription."""

RESERVED_TO_COUNT = 300_000
"""Milliseconds left of an invocation when decisions end, so that the rest of the table is counted."""

RESERVED_TO_END = 20_000
"""Milliseconds left when reading ends, so that metrics are emitted. With one processor, an entry takes 50 to 80 µs."""


class Report(msgspec.Struct):
    """Count what a sweep did; those of SWEEP_METRICS are metrics."""

    sweep_failed: int = 0
    """Recipients that could not be decided about, items that cannot be read, and whether the run ended early."""
    suppressions_in_force: int = 0
    suppressions_ended: int = 0
    """Temporary entries whose end this run has recorded."""


class Sweep:
    """One run over the entries."""

    def __init__(self, recorder: Recorder, now: datetime, has_time: Callable[[int], bool]) -> None:
        self._recorder, self._now, self._has_time = recorder, now, has_time
        self.report = Report()
        self.count = SizeCount(now)
        self.postponed = 0
        """Recipients for whom there was no time."""

    def visit_all(self, entries: Iterable[Entry | None]) -> bool:
        """Visit entries while there is time; return whether all were visited."""
        for entry in entries:
            if not self._has_time(RESERVED_TO_END):
                self.report.sweep_failed += 1
                logger.error("The list is too large to be read in one run.", extra={"size": self.count.size().in_force})
                return False
            self.visit(entry)
        return True

    def visit(self, entry: Entry | None) -> None:
        """Count an entry, and decide again about its recipient if it is temporary."""
        if entry is None:
            self.report.sweep_failed += 1
            return
        self.report.suppressions_in_force += entry.is_in_force(self._now)
        self.count.add(entry)
        if entry.is_temporary:
            self._update(entry)

    def _update(self, entry: Entry) -> None:
        if not self._has_time(RESERVED_TO_COUNT):
            self.postponed += 1
            return
        try:
            self._recorder.update_suppression(entry.recipient)
        except Exception as error:  # noqa: BLE001 (each recipient fails alone)
            self.report.sweep_failed += 1
            logger.error("A recipient could not be decided about.", extra={"reason": type(error).__name__})
            return
        self.report.suppressions_ended += not entry.is_in_force(self._now)


def handler(
    event: dict[str, Any] | None = None,
    context: LambdaContext | None = None,
    *,
    suppressions: SuppressionsTable | None = None,
    recorder: Recorder | None = None,
    counters: CountersTable | None = None,
    sizes: ListSizes | None = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
    now: datetime | None = None,
    rng: Random | None = None,
) -> dict[str, int]:
    """Measure mass suppression; if it is time, and if not invoked by the schedule, visit every entry."""
    now = now or scheduled_time(event)
    counters = counters or counting.counters()
    totals = counters.totals(CONFIGURATION_SET, watched_hours(now))
    percent = mass_suppression_percent(sum(totals[name] for name in SUPPRESSING_MEASURES), totals[MEASURES[Kind.SEND]])
    counts = {"sweep_runs": 1, "mass_suppression_percent": percent}
    sizes = sizes or counting.list_sizes()
    if not is_scheduled(event) or _is_time(now.hour, sizes):
        recorder = (recorder or recording.recorder()).for_one_invocation()
        sweep = Sweep(recorder, now, partial(has_time, context))
        rng = rng or Random()  # noqa: S311 (not for secrets)
        table = suppressions or recording.suppressions()
        if sweep.visit_all(table.outlines(rng.sample(range(SEGMENTS), SEGMENTS))):
            sizes.put(sweep.count.size())
        counts |= msgspec.structs.asdict(sweep.report)
        logger.info("Swept the suppression list.", extra=counts | {"postponed": sweep.postponed})
    emit_metric(dependencies.environment_document(counts, SWEEP_METRICS))
    return counts


def _is_time(hour: int, sizes: ListSizes) -> bool:
    """Return whether the list is swept in an hour of the day, by the size it had last."""
    if hour % SWEEP_EVERY_HOURS:
        return False
    size = sizes.get()
    return hour % sweep_hours(size.in_force if size else 0) == 0
