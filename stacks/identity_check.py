"""The hourly comparison of the notification settings SES has with those that were deployed."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import IDENTITIES_PREFIX, METRICS_NAMESPACE
from stacks.acknowledged import acknowledge
from stacks.alarms import Alarm, Alarms
from stacks.function import Function
from stacks.state import State

TIMEOUT = cdk.Duration.minutes(15)
"""At a call a second some two hundred identities are put back in one go; the next hour does the rest."""
EVERY = cdk.Duration.hours(1)

COUNTED = {
    "identities_drifted": "SES no longer has notification settings that were deployed: it drops them silently when "
    "it cannot publish to a topic.",
    "identities_failed": "SES refused to set notifications of an identity.",
}
"""Metrics of which one is too many, and what is wrong then."""


class IdentityCheck(Construct):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        function = Function(
            self,
            "Function",
            file="check_identities",
            description="Compares the notification settings SES has with those deployed",
            environment=environment,
            timeout=TIMEOUT,
            memory_mebibytes=256,
            settings={
                **identity_function_settings(environment, state),
                "RESTORE_DRIFT": "true" if environment.on_identity_drift == "restore" else "false",
                "ENVIRONMENT": environment.name,
            },
        )
        events.Rule(
            self,
            "Schedule",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(function)],  # ty: ignore[invalid-argument-type] (jsii)
        )
        cdk.CfnOutput(self, "FunctionName", value=function.function_name, description="Invoke it to compare at once")
        grant_identity_notifications(function)
        state.archive.grant_objects(function, "s3:GetObject", "s3:PutObject", below=IDENTITIES_PREFIX)
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[state.archive.bucket_arn])
        )
        for name, is_wrong in COUNTED.items():
            found = cloudwatch.Metric(
                namespace=METRICS_NAMESPACE,
                metric_name=name,
                dimensions_map={"Environment": environment.name},
                statistic="Maximum",
                period=EVERY,
            )
            description = f"{is_wrong} The logs of {function.function_name} name the identity and what is different."
            Alarm(self, name, topic=alarms.topic, metric=found, threshold=0, description=description)
        description = f"{function.function_name} fails: nobody notices if SES drops the notifications of an identity."
        Alarm(
            self,
            "IdentityCheckFailed",
            topic=alarms.topic,
            metric=function.metric_errors(period=EVERY),
            threshold=0,
            description=description,
        )


def identity_function_settings(environment: Environment, state: State) -> dict[str, str]:
    """What every function is told that sets notifications: where it keeps what is deployed, how fast it may call."""
    return {"ARCHIVE_BUCKET": state.archive.bucket_name, "PACE_SECONDS": "0" if environment.is_emulated else "1"}


def grant_identity_notifications(function: lambda_.Function) -> None:
    """SES knows no resource-level permissions for these actions (service authorization reference of Amazon SES)."""
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
