"""Compare, every hour, the sends that were counted with SES's own metrics, choose the values of tags that have metrics,
and once a day, count the values of tags.

Each part fails alone; then the run has no heartbeat and fails, so that Lambda repeats it. Only the chosen values are
written, at once and on condition that no other run has written: it is safe to stop anywhere and to run twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from aftersend.aws.clients import client
from aftersend.aws.counters_table import CountersTable
from aftersend.aws.metric_values import Metric, hourly_sums
from aftersend.completeness import SetComparison, compare, unseen_percent, watched_hours
from aftersend.contract import COUNT_CHECK_METRICS, CountCheck, Variable
from aftersend.counting import CONFIGURATION_SET, LINK, MEASURES, SIMULATED
from aftersend.events import Kind
from aftersend.metrics import choose_values
from lambdas import counting, dependencies
from lambdas.dependencies import logger
from lambdas.scheduled import is_scheduled, scheduled_time
from lambdas.settings import setting

SENDS = (MEASURES[Kind.SEND], SIMULATED + MEASURES[Kind.SEND])
"""SES's metric includes messages to the mailbox simulator."""

NAMESPACE, METRIC = "AWS/SES", "Send"
"""SES's metric of the account, without dimensions, and of a configuration set ("Monitoring using event publishing")."""

TAGS_HOUR = 3
"""The hour (UTC) in which scheduled runs count the values of the day before: its last sends are counted by then."""

MAX_VALUES = 100_000
"""Where counting the values of a tag stops: they fit into the memory of the function."""


def handler(
    event: dict[str, Any] | None = None,
    _context: object = None,
    *,
    counters: CountersTable | None = None,
    cloudwatch: Any = None,
    emit_metric: Callable[[dict[str, Any]], None] = dependencies.emit_metric,
) -> dict[str, int]:
    """Do every part, count values only at TAGS_HOUR and if not invoked by the schedule, and emit the counts.

    What a part raises is raised at the end, after the others have been done.
    """
    now, check = scheduled_time(event), setting(Variable.COUNT_CHECK, CountCheck)
    counters = counters or counting.counters()
    parts: list[Callable[[], dict[str, int]]] = []
    if check.configuration_sets:
        parts.append(lambda: compare_sends(counters, cloudwatch or client("cloudwatch"), check, now))
    if check.tag_metric_values:
        parts.append(lambda: choose_metric_values(counters, check, now.date()))
    if not is_scheduled(event) or now.hour == TAGS_HOUR:
        parts.append(lambda: count_tags_over_values(counters, check, now.date() - timedelta(days=1)))
    counts, errors = _do(parts)
    logger.info("Checked the counters.", extra=counts)
    emit_metric(dependencies.environment_document(counts, COUNT_CHECK_METRICS))
    for error in errors:
        raise error
    return counts


def _do(parts: Iterable[Callable[[], dict[str, int]]]) -> tuple[dict[str, int], list[Exception]]:
    """Return the counts of all parts, with the heartbeat if none failed, and what those that failed raised."""
    counts, errors = dict[str, int](), list[Exception]()
    for part in parts:
        try:
            counts |= part()
        except Exception as error:  # noqa: BLE001 (each part fails alone; the handler raises it)
            logger.exception("A part of the check failed.")
            errors.append(error)
    return counts if errors else {"count_check_runs": 1} | counts, errors


def compare_sends(counters: CountersTable, cloudwatch: Any, check: CountCheck, now: datetime) -> dict[str, int]:
    """Compare the sends of each configuration set and of the account."""
    window = watched_hours(now)
    metrics: dict[str | None, Metric] = {None: Metric(NAMESPACE, METRIC)}
    metrics |= {name: Metric(NAMESPACE, METRIC, (CONFIGURATION_SET, name)) for name in check.configuration_sets}
    published = hourly_sums(cloudwatch, metrics, *window)
    account = published.pop(None)
    sets = {name: sends for name, sends in published.items() if name is not None}
    compared = compare(sets, counted_sends(counters, window.days), now)
    _log(compared)
    return {
        "counts_missing_percent": max((each.missing_percent for each in compared), default=0),
        "silent_sets": sum(each.is_silent for each in compared),
        "unseen_percent": unseen_percent(account, sets, now),
    }


def counted_sends(counters: CountersTable, days: Iterable[date]) -> dict[str, Counter[datetime]]:
    """Return the sends that were counted, by configuration set and hour of sending."""
    sends: dict[str, Counter[datetime]] = {}
    for day in days:
        for row, measures in counters.rows_of(CONFIGURATION_SET, day):
            own = sends.setdefault(row.value, Counter())
            own[row.hour] += sum(measures.get(name, 0) for name in SENDS)
    return sends


def _log(compared: list[SetComparison]) -> None:
    for each in compared:
        if each.missing_percent or each.is_silent:
            extra = {"missing_percent": each.missing_percent, "is_silent": each.is_silent}
            extra["configuration_set"] = each.configuration_set
            logger.warning("SES sent more with a configuration set than was counted.", extra=extra)


def choose_metric_values(counters: CountersTable, check: CountCheck, day: date) -> dict[str, int]:
    """Replace the values that have metrics on a day, unless another run does: then the next run goes on."""
    stored, tags = counters.stored_values(), [tag for tag in check.tags if not tag.startswith(LINK)]
    yesterday = [] if stored.day == day else tags  # only the day's first choice depends on it
    chosen = choose_values(
        stored,
        day,
        tags=tags,
        yesterday={tag: _sends_of_values(counters, tag, day - timedelta(days=1)) for tag in yesterday},
        today={tag: _sends_of_values(counters, tag, day) for tag in tags},
        limit=check.tag_metric_values,
    )
    is_stored = chosen == stored or counters.publish_values(stored, chosen)
    return {"metric_values": sum(map(len, (chosen if is_stored else stored).values.values()))}


def _sends_of_values(counters: CountersTable, tag: str, day: date) -> Counter[str]:
    """Return the sends of a tag's values on a day, of MAX_VALUES at most."""
    sends = Counter[str]()
    for row, measures in counters.rows_of(tag, day):
        if number := measures.get(MEASURES[Kind.SEND]):
            sends[row.value] += number
        if len(sends) == MAX_VALUES:
            break
    return sends


def count_tags_over_values(counters: CountersTable, check: CountCheck, day: date) -> dict[str, int]:
    """Count the tags that had more values on a day than they may, and log what such a tag costs."""
    over = 0
    for tag in check.tags:
        values: set[str] = set()
        for row, _ in counters.rows_of(tag, day):
            values.add(row.value)
            if len(values) == MAX_VALUES:
                break
        if len(values) > check.max_tag_values:
            over += 1
            dollars = round(len(values) * check.dollars_per_tag_value, 2)
            extra = {"tag": tag, "values": len(values), "dollars_a_month": dollars}
            logger.warning("A counted tag has more values a day than max_tag_values.", extra=extra)
    return {"tags_over_values": over}
