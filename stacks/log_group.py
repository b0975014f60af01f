"""Create log groups with a retention."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from aftersend.config import Environment


class ExpiringLogGroup(logs.LogGroup):
    """A log group whose lines expire after `log_days`, and which is removed with its stack."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id, removal_policy=cdk.RemovalPolicy.DESTROY)
        resource = self.node.default_child
        assert isinstance(resource, logs.CfnLogGroup)
        resource.retention_in_days = environment.log_days
