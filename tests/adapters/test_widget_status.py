"""Show the panels about the deployment itself over what AWS answers: status, failed records and costs."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from aftersend.aws.status import read_lines
from aftersend.contract import Variable
from aftersend.counting import CONFIGURATION_SET
from aftersend.dashboard.elements import Content, widget
from aftersend.dashboard.request import Functions, Request, parse_request
from aftersend.metrics.guard import NOTHING, GuardState
from lambdas import widget_cost, widget_failures, widget_status
from tests.adapters.conftest import BUCKET, SESSION
from tests.adapters.healthy import an_alarm, metrics, objects, queue_attributes, shop
from tests.adapters.reputation import ReputationShop, reputation_shop
from tests.adapters.test_operations_commands import QUEUES, SUBSCRIPTION

__all__ = ["reputation_shop"]

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
FUNCTIONS = Functions("arn:show", None)
RINGING = an_alarm(
    AlarmName="Aftersend-shop-Pipeline-CountingLate-1A2B",
    StateValue="ALARM",
    AlarmDescription="The counters are late. Severity: page. Read first: docs/operations.md#countinglate",
)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Variable.RUNBOOK_URL, "https://wiki.example/operations")
    costs = {"messages": [0, 1_000], "parts": {"DynamoDB": [3.1, 6.2]}, "basis": "prices: eu-west-1, 2026"}
    monkeypatch.setenv(Variable.COSTS, json.dumps(costs))


def request(now: datetime = NOW, **event: Any) -> Request:
    return parse_request(event, now, FUNCTIONS)


def html(content: Iterable[Content]) -> str:
    return widget(*content, is_dark=False)


def sentence(content: Iterable[Content]) -> str:
    first = next(iter(content))
    assert isinstance(first, Element)
    return "".join(first.itertext())


def status_of(changes: dict[str, Any], **event: Any) -> str:
    return html(widget_status.show(request(datetime.now(UTC), **event), shop(changes)))


def test_healthy_deployment_is_shown_with_what_is_fine():
    shown = status_of({})
    assert "Healthy. Events last arrived " in shown
    for text in ("has waited for 5 s", "news: bounce rate", "sent within a day and counted"):
        assert text in shown


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        (RINGING, ("CountingLate: The counters are late.", "now", "#countinglate")),
        ({"get_metric_data": metrics(IteratorAge=[2_000_000])}, ("Counting", "has waited for 33 min")),
        ({"get_queue_attributes": queue_attributes("ArchiveDeadLetterQueue")}, ("1 archive-dead-letter", "failures")),
        ({"list_objects_v2": objects("quarantine/events/1.jsonl")}, ("1 quarantined-line", "#quarantineobjects")),
    ],
)
def test_what_needs_attention_is_shown_with_what_to_do(changes: dict[str, Any], texts: tuple[str, ...]):
    shown = status_of(changes)
    assert "1 thing needs attention." in shown
    assert [text for text in texts if text not in shown] == []


def test_late_route_and_its_alarm_are_one_thing():
    shown = status_of(RINGING | {"get_metric_data": metrics(IteratorAge=[2_000_000])})
    assert "1 thing needs attention." in shown
    assert "CountingLate:" not in shown


def test_local_page_says_where_the_runbook_is():
    assert 'href="/runbook#countinglate"' in status_of(RINGING, widgetContext={"runbook": "/runbook"})


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, ("canary", "has not run within two hours, or the environment has none")),
        ({"canary_runs": [1], "canary_missing": [2, 1]}, ("canary", "2 of its events are missing")),
        ({"canary_runs": [1], "canary_failed": [1]}, ("canary", "SES did not accept its messages")),
        ({"canary_runs": [1]}, ("canary", "all of its events arrived")),
        ({"count_check_runs": [1]}, ("completeness", "every send is counted")),
        (
            {"count_check_runs": [1], "counts_missing_percent": [3]},
            ("completeness", "3 % of a configuration set's sends are not counted"),
        ),
        (
            {"count_check_runs": [1], "silent_sets": [1]},
            ("completeness", "configuration sets that send, and of which nothing is counted: 1"),
        ),
    ],
)
def test_last_results_of_hourly_checks_are_described(values: dict[str, Any], line: tuple[str, str]):
    lines = read_lines(shop({"get_metric_data": metrics(**values)}), datetime.now(UTC))
    assert line in {(each.name, each.text) for each in lines}
    assert not [each for each in lines if each.is_problem]


def test_paused_set_is_shown_with_the_command_that_resumes_it(reputation_shop: ReputationShop, dynamodb: Any):
    reputation_shop.states.replace("news", NOTHING, GuardState(paused_at=NOW, reason="too many bounces"))
    item = dynamodb.scan(TableName="counters")["Items"][0]
    lines = read_lines(shop({"get_item": {"Item": item}}), datetime.now(UTC))
    [paused] = [line for line in lines if line.name == "paused"]
    assert paused.text == "The guard paused news at 2026-11-24 10:30 UTC"
    assert paused.command == "aftersend resume news --env shop --reason REASON"


class Deployed:
    """A deployment whose services are moto's."""

    name = "shop"

    def __init__(self, s3: Any) -> None:
        self.sqs = SESSION.client("sqs")
        names = (*QUEUES, SUBSCRIPTION)
        self.outputs = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
        self.outputs["ArchiveBucketName"] = BUCKET
        self._clients = {"s3": s3, "sqs": self.sqs}

    def client(self, service: str) -> Any:
        return self._clients[service]

    def output(self, name: str) -> str:
        return self.outputs[name]


@pytest.fixture
def deployed(s3: Any) -> Any:
    return Deployed(s3)


def test_without_failed_records_nothing_is_received_from_queues(deployed: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(type(deployed.sqs), "receive_message")
    assert "No record has failed." in html(widget_failures.show(request(), deployed))


def test_failed_records_are_shown_by_reason_with_the_place(deployed: Any, s3: Any):
    deployed.sqs.send_message(QueueUrl=deployed.outputs["FeedbackDeadLetterQueueUrl"], MessageBody="no JSON")
    s3.put_object(Bucket=BUCKET, Key="quarantine/events/2026/1.jsonl", Body=b"damaged\n")
    content = [*widget_failures.show(request(datetime.now(UTC)), deployed)]
    assert sentence(content).startswith("2 records have failed.")
    shown = html(content)
    for text in ("FeedbackDeadLetterQueueUrl", f"s3://{BUCKET}/quarantine/", "not-json", "unknown-format"):
        assert text in shown
    assert 'href="https://wiki.example/operations#feedbackdeadletters"' in shown


def test_only_some_failed_records_are_opened(deployed: Any, s3: Any):
    for number in range(widget_failures.MAX_OPENED + 3):
        s3.put_object(Bucket=BUCKET, Key=f"quarantine/events/{number:02}.jsonl", Body=b"damaged\n")
        deployed.sqs.send_message(QueueUrl=deployed.outputs["ArchiveDeadLetterQueueUrl"], MessageBody="{}")
    assert sentence(widget_failures.show(request(), deployed)).startswith("26 records have failed.")


def counted(dynamodb: Any) -> Any:
    return SimpleNamespace(name="shop", client=lambda _: dynamodb, output=lambda _: "counters")


def test_costs_follow_from_the_messages_counted_since_the_month_began(reputation_shop: ReputationShop, dynamodb: Any):
    reputation_shop.count("news", datetime(2026, 11, 1, tzinfo=UTC), CONFIGURATION_SET, send=300, delivery=290)
    reputation_shop.count("receipts", NOW, CONFIGURATION_SET, send=200)
    reputation_shop.count("news", datetime(2026, 10, 31, 23, tzinfo=UTC), CONFIGURATION_SET, send=7)
    reputation_shop.count("spring", NOW, "campaign", send=9)
    now = datetime(2026, 11, 16, tzinfo=UTC) + timedelta(days=15) - timedelta(seconds=1)
    assert widget_cost.count_messages(counted(dynamodb), now) == 500
    shown = html(widget_cost.show(request(now), counted(dynamodb)))
    assert "(UTC), 500 sent, and" in shown
    assert "about $4.65 for the month at this rate" in shown
