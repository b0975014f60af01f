"""Logs that have an end."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogGroup(logs.LogGroup):
    """Kept for a month, and removed with its stack."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY)
