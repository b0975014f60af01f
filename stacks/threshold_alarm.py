"""Create an alarm for the people who operate an environment."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from aftersend.config import ALARMS, Severity

Comparison, Missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData


class ThresholdAlarm(cloudwatch.Alarm):
    """Notify the topic of its severity when a metric breaches, and again when it no longer does.

    The id is a key of ALARMS, which has everything but the metric and what an environment sets. It is also the logical
    id, so that the alarm's name contains the name in the documentation.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        metric: cloudwatch.Metric,
        threshold: float,
        topics: Mapping[Severity, sns.Topic],
        runbook: str,
    ) -> None:
        alarm = ALARMS[id]
        super().__init__(
            scope,
            id,
            metric=metric.with_(period=cdk.Duration.minutes(alarm.period_minutes)),
            threshold=threshold,
            comparison_operator=Comparison.LESS_THAN_THRESHOLD
            if alarm.is_heartbeat
            else Comparison.GREATER_THAN_THRESHOLD,
            evaluation_periods=alarm.periods,
            alarm_description=alarm.description(id, runbook),
            treat_missing_data=Missing.BREACHING if alarm.is_heartbeat else Missing.NOT_BREACHING,
        )
        resource = self.node.default_child
        assert isinstance(resource, cdk.CfnElement)
        resource.override_logical_id(id)
        # By its ARN, so that the topic's policy stays with the topic.
        topic = sns.Topic.from_topic_arn(self, "Topic", topics[alarm.severity].topic_arn)
        action = actions.SnsAction(topic)
        self.add_alarm_action(action)  # ty: ignore[invalid-argument-type] (jsii)
        self.add_ok_action(action)  # ty: ignore[invalid-argument-type] (jsii)
