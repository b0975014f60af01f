"""Create the CloudWatch dashboard: sent mail, bounces, complaints, waiting messages and dead letters."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import METRICS_DIMENSIONS, METRICS_NAMESPACE
from aftersend.dashboard.layout import PANELS, Panel
from stacks.console import console_url
from stacks.outputs import add_outputs
from stacks.pipeline import Pipeline
from stacks.state import State
from stacks.widgets import Widgets

EVENT_GRAPHS = (
    {
        "Sent and delivered": ("send", "delivery", "delivery_delay", "reject", "rendering_failure"),
        "Opened and clicked": ("open", "click", "unique_opens", "unique_clicks"),
    },
    {
        "Bounces": ("hard_bounce", "soft_bounce", "sender_refused", "suppression_list_echo"),
        "Complaints": ("complaint", "not_spam"),
    },
)
"""Rows of graphs: the title and the measures of each."""


class DashboardStack(cdk.Stack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        state: State,
        pipeline: Pipeline,
        **stack: Any,
    ) -> None:
        super().__init__(scope, id, description="Aftersend: the dashboard", **stack)
        board = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.hours(12))
        widgets = Widgets(self, "Widgets", environment=environment, state=state, policies=pipeline.policies)
        board.add_widgets(*(_custom(panel, widgets.show.function_arn) for panel in PANELS))
        for row in EVENT_GRAPHS:
            board.add_widgets(*(_graph(title, _sums(environment, *measures)) for title, measures in row.items()))
        queues = {"Feedback": pipeline.feedback.queues, "Archive": pipeline.archive.queues}
        board.add_widgets(
            _graph(
                "Age of the oldest message waiting, seconds",
                [each.queue.metric_approximate_age_of_oldest_message(label=name) for name, each in queues.items()],
            ),
            _graph(
                "Messages in the dead-letter queues",
                [
                    each.dead_letter_queue.metric_approximate_number_of_messages_visible(label=name)
                    for name, each in queues.items()
                ],
            ),
        )
        page = f"cloudwatch/home?region={self.region}#dashboards:name={board.dashboard_name}"
        add_outputs(self, DashboardUrl=console_url(self, page), DashboardName=board.dashboard_name)


def _sums(environment: Environment, *measures: str) -> list[cloudwatch.IMetric]:
    """Return the sum of each measure a minute, for each configuration set."""
    return [
        cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name=measure,
            dimensions_map=dict(zip(METRICS_DIMENSIONS, (environment.name, name), strict=True)),
            label=f"{name} {measure.replace('_', ' ')}",
            statistic="Sum",
            period=cdk.Duration.minutes(1),
        )
        for name in environment.configuration_sets
        for measure in measures
    ]


def _custom(panel: Panel, function_arn: str) -> cloudwatch.CustomWidget:
    return cloudwatch.CustomWidget(
        title=panel.title,
        function_arn=function_arn,
        params={"panel": panel.name},
        width=panel.width,
        height=panel.height,
        update_on_time_range_change=True,
    )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=12, left_y_axis=cloudwatch.YAxisProps(min=0))
