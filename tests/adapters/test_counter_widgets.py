"""Show the panels about counters as CloudWatch asks for them."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from xml.etree.ElementTree import Element

import botocore.session
import msgspec
import pytest

from aftersend.aws.deployment import Deployment
from aftersend.aws.feedback_indexes import FeedbackIndexes
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.query_parser import parse_queries_faster
from aftersend.contract import Variable
from aftersend.counting import PROVIDER, Counted
from aftersend.dashboard.request import Functions, Request, parse_request
from aftersend.events import Kind
from aftersend.metrics.guard import NOTHING, GuardState
from aftersend.metrics.reputation import Reputation
from aftersend.operations.parallel import in_parallel
from aftersend.retention import Retention
from aftersend.suppression import Policy
from lambdas import show_widgets, widget_campaign, widget_rates, widget_tags
from tests.adapters.conftest import SESSION
from tests.adapters.reputation import HOUR, NOW, ReputationShop, reputation_shop
from tests.counter_widgets import SHOW, TRACKED, rendered, rows, shown
from tests.event_factory import a_bounce, a_complaint, an_event

__all__ = ["reputation_shop"]

DAY, ONE_HOUR = timedelta(days=1), timedelta(hours=1)
SETTINGS = {
    Variable.COUNTED: Counted(tags=("campaign",), link_tags=("position",)),
    Variable.RETENTION: Retention(),
    Variable.REPUTATION: Reputation(),
    Variable.POLICY: Policy(),
}
Show = Callable[..., Element]


@pytest.fixture
def session(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the function's session, unless the tables are not in moto."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return SESSION if SESSION.model else show_widgets.FunctionSession()


@pytest.fixture
def deployment(session: Any, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """Return a deployment with tables, whose functions have the settings above."""
    monkeypatch.setenv(Variable.TRACKED, json.dumps(TRACKED))
    variables = {name: msgspec.json.encode(value).decode() for name, value in SETTINGS.items()}
    functions = SimpleNamespace(get_function_configuration=lambda **_: {"Environment": {"Variables": variables}})
    deployment = Deployment("shop", session)
    connect = deployment.client
    deployment.client = lambda service: functions if service == "lambda" else connect(service)  # ty: ignore[invalid-assignment]
    deployment.outputs = {
        "CountersTableName": "counters",
        "LedgerTableName": "ledger",
        "ConfigurationSets": "newsletter, receipts",
        **{f"{name}FunctionName": name for name in ("CountTags", "WatchRates", "RecordFeedback")},
    }
    return deployment


@pytest.fixture
def show(deployment: Deployment) -> Show:
    def show(module: Any, **given: Any) -> Element:
        return rendered(module.show(request(**given), deployment))

    return show


def request(*, days: float = 1, entered: Mapping[str, str] | None = None, **parameters: str) -> Request:
    times = {"start": (NOW - days * DAY).timestamp() * 1_000, "end": NOW.timestamp() * 1_000}
    event = {**parameters, "widgetContext": {"timeRange": times, "forms": {"all": entered or {}}}}
    return parse_request(event, NOW, Functions(SHOW, None))


def test_every_panel_here_is_registered():
    assert (
        show_widgets.PANELS.items()
        >= {
            "rates": widget_rates.show,
            "tags": widget_tags.show,
            "campaign": widget_campaign.show,
        }.items()
    )


def test_table_of_a_tag_compares_two_periods(reputation_shop: ReputationShop, show: Show):
    reputation_shop.count("spring", HOUR, "campaign", send=2_000, delivery=1_700, hard_bounce=300)
    reputation_shop.count("spring", HOUR - 30 * ONE_HOUR, "campaign", send=1_000)
    reputation_shop.count("spring", HOUR - 60 * ONE_HOUR, "campaign", send=7_777)
    [row] = rows(show(widget_tags))
    assert row[:3] == ["spring", "critical", "2,000 +100 %"]


def test_tag_order_and_search_are_taken_from_the_form(reputation_shop: ReputationShop, show: Show):
    for number in range(3):
        reputation_shop.count(f"top-{number}", HOUR, "link:position", click=number + 1)
    reputation_shop.count("footer", HOUR, "link:position", click=9)
    table = rows(show(widget_tags, tag="link:position", search="TOP", sort="name", all="1"))
    assert [row[0] for row in table] == ["top-0", "top-1", "top-2"]


def test_unknown_tag_and_order_are_as_if_none_was_chosen(reputation_shop: ReputationShop, show: Show):
    reputation_shop.count("spring", HOUR, "campaign", send=2)
    assert "Values of campaign, worst first" in shown(show(widget_tags, tag="campain", sort="best"))


def test_campaign_is_the_worst_one_until_another_is_chosen(reputation_shop: ReputationShop, show: Show):
    reputation_shop.count("large", HOUR, "campaign", send=9_000, delivery=9_000)
    reputation_shop.count("bad", HOUR, "campaign", send=2_000, delivery=1_700, hard_bounce=300)
    text = shown(show(widget_campaign))
    assert "large (9,000 sent)" in text
    assert "Critical: bad: bounce rate 15.0 %" in text
    assert "large: bounce rate" in shown(show(widget_campaign, tag="campaign", value="large"))


def test_campaign_has_its_counters_and_its_feedback_alone(reputation_shop: ReputationShop, dynamodb: Any, show: Show):
    for value, bounces in (("spring", 300), ("autumn", 1)):
        reputation_shop.count(value, HOUR, "campaign", send=2_000, delivery=1_700, hard_bounce=bounces)
    LedgerTable(dynamodb, "ledger", Retention()).record(
        a_bounce(message=f"message-{value}", recipient=f"{value}@mail.example", sent_at=NOW, tags={"campaign": [value]})
        for value in ("spring", "autumn")
    )
    panel = show(widget_campaign, tag="campaign", value="spring")
    assert "Critical: spring: bounce rate 15.0 % (300 of 2,000" in shown(panel)
    assert [row[0] for row in rows(panel)] == ["Hard bounce", "spring@mail.example"]


def test_provider_is_shown_without_feedback(reputation_shop: ReputationShop, show: Show):
    reputation_shop.count("gmail", HOUR, PROVIDER, send=2_000, hard_bounce=300)
    reputation_shop.count("yahoo", HOUR, PROVIDER, send=1)
    panel = show(widget_campaign, tag=PROVIDER, value="gmail")
    assert "Critical: gmail: bounce rate 15.0 %" in shown(panel)


@pytest.mark.parametrize("tag", ["campaign", "", "link:position"])
def test_without_a_value_the_largest_can_be_chosen(reputation_shop: ReputationShop, show: Show, tag: str):
    reputation_shop.count("small", HOUR, "campaign", send=2)
    reputation_shop.count("large", HOUR, "campaign", send=3)
    panel = show(widget_campaign, tag=tag, value="top" if tag == "link:position" else "")
    assert [each.text for each in panel.iter("option")] == ["large (3 sent)", "small (2 sent)"]


def test_another_tag_is_chosen_without_the_value_in_the_form(reputation_shop: ReputationShop, show: Show):
    reputation_shop.count("spring", HOUR, "campaign", send=3)
    reputation_shop.count("gmail", HOUR, PROVIDER, send=2)
    chosen = [json.loads(each.text or "") for each in show(widget_campaign).iter("cwdb-action")]
    [other] = [parameters for parameters in chosen if parameters.get("tag") == PROVIDER]
    assert "gmail (2 sent)" in shown(show(widget_campaign, entered={"value": "spring"}, **other))


def test_rates_are_those_of_each_set_and_provider_with_the_state_of_the_guard(
    reputation_shop: ReputationShop, show: Show
):
    reputation_shop.count("receipts", HOUR, send=2_000, hard_bounce=300)
    reputation_shop.count("gmail", HOUR, PROVIDER, send=2_000, hard_bounce=110)
    reputation_shop.states.replace("receipts", NOTHING, GuardState(paused_at=NOW, reason="too many"))
    assert [(row[0], row[1]) for row in rows(show(widget_rates))] == [
        ("receipts", "critical"),
        ("newsletter", "too few"),
        ("gmail", "warning"),
    ]
    assert "aftersend resume receipts --env shop" in shown(show(widget_rates))


def test_environment_without_configuration_sets_says_so(show: Show, deployment: Deployment):
    deployment.outputs.pop("ConfigurationSets")
    assert "no configuration set" in shown(show(widget_rates))


def test_month_takes_few_queries(show: Show, monkeypatch: pytest.MonkeyPatch):
    answer = mock.Mock(wraps=SESSION.answer)
    monkeypatch.setattr(SESSION, "answer", answer)
    show(widget_campaign, days=30, tag="campaign", value="spring")
    assert [call.args[0] for call in answer.mock_calls] == ["Query"] * 8 * 32


# The newest feedback


@pytest.fixture
def indexes(dynamodb: Any) -> FeedbackIndexes:
    return FeedbackIndexes(dynamodb, "ledger")


@pytest.mark.parametrize("each", [map, in_parallel])
def test_newest_feedback_of_a_tag_is_found_among_that_of_others(dynamodb: Any, indexes: FeedbackIndexes, each: Any):
    times = [HOUR - timedelta(minutes=2 * number) for number in range(30)]
    LedgerTable(dynamodb, "ledger", Retention()).record(
        a_bounce(message=f"{value}-{number:02}", sent_at=time, tags={"campaign": [value]})
        for value in ("spring", "autumn")
        for number, time in enumerate(times)
    )
    tag, since = ("campaign", "spring"), HOUR - 2 * ONE_HOUR
    events, is_complete = indexes.newest(tag, since, NOW, 20, each=each)
    assert [event.message_id for event in events] == [f"spring-{number:02}" for number in range(20)]
    assert not is_complete
    events, is_complete = indexes.newest(tag, since, NOW, 30, each=each)
    assert (len(events), is_complete) == (30, True)
    assert indexes.newest(tag, times[10], times[10], 30, each=each) == ([], True)


def test_campaign_lists_feedback_of_several_days_up_to_twenty(
    reputation_shop: ReputationShop, dynamodb: Any, show: Show
):
    hours = [HOUR - number * 12 * ONE_HOUR for number in range(12)]
    ledger = LedgerTable(dynamodb, "ledger", Retention())
    for number, hour in enumerate(hours):
        reputation_shop.count("spring", hour, "campaign", send=100, hard_bounce=2, complaint=1)
        given: dict[str, Any] = {"message": f"message-{number}", "sent_at": hour, "tags": {"campaign": ["spring"]}}
        ledger.record([a_bounce(**given), a_complaint(**given), an_event(Kind.SUBSCRIPTION, contact_list="x", **given)])
    panel = show(widget_campaign, days=7, tag="campaign", value="spring")
    people = [row for row in rows(panel) if len(row) == 5]
    assert len(people) == 20
    assert [row[1] for row in people] == sorted((row[1] for row in people), reverse=True)
    assert "There may be more." in shown(panel)


# Parsing of queries


@pytest.mark.usefixtures("moto_dynamodb")
def test_fast_parser_returns_what_botocore_does(dynamodb: Any, reputation_shop: ReputationShop):
    reputation_shop.count("spring", HOUR, "campaign", send=2, click=3)
    query = {
        "TableName": "counters",
        "KeyConditionExpression": "partition_key = :key",
        "ExpressionAttributeValues": {":key": {"S": "campaign#2026-03-14#0"}},
    }
    clients = []
    for prepare in (lambda _: None, parse_queries_faster):
        session = botocore.session.get_session()
        prepare(session)
        clients.append(session.create_client("dynamodb", region_name="us-east-1"))
    for suffix in range(8):
        query["ExpressionAttributeValues"] = {":key": {"S": f"campaign#2026-03-14#{suffix}"}}
        slow, fast = (client.query(**query) for client in clients)
        assert {name: fast[name] for name in ("Items", "Count", "ScannedCount")} == {
            name: slow[name] for name in ("Items", "Count", "ScannedCount")
        }
        assert fast["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.usefixtures("moto_dynamodb")
def test_fast_parser_leaves_errors_to_botocore(dynamodb: Any):
    session = botocore.session.get_session()
    parse_queries_faster(session)
    client = session.create_client("dynamodb", region_name="us-east-1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.query(TableName="none", KeyConditionExpression="a = :a", ExpressionAttributeValues={":a": {"S": "a"}})
    assert client.list_tables()["TableNames"]
