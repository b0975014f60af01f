"""Store every event as Firehose wrote it. Everything else can be rebuilt from this archive."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from aftersend.config import Environment
from aftersend.contract import (
    EVENTS_PREFIX,
    FAILED_BATCHES_PREFIX,
    FIREHOSE_ERRORS_PREFIX,
    IMPORTS_PREFIX,
    QUARANTINE_PREFIX,
    REPORTS_PREFIX,
)
from stacks.acknowledgments import acknowledge
from stacks.removal import removal_policy

EXPIRING_PREFIXES = (EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX, QUARANTINE_PREFIX, FAILED_BATCHES_PREFIX)
OVERWRITTEN_DAYS = 30
"""How long an object that was overwritten or deleted can be recovered."""

REPORT_DAYS = 1
"""How long results of reports are kept, and deleted ones after that: whoever wants one again runs the report again."""

IMPORT_DAYS = 7
"""How long the addresses of an import job are kept; SES takes hours at most."""


class ArchiveBucket:
    """The bucket, created or retained by an earlier deployment, and permissions on it."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        existing = environment.existing_state.archive_bucket
        self.bucket = s3.Bucket.from_bucket_name(scope, id, existing) if existing else _create(scope, id, environment)
        self.bucket_name, self.bucket_arn = self.bucket.bucket_name, self.bucket.bucket_arn

    def grant_objects(self, function: lambda_.Function, *actions: str, prefix: str) -> None:
        """Allow a function exactly these actions on the objects below a prefix."""
        function.add_to_role_policy(self.statement(*actions, objects=f"{prefix}*"))
        self.acknowledge_objects(function, f"{prefix}*")

    def grant_listing(self, function: lambda_.Function) -> None:
        """Allow a function to list the bucket. Without it, S3 answers AccessDenied instead of NoSuchKey."""
        function.add_to_role_policy(self.statement("s3:ListBucket"))

    def statement(self, *actions: str, objects: str | None = None) -> iam.PolicyStatement:
        """Return the permission for actions on the bucket or, with a pattern of keys, on objects in it."""
        arn = self.bucket.arn_for_objects(objects) if objects else self.bucket_arn
        return iam.PolicyStatement(actions=[*actions], resources=[arn])

    def acknowledge_objects(self, grantee: IConstruct, *patterns: str) -> None:
        """Acknowledge that a permission is on all objects whose keys have these patterns."""
        findings = [f"IAM5[Resource::{self._arn_in_findings()}/{pattern}]" for pattern in patterns]
        acknowledge(grantee, "Objects cannot be named one by one.", *findings)

    def _arn_in_findings(self) -> Any:
        """Return cdk-nag's name of the bucket, as seen from another stack."""
        stack = cdk.Stack.of(self.bucket)
        arn = stack.resolve(self.bucket_arn)
        return arn if isinstance(arn, str) else stack.resolve(stack.export_value(self.bucket_arn))["Fn::ImportValue"]


def _create(scope: Construct, id: str, environment: Environment) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        lifecycle_rules=[
            *(_expire(prefix, environment.archive_days) for prefix in EXPIRING_PREFIXES),
            _expire(IMPORTS_PREFIX, IMPORT_DAYS),
            _expire(REPORTS_PREFIX, REPORT_DAYS, REPORT_DAYS),
        ],
        removal_policy=removal_policy(environment),
        # CloudFormation deletes no bucket with objects in it. The emulator does, and cannot run what empties one.
        auto_delete_objects=not environment.retain_state and not environment.is_emulated,
    )
    acknowledge(bucket, "Only this environment reads it. Where an access log is wanted, CloudTrail has one.", "S1")
    if environment.suppression.account_list == "sync":
        _let_ses_read_imports(bucket)
    return bucket


def _let_ses_read_imports(bucket: s3.Bucket) -> None:
    """Allow SES to read the addresses of import jobs of this account.

    The SES developer guide names the account in `aws:Referer`; other services send it as `aws:SourceAccount`.
    """
    for key in ("aws:Referer", "aws:SourceAccount"):
        statement = iam.PolicyStatement(
            sid=f"LetSesReadImports{key.removeprefix('aws:')}",
            principals=[iam.ServicePrincipal("ses.amazonaws.com")],  # ty: ignore[invalid-argument-type] (jsii)
            actions=["s3:GetObject"],
            resources=[bucket.arn_for_objects(f"{IMPORTS_PREFIX}*")],
            conditions={"StringEquals": {key: cdk.Stack.of(bucket).account}},
        )
        bucket.add_to_resource_policy(statement)


def _expire(prefix: str, days: int, overwritten_days: int = OVERWRITTEN_DAYS) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=f"Expire {prefix}",
        prefix=prefix,
        expiration=cdk.Duration.days(days),
        noncurrent_version_expiration=cdk.Duration.days(overwritten_days),
    )
