"""Create the topic that all alarms notify."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.topic import ServiceTopic


class Alarms(Construct):
    """The topic, with the environment's addresses subscribed. SNS asks each of them once to confirm."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.Key | None) -> None:
        super().__init__(scope, id)
        self.topic = ServiceTopic(self, "Topic", key=key)
        self.topic.allow_publish_from("cloudwatch.amazonaws.com", sid="OnlyAlarmsOfThisAccount")
        for address in environment.alarm_addresses:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))  # ty: ignore[invalid-argument-type] (jsii)
