"""Invoke a function at an interval."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def invoke_every(scope: Construct, interval: cdk.Duration, function: lambda_.Function) -> None:
    """Create the rule, with the id `Schedule`, that invokes a function."""
    target = targets.LambdaFunction(function)  # ty: ignore[invalid-argument-type] (jsii)
    events.Rule(scope, "Schedule", schedule=events.Schedule.rate(interval), targets=[target])  # ty: ignore[invalid-argument-type] (jsii)
