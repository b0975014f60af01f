"""The stacks of an environment, in the order they are deployed in."""

import aws_cdk as cdk

from aftersend.environment import Environment
from stacks.dashboard import Dashboard
from stacks.pipeline import Pipeline
from stacks.publishing import Publishing
from stacks.state import State


def add_stacks(app: cdk.App, environment: Environment) -> list[cdk.Stack]:
    """Publishing comes behind the pipeline: what SES publishes has somewhere to go from the first message on."""
    where = cdk.Environment(account=environment.account, region=environment.region)
    prefix = f"Aftersend-{environment.name}"
    state = State(app, f"{prefix}-State", environment=environment, env=where)
    pipeline = Pipeline(app, f"{prefix}-Pipeline", environment=environment, state=state, env=where)
    publishing = Publishing(app, f"{prefix}-Publishing", environment=environment, pipeline=pipeline, env=where)
    dashboard = Dashboard(app, f"{prefix}-Dashboard", environment=environment, pipeline=pipeline, env=where)
    cdk.Tags.of(app).add("aftersend:environment", environment.name)
    return [state, pipeline, publishing, dashboard]
