"""Amazon SNS topics, and the key they are encrypted with where an environment asks for it."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

PUBLISHERS = ("ses.amazonaws.com", "cloudwatch.amazonaws.com")


class TopicKey(kms.Key):
    """A key of our own: nobody can change the policy of the AWS-managed one, so no service may publish with that."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(
            scope,
            id,
            description="Aftersend: encrypts what waits in its topics",
            enable_key_rotation=True,
            # What it encrypts lives for seconds; nothing kept depends on it.
            removal_policy=cdk.RemovalPolicy.DESTROY,
            pending_window=cdk.Duration.days(7),
        )
        for publisher in PUBLISHERS:
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Let{publisher.partition('.')[0].title()}Publish",
                    principals=[iam.ServicePrincipal(publisher)],  # ty: ignore[invalid-argument-type] (jsii)
                    actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                    resources=["*"],  # within a key's policy: this key
                    conditions={"StringEquals": {"AWS:SourceAccount": cdk.Stack.of(scope).account}},
                )
            )


class ServiceTopic(sns.Topic):
    """A topic that one service may publish to, from this account, under conditions."""

    def __init__(self, scope: Construct, id: str, *, key: kms.Key | None) -> None:
        super().__init__(scope, id, enforce_ssl=True, master_key=key)  # ty: ignore[invalid-argument-type] (jsii)

    def allow_publish_from(self, service: str, conditions: Mapping[str, Mapping[str, object]], *, sid: str) -> None:
        """The names in conditions are written out: the policy must stand before anything may refer to the topic."""
        account = {"AWS:SourceAccount": cdk.Stack.of(self).account}
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],  # ty: ignore[invalid-argument-type] (jsii)
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={**conditions, "StringEquals": {**conditions.get("StringEquals", {}), **account}},
            )
        )
