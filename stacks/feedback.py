"""The SNS route: the topic SES publishes feedback to, and the queue behind it."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.environment import Environment
from stacks.queue import Queue
from stacks.topic import Topic


class Feedback(Construct):
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
        self.topic = Topic(self, "Topic", key=key)
        self.queue = Queue(self, "Queue", consumer_timeout=consumer_timeout)
        self.topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        # Both ways of publishing, from this account's sets and identities alone.
        stack = cdk.Stack.of(self)
        sources = [f"configuration-set/{name}" for name in environment.configuration_sets]
        sources += [f"identity/{name}" for name in environment.identities]
        arns = [stack.format_arn(service="ses", resource=source) for source in sources]
        self.topic.let_publish(
            "ses.amazonaws.com", {"StringEquals": {"AWS:SourceArn": arns}}, sid="OnlySesForTheseSetsAndIdentities"
        )
