"""The notification topics of an identity, which CloudFormation cannot set: a custom resource over SES's API."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.environment import Environment
from stacks.function import Function

TIMEOUT = cdk.Duration.minutes(2)


class IdentityNotifications(Construct):
    """The function behind the custom resources, and one resource for each identity it is asked for."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        self._setter = Function(
            self,
            "SetIdentityNotifications",
            file="set_identity_notifications",
            does="Sets the notification topics of an identity while a stack is deployed",
            environment=environment,
            timeout=TIMEOUT,
            memory_mebibytes=256,
            settings={},
        )
        # SES knows no resource-level permission for this action (service authorization reference of SES).
        self._setter.add_to_role_policy(
            iam.PolicyStatement(actions=["ses:SetIdentityNotificationTopic"], resources=["*"])
        )

    def publish(self, identity: str, *, to: sns.ITopic, notifications: tuple[str, ...]) -> cdk.CustomResource:
        return cdk.CustomResource(
            self,
            identity,
            resource_type="Custom::IdentityNotifications",
            service_token=self._setter.function_arn,
            service_timeout=TIMEOUT,
            properties={"Identity": identity, "Topics": dict.fromkeys(notifications, to.topic_arn)},
        )
