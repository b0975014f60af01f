"""The first look at three in the morning: what happens, what bounces, what waits and what was kept aside."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import METRICS_DIMENSIONS, METRICS_NAMESPACE
from stacks.pipeline import Pipeline

MINUTE = cdk.Duration.minutes(1)


class Dashboard(cdk.Stack):
    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, pipeline: Pipeline, **stack: Any
    ) -> None:
        super().__init__(scope, id, description="Aftersend: the dashboard", **stack)
        queues = {"Feedback": pipeline.feedback.queue, "Archive": pipeline.archive.queue}

        def totals(*measures: str) -> list[cloudwatch.IMetric]:
            return [
                cloudwatch.Metric(
                    namespace=METRICS_NAMESPACE,
                    metric_name=measure,
                    dimensions_map=dict(zip(METRICS_DIMENSIONS, (environment.name, name), strict=True)),
                    label=f"{name} {measure.replace('_', ' ')}",
                    statistic="Sum",
                    period=MINUTE,
                )
                for name in environment.configuration_sets
                for measure in measures
            ]

        board = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.hours(12))
        address = f"https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}#dashboards:name="
        cdk.CfnOutput(self, "DashboardUrl", value=f"{address}{board.dashboard_name}")
        board.add_widgets(
            _graph("Sent and delivered", totals("send", "delivery", "delivery_delay", "reject", "rendering_failure")),
            _graph("Opened and clicked", totals("open", "click", "unique_opens", "unique_clicks")),
        )
        board.add_widgets(
            _graph("Bounces", totals("hard_bounce", "soft_bounce", "sender_refused", "suppression_list_echo")),
            _graph("Complaints", totals("complaint", "not_spam")),
        )
        board.add_widgets(
            _graph(
                "Age of the oldest message waiting, seconds",
                [queue.metric_approximate_age_of_oldest_message(label=name) for name, queue in queues.items()],
            ),
            _graph(
                "Messages kept aside in the dead-letter queues",
                [
                    queue.dead_letters.metric_approximate_number_of_messages_visible(label=name)
                    for name, queue in queues.items()
                ],
            ),
        )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=12, left_y_axis=cloudwatch.YAxisProps(min=0))
