"""Connect SES to the ledger through the archive: record_archive consumes a queue of the objects Firehose writes."""

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct

from aftersend.config import Environment
from aftersend.contract import EVENTS_PREFIX, QUARANTINE_PREFIX, QUARANTINED_LINES
from stacks.alarms import Alarms
from stacks.archive_stream import ArchiveStream
from stacks.queue import ConsumerQueue
from stacks.recorder_function import RecorderFunction
from stacks.state import State


class ArchiveRoute(Construct):
    """Every event arrives here, a minute or two after it happened."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, state: State, alarms: Alarms) -> None:
        super().__init__(scope, id)
        self.stream = ArchiveStream(self, "Stream", environment=environment, archive=state.archive).stream
        recorder = RecorderFunction(
            self,
            "RecordArchive",
            file="record_archive",
            description="Records SES events from the archive and updates suppression entries",
            environment=environment,
            state=state,
        )
        state.archive.grant_objects(recorder.function, "s3:GetObject", prefix=EVENTS_PREFIX)
        state.archive.grant_objects(recorder.function, "s3:PutObject", prefix=QUARANTINE_PREFIX)
        state.archive.grant_listing(recorder.function)
        self.queues = ConsumerQueue(
            self,
            "Queue",
            consumer=recorder,
            batch_size=1,  # an object is a batch of its own, and has the function's whole time and memory
            max_concurrency=environment.functions.archive_max_concurrency,
        )
        # Imported by ARN, so that the notification belongs to this stack and not to the one of the bucket.
        s3.Bucket.from_bucket_arn(self, "Archive", state.archive.bucket_arn).add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.SqsDestination(self.queues.queue),  # ty: ignore[invalid-argument-type] (jsii)
            s3.NotificationKeyFilter(prefix=EVENTS_PREFIX),
        )
        alarms.watch(
            self,
            ArchiveDeadLetters=self.queues.dead_letter_queue.metric_dead_letters(),
            ArchiveLate=self.queues.metric_oldest_message_seconds(),
            StreamLate=self.stream.metric("DeliveryToS3.DataFreshness", statistic="Maximum"),
            StreamThrottled=self.stream.metric("ThrottledRecords", statistic="Sum"),
            QuarantinedLines=alarms.own_metric(QUARANTINED_LINES, "Sum"),
        )
