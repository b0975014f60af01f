"""Test check_counts over counters in moto and metrics of SES in moto's CloudWatch."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aftersend.aws.counters_table import CountersTable
from aftersend.contract import CountCheck, Variable
from aftersend.counting import CONFIGURATION_SET, START, Row
from lambdas import check_counts
from tests.adapters.conftest import SESSION

NOW = datetime.now(UTC).replace(minute=17, second=0, microsecond=0)
"""Near the present: CloudWatch takes metrics of the last two weeks only."""

HOUR = timedelta(hours=1)
CHECK = CountCheck(("newsletter", "receipts"), ("campaign", "link:position"), 2, 0.01)
SCHEDULED = {"source": "aws.events", "time": NOW.isoformat()}


class Counts:
    def __init__(self, dynamodb: Any) -> None:
        self.counters = CountersTable(dynamodb, "counters")
        self.cloudwatch = SESSION.client("cloudwatch")
        self.documents: list[dict[str, Any]] = []

    def publish(self, number: int, hours_ago: int, name: str | None = "newsletter") -> None:
        """Let SES count sends, in two data points. If a query names no dimensions, moto adds up the metrics of all, so
        that only mail without a configuration set is published for the account."""
        dimensions = [{"Name": CONFIGURATION_SET, "Value": name}] if name else []
        for minutes in (20, 30):
            time = NOW.replace(minute=minutes) - hours_ago * HOUR
            data = {"MetricName": "Send", "Value": number / 2, "Timestamp": time, "Dimensions": dimensions}
            self.cloudwatch.put_metric_data(Namespace="AWS/SES", MetricData=[data])

    def count(self, measures: dict[str, int], hours_ago: int, value: str = "newsletter", tag: str = CONFIGURATION_SET):
        row = Row(tag, value, NOW.replace(minute=0) - hours_ago * HOUR)
        self.counters.commit(
            f"{value}-{hours_ago}", None, START, Counter({(row, key): n for key, n in measures.items()})
        )

    def check(self, event: dict[str, Any] | None = SCHEDULED) -> dict[str, int]:
        """Return the counts that are not zero, without the heartbeat."""
        counts = check_counts.handler(
            event, counters=self.counters, cloudwatch=self.cloudwatch, emit_metric=self.documents.append
        )
        assert counts.pop("count_check_runs") == 1
        return {name: count for name, count in counts.items() if count}


@pytest.fixture
def counts(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Counts:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    monkeypatch.setenv(Variable.COUNT_CHECK, msgspec.json.encode(CHECK).decode())
    return Counts(dynamodb)


def test_nothing_is_wrong_where_ses_and_the_counters_agree(counts: Counts):
    for hours_ago in (3, 20):
        counts.publish(100, hours_ago)
        counts.count({"send": 60, "simulated_send": 40}, hours_ago)
    assert counts.check() == {}
    assert set(counts.documents[0]) == {"_aws", "Environment", "count_check_runs"}


def test_missing_sends_and_unseen_mail_are_measured(counts: Counts, caplog: pytest.LogCaptureFixture):
    counts.publish(100, 5)
    counts.publish(100, 5, "receipts")
    counts.publish(200, 5, None)
    counts.count({"send": 75}, 5)
    counts.count({"send": 100}, 5, "receipts")
    assert counts.check() == {"counts_missing_percent": 25, "unseen_percent": 50}
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (vars(record)["configuration_set"], vars(record)["missing_percent"]) == ("newsletter", 25)


def test_silent_sets_are_counted(counts: Counts):
    for name in CHECK.configuration_sets:
        counts.publish(2, 2, name)
    assert counts.check() == {"silent_sets": 2}
    counts.count({"send": 2}, 2, "receipts")
    assert counts.check() == {"silent_sets": 1}


def test_tags_with_many_values_yesterday_are_counted_and_their_cost_is_logged(
    counts: Counts, caplog: pytest.LogCaptureFixture
):
    for value in ("a", "b", "c"):
        counts.count({"send": 1}, 24, value, "campaign")
        counts.count({"click": 1}, 0, value, "link:position")  # today
    assert counts.check(None) == {"tags_over_values": 1}
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    logged = vars(record)
    assert (logged["tag"], logged["values"], logged["dollars_a_month"]) == ("campaign", 3, 0.03)


def test_tag_may_have_as_many_values_as_the_environment_says(counts: Counts):
    for value in ("a", "b"):
        counts.count({"send": 1}, 24, value, "campaign")
    assert counts.check(None) == {}


def test_counting_of_values_stops_where_memory_would_end(counts: Counts, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check_counts, "MAX_VALUES", 3)
    for value in "abcde":
        counts.count({"send": 1}, 24, value, "campaign")
    assert counts.check(None) == {"tags_over_values": 1}


@pytest.mark.parametrize(("hour", "is_counted"), [(2, False), (3, True), (4, False)])
def test_schedule_counts_values_once_a_day(counts: Counts, hour: int, is_counted: bool):
    time = NOW.replace(hour=hour)
    for value in ("a", "b", "c"):
        row = Row("campaign", value, time.replace(minute=0) - timedelta(days=1))
        counts.counters.commit(value, None, START, Counter({(row, "send"): 1}))
    assert counts.check({"source": "aws.events", "time": time.isoformat()}) == (
        {"tags_over_values": 1} if is_counted else {}
    )
