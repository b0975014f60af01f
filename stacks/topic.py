"""Create an SNS topic that an AWS service publishes to."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct


class ServiceTopic(sns.Topic):
    """A topic that one AWS service may publish to, from this account alone."""

    def __init__(self, scope: Construct, id: str, *, key: kms.Key | None) -> None:
        super().__init__(scope, id, enforce_ssl=True, master_key=key)  # ty: ignore[invalid-argument-type] (jsii)

    def allow_publish_from(self, service: str, *, sid: str, conditions: Mapping[str, object] | None = None) -> None:
        """Allow a service to publish. `conditions` are values of condition keys, beside this account.

        They are literal names, never references: this policy must exist before anything that may refer to the topic.
        """
        account = {"AWS:SourceAccount": cdk.Stack.of(self).account}
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal(service)],  # ty: ignore[invalid-argument-type] (jsii)
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={"StringEquals": {**(conditions or {}), **account}},
            )
        )
