"""The SNS route: the topic SES publishes feedback to, and the queue behind it."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.config.environment import Environment
from stacks.queue import ConsumerQueue
from stacks.topic import ServiceTopic


class FeedbackRoute(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.Key | None,
        consumer_timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, id)
        self.topic = ServiceTopic(self, "Topic", key=key)
        self.queue = ConsumerQueue(self, "Queue", consumer_timeout=consumer_timeout)
        self.topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        # Both ways of publishing, from this account's sets and identities alone.
        stack = cdk.Stack.of(self)
        sources = [f"configuration-set/{name}" for name in environment.configuration_sets]
        sources += [f"identity/{name}" for name in environment.identities]
        arns = [stack.format_arn(service="ses", resource=source) for source in sources]
        self.topic.allow_publish_from(
            "ses.amazonaws.com", {"StringEquals": {"AWS:SourceArn": arns}}, sid="OnlySesForTheseSetsAndIdentities"
        )
