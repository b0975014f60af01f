"""What wakes somebody: the topic of all alarms, and the alarms themselves."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.topic import ServiceTopic


class Alarms(Construct):
    """The topic, with the addresses of the environment subscribed: each is asked once to confirm."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.Key | None) -> None:
        super().__init__(scope, id)
        self.topic = ServiceTopic(self, "Topic", key=key)
        self.topic.allow_publish_from("cloudwatch.amazonaws.com", {}, sid="OnlyAlarmsOfThisAccount")
        for address in environment.alarm_addresses:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))  # ty: ignore[invalid-argument-type] (jsii)


class Alarm(cloudwatch.Alarm):
    """Goes off when a metric is above `above`, and says so when it is over."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: ServiceTopic,
        metric: cloudwatch.IMetric,
        threshold: float,
        description: str,
        periods: int = 1,
    ) -> None:
        """`says` is what the person reads who is woken: what is wrong, and what to do first."""
        super().__init__(
            scope,
            id,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=periods,
            alarm_description=description,
            # A queue or function that did nothing reports nothing.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        by_arn = sns.Topic.from_topic_arn(self, "Topic", topic.topic_arn)
        action = actions.SnsAction(by_arn)
        self.add_alarm_action(action)  # ty: ignore[invalid-argument-type] (jsii)
        self.add_ok_action(action)  # ty: ignore[invalid-argument-type] (jsii)
