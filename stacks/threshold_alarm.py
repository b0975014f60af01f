"""Create an alarm for the people who operate an environment."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.alarms import Alarms


class ThresholdAlarm(cloudwatch.Alarm):
    """Notify when a metric exceeds a threshold, and again when it no longer does."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        alarms: Alarms,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        periods: int = 1,
    ) -> None:
        """`description` tells the person who is woken what is wrong and what to do first. `id` is unique in the stack:
        it is the logical id as it stands, so that the alarm bears a name that the documentation can give."""
        super().__init__(
            scope,
            id,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            alarm_description=description,
            # A queue or a function that did nothing has no data.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        resource = self.node.default_child
        assert isinstance(resource, cdk.CfnElement)
        resource.override_logical_id(id)
        topic = sns.Topic.from_topic_arn(self, "Topic", alarms.topic.topic_arn)
        action = actions.SnsAction(topic)
        self.add_alarm_action(action)  # ty: ignore[invalid-argument-type] (jsii)
        self.add_ok_action(action)  # ty: ignore[invalid-argument-type] (jsii)
