"""Create the CloudWatch dashboard: sections of custom widgets and graphs, each with a line about its meaning."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from aftersend.config import Environment
from aftersend.dashboard import layout
from aftersend.dashboard.layout import Panel
from stacks.console import console_url
from stacks.dashboard_graphs import mail_graphs, pipeline_graphs, rate_graphs, tag_graphs
from stacks.outputs import add_outputs
from stacks.pipeline import Pipeline
from stacks.state import State
from stacks.widgets import Widgets


class DashboardStack(cdk.Stack):
    """The sections follow the questions of an operator: is it healthy, how are rates and mail, who is suppressed, what
    waits or failed, what does it cost."""

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
        board = cloudwatch.Dashboard(self, "Dashboard", default_interval=cdk.Duration.hours(24))
        widgets = Widgets(
            self,
            "Widgets",
            environment=environment,
            state=state,
            policies=pipeline.policies,
            dashboard_arn=board.dashboard_arn,
        )
        self._board, self._show, self._runbook = board, widgets.show.function_arn, environment.runbook_url
        self._show_panel(layout.STATUS)
        self._add_section(
            "Rates", "Bounces and complaints of 24 hours, against the rates at which AWS reviews an account."
        )
        self._show_panel(layout.RATES)
        self._add(rate_graphs(environment))
        self._add_section("Mail", "What was sent, and what came of it. Choose a tag value to see one campaign.")
        self._show_panel(layout.TAGS)
        self._show_panel(layout.CAMPAIGN)
        for row in (*mail_graphs(environment), *tag_graphs(environment)):
            self._add(row)
        self._add_section("Recipients", "Who is suppressed and why, and everything about one recipient.")
        self._show_panel(layout.RECIPIENT)
        self._show_panel(layout.SUPPRESSIONS)
        self._add_section("Pipeline", "What waits, what failed and where it is kept, and what has run.")
        self._show_panel(layout.FAILURES)
        self._add(pipeline_graphs(environment, pipeline))
        self._add_section("Cost", "What this month costs so far, estimated from the mail counted.")
        self._show_panel(layout.COST)
        page = f"cloudwatch/home?region={self.region}#dashboards:name={board.dashboard_name}"
        add_outputs(self, DashboardUrl=console_url(self, page), DashboardName=board.dashboard_name)

    def _add(self, widgets: list[cloudwatch.IWidget]) -> None:
        """Add a row of widgets, if there are any."""
        self._board.add_widgets(*widgets)

    def _add_section(self, title: str, meaning: str) -> None:
        link = f" [Runbook]({self._runbook}#dashboard)" if self._runbook else ""
        text = cloudwatch.TextWidget(
            markdown=f"## {title}\n{meaning}{link}",
            width=24,
            height=2,
            background=cloudwatch.TextWidgetBackground.TRANSPARENT,
        )
        self._board.add_widgets(text)

    def _show_panel(self, panel: Panel) -> None:
        self._board.add_widgets(_custom(panel, self._show))


def _custom(panel: Panel, function_arn: str) -> cloudwatch.CustomWidget:
    return cloudwatch.CustomWidget(
        title=panel.title,
        function_arn=function_arn,
        params={"panel": panel.name},
        width=panel.width,
        height=panel.height,
        update_on_time_range_change=True,
    )
