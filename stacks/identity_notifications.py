"""The notification settings of identities, which CloudFormation cannot set: custom resources over SES's API."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from aftersend.environment import Environment, Identity
from stacks.function import Function

TIMEOUT = cdk.Duration.minutes(5)
CHECK_EVERY = cdk.Duration.hours(1)


class IdentityNotifications(Construct):
    """The functions, and two resources for each identity: what was set before, and what is wanted.

    The identities form a chain, one after another: SES takes one call a second, of all of them together.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        self._topic = topic
        self._before: IDependable | None = None
        self._set = Function(
            self,
            "SetIdentityNotifications",
            file="set_identity_notifications",
            does="Sets the notification settings of an identity while a stack is deployed",
            environment=environment,
            timeout=TIMEOUT,
            memory_mebibytes=256,
            settings={},
        )
        check = Function(
            self,
            "CheckIdentities",
            file="check_identities",
            does="Sets the notification settings of identities that were verified since",
            environment=environment,
            timeout=TIMEOUT,
            memory_mebibytes=256,
            settings={
                "IDENTITIES": cdk.Stack.of(self).to_json_string(
                    {name: self._wanted(identity) for name, identity in environment.identities.items()}
                )
            },
        )
        events.Rule(
            self,
            "Schedule",
            schedule=events.Schedule.rate(CHECK_EVERY),
            targets=[targets.LambdaFunction(check)],  # ty: ignore[invalid-argument-type] (jsii)
        )
        for function in (self._set, check):
            # SES knows no resource-level permissions for these actions (service authorization reference of SES).
            function.add_to_role_policy(
                iam.PolicyStatement(
                    actions=[
                        "ses:GetIdentityNotificationAttributes",
                        "ses:GetIdentityVerificationAttributes",
                        "ses:SetIdentityNotificationTopic",
                        "ses:SetIdentityHeadersInNotificationsEnabled",
                        "ses:SetIdentityFeedbackForwardingEnabled",
                    ],
                    resources=["*"],
                )
            )

    def publish(self, name: str, identity: Identity, *, of: Construct) -> None:
        """Have SES publish what is wanted of an identity, once the construct that creates it is there."""
        found = self._resource(f"{name}-found", "Custom::IdentityNotificationsFound", Identity=name)
        found.node.add_dependency(of, *([self._before] if self._before else []))
        self._before = self._resource(
            name,
            "Custom::IdentityNotifications",
            Identity=name,
            Wanted=cdk.Stack.of(self).to_json_string(self._wanted(identity)),
            Found=found.get_att_string("Settings"),
        )

    def _resource(self, id: str, resource_type: str, **properties: str) -> cdk.CustomResource:
        return cdk.CustomResource(
            self,
            id,
            resource_type=resource_type,
            service_token=self._set.function_arn,
            service_timeout=TIMEOUT,
            properties=properties,
        )

    def _wanted(self, identity: Identity) -> dict[str, object]:
        """The settings as aftersend.aws.identity_settings.NotificationSettings reads them."""
        return {
            "topics": dict.fromkeys(identity.notifications, self._topic.topic_arn),
            "headers": list(identity.headers_in_notifications),
            "forwarding": identity.feedback_forwarding,
        }
