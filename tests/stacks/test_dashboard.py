import json
from typing import Any

import pytest
from aws_cdk.assertions import Template


@pytest.fixture(scope="session")
def widgets(templates: dict[str, Template]) -> dict[str, list[list[Any]]]:
    """The metrics of each graph, by its title."""
    [(_, dashboard)] = templates["Dashboard"].find_resources("AWS::CloudWatch::Dashboard").items()
    body = dashboard["Properties"]["DashboardBody"]
    text = "".join(part if isinstance(part, str) else "REFERENCE" for part in body["Fn::Join"][1])
    return {found["properties"]["title"]: found["properties"]["metrics"] for found in json.loads(text)["widgets"]}


def test_events_are_shown_by_kind_for_each_configuration_set(widgets: dict[str, list[list[Any]]]):
    shown = {(metric[1], metric[3]) for metric in widgets["Sent and delivered"]}
    assert {("send", "newsletter"), ("send", "receipts"), ("delivery", "newsletter"), ("reject", "receipts")} <= shown


def test_bounces_and_complaints_are_shown(widgets: dict[str, list[list[Any]]]):
    dimensions = ["ConfigurationSet", "newsletter", "Environment", "prod"]
    assert widgets["Bounces"][0][:6] == ["Aftersend", "hard_bounce", *dimensions]
    assert "complaint" in {metric[1] for metric in widgets["Complaints"]}


def test_what_waits_and_what_was_kept_aside_is_shown(widgets: dict[str, list[list[Any]]]):
    for title, metric in (
        ("Age of the oldest message waiting, seconds", "ApproximateAgeOfOldestMessage"),
        ("Messages kept aside in the dead-letter queues", "ApproximateNumberOfMessagesVisible"),
    ):
        assert {(found[1], found[4]["label"]) for found in widgets[title]} == {
            (metric, "Feedback"),
            (metric, "Archive"),
        }
