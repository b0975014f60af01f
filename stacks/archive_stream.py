"""Create the Firehose stream that SES writes every event to."""

import aws_cdk as cdk
from aws_cdk import aws_kinesisfirehose as firehose
from constructs import Construct

from aftersend.config.environment import Environment
from aftersend.contract import EVENTS_PREFIX, FIREHOSE_ERRORS_PREFIX
from stacks.archive_bucket import ArchiveBucket
from stacks.log_group import ExpiringLogGroup

MAX_OBJECT_MEBIBYTES = 5
"""The most that Firehose collects for an object: about 2,500 events, which record_archive records in two seconds."""


class ArchiveStream(Construct):
    """The stream collects events into compressed objects of the archive, and logs what it could not write."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, archive: ArchiveBucket) -> None:
        super().__init__(scope, id)
        logs = ExpiringLogGroup(self, "Logs", environment=environment)
        self.stream = firehose.DeliveryStream(
            self,
            "Stream",
            destination=firehose.S3Bucket(
                archive,
                data_output_prefix=EVENTS_PREFIX,
                error_output_prefix=FIREHOSE_ERRORS_PREFIX,
                buffering_size=cdk.Size.mebibytes(MAX_OBJECT_MEBIBYTES),
                buffering_interval=cdk.Duration.seconds(environment.archive_interval_seconds),
                compression=firehose.Compression.GZIP,
                logging_config=firehose.EnableLogging(logs),
            ),
            encryption=firehose.StreamEncryption.aws_owned_key(),
        )
        archive.acknowledge_writer(self.stream)
