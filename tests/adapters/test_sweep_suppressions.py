"""Test sweep_suppressions over tables in moto."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from aftersend.aws.counters_table import CountersTable
from aftersend.aws.list_sizes import ListSizes
from aftersend.aws.serialization import serialize
from aftersend.aws.suppression_reader import FORGOTTEN
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import PARTITION_KEY, SORT_KEY, Variable
from aftersend.counting import CONFIGURATION_SET, FROM_DOMAIN, START, Row
from aftersend.suppression import Entry
from aftersend.suppression.list_size import GROWTH_DAYS, LARGE_LIST_ENTRIES, ListSize
from lambdas import sweep_suppressions
from lambdas.dependencies import logger
from tests.adapters.account_list import context_with

NOW = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
LASTING = {"reason": "bounce", "rule": "hard-bounce", "since": NOW - timedelta(days=9)}
TEMPORARY = {**LASTING, "until": NOW + timedelta(days=1)}
ENDED = {**LASTING, "until": NOW}


class FakeRecorder:
    """Collects who is decided about, and fails for some."""

    def __init__(self, *failing: str) -> None:
        self.updated: list[str] = []
        self._failing = failing

    def for_one_invocation(self) -> "FakeRecorder":
        return self

    def update_suppression(self, recipient: str) -> bool:
        if recipient in self._failing:
            raise ValueError(f"{recipient} cannot be decided about")
        self.updated.append(recipient)
        return True


class Environment:
    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.suppressions, self.counters = (
            SuppressionsTable(dynamodb, "suppressions"),
            CountersTable(dynamodb, "counters"),
        )
        self.sizes = ListSizes(dynamodb, "counters")
        self.documents: list[dict[str, Any]] = []

    def add(self, name: str, **attributes: Any) -> None:
        self.suppressions.replace(None, Entry(recipient=f"{name}@mail.example", **attributes))

    def send(self, number: int, hour: datetime, tag: str = CONFIGURATION_SET) -> None:
        self.count({"send": number}, hour, tag)

    def count(self, measures: dict[str, int], hour: datetime, tag: str = CONFIGURATION_SET) -> None:
        counts = Counter({(Row(tag, "newsletter", hour), measure): count for measure, count in measures.items()})
        self.counters.commit(f"shard-{hour}-{tag}-{'-'.join(measures)}", None, START, counts)

    def sweep(self, recorder: FakeRecorder | None = None, context: Any = None, **given: Any) -> dict[str, int]:
        """Return the counts that are not 0, without the heartbeat."""
        given = {"now": NOW} | given
        counts = sweep_suppressions.handler(
            context=context,
            suppressions=self.suppressions,
            recorder=recorder or FakeRecorder(),  # ty: ignore[invalid-argument-type]
            counters=self.counters,
            sizes=self.sizes,
            emit_metric=self.documents.append,
            **given,
        )
        assert counts.pop("sweep_runs") == 1
        return {name: count for name, count in counts.items() if count}


@pytest.fixture
def environment(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv(Variable.ENVIRONMENT, "test")
    return Environment(dynamodb)


def test_only_recipients_of_temporary_entries_are_decided_about_again(environment: Environment):
    environment.add("lasting", **LASTING)
    environment.add("temporary", **TEMPORARY)
    environment.add("ended", **ENDED)
    environment.add("lifted", **ENDED, lifted_by="ended")
    recorder = FakeRecorder()
    assert environment.sweep(recorder) == {"suppressions_in_force": 2, "suppressions_ended": 1}
    assert sorted(recorder.updated) == ["ended@mail.example", "temporary@mail.example"]


def test_entries_of_every_scope_are_swept(environment: Environment):
    environment.add("reader", scope="stream#newsletter", **ENDED)
    recorder = FakeRecorder()
    environment.sweep(recorder)
    assert recorder.updated == ["reader@mail.example"]


def test_recipient_that_fails_stops_no_other_and_is_not_logged(environment: Environment, monkeypatch: Any):
    logged: list[Any] = []
    monkeypatch.setattr(logger, "error", lambda message, **details: logged.append((message, details)))
    for name in "abc":
        environment.add(name, **ENDED)
    recorder = FakeRecorder("b@mail.example")
    assert environment.sweep(recorder) == {"suppressions_ended": 2, "sweep_failed": 1}
    assert sorted(recorder.updated) == ["a@mail.example", "c@mail.example"]
    assert logged == [("A recipient could not be decided about.", {"extra": {"reason": "ValueError"}})]


def test_item_that_is_no_entry_is_counted_as_failed_and_stops_no_other(environment: Environment):
    environment.add("reader", **ENDED)
    item = serialize({PARTITION_KEY: "other", SORT_KEY: "*", "until": "tomorrow"})
    newer = serialize(
        {PARTITION_KEY: "newer", SORT_KEY: "*", "recipient": "newer", "schema": 2, "reason": "", "rule": ""}
    )
    for each in (item, newer):
        environment.dynamodb.put_item(TableName="suppressions", Item=each)
    assert environment.sweep() == {"suppressions_ended": 1, "sweep_failed": 2}


def test_size_of_the_list_is_stored(environment: Environment):
    assert environment.sizes.get() is None
    environment.add("lasting", **LASTING)
    environment.add("temporary", **TEMPORARY, scope="stream#newsletter")
    environment.add("ended", **ENDED)
    environment.add("old", reason="complaint", rule="complaint", since=NOW - timedelta(days=GROWTH_DAYS))
    environment.add("unknown", reason="bounce", rule="account-list-bounce")
    environment.sweep()
    size = environment.sizes.get()
    assert size
    assert (size.counted_at, size.in_force) == (NOW, 4)
    assert size.by_rule == {"hard-bounce": 2, "complaint": 1, "account-list-bounce": 1}
    assert size.by_scope == {"*": 3, "stream#newsletter": 1}
    assert size.growth == {(NOW - timedelta(days=9)).date(): {"hard-bounce": 3}}


def test_size_of_the_list_is_no_counter(environment: Environment):
    environment.sweep()
    assert list(environment.counters.rows()) == []


def test_hour_without_a_sweep_keeps_the_size(environment: Environment):
    environment.sweep()
    environment.add("reader", **LASTING)
    environment.sweep(now=NOW.replace(hour=13), event={"source": "aws.events"})
    size = environment.sizes.get()
    assert size
    assert size.in_force == 0


def test_forgotten_recipients_are_not_swept(environment: Environment):
    item = serialize({PARTITION_KEY: FORGOTTEN, SORT_KEY: "1:digest"})
    environment.dynamodb.put_item(TableName="suppressions", Item=item)
    assert environment.sweep() == {}


def test_run_that_is_out_of_time_still_counts_every_entry(environment: Environment):
    for name in "abc":
        environment.add(name, **TEMPORARY)
    recorder = FakeRecorder()
    context = context_with(400_000, 400_000, 300_000)  # two questions for the first entry
    assert environment.sweep(recorder, context) == {"suppressions_in_force": 3}
    assert len(recorder.updated) == 1


def test_list_that_is_too_large_for_a_run_is_reported_and_its_size_is_not_stored(environment: Environment):
    for name in "abc":
        environment.add(name, **LASTING)
    assert environment.sweep(context=context_with(400_000, 20_000)) == {"suppressions_in_force": 1, "sweep_failed": 1}
    assert environment.sizes.get() is None


def test_scheduled_run_belongs_to_the_hour_of_the_schedule_however_late_it_begins(environment: Environment):
    environment.add("reader", **ENDED)
    counts = environment.sweep(now=None, event={"source": "aws.events", "time": "2026-03-14T18:59:00Z"})
    assert "suppressions_ended" in counts
    assert environment.sweep(now=None, event={"source": "aws.events", "time": "2026-03-14T19:59:00Z"}) == {}


def test_runs_begin_with_different_recipients_so_that_no_one_is_always_left_out(environment: Environment):
    for number in range(20):
        environment.add(f"reader-{number}", **TEMPORARY)
    first = set()
    for seed in range(4):
        recorder = FakeRecorder()
        environment.sweep(recorder, rng=Random(seed))
        first.add(recorder.updated[0])
        assert len(recorder.updated) == 20
    assert len(first) > 1


def test_share_of_mail_that_suppressed_its_recipients_is_measured(environment: Environment):
    hour = NOW.replace(minute=0)
    environment.send(100, hour)
    environment.send(200, hour - timedelta(hours=1))
    environment.send(1_000, hour - timedelta(hours=2))
    environment.send(1_000, hour, FROM_DOMAIN)
    environment.count({"hard_bounce": 50, "complaint": 10, "soft_bounce": 900, "simulated_hard_bounce": 900}, hour)
    assert environment.sweep() == {"mass_suppression_percent": 20}


@pytest.mark.parametrize(("hour", "is_swept"), [(12, True), (13, False), (17, False), (18, True)])
def test_schedule_sweeps_every_sixth_hour(environment: Environment, hour: int, is_swept: bool):
    environment.add("reader", **ENDED)
    counts = environment.sweep(now=NOW.replace(hour=hour), event={"source": "aws.events"})
    assert ("suppressions_ended" in counts) == is_swept


@pytest.mark.parametrize(("hour", "is_swept"), [(0, True), (6, False), (18, False)])
def test_schedule_sweeps_a_large_list_once_a_day(environment: Environment, hour: int, is_swept: bool):
    environment.add("reader", **ENDED)
    environment.sizes.put(ListSize(NOW, {"complaint": LARGE_LIST_ENTRIES}))
    counts = environment.sweep(now=NOW.replace(day=15, hour=hour), event={"source": "aws.events"})
    assert ("suppressions_ended" in counts) == is_swept


def test_sweep_without_problems_emits_only_its_heartbeat(environment: Environment):
    environment.sweep()
    [document] = environment.documents
    [directive] = document["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in directive["Metrics"]} == {"sweep_runs"}
    assert directive["Dimensions"] == [["Environment"]]
    assert document["Environment"] == "test"
