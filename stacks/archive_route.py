"""The archive route: the Firehose stream SES writes every event to, and the queue of the objects it makes of them."""

import aws_cdk as cdk
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX
from stacks.logs import LogGroup
from stacks.queue import ConsumerQueue
from stacks.state import ArchiveBucket

OBJECT_MEBIBYTES = 5
"""What Firehose collects at most: about 2,500 events, recorded in some two seconds of the five minutes there are."""


class ArchiveRoute(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        archive: ArchiveBucket,
        consumer_timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, id)
        logs = LogGroup(self, "StreamLogs", environment=environment)
        self.stream = firehose.DeliveryStream(
            self,
            "Stream",
            destination=firehose.S3Bucket(
                archive,
                data_output_prefix=EVENTS_PREFIX,
                error_output_prefix=FIREHOSE_ERRORS_PREFIX,
                buffering_size=cdk.Size.mebibytes(OBJECT_MEBIBYTES),
                buffering_interval=cdk.Duration.seconds(environment.archive_interval_seconds),
                compression=firehose.Compression.GZIP,
                logging_config=firehose.EnableLogging(logs),
            ),
            encryption=firehose.StreamEncryption.aws_owned_key(),
        )
        archive.acknowledge_writer(self.stream)
        self.queue = ConsumerQueue(self, "Queue", consumer_timeout=consumer_timeout)
        # By reference to its ARN: the notification then belongs to this stack, not to the one that keeps the state.
        s3.Bucket.from_bucket_arn(self, "Archive", archive.bucket_arn).add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.SqsDestination(self.queue),  # ty: ignore[invalid-argument-type] (jsii names a parameter otherwise)
            s3.NotificationKeyFilter(prefix=EVENTS_PREFIX),
        )
