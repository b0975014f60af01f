"""Read what a deployment does at this moment: a line for each thing, with what is wrong marked."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from aftersend.aws import activity
from aftersend.aws.deployed_counters import deployed_counters
from aftersend.aws.deployed_recorder import deployed_reputation
from aftersend.aws.deployment import Deployment
from aftersend.aws.failure_sources import count_records, sources
from aftersend.aws.guard_states import GuardStates
from aftersend.aws.metric_values import Metric, metric_values
from aftersend.contract import CANARY_METRICS, COUNT_CHECK_METRICS, ENVIRONMENT_DIMENSION, METRICS_NAMESPACE
from aftersend.counting import CONFIGURATION_SET
from aftersend.metrics.reputation import Level, judge, sentence, watched_hours
from aftersend.operations.failures import KINDS
from aftersend.operations.parallel import in_parallel
from aftersend.operations.status import ALARM, LATE_SECONDS, Line, duration, short_name

SERVICES = ("cloudwatch", "dynamodb", "lambda", "s3", "sqs")
ALARM_STACKS = ("Pipeline", "Publishing")
"""The stacks with alarms."""

MAX_OPENED = 10
"""Objects of each kind that are opened to count their records; the others count once."""

CHECKED = timedelta(hours=2)
"""How far back the results of hourly functions are looked for."""

RUNS = {"canary": CANARY_METRICS, "completeness": COUNT_CHECK_METRICS}
"""Functions that compare every hour: their heartbeats, and the metrics that say what is missing."""


def read_lines(deployment: Deployment, now: datetime) -> list[Line]:
    """Read everything, several parts at a time: the whole takes as long as the longest part.

    Raises:
        Unavailable: if the stacks lack an output.
    """
    for service in SERVICES:
        deployment.client(service)  # a session cannot create several at once
    parts = (_mail_and_rates, _routes, _failures, _alarms, _checks)
    return [line for lines in in_parallel(lambda part: [*part(deployment, now)], parts) for line in lines]


def _mail_and_rates(deployment: Deployment, now: datetime) -> Iterator[Line]:
    """Describe the newest mail, the worst rate of each configuration set, and what the guard has paused."""
    dynamodb, counters = deployment.client("dynamodb"), deployment.output("CountersTableName")
    hours = watched_hours(now)
    newest = activity.newest_object(deployment, hours)
    sums = deployed_counters(deployment).sums(CONFIGURATION_SET, hours)
    sends = sum(measures["send"] for by_hour in sums.values() for measures in by_hour.values())
    archived = (
        f"last object of the archive {duration((now - newest).total_seconds())} ago" if newest else "none archived"
    )
    yield Line("mail", f"{sends:,} sent within a day and counted, {archived}", since=newest)
    names, reputation = activity.set_names(deployment), deployed_reputation(deployment)
    states = in_parallel(GuardStates(dynamodb, counters).get, names)
    for name, state in zip(names, states, strict=True):
        worst = judge(sums.get(name, {}), now, reputation, state.judged_since)[0]
        section = "reputationcritical" if worst.level is Level.CRITICAL else "reputationwarning"
        yield Line("rates", sentence(name, worst), worst.level >= Level.WARNING, section, "rates")
        if state.is_paused:
            resume = f"aftersend resume {name} --env {deployment.name} --reason REASON"
            text = f"The guard paused {name} at {state.paused_at:%Y-%m-%d %H:%M} UTC"
            yield Line("paused", text, is_problem=True, section="guardpaused", panel="rates", command=resume)


def _routes(deployment: Deployment, now: datetime) -> Iterator[Line]:
    """Describe how long the oldest record of each queue and stream has waited."""
    for route, seconds in activity.ages(deployment, now).items():
        waited = f"the oldest record has waited for {duration(seconds)}" if seconds else "nothing waits"
        yield Line(route.text, waited, (seconds or 0) > LATE_SECONDS, route.section)


def _failures(deployment: Deployment, _now: datetime) -> Iterator[Line]:
    counts = {source.kind: count_records(source, MAX_OPENED) for source in sources(deployment)}
    if not any(counts.values()):
        yield Line("failed records", "none")
    for kind, count in counts.items():
        if count:
            listing = f"aftersend failures list --env {deployment.name}"
            yield Line("failed records", f"{count:,} {kind}", True, KINDS[kind].section, "failures", listing)


def _alarms(deployment: Deployment, _now: datetime) -> Iterator[Line]:
    describe, alarms = deployment.client("cloudwatch").get_paginator("describe_alarms"), dict[str, Any]()
    for stack in ALARM_STACKS:
        for page in describe.paginate(AlarmNamePrefix=f"Aftersend-{deployment.name}-{stack}-", StateValue="ALARM"):
            alarms |= {each["AlarmName"]: each for each in page["MetricAlarms"] if each["StateValue"] == "ALARM"}
    if not alarms:
        yield Line("alarms", "none")
    for name, alarm in sorted(alarms.items()):
        short, section = short_name(name), short_name(name).lower()
        problem, _, rest = alarm.get("AlarmDescription", "").partition(" Severity: ")
        severity, since = rest.partition(".")[0], alarm["StateUpdatedTimestamp"]
        yield Line(ALARM, f"{short}: {problem}", True, section, since=since, severity=severity)


def _checks(deployment: Deployment, now: datetime) -> Iterator[Line]:
    """Describe the last results of the canary and of check_counts. Alarms say what of them needs attention."""
    dimension = ENVIRONMENT_DIMENSION, deployment.name
    metrics = {name: Metric(METRICS_NAMESPACE, name, dimension) for names in RUNS.values() for name in names}
    values = metric_values(deployment.client("cloudwatch"), metrics, "Maximum", now - CHECKED, now)
    largest = {name: max(points, default=0) for name, points in values.items()}
    yield Line("canary", _canary(largest))
    yield Line("completeness", _completeness(largest))


def _canary(largest: Mapping[str, float]) -> str:
    if not largest["canary_runs"]:
        return "has not run within two hours, or the environment has none"
    if largest["canary_failed"]:
        return "SES did not accept its messages"
    missing = largest["canary_missing"]
    return f"{missing:.0f} of its events are missing" if missing else "all of its events arrived"


def _completeness(largest: Mapping[str, float]) -> str:
    if not largest["count_check_runs"]:
        return "the counters were not compared with SES within two hours, or the environment does not compare them"
    if largest["silent_sets"]:
        return f"configuration sets that send, and of which nothing is counted: {largest['silent_sets']:.0f}"
    missing = largest["counts_missing_percent"]
    return f"{missing:.0f} % of a configuration set's sends are not counted" if missing else "every send is counted"
