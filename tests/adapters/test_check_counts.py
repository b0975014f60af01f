"""Test check_counts over counters in moto and metrics of SES in moto's CloudWatch."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from aftersend.aws.counters_table import CountersTable
from aftersend.contract import CountCheck, Variable
from aftersend.counting import CONFIGURATION_SET, START, Row
from aftersend.metrics import Published
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
        self.batches = 0

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

    def send(self, number: int, time: datetime, value: str) -> None:
        """Count sends of a campaign at a time, added to what was counted before."""
        self.batches += 1
        row = Row("campaign", value, time.replace(minute=0))
        self.counters.commit(f"{value}-{self.batches}", None, START, Counter({(row, "send"): number}))

    def choose(self, time: datetime, counters: CountersTable | None = None) -> None:
        """Run as the schedule does."""
        check_counts.handler(
            {"source": "aws.events", "time": time.isoformat()},
            counters=counters or self.counters,
            cloudwatch=self.cloudwatch,
            emit_metric=self.documents.append,
        )

    @property
    def campaigns(self) -> tuple[str, ...]:
        """Return the campaigns that have metrics, as stored."""
        return self.counters.stored_values().values.get("campaign", ())


class Overtaken(CountersTable):
    """Counters of a run that another run overtakes while it chooses."""

    def __init__(self, dynamodb: Any, overtake: Callable[[], None]) -> None:
        super().__init__(dynamodb, "counters")
        self._overtake = overtake

    def stored_values(self) -> Published:
        stored = super().stored_values()
        self._overtake()
        return stored


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


LIMIT = 2
MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture
def chosen(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Return the counts of an environment with metrics of the values of tags, where SES counts no sends."""
    check = CountCheck((), CHECK.tags, 1_000, 0.01, LIMIT)
    monkeypatch.setenv(Variable.COUNT_CHECK, msgspec.json.encode(check).decode())
    return counts


def test_largest_values_have_metrics_and_link_tags_have_none(chosen: Counts):
    for number, value in enumerate(("small", "large", "larger")):
        chosen.send(1 + number, MIDNIGHT, value)
    chosen.choose(MIDNIGHT + HOUR)
    assert chosen.counters.published_values() == Published(MIDNIGHT.date(), {"campaign": ("larger", "large")})


def test_tag_has_no_more_values_with_metrics_on_a_day_than_the_environment_says(chosen: Counts, dynamodb: Any):
    """Each hour, larger values appear, and two runs choose at once, of which one is overtaken."""
    values_of_day: dict[str, set[str]] = {}
    for hours in range(20, 30):
        time = MIDNIGHT - 24 * HOUR + hours * HOUR
        chosen.send(10**hours, time, f"campaign-{hours}")

        def overtake(time: datetime = time) -> None:
            chosen.choose(time)
            values_of_day.setdefault(f"{time:%d}", set()).update(chosen.campaigns)
            for name in ("huge", "vast"):
                chosen.send(10**35, time, f"{name}-{time:%H}")

        chosen.choose(time, Overtaken(dynamodb, overtake))
        values_of_day[f"{time:%d}"].update(chosen.campaigns)
    yesterday, today = values_of_day.values()
    assert yesterday == {"campaign-20", "huge-20"}
    assert today == {"huge-20", "huge-21"}, "the largest of the day before"
    assert len(chosen.campaigns) == LIMIT


def test_run_that_is_late_leaves_the_values_of_the_new_day(chosen: Counts):
    chosen.send(9, MIDNIGHT - HOUR, "old")
    chosen.send(9, MIDNIGHT, "new")
    chosen.choose(MIDNIGHT)
    before = chosen.counters.stored_values()
    chosen.send(9, MIDNIGHT - 24 * HOUR, "late")
    chosen.choose(MIDNIGHT - HOUR)
    assert chosen.counters.stored_values() == before == Published(MIDNIGHT.date(), {"campaign": ("old", "new")})


def test_values_chosen_before_yesterday_have_no_metrics_any_more(chosen: Counts):
    chosen.send(9, MIDNIGHT - 48 * HOUR, "old")
    chosen.choose(MIDNIGHT - 47 * HOUR)
    assert chosen.campaigns == ("old",)
    assert chosen.counters.published_values() == Published()


def test_without_metrics_of_values_nothing_is_chosen(counts: Counts):
    counts.send(9, MIDNIGHT, "spring")
    counts.choose(MIDNIGHT)
    assert counts.counters.stored_values() == Published()


def test_part_that_fails_leaves_the_others_and_the_run_has_no_heartbeat(
    chosen: Counts, monkeypatch: pytest.MonkeyPatch
):
    check = CountCheck(CHECK.configuration_sets, CHECK.tags, 0, 0.01, LIMIT)
    monkeypatch.setenv(Variable.COUNT_CHECK, msgspec.json.encode(check).decode())
    three = MIDNIGHT + 3 * HOUR
    for time in (MIDNIGHT - HOUR, MIDNIGHT):
        chosen.send(9, time, "spring")
    chosen.cloudwatch = None
    monkeypatch.setattr(check_counts, "client", lambda name: None)
    with pytest.raises(AttributeError):
        chosen.choose(three)
    [document] = chosen.documents
    assert document.keys() - {"_aws", "Environment"} == {"tags_over_values"}
    assert chosen.campaigns == ("spring",)
