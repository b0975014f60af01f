"""Hold the dashboard to its sections, and to what CloudWatch draws."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from msgspec.structs import replace

from aftersend.config.cost_table import cost_table
from aftersend.config.environment import ConfigurationSet
from aftersend.config.loader import load
from aftersend.contract import RUNBOOK, Variable
from aftersend.dashboard.layout import PANELS
from stacks.dashboard import DashboardStack
from stacks.dashboard_graphs import MAX_SETS
from stacks.function import to_json
from stacks.pipeline import Pipeline
from stacks.state import State
from tests.stacks.conftest import CONTEXT

Widgets = list[dict[str, Any]]

METRICS_PER_WIDGET, METRICS_PER_DASHBOARD, WIDGETS_PER_DASHBOARD = 500, 2_500, 500
"""What CloudWatch accepts ("CloudWatch quotas")."""


def widgets_of(template: Template) -> Widgets:
    """Return the widgets as CloudWatch gets them, with REFERENCE for what is known at deployment."""
    [dashboard] = template.find_resources("AWS::CloudWatch::Dashboard").values()
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else "REFERENCE" for part in parts))["widgets"]


def graphs_of(widgets: Widgets) -> dict[str, dict[str, Any]]:
    """Return the properties of each graph by its title."""
    return {each["properties"]["title"]: each["properties"] for each in widgets if each["type"] == "metric"}


@pytest.fixture(scope="session")
def widgets(templates: dict[str, Template]) -> Widgets:
    return widgets_of(templates["Dashboard"])


@pytest.fixture(scope="session")
def graphs(widgets: Widgets) -> dict[str, dict[str, Any]]:
    return graphs_of(widgets)


def test_status_comes_first_and_every_panel_is_shown_once(widgets: Widgets):
    shown = [each["properties"]["params"]["panel"] for each in widgets if each["type"] == "custom"]
    assert shown[0] == "status"
    assert sorted(shown) == sorted(panel.name for panel in PANELS)


def test_every_section_has_a_line_about_its_meaning(widgets: Widgets):
    texts = [each["properties"]["markdown"] for each in widgets if each["type"] == "text"]
    assert [text.split("\n")[0] for text in texts] == [
        "## Rates",
        "## Mail",
        "## Recipients",
        "## Pipeline",
        "## Cost",
    ]
    assert all(text.endswith(".") for text in texts)


def test_sections_link_the_runbook_where_it_is_published(full_templates: dict[str, Template]):
    texts = [each["properties"] for each in widgets_of(full_templates["Dashboard"]) if each["type"] == "text"]
    assert all("[Runbook](https://runbooks.example/b#dashboard)" in text["markdown"] for text in texts)


def test_graphs_show_events_by_kind_for_each_configuration_set(graphs: dict[str, dict[str, Any]]):
    shown = {(metric[1], metric[3]) for metric in graphs["Sent and delivered"]["metrics"]}
    assert {("send", "newsletter"), ("send", "receipts"), ("delivery", "newsletter"), ("reject", "receipts")} <= shown
    dimensions = ["ConfigurationSet", "newsletter", "Environment", "prod"]
    assert graphs["Bounces"]["metrics"][0][:6] == ["Aftersend", "hard_bounce", *dimensions]


def test_rates_have_the_thresholds_of_the_environment(full_templates: dict[str, Template]):
    graph = graphs_of(widgets_of(full_templates["Dashboard"]))["Bounce rate of 24 hours, %"]
    assert {mark["label"]: mark["value"] for mark in graph["annotations"]["horizontal"]} == {
        "warning": 4,
        "critical": 8.5,
    }
    assert {metric[1] for metric in graph["metrics"]} == {"bounce_rate"}


def test_values_of_tags_are_found_by_a_search_where_they_have_metrics(
    graphs: dict[str, dict[str, Any]], full_templates: dict[str, Template]
):
    [[search]] = graphs_of(widgets_of(full_templates["Dashboard"]))["Hard bounces an hour, by genre"]["metrics"]
    terms = 'Environment="change" Tag="genre" MetricName="hard_bounce"'
    assert search["expression"] == f"SEARCH('{{Aftersend,Environment,Tag,Value}} {terms}', 'Sum')"
    assert not [title for title in graphs if "by campaign" in title]


def test_pipeline_shows_what_waits_failed_and_ran(graphs: dict[str, dict[str, Any]]):
    def labels(title: str) -> set[str]:
        return {metric[-1]["label"] for metric in graphs[title]["metrics"]}

    assert labels("Age of the oldest record, seconds") == {"feedback queue", "archive queue", "Firehose"}
    assert labels("Age of the oldest change, milliseconds") == {"counting", "list events"}
    assert {"feedback", "feedback subscription", "archive", "quarantine objects"} <= labels(
        "Dead letters and stored failures"
    )
    assert {"canary runs", "rates runs", "sweep runs"} <= labels("Runs of scheduled functions an hour")


def test_environment_without_configuration_sets_has_no_graphs_of_them(bare_templates: dict[str, Template]):
    graphs = graphs_of(widgets_of(bare_templates["Dashboard"]))
    assert all(title.startswith(("Age", "Dead", "Runs")) for title in graphs)
    beats = {metric[-1]["label"] for metric in graphs["Runs of scheduled functions an hour"]["metrics"]}
    assert not beats & {"rates runs", "canary runs", "count check runs"}


def test_dashboard_stays_within_the_limits_of_cloudwatch_with_many_configuration_sets(output: Path):
    prod = load("prod")
    sets = {f"set-{number}": ConfigurationSet() for number in range(2 * MAX_SETS)}
    environment = replace(prod, configuration_sets=prod.configuration_sets | sets)
    app = cdk.App(context=CONTEXT, outdir=str(output))  # without Publishing, which takes longest with many sets
    target = cdk.Environment(account=prod.account, region=prod.region)
    state = State(app, "State", environment=environment, env=target)
    pipeline = Pipeline(app, "Pipeline", environment=environment, state=state, env=target)
    dashboard = DashboardStack(app, "Board", environment=environment, state=state, pipeline=pipeline, env=target)
    widgets = widgets_of(Template.from_stack(dashboard))
    sizes = [len(each["properties"].get("metrics", ())) for each in widgets]
    assert len(widgets) <= WIDGETS_PER_DASHBOARD
    assert max(sizes) <= METRICS_PER_WIDGET
    assert sum(sizes) <= METRICS_PER_DASHBOARD


def test_function_knows_the_runbook_and_the_costs_of_the_environment(templates: dict[str, Template]):
    [function] = [
        each["Properties"]
        for each in templates["Dashboard"].find_resources("AWS::Lambda::Function").values()
        if each["Properties"]["Handler"] == "lambdas.show_widgets.handler"
    ]
    variables = function["Environment"]["Variables"]
    assert variables[Variable.RUNBOOK_URL] == RUNBOOK
    assert variables[Variable.COSTS] == to_json(cost_table(load("prod")))
