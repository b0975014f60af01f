"""The stacks of an environment, in the order they are deployed in."""

from typing import NamedTuple

import aws_cdk as cdk

from aftersend.config.environment import Environment
from stacks.acknowledged import acknowledge
from stacks.dashboard import Dashboard
from stacks.pipeline import Pipeline
from stacks.publishing import Publishing
from stacks.state import State
from stacks.tags import tag


class Stacks(NamedTuple):
    """Publishing comes behind the pipeline: what SES publishes has somewhere to go from the first message on."""

    state: State
    pipeline: Pipeline
    publishing: Publishing
    dashboard: Dashboard


def add_stacks(app: cdk.App, environment: Environment) -> Stacks:
    """The stacks, named after their environment, so that several may live in one account."""
    where = cdk.Environment(account=environment.account, region=environment.region)
    prefix = f"Aftersend-{environment.name}"
    state = State(app, f"{prefix}-State", environment=environment, env=where)
    pipeline = Pipeline(app, f"{prefix}-Pipeline", environment=environment, state=state, env=where)
    publishing = Publishing(
        app, f"{prefix}-Publishing", environment=environment, state=state, pipeline=pipeline, env=where
    )
    dashboard = Dashboard(app, f"{prefix}-Dashboard", environment=environment, pipeline=pipeline, env=where)
    tag(app, {"aftersend:environment": environment.name, **environment.resource_tags})
    managed = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    acknowledge(app, "It lets a function write logs, and nothing else.", managed)
    return Stacks(state, pipeline, publishing, dashboard)
