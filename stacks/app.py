"""Add an environment's stacks to an app, in the order in which they are deployed."""

from typing import NamedTuple

import aws_cdk as cdk

from aftersend.config import Environment
from stacks.acknowledgments import acknowledge
from stacks.dashboard import DashboardStack
from stacks.pipeline import Pipeline
from stacks.publishing import Publishing
from stacks.state import State
from stacks.tags import tag


class Stacks(NamedTuple):
    """Publishing follows the pipeline, so that what SES publishes has a consumer from the first message on."""

    state: State
    pipeline: Pipeline
    publishing: Publishing
    dashboard: DashboardStack


def add_stacks(app: cdk.App, environment: Environment) -> Stacks:
    """Add the stacks to an app. They bear their environment's name, so that one account can hold several."""
    target = cdk.Environment(account=environment.account, region=environment.region)
    prefix = f"Aftersend-{environment.name}"
    state = State(app, f"{prefix}-State", environment=environment, env=target)
    pipeline = Pipeline(app, f"{prefix}-Pipeline", environment=environment, state=state, env=target)
    publishing = Publishing(
        app, f"{prefix}-Publishing", environment=environment, state=state, pipeline=pipeline, env=target
    )
    dashboard = DashboardStack(
        app, f"{prefix}-Dashboard", environment=environment, state=state, pipeline=pipeline, env=target
    )
    tag(app, {"aftersend:environment": environment.name, **environment.resource_tags})
    managed = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    acknowledge(app, "It allows a function to write logs and nothing else.", managed)
    return Stacks(state, pipeline, publishing, dashboard)
