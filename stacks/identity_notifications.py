"""The notification settings of identities, which CloudFormation cannot set: custom resources over SES's API."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from aftersend.environment import Environment, Identity
from aftersend.layout import IDENTITIES_PREFIX, METRICS_NAMESPACE
from stacks.acknowledged import acknowledge
from stacks.alarms import Alarm, Alarms
from stacks.function import Function
from stacks.state import State

TIMEOUT = cdk.Duration.minutes(5)
CHECK_TIMEOUT = cdk.Duration.minutes(15)
"""At a call a second some two hundred identities are put back in one go; the next hour does the rest."""
CHECK_EVERY = cdk.Duration.hours(1)


class IdentityNotifications(Construct):
    """The functions, and two resources for each identity: what was set before, and what is wanted.

    The identities form a chain, one after another: SES takes one call a second, of all of them together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        topic: sns.ITopic,
        state: State,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        settings = {
            "ARCHIVE_BUCKET": state.archive.bucket_name,
            "PACE_SECONDS": "0" if environment.is_emulated else "1",
        }
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
            settings=settings,
        )
        check = Function(
            self,
            "CheckIdentities",
            file="check_identities",
            does="Compares the notification settings SES has with those deployed",
            environment=environment,
            timeout=CHECK_TIMEOUT,
            memory_mebibytes=256,
            settings={
                **settings,
                "PUT_BACK": "true" if environment.on_identity_drift == "put-back" else "false",
                "ENVIRONMENT": environment.name,
            },
        )
        events.Rule(
            self,
            "Schedule",
            schedule=events.Schedule.rate(CHECK_EVERY),
            targets=[targets.LambdaFunction(check)],  # ty: ignore[invalid-argument-type] (jsii)
        )
        self._alarm(check, environment, alarms)
        cdk.CfnOutput(
            self, "CheckIdentitiesName", value=check.function_name, description="Invoke it to compare at once"
        )
        state.archive.let(self._set, "s3:PutObject", "s3:DeleteObject", below=IDENTITIES_PREFIX)
        state.archive.let(check, "s3:GetObject", "s3:PutObject", below=IDENTITIES_PREFIX)
        check.add_to_role_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[state.archive.bucket_arn]))
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
            acknowledge(function, "SES knows no resource-level permissions for these.", "IAM5[Resource::*]")

    def _alarm(self, check: Function, environment: Environment, alarms: Alarms) -> None:
        for count, is_wrong in (
            (
                "identities_drifted",
                "SES no longer has notification settings that were deployed: it drops them without a "
                "word when it cannot publish to a topic.",
            ),
            ("identities_failed", "SES refused to set notifications of an identity."),
        ):
            Alarm(
                self,
                f"Alarm-{count}",
                topic=alarms.topic,
                metric=cloudwatch.Metric(
                    namespace=METRICS_NAMESPACE,
                    metric_name=count,
                    dimensions_map={"Environment": environment.name},
                    statistic="Maximum",
                    period=CHECK_EVERY,
                ),
                above=0,
                says=f"{is_wrong} The logs of {check.function_name} name the identity and what is different.",
            )
        Alarm(
            self,
            "Alarm-check",
            topic=alarms.topic,
            metric=check.metric_errors(period=CHECK_EVERY),
            above=0,
            says=f"{check.function_name} fails: nobody notices if SES drops the notifications of an identity.",
        )

    def publish(self, name: str, identity: Identity, *, of: Construct | None) -> None:
        """Have SES publish what is wanted of an identity, once the construct that creates it, if one does, is there."""
        found = self._resource(f"{name}-found", "Custom::IdentityNotificationsFound", Identity=name)
        found.node.add_dependency(*(before for before in (of, self._before) if before))
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
