"""What is worth keeping: the tables and the archive. A stack of its own, so that all else can be replaced."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from aftersend.config.environment import Environment
from aftersend.contract import (
    EVENTS_PREFIX,
    EXPIRES,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    PARTITION_KEY,
    QUARANTINE_PREFIX,
    SORT_KEY,
)
from stacks.acknowledged import OF_A_BUCKET, acknowledge


class State(cdk.Stack):
    def __init__(self, scope: Construct, id: str, *, environment: Environment, **stack: Any) -> None:
        protected = environment.retain_state
        super().__init__(
            scope, id, description="Aftersend: what is worth keeping", termination_protection=protected, **stack
        )
        self.ledger = Table(self, "Ledger", environment=environment, stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES)
        self.counters = Table(self, "Counters", environment=environment)
        self.suppressions = Table(self, "Suppressions", environment=environment)
        self.archive = ArchiveBucket(self, "Archive", environment=environment)
        for name, value in (
            ("LedgerTable", self.ledger.table_name),
            ("CountersTable", self.counters.table_name),
            ("SuppressionsTable", self.suppressions.table_name),
            ("ArchiveBucket", self.archive.bucket_name),
        ):
            cdk.CfnOutput(self, f"{name}Name", value=value)


class Table(dynamodb.Table):
    """Items under a partition and a sort key, some of which expire."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, **table: Any) -> None:
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=SORT_KEY, type=dynamodb.AttributeType.STRING),
            time_to_live_attribute=EXPIRES,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=environment.retain_state,
            removal_policy=removal(environment),
            **table,
        )


class ArchiveBucket(s3.Bucket):
    """Every event, as Firehose wrote it: the log that everything else can be rebuilt from."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id=f"Expire {prefix}",
                    prefix=prefix,
                    expiration=cdk.Duration.days(environment.archive_days),
                    noncurrent_version_expiration=cdk.Duration.days(30),
                )
                for prefix in (EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX, QUARANTINE_PREFIX, FAILED_BATCHES_PREFIX)
            ],
            removal_policy=removal(environment),
            # CloudFormation deletes no bucket that holds anything; the emulator does, and cannot run what empties it.
            auto_delete_objects=not environment.retain_state and not environment.is_emulated,
        )
        acknowledge(self, "Only this environment reads it: a log of that is CloudTrail's, where wanted.", "S1")

    def grant_objects(self, function: lambda_.Function, *actions: str, below: str) -> None:
        """Allow a function actions on the objects below a prefix, and no more than these."""
        function.add_to_role_policy(
            iam.PolicyStatement(actions=[*actions], resources=[self.arn_for_objects(f"{below}*")])
        )
        acknowledge(function, "The objects below a prefix, as many as there are.", self._below(below))

    def acknowledge_writer(self, writer: IConstruct) -> None:
        """Acknowledge what the CDK itself grants to something that reads and writes the bucket."""
        granted = [f"IAM5[Action::s3:{action}]" for action in OF_A_BUCKET]
        acknowledge(writer, "What the CDK grants to what writes to a bucket.", *granted, self._below(""))

    def _below(self, prefix: str) -> str:
        """How cdk-nag names a permission on what is below a prefix, of another stack."""
        stack = cdk.Stack.of(self)
        name = stack.resolve(stack.export_value(self.bucket_arn))["Fn::ImportValue"]
        return f"IAM5[Resource::{name}/{prefix}*]"


def removal(environment: Environment) -> cdk.RemovalPolicy:
    return cdk.RemovalPolicy.RETAIN if environment.retain_state else cdk.RemovalPolicy.DESTROY
