"""Create the key that encrypts the topics, if the environment sets `encrypted_topics`."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from aftersend.config import Environment

PUBLISHERS = {"LetSesPublish": "ses.amazonaws.com", "LetCloudwatchPublish": "cloudwatch.amazonaws.com"}
"""Services that publish to the topics, by the id of their statement in the key's policy."""


class TopicEncryption(Construct):
    """A key of this environment. No service may publish with the AWS-managed key, whose policy cannot be changed."""

    key: kms.Key | None = None

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        if environment.encrypted_topics:
            self.key = kms.Key(
                self,
                "Key",
                description="Aftersend: encrypts messages in its topics",
                enable_key_rotation=True,
                # Topics hold messages for seconds: nothing that is stored needs this key.
                removal_policy=cdk.RemovalPolicy.DESTROY,
                pending_window=cdk.Duration.days(7),
            )
            for sid, publisher in PUBLISHERS.items():
                self.key.add_to_resource_policy(_allow(publisher, sid))


def _allow(publisher: str, sid: str) -> iam.PolicyStatement:
    """Return the statement that AWS documents. It has no condition: a service may use the key on behalf of SES, without
    naming the account ("Configuring Amazon SNS notifications for Amazon SES" in the SES guide)."""
    return iam.PolicyStatement(
        sid=sid,
        principals=[iam.ServicePrincipal(publisher)],  # ty: ignore[invalid-argument-type] (jsii)
        actions=["kms:GenerateDataKey*", "kms:Decrypt"],
        resources=["*"],  # in the policy of a key: this key
    )
