"""Store every event as Firehose wrote it. Everything else can be rebuilt from this archive."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from aftersend.config.environment import Environment
from aftersend.contract import EVENTS_PREFIX, FAILED_BATCHES_PREFIX, FIREHOSE_ERRORS_PREFIX, QUARANTINE_PREFIX
from stacks.acknowledgments import acknowledge
from stacks.removal import removal_policy

EXPIRING_PREFIXES = (EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX, QUARANTINE_PREFIX, FAILED_BATCHES_PREFIX)
OVERWRITTEN_DAYS = 30
"""How long an object that was overwritten or deleted can be recovered."""

GRANTED_WILDCARDS = ("Abort*", "DeleteObject*", "GetBucket*", "GetObject*", "List*")
"""Actions with wildcards that the CDK grants to whatever reads and writes a bucket."""


class ArchiveBucket(s3.Bucket):
    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[_expire(prefix, environment.archive_days) for prefix in EXPIRING_PREFIXES],
            removal_policy=removal_policy(environment),
            # CloudFormation deletes no bucket with objects in it. The emulator does, and cannot run what empties one.
            auto_delete_objects=not environment.retain_state and not environment.is_emulated,
        )
        acknowledge(self, "Only this environment reads it. Where an access log is wanted, CloudTrail has one.", "S1")

    def grant_objects(self, function: lambda_.Function, *actions: str, prefix: str) -> None:
        """Allow a function exactly these actions on the objects below a prefix."""
        function.add_to_role_policy(
            iam.PolicyStatement(actions=[*actions], resources=[self.arn_for_objects(f"{prefix}*")])
        )
        acknowledge(function, "Objects below a prefix cannot be listed one by one.", self._finding(prefix))

    def acknowledge_writer(self, writer: IConstruct) -> None:
        """Acknowledge what the CDK itself grants to something that reads and writes the bucket."""
        actions = [f"IAM5[Action::s3:{action}]" for action in GRANTED_WILDCARDS]
        acknowledge(writer, "What the CDK grants to whatever writes to a bucket.", *actions, self._finding(prefix=""))

    def _finding(self, prefix: str) -> str:
        """Return cdk-nag's name of the permission on the objects below a prefix, as seen from another stack."""
        stack = cdk.Stack.of(self)
        name = stack.resolve(stack.export_value(self.bucket_arn))["Fn::ImportValue"]
        return f"IAM5[Resource::{name}/{prefix}*]"


def _expire(prefix: str, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"Expire {prefix}",
        prefix=prefix,
        expiration=cdk.Duration.days(days),
        noncurrent_version_expiration=cdk.Duration.days(OVERWRITTEN_DAYS),
    )
