"""The SNS route: the topic SES publishes feedback to, and the queue behind it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from aftersend.environment import Environment
from stacks.queue import Queue


class Feedback(Construct):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, consumer_timeout: cdk.Duration) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self.queue = Queue(self, "Queue", consumer_timeout=consumer_timeout)
        self.topic.add_subscription(subscriptions.SqsSubscription(self.queue, raw_message_delivery=True))
        self._let_ses_publish(
            [f"configuration-set/{name}" for name in environment.configuration_sets]
            + [f"identity/{name}" for name in environment.identities]
        )

    def _let_ses_publish(self, resources: list[str]) -> None:
        """Both ways of publishing, from this account's sets and identities alone. The names are written out: the
        policy must stand before a set or an identity may refer to the topic, because SES then publishes to try it."""
        stack = cdk.Stack.of(self)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlySesForTheseSetsAndIdentities",
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],  # ty: ignore[invalid-argument-type] (as above)
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {
                        "AWS:SourceAccount": stack.account,
                        "AWS:SourceArn": [stack.format_arn(service="ses", resource=resource) for resource in resources],
                    }
                },
            )
        )
