import json
from typing import Any

import pytest
from aws_cdk.assertions import Template


@pytest.fixture(scope="session")
def graphs(templates: dict[str, Template]) -> dict[str, list[list[Any]]]:
    """Return the metrics of each graph by its title."""
    [dashboard] = templates["Dashboard"].find_resources("AWS::CloudWatch::Dashboard").values()
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "REFERENCE" for part in parts))
    return {widget["properties"]["title"]: widget["properties"]["metrics"] for widget in body["widgets"]}


def test_dashboard_shows_events_by_kind_for_each_configuration_set(graphs: dict[str, list[list[Any]]]):
    shown = {(metric[1], metric[3]) for metric in graphs["Sent and delivered"]}
    assert {("send", "newsletter"), ("send", "receipts"), ("delivery", "newsletter"), ("reject", "receipts")} <= shown


def test_dashboard_shows_bounces_and_complaints(graphs: dict[str, list[list[Any]]]):
    dimensions = ["ConfigurationSet", "newsletter", "Environment", "prod"]
    assert graphs["Bounces"][0][:6] == ["Aftersend", "hard_bounce", *dimensions]
    assert "complaint" in {metric[1] for metric in graphs["Complaints"]}


def test_dashboard_shows_waiting_messages_and_dead_letters(graphs: dict[str, list[list[Any]]]):
    for title, name in (
        ("Age of the oldest message waiting, seconds", "ApproximateAgeOfOldestMessage"),
        ("Messages in the dead-letter queues", "ApproximateNumberOfMessagesVisible"),
    ):
        shown = {(metric[1], metric[4]["label"]) for metric in graphs[title]}
        assert shown == {(name, "Feedback"), (name, "Archive")}
