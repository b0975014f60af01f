"""Create the Firehose stream that SES writes every event to."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX
from stacks.archive_bucket import ArchiveBucket
from stacks.log_group import ExpiringLogGroup

MAX_OBJECT_MEBIBYTES = 5
"""The most that Firehose collects for an object: about 2,500 events, which record_archive records in two seconds."""

BUCKET_ACTIONS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
OBJECT_ACTIONS = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
"""What Firehose needs ("Grant Firehose access to an Amazon S3 destination"), of objects below its prefixes alone."""


class ArchiveStream(Construct):
    """The stream collects events into compressed objects of the archive, and logs what it could not write."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, archive: ArchiveBucket) -> None:
        super().__init__(scope, id)
        group = ExpiringLogGroup(self, "Logs", environment=environment)
        self.stream = firehose.DeliveryStream(
            self,
            "Stream",
            destination=firehose.S3Bucket(
                archive.bucket,
                data_output_prefix=EVENTS_PREFIX,
                error_output_prefix=FIREHOSE_ERRORS_PREFIX,
                buffering_size=cdk.Size.mebibytes(MAX_OBJECT_MEBIBYTES),
                buffering_interval=cdk.Duration.seconds(environment.archive_interval_seconds),
                compression=firehose.Compression.GZIP,
                logging_config=firehose.EnableLogging(group),
                role=self._role(
                    archive, group
                ).without_policy_updates(),  # the CDK would let it delete everything in the bucket
            ),
            encryption=firehose.StreamEncryption.aws_owned_key(),
        )

    def _role(self, archive: ArchiveBucket, group: logs.LogGroup) -> iam.Role:
        patterns = [f"{EVENTS_PREFIX}*", f"{FIREHOSE_ERRORS_PREFIX}*"]
        statements = [
            archive.statement(*BUCKET_ACTIONS),
            *(archive.statement(*OBJECT_ACTIONS, objects=pattern) for pattern in patterns),
            iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[group.log_group_arn]),
        ]
        role = iam.Role(
            self,
            "Role",
            description="Amazon Data Firehose writes events to the archive",
            assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"),  # ty: ignore[invalid-argument-type] (jsii)
            inline_policies={"WriteToArchive": iam.PolicyDocument(statements=statements)},
        )
        archive.acknowledge_objects(role, *patterns)
        return role
