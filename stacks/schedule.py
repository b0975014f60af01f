"""Invoke a function at an interval."""

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.alarms import Alarms


def invoke_every(scope: Construct, interval: cdk.Duration, function: lambda_.Function) -> None:
    """Create the rule, with the id `Schedule`, that invokes a function."""
    target = targets.LambdaFunction(function)  # ty: ignore[invalid-argument-type] (jsii)
    events.Rule(scope, "Schedule", schedule=events.Schedule.rate(interval), targets=[target])  # ty: ignore[invalid-argument-type] (jsii)


def run_hourly(
    scope: Construct, function: lambda_.Function, *, alarms: Alarms, watched: Iterable[str], purpose: str
) -> None:
    """Invoke a function every hour, create the alarms on what it publishes, and output its name."""
    invoke_every(scope, cdk.Duration.hours(1), function)
    alarms.watch_own(scope, watched)
    cdk.CfnOutput(scope, "FunctionName", value=function.function_name, description=f"Invoke it to {purpose} at once")
